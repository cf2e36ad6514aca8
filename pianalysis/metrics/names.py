"""What metrics are called, in tables and in JSON.

In: nothing. Out: names, labels and digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Metric:
    """What a metric is called in tables, and the digits after its point."""

    label: str
    digits: int = 2


BIGRAMS, TWO_SAMPLE = "bigram_divergence", "two_sample"
"""Metrics of a whole set of pieces, beside the human ones."""
AREAS: Final = {name: f"area_{name}" for name in ("pitch", "duration", "inter_onset", "velocity")}
METRICS: Final = {
    "melody_recall": Metric("melody recall", 3),
    "pcs": Metric("pitch consonance score (PCS)"),
    "pcs_coupling": Metric("PCS minus that with another song's"),
    "clash_rate": Metric("clash rate", 3),
    "clash_coupling": Metric("clashes minus those with another song's", 3),
    "chord_tones": Metric("chord tones, of the song's chords"),
    "own_chord_tones": Metric("chord tones, of its own chords"),
    "chord_root": Metric("root agreement, the song's chords"),
    "chord_major_minor": Metric("root and mode agreement, the same"),
    "root_in_bass": Metric("root in the bass, of the song's chords"),
    "own_root_in_bass": Metric("root in the bass, of its own chords"),
    "out_of_key": Metric("notes out of key", 3),
    "melody_in_chord": Metric("melody in its own chords, strong beats"),
    "melody_time_in_chord": Metric("melody in its own chords, all the time"),
    "chord_changes": Metric("chord changes per bar"),
    "distinct_chords": Metric("distinct chords per 8 bars", 1),
    "falling_fifths": Metric("falling fifths"),
    "final_tonic": Metric("final tonic"),
    "bigram_divergence": Metric("chord-bigram divergence, bits"),
    "two_sample": Metric("classifier two-sample test, AUC"),
    "area_pitch": Metric("overlapping area, pitch"),
    "area_duration": Metric("overlapping area, duration"),
    "area_inter_onset": Metric("overlapping area, inter-onset"),
    "area_velocity": Metric("overlapping area, velocity"),
    "notes_per_beat": Metric("notes per beat", 1),
    "human_density": Metric("share of songs of human density"),
    "polyphony": Metric("polyphony", 1),
    "pitch_class_entropy_1": Metric("pitch-class entropy, 1 bar"),
    "pitch_class_entropy_4": Metric("pitch-class entropy, 4 bars"),
    "scale_consistency": Metric("scale consistency", 3),
    "groove_consistency": Metric("groove consistency", 3),
    "empty_beat_rate": Metric("empty-beat rate", 3),
    "longest_gap_bars": Metric("longest gap under the melody, bars", 1),
    "end_after_melody_s": Metric("end after the melody's, s", 1),
    "self_similarity": Metric("self-similarity of repeated phrases"),
    "longest_copy": Metric("longest copy from training, notes", 1),
    "in_reach": Metric("share of moments within both hands' reach", 3),
    "notes_a_hand": Metric("most notes a hand strikes at once", 1),
    "seam_pcs": Metric("PCS at window joints, minus inside"),
    "seam_density": Metric("notes per beat at window joints, over inside"),
}
"""All metrics, in the order of the tables."""
HUMAN: Final = "human"
