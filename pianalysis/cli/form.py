"""Options of a piece's form on the command line: introduction, verses, ending, pedal, key."""

from __future__ import annotations

import argparse

from pianalysis.arranging.form_options import AUTO, ENDINGS, LONGEST_INTRO, MOST_VERSES

FORM_EXAMPLES = """  pianalysis arrange melody.mid -o full.mid --intro 4 --ending ritardando
  pianalysis arrange melody.mid -o full.mid --ending none
  pianalysis arrange melody.mid -o full.mid --pedal --musicxml
  pianalysis arrange melody.mid -o full.mid --transpose -2
  pianalysis arrange melody.mid -o full.mid --key "E minor"
  pianalysis arrange tune.abc -o full.mid --bpm 84
  pianalysis arrange melody.mid -o full.mid --verses 3
  pianalysis arrange melody.mid -o full.mid --verses 2 --left-hand block --left-hand v2:arpeggio --density v2:high
"""
WHOLE_PIECE = ("intro", "transpose", "key", "bpm", "verses")
SOME_BARS = ("ending", "pedal")


def add_form(parser: argparse.ArgumentParser) -> None:
    """The options of a piece that is written from its beginning."""
    parser.add_argument(
        "--intro",
        type=int,
        default=0,
        metavar="N",
        help=f"bars of introduction, to {LONGEST_INTRO}: a phrase of the melody, played by the piano. They are bars 1 to N of the "
        "piece, an upbeat in the last of them, and the melody's first whole bar is N + 1; bars that the file leaves empty before "
        "it are taken first (default: 0)",
    )
    parser.add_argument(
        "--verses",
        type=int,
        default=1,
        metavar="N",
        help=f"play the melody N times, to {MOST_VERSES}, each time with another accompaniment on the same chords, from few notes to "
        "many; --density v2:high and --left-hand v2:waltz are for the second verse, 9-16:… for bars of the piece (default: 1)",
    )
    parser.add_argument(
        "--transpose", type=int, default=0, metavar="N", help="the whole piece N semitones higher, -N lower"
    )
    parser.add_argument(
        "--key", metavar="KEY", help='… or in that key: G, Bb, "E minor"; --chords stay in the melody\'s own'
    )


def add_ending(parser: argparse.ArgumentParser) -> None:
    """The options of a piece's end and of its pedal."""
    parser.add_argument(
        "--ending",
        choices=ENDINGS,
        default=AUTO,
        help="plain: a last chord that stays; ritardando: slowing down to it; none: as the model writes it; auto (default): plain "
        "where the chords end on the tonic",
    )
    parser.add_argument(
        "--pedal", action="store_true", help="with the sustain pedal, a new one with each chord and in each bar"
    )
