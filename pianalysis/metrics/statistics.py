"""What a piece is like in itself: groove, entropy, scale, polyphony, gaps and density.

In: notes, in ms of any clock, and how long a step, a beat or a bar is in these. Out: plain numbers, by the definitions of MusPy
0.5 (Dong et al. 2020), whose resolution is a step here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import symusic
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.metrics.rolls import Floats, ends_ms, last_end_ms, step_roll, steps
from pianalysis.music.clock import QUARTER_MS
from pianalysis.music.notes import Notes
from pianalysis.music.timed import File, quarter_ms_of, timed_score

SCALES: Final = np.array([np.roll([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], root) for root in range(12)])
"""The major scales, a row each: 1 where a pitch class is in it. Each natural minor scale is one of them too."""

NAN: Final = float("nan")


def groove_consistency(notes: Notes, *, bar_ms: float, step_ms: float) -> float:
    """1 − the mean Hamming distance of neighbouring bars' onset patterns, over steps a bar (Wu & Yang 2020).

    Onsets are rounded to steps, bars counted from time 0 to the last end; NaN under two bars.
    """
    per_bar = max(1, round(bar_ms / step_ms))
    bars = int(steps(np.array(last_end_ms(notes)), step_ms)) // per_bar + 1
    if bars < 2 or not len(notes):
        return NAN
    pattern = np.zeros(bars * per_bar, bool)
    pattern[steps(notes["onset_ms"], step_ms)] = True
    by_bar = pattern.reshape(bars, per_bar)
    return 1 - float(np.count_nonzero(by_bar[:-1] != by_bar[1:])) / (per_bar * (bars - 1))


def pitch_class_entropy(notes: Notes, *, span_ms: float) -> float:
    """Entropy in bits of the pitch classes of the notes that begin in a span, its mean over the spans that have notes.

    Spans follow one another from time 0: one bar and four bars give Wu & Yang's H1 and H4; infinity gives MusPy's
    value, of the whole piece. NaN without notes.
    """
    if not len(notes):
        return NAN
    # The last 1e-6: an onset that is on the bar line but for a rounding error is in the bar.
    span = np.zeros(len(notes), int) if np.isinf(span_ms) else np.floor(notes["onset_ms"] / span_ms + 1e-6).astype(int)
    _, row = np.unique(span, return_inverse=True)
    counts = np.bincount(row * 12 + notes["pitch"] % 12, minlength=12 * (int(row.max()) + 1)).reshape(-1, 12)
    return float(_entropy(counts).mean())


def _entropy(counts: NDArray[np.int64]) -> Floats:
    share = counts / counts.sum(axis=1, keepdims=True)
    bits: Floats = -(share * np.log2(np.where(share > 0, share, 1))).sum(axis=1)
    return np.maximum(bits, 0.0)


def scale_consistency(notes: Notes) -> float:
    """The largest share of notes in one scale, over all major and natural minor ones (Mogren 2016); NaN without notes."""
    counts = np.bincount(notes["pitch"] % 12, minlength=12)
    return float((SCALES @ counts).max() / len(notes)) if len(notes) else NAN


def polyphony(notes: Notes, *, step_ms: float) -> float:
    """The mean number of keys that sound, over the steps where one does; NaN where none does."""
    keys = step_roll(notes, step_ms=step_ms).sum(axis=1)
    return float(keys[keys > 0].mean()) if keys.any() else NAN


def empty_beat_rate(notes: Notes, *, beat_ms: float) -> float:
    """The share of beats, from time 0 to the last end, in which no note sounds; NaN for no length.

    As in MusPy a note fills the beat in which it ends, even one that begins as it ends.
    """
    if last_end_ms(notes) <= 0:
        return NAN
    first, last = (
        np.maximum(np.floor(times / beat_ms + 1e-6), 0).astype(int) for times in (notes["onset_ms"], ends_ms(notes))
    )
    beats = int(last.max()) + 1
    changes = np.bincount(first, minlength=beats + 1) - np.bincount(last + 1, minlength=beats + 1)
    return float((np.cumsum(changes)[:beats] == 0).mean())


def notes_per_beat(notes: Notes, *, beat_ms: float, length_ms: float) -> float:
    """How many notes begin in a beat, over a piece of this length; NaN for no length."""
    return len(notes) / (length_ms / beat_ms) if length_ms > 0 else NAN


def piece_statistics(
    notes: Notes | File | symusic.Score,
    *,
    beat_ms: float | None = None,
    bar_ms: float | None = None,
    step_ms: float | None = None,
) -> dict[str, float]:
    """All of the above by name, entropy over one bar and over four, and notes per beat until the last end.

    Of a file or a score beats and bars are its own. beat_ms: of an array, the length of a quarter in its own ms, 500 on the beat clock and
    60,000 / bpm in real ms: without it a PianalysisError is raised, for an array doesn't say. bar_ms: four of them; step_ms: a quarter of one.
    """
    if not isinstance(notes, np.ndarray):
        found = timed_score(notes)
        metre = found.clock.time_signature
        whole_ms = metre[0] * 4 / metre[1] * quarter_ms_of(found.clock)
        return piece_statistics(
            found.notes, beat_ms=QUARTER_MS, bar_ms=whole_ms if bar_ms is None else bar_ms, step_ms=step_ms
        )
    if beat_ms is None:
        raise PianalysisError(
            "expected notes that say where their beats are, found an array alone; give a path or a symusic.Score, or beat_ms, "
            "the length of a quarter in the notes' own ms (500 on the beat clock, 60000 / bpm in real ms)"
        )
    bar_ms, step_ms = 4 * beat_ms if bar_ms is None else bar_ms, beat_ms / 4 if step_ms is None else step_ms
    return {
        "groove_consistency": groove_consistency(notes, bar_ms=bar_ms, step_ms=step_ms),
        "pitch_class_entropy_1_bar": pitch_class_entropy(notes, span_ms=bar_ms),
        "pitch_class_entropy_4_bars": pitch_class_entropy(notes, span_ms=4 * bar_ms),
        "scale_consistency": scale_consistency(notes),
        "polyphony": polyphony(notes, step_ms=step_ms),
        "empty_beat_rate": empty_beat_rate(notes, beat_ms=beat_ms),
        "notes_per_beat": notes_per_beat(notes, beat_ms=beat_ms, length_ms=last_end_ms(notes)),
    }
