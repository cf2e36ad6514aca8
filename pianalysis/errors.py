"""The errors that say what is wrong with what was given, in one sentence.

In: nothing. Out: exceptions whose message says what was expected, what was found and what to do.
"""

from __future__ import annotations

from importlib.util import find_spec


class PianalysisError(ValueError):
    """Input that can't be used: the message says what was expected, what was found and what to do."""


class MidiReadError(PianalysisError):
    """A file that is no readable MIDI file, or is past the limits."""


class NoMelodyError(PianalysisError):
    """A file in which no melody was found."""


class MissingPackageError(PianalysisError, ImportError):
    """A package that isn't installed, because it belongs to an extra."""


def needs(extra: str, *packages: str) -> None:
    """Raise MissingPackageError if one of some packages, which come with an extra of ours, isn't installed.

    Packages are looked for, not imported.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingPackageError(
                f"expected the package {package}, found none; install the extra it belongs to: "
                f"pip install 'pianalysis[{extra}]'"
            )


def first_line(error: Exception) -> str:
    """The first line of somebody else's error, cut at 120 characters; its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
