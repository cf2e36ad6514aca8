"""Why something isn't done, as one sentence for people and a code for programs.

In: errors of all rooms. Out: a `RefusedError`, or the code that an error stands for.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from pianalysis.errors import MidiReadError, MissingPackageError, NoMelodyError, PianalysisError
from pianalysis.hearing.sound import RecordingError
from pianalysis.music.kinds import NotReadError

Code = Literal[
    "not_readable",
    "too_large",
    "too_long",
    "no_melody",
    "bad_setting",
    "forgotten",
    "busy",
    "timeout",
    "server",
]
HTTP_STATUS: Final[dict[Code, int]] = {
    "not_readable": 422,
    "too_large": 413,
    "too_long": 422,
    "no_melody": 422,
    "bad_setting": 422,
    "forgotten": 404,
    "busy": 429,
    "timeout": 503,
    "server": 500,
}
"""What a plain HTTP answer says."""
SERVER_SENTENCE: Final = "Something went wrong on the server, which is our fault. Try again, or try another melody."
FOR_THE_COMMAND_LINE: Final = re.compile(r"; [^;]*--\w[^;]*|,? \([^()]*--\w[^()]*\)")
DAMAGED: Final = re.compile(r"(damaged or cut off|can't be read) \([^()]*(?:\([^()]*\)[^()]*)*\)")


class RefusedError(PianalysisError):
    """An error with a code of its own."""

    def __init__(self, sentence: str, code: Code) -> None:
        super().__init__(sentence)
        self.code = code

    def __reduce__(self) -> tuple[type[RefusedError], tuple[str, Code]]:
        return RefusedError, (str(self), self.code)


def code_of(error: Exception) -> Code:
    """The code of an error."""
    if isinstance(error, RefusedError):
        return error.code
    if isinstance(error, NoMelodyError):
        return "no_melody"
    if isinstance(error, MidiReadError | NotReadError | RecordingError):
        return _code_of_reading(str(error))
    if isinstance(error, PianalysisError) and not isinstance(error, MissingPackageError):
        return "bad_setting"
    return "server"


def _code_of_reading(sentence: str) -> Code:
    if "too large" in sentence:
        return "too_large"
    if "too long" in sentence or "too many" in sentence or "at most" in sentence:
        return "too_long"
    if "no notes" in sentence or "silence" in sentence:
        return "no_melody"
    return "not_readable"


def for_people(sentence: str) -> str:
    """A sentence without what is for the command line or for programmers.

    >>> for_people("the melody sounds like 3/4, and is barred so; --pickup or --keep-metre say otherwise")
    'the melody sounds like 3/4, and is barred so'
    >>> for_people("a.mid: the MIDI file is damaged or cut off (Get velocity=194); export it again")
    'a.mid: the MIDI file is damaged or cut off; export it again'
    """
    return DAMAGED.sub(r"\1", FOR_THE_COMMAND_LINE.sub("", sentence))
