"""The command line, `pianalysis`.

In: words. Out: files, lines of text and an exit code.

arrange: the commands that write music: ``pianalysis arrange | compose | regenerate``, their options, files and
    progress.
chords: The command that shows chords: ``pianalysis chords``.
dataset: the commands of the dataset: ``pianalysis prepare | validate``.
evaluate: the command that judges anybody's arrangements: ``pianalysis evaluate``.
form: Options of a piece's form on the command line: introduction, verses, ending, pedal, key.
main: the command line: ``pianalysis arrange | compose | regenerate | chords | tracks | demo | tokens | vocab |
    prepare | validate | train | evaluate | publish``.
publish: the command that publishes a model: ``pianalysis publish``.
tracks: the command that lists what may be the melody: ``pianalysis tracks``.
train: the command of training: ``pianalysis train``, the same as ``accelerate launch scripts/train.py``.
"""

from pianalysis.cli.main import main

__all__ = ["main"]
