"""What a file is, by its bytes, whatever it is called; and for what isn't read, what to do about it.

In: a file's bytes and its name. Out: a `Kind`, or one sentence.
"""

from __future__ import annotations

import io
import re
import zipfile
from enum import Enum
from pathlib import PurePosixPath
from typing import Final

from pianalysis.errors import PianalysisError
from pianalysis.music.abc_around import holds_tune
from pianalysis.music.abc_books import decode, looks_like_abc
from pianalysis.music.midi_repair import without_macbinary


class Kind(Enum):
    """What can be read."""

    MIDI = "a MIDI file"
    MUSICXML = "a MusicXML score"
    ABC = "a tune in ABC"
    RECORDING = "a recording"


class NotReadError(PianalysisError):
    """A file of a kind that isn't read."""


HEAD_BYTES: Final = 64 * 1024
"""Of a text, in which its kind must show."""
EXPORT: Final = "export it as MusicXML or MIDI"
PICTURE: Final = (
    "a picture of a score, which isn't read; let a program that recognises music read it, and export that as MusicXML"
)
UNPACK: Final = "unpack it and give the score or MIDI file in it"
AS_WAV: Final = "save the recording as WAV, FLAC, Ogg or MP3"

RECORDINGS: Final = (b"fLaC", b"OggS", b"ID3", b"FORM", b".snd", b"caff", b"RF64", b"wvpk")
"""How recordings begin; those that libsndfile can't open are refused when they are opened. WAV and MP3 frames: see `_signed`."""
SIGNATURES: Final = (
    (b"%PDF", f"a PDF: {PICTURE}"),
    (b"\xff\xd8\xff", f"a JPEG: {PICTURE}"),
    (b"\x89PNG", f"a PNG: {PICTURE}"),
    (b"GIF8", f"a GIF: {PICTURE}"),
    (b"II*\x00", f"a TIFF: {PICTURE}"),
    (b"MM\x00*", f"a TIFF: {PICTURE}"),
    (b"BM", f"a bitmap: {PICTURE}"),
    (b"BCFZ", f"a Guitar Pro file, which isn't read; open it in Guitar Pro or TuxGuitar and {EXPORT}"),
    (b"BCFS", f"a Guitar Pro file, which isn't read; open it in Guitar Pro or TuxGuitar and {EXPORT}"),
    (b"\x0fSIBELIUS", f"a Sibelius file, which isn't read; open it in Sibelius and {EXPORT}"),
    (b"ENIGMA BINARY FILE", f"a Finale file, which isn't read; open it in Finale and {EXPORT}"),
    (b"[NoteWorthy", f"a NoteWorthy file, which isn't read; open it in NoteWorthy Composer and {EXPORT}"),
    (b"\x1a\x45\xdf\xa3", f"a WebM or Matroska file, which isn't read; {AS_WAV}"),
    (b"MAC ", f"sound in a format that isn't read; {AS_WAV}"),
    (b"0&\xb2u", f"a Windows Media file, which isn't read; {AS_WAV}"),
    (b"#!AMR", f"a recording in AMR, which isn't read; {AS_WAV}"),
    (b"\x1f\x8b", f"a packed file (gzip); {UNPACK}"),
    (b"7z\xbc\xaf", f"a packed file (7z); {UNPACK}"),
    (b"Rar!", f"a packed file (RAR); {UNPACK}"),
    (
        b"\xd0\xcf\x11\xe0",
        "an Office document, which isn't read; give the melody as MusicXML, MIDI, ABC or a recording",
    ),
)
ROOTS: Final = (
    ("museScore", f"a MuseScore file, which isn't read; open it in MuseScore and {EXPORT}"),
    ("GPIF", f"a Guitar Pro file, which isn't read; open it in Guitar Pro and {EXPORT}"),
    ("mei", f"an MEI score, which isn't read; {EXPORT}"),
    ("svg", f"an SVG: {PICTURE}"),
    ("html", "a web page, which isn't read; download the score itself, as MusicXML, MIDI or ABC"),
)
"""XML that is no MusicXML, by its first element."""
TEXTS: Final = (
    (
        re.compile(r"^(!!!|\*\*)\w", re.MULTILINE),
        "a Humdrum (**kern) score, which isn't read; convert it to MusicXML or MIDI",
    ),
    (
        re.compile(r"\\(version|relative|score|new)\b"),
        "LilyPond's text, which isn't read; add \\midi { } to it and give its MIDI file",
    ),
)
SUFFIXES: Final = {
    **dict.fromkeys((".mscz", ".mscx"), ROOTS[0][1]),
    **dict.fromkeys((".gp", ".gp3", ".gp4", ".gp5", ".gpx", ".gtp"), ROOTS[1][1]),
    **dict.fromkeys((".krn", ".kern"), TEXTS[0][1]),
    ".ly": TEXTS[1][1],
    ".mei": ROOTS[2][1],
    ".sib": f"a Sibelius file, which isn't read; open it in Sibelius and {EXPORT}",
    **dict.fromkeys((".mus", ".musx"), f"a Finale file, which isn't read; open it in Finale and {EXPORT}"),
    ".nwc": f"a NoteWorthy file, which isn't read; open it in NoteWorthy Composer and {EXPORT}",
    **dict.fromkeys((".cap", ".capx"), f"a capella file, which isn't read; open it in capella and {EXPORT}"),
    **dict.fromkeys(
        (".als", ".flp", ".logicx", ".cpr", ".band", ".rpp"),
        f"a project of music software, which isn't read; open it there and {EXPORT}",
    ),
}
"""What a name says where the bytes say nothing."""
FIRST_ELEMENT: Final = re.compile(r"<(?:\w+:)?([A-Za-z][\w.-]*)")
PACKED: Final = (
    (re.compile(r"\.mscx$"), ROOTS[0][1]),
    (re.compile(r"^Content/score\.gpif$"), ROOTS[1][1]),
    (re.compile(r"^\[Content_Types\]\.xml$"), SIGNATURES[-1][1]),
    (re.compile(r"\.(midi?|kar|abc|wav|mp3)$", re.IGNORECASE), f"a packed file (ZIP); {UNPACK}"),
)


def kind_of(data: bytes, name: str) -> Kind | None:
    """What a file is; None for what nobody knows. `name` is what errors call it, its suffix counts where the bytes are mute.

    Raises NotReadError that says what the file is and what to do, for what is known and isn't read.

    >>> kind_of(b"X:1\\nK:C\\nCDE|", "tune.txt"), kind_of(b"MThd", "tune.dat")
    (<Kind.ABC: 'a tune in ABC'>, <Kind.MIDI: 'a MIDI file'>)
    """
    kind = _signed(data, name) or _written(data, name)
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if kind is None and data and suffix in SUFFIXES:
        _refuse(name, SUFFIXES[suffix])
    return kind


def _refuse(name: str, what: str) -> None:
    raise NotReadError(f"{name}: expected MIDI, MusicXML, ABC or a recording, found {what}")


def _signed(data: bytes, name: str) -> Kind | None:
    """What the first bytes say of a binary file."""
    if without_macbinary(data)[:4] == b"MThd":
        return Kind.MIDI
    if data[:4] == b"RIFF":
        form = data[8:12]
        if form == b"WEBP":
            _refuse(name, f"a WebP: {PICTURE}")
        return Kind.MIDI if form == b"RMID" else Kind.RECORDING if form == b"WAVE" else None
    if data[:2] == b"PK":
        return _packed(data, name)
    if data[4:8] == b"ftyp":
        if data[8:12] in (b"heic", b"heix", b"mif1", b"avif"):
            _refuse(name, f"a photo: {PICTURE}")
        return Kind.RECORDING
    if data[1:18] == b"FICHIER GUITAR PR":
        _refuse(name, ROOTS[1][1])
    for signature, what in SIGNATURES:
        if data.startswith(signature):
            _refuse(name, what)
    # frames of layer III and II; layer I's begin as UTF-16 does
    is_mpeg = len(data) > 3 and data[0] == 0xFF and data[1] & 0xE6 in (0xE2, 0xE4) and data[2] >> 4 != 15
    return Kind.RECORDING if is_mpeg or data.startswith(RECORDINGS) else None


def _packed(data: bytes, name: str) -> Kind:
    """What a ZIP archive is by the names in it; what is damaged is left to the reader of scores."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        names = []
    for pattern, what in PACKED:
        if any(pattern.search(item) for item in names):
            _refuse(name, what)
    return Kind.MUSICXML


def _written(data: bytes, name: str) -> Kind | None:
    """What a text is. XML that is nothing else is left to the reader of scores."""
    text = decode(data[:HEAD_BYTES]).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if text.lstrip()[:1] == "<":
        bare = re.sub(r"<\?.*?\?>|<!--.*?-->", "", text, flags=re.DOTALL)
        doctype = re.search(r"<!DOCTYPE\s+(\w+)", bare, re.IGNORECASE)
        element = FIRST_ELEMENT.search(bare)
        first = (doctype[1] if doctype else element[1] if element else "").lower()
        if first == "html" and holds_tune(decode(data)):
            return Kind.ABC
        for root, what in ROOTS:
            if first == root.lower():
                _refuse(name, what)
        return Kind.MUSICXML
    if looks_like_abc(data):
        return Kind.ABC
    if "\0" not in text:
        for pattern, what in TEXTS:
            if pattern.search(text):
                _refuse(name, what)
    return None
