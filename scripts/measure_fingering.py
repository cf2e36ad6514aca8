"""How well PianoPlayer fingers what every textbook fingers, and how fast. It is no dependency: pip install pianoplayer

    python scripts/measure_fingering.py --write

Each pattern is fingered by itself, and as the second of three with three seconds of rest between, as in a piece. The right
answers are the usual ones (C major's 1 2 3 1 2 3 4 5, triads in root position 1 3 5, …). `--write` puts the table into
docs/difficulty.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from update_readme import between

PAGE = Path(__file__).parents[1] / "docs" / "difficulty.md"
QUARTER_S, REST_S, ROLLED_S = 0.5, 3.0, 0.05
OCTAVE_CM, KEY_CM = 16.5, 16.5 / 7
KEYS_FROM_C = (0.5, 1, 1.5, 2, 2.5, 3.5, 4, 4.5, 5, 5.5, 6, 6.5)
BLACK = (1, 3, 6, 8, 10)
Pattern = tuple[str, str, list[list[int]], list[int]]
"""A group, a hand, what is struck quarter by quarter, and the fingers, rising keys within a chord."""


def scale(lowest: int, octaves: int = 1) -> list[int]:
    steps = (0, 2, 4, 5, 7, 9, 11)
    return [lowest + 12 * octave + step for octave in range(octaves) for step in steps] + [lowest + 12 * octaves]


def line(group: str, hand: str, keys: Sequence[int], fingers: str) -> Pattern:
    return group, hand, [[key] for key in keys], [int(finger) for finger in fingers]


def chords(group: str, hand: str, struck: list[list[int]], fingers: str) -> Pattern:
    return group, hand, struck, [int(finger) for finger in fingers if finger != " "]


ONE, TWO, FIVE = "scales, one octave", "scales, two octaves", "five fingers"
ARPEGGIOS, BASSES, TRIADS, TWO_KEYS = "arpeggios", "Alberti, waltz", "triads", "thirds to octaves"
C_TRIADS = [[60, 64, 67], [65, 69, 72], [67, 71, 74], [60, 64, 67]]
POSITIONS = [[60, 64, 67], [64, 67, 72], [67, 72, 76], [72, 76, 79]]
THIRDS = [[60, 64], [62, 65], [64, 67], [62, 65], [60, 64]]


def lower(struck: list[list[int]], by: int = 12) -> list[list[int]]:
    return [[key - by for key in keys] for keys in struck]


PATTERNS: list[Pattern] = [
    line(ONE, "right", scale(60), "12312345"),
    line(ONE, "right", scale(60)[::-1], "54321321"),
    line(ONE, "left", scale(48), "54321321"),
    line(ONE, "left", scale(48)[::-1], "12312345"),
    line(ONE, "right", scale(65), "12341234"),
    line(ONE, "right", scale(58), "21231234"),
    line(TWO, "right", scale(60, 2), "123123412312345"),
    line(TWO, "left", scale(36, 2), "543213214321321"),
    line(FIVE, "right", [60, 62, 64, 65, 67, 65, 64, 62, 60], "123454321"),
    line(FIVE, "left", [48, 50, 52, 53, 55, 53, 52, 50, 48], "543212345"),
    line(ARPEGGIOS, "right", [60, 64, 67, 72, 67, 64, 60], "1235321"),
    line(ARPEGGIOS, "left", [48, 52, 55, 60, 55, 52, 48], "5421245"),
    line(BASSES, "left", [48, 55, 52, 55, 48, 55, 52, 55], "51315131"),
    chords(BASSES, "left", [[48], [52, 55], [52, 55], [43], [47, 53], [47, 53]], "5 31 31 5 41 41"),
    chords(TRIADS, "right", C_TRIADS, "135 135 135 135"),
    chords(TRIADS, "left", lower(C_TRIADS), "531 531 531 531"),
    chords(TRIADS, "right", POSITIONS, "135 125 135 135"),
    chords(TRIADS, "left", lower(POSITIONS), "531 531 521 531"),
    chords(TWO_KEYS, "right", THIRDS, "13 24 35 24 13"),
    chords(TWO_KEYS, "left", lower(THIRDS), "53 42 31 42 53"),
    chords(TWO_KEYS, "left", [[48, 55], [48, 55], [53, 60], [48, 55]], "51 51 51 51"),
    chords(TWO_KEYS, "right", [[60, 69], [62, 71], [64, 72], [60, 69]], "15 15 15 15"),
    chords(TWO_KEYS, "left", [[36, 48], [38, 50], [40, 52], [41, 53]], "51 51 51 51"),
]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args(argv)
    groups: dict[str, list[tuple[list[int], list[int], list[int]]]] = {}
    begin = time.process_time()
    for group, hand, struck, wanted in PATTERNS:
        inside = fingers(struck, hand, times=3)[len(wanted) : 2 * len(wanted)]
        groups.setdefault(group, []).append((wanted, fingers(struck, hand), inside))
    taken = (time.process_time() - begin) / sum(4 * len(wanted) for *_, wanted in PATTERNS)
    table = as_table(groups, taken)
    print(table)
    if args.write:
        PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), "fingering", table), encoding="utf-8")
    return 0


def fingers(struck: list[list[int]], side: str, times: int = 1) -> list[int]:
    """PianoPlayer's fingers (0: none) for a pattern, played so many times; its middle hand."""
    from pianoplayer.hand import Hand
    from pianoplayer.models import INote

    notes, chord = [], 0
    for repeat in range(times):
        for place, keys in enumerate(struck):
            onset = repeat * (len(struck) * QUARTER_S + REST_S) + place * QUARTER_S
            for count, key in enumerate(keys):
                early = ROLLED_S * (len(keys) - count - 1)  # as its own readers have it
                x = OCTAVE_CM * (key // 12 - 1) + KEYS_FROM_C[key % 12] * KEY_CM
                note = INote(
                    pitch=key, octave=key // 12 - 1, x=x, isBlack=key % 12 in BLACK, measure=1, noteID=len(notes)
                )
                note.time, note.duration = onset - early, QUARTER_S + ROLLED_S * (len(keys) - 1)
                note.isChord, note.chordID, note.chordnr, note.NinChord = len(keys) > 1, chord, count, len(keys)
                notes.append(note)
            chord += 1
    hand = Hand(notes, side=side, size="M")
    hand.verbose = False
    hand.generate()
    return [int(note.fingering) for note in notes]


def as_table(groups: dict[str, list[tuple[list[int], list[int], list[int]]]], seconds_a_note: float) -> str:
    rows = [
        "| | patterns | right by itself | right in a piece | notes right | notes without a finger |",
        "|---" * 6 + "|",
    ]
    everything = [case for cases in groups.values() for case in cases]
    for name, cases in [*groups.items(), ("all", everything)]:
        wanted, alone, inside = ([finger for case in cases for finger in case[place]] for place in range(3))
        right = [sum(case[0] == case[place] for case in cases) for place in (1, 2)]
        notes = [sum(a == b for a, b in zip(wanted, found, strict=True)) / len(wanted) for found in (alone, inside)]
        without = [found.count(0) for found in (alone, inside)]
        rows.append(
            f"| {name} | {len(cases)} | {right[0]} | {right[1]} | {notes[0]:.2f}, {notes[1]:.2f} | {without[0]}, {without[1]} |"
        )
    return "\n".join(
        [*rows, "", f"({seconds_a_note:.3f} s of a CPU thread a note; of two numbers the first is by itself.)"]
    )


if __name__ == "__main__":
    raise SystemExit(main())
