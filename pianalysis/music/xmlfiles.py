"""MusicXML files, opened safely: plain (.musicxml, .xml) or compressed (.mxl), from someone one doesn't know.

In: a path or bytes. Out: the root of the tree. Nothing outside the file is read, no entity is expanded, and what is past
the limits is refused before it takes memory.

Expat builds the tree through its own handlers: `ElementTree.parse` gives no hold of them, and entities are declared there.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from pianalysis.errors import PianalysisError
from pianalysis.music.abc_books import decode
from pianalysis.music.midi import MAX_FILE_BYTES

MUSICXML_SUFFIXES: Final = (".musicxml", ".xml", ".mxl")
MAX_XML_BYTES: Final = 32 * 2**20
"""Of a score as text, unpacked. A page of piano music takes 100 kB."""
MAX_DEPTH: Final = 64
"""Of elements in each other. MusicXML needs about ten."""
MAX_PACKED_FILES: Final = 1_000
CONTAINER: Final = "META-INF/container.xml"
NOT_SCORES: Final = ("META-INF/", "__MACOSX/")
"""Folders of a compressed file that hold no score; the second is what macOS adds."""
SCORE_TYPES: Final = ("", "application/vnd.recordare.musicxml+xml", "application/vnd.recordare.musicxml", "text/xml")
"""What a container calls a score; the same music may be there as a PDF."""
DECLARATION: Final = re.compile(r"\s*<\?xml\b[^>]*\?>")


class MusicXmlError(PianalysisError):
    """A file that is no readable MusicXML, or is past the limits."""


def read_tree(source: str | os.PathLike[str] | bytes, *, name: str = "") -> Element:
    """The root element of a MusicXML file, whatever it is. `name` is what errors call the source (default: its path).

    Raises FileNotFoundError, or MusicXmlError for what isn't XML, is packed wrongly, or is past the limits.
    """
    if isinstance(source, bytes):
        data, name = source, name or "the MusicXML data"
    else:
        name = name or str(source)
        data = _read_bytes(Path(source), name)
    packed = data[:4] in (b"PK\x03\x04", b"PK\x05\x06")
    limit = MAX_FILE_BYTES if packed else MAX_XML_BYTES
    if len(data) > limit:
        raise MusicXmlError(f"{name}: {len(data) / 2**20:.1f} MB is too large; up to {limit >> 20} MB are read")
    if data[:4] == b"MThd":
        raise MusicXmlError(f"{name}: expected MusicXML, found a MIDI file; give it a name that ends in .mid")
    return parse(_unpacked(data, name) if packed else data, name)


def _read_bytes(path: Path, name: str) -> bytes:
    if path.is_dir():
        raise MusicXmlError(f"{name}: expected a MusicXML file, found a folder")
    try:
        with path.open("rb") as file:
            return file.read(MAX_XML_BYTES + 1)
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: there is no such file") from None
    except OSError as error:
        raise MusicXmlError(f"{name}: can't be read ({error.strerror})") from None


def _unpacked(data: bytes, name: str) -> bytes:
    """The score inside a compressed file: what its container names first, or else the first XML file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) > MAX_PACKED_FILES:
                raise MusicXmlError(f"{name}: expected a score in a compressed file, found {len(names):,} files")
            inside = _named_by_container(archive, name) if CONTAINER in names else ""
            if inside not in names:
                scores = [
                    item for item in names
                    if PurePosixPath(item).suffix.lower() in (".musicxml", ".xml") and not item.startswith(NOT_SCORES)
                ]  # fmt: skip
                inside = next(iter(scores), "")
            if not inside:
                raise MusicXmlError(f"{name}: expected a .musicxml or .xml file inside, found {names[:5]}")
            return _member(archive, inside, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, PianalysisError):
            raise
        raise MusicXmlError(f"{name}: the compressed file is damaged ({error}); export it again") from None


def _named_by_container(archive: zipfile.ZipFile, name: str) -> str:
    """The file that the container calls the score; "" where it names none, or is no XML, as some programs write it."""
    try:
        root = parse(_member(archive, CONTAINER, name), name)
    except MusicXmlError:
        return ""
    scores = (item for item in root.iter("rootfile") if item.get("media-type", "").lower() in SCORE_TYPES)
    return next((item.get("full-path", "") for item in scores), "")


def _member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    """What is packed, unpacked no further than the limit: the size that an archive states may be a lie."""
    with archive.open(member) as file:
        data = file.read(MAX_XML_BYTES + 1)
    if len(data) > MAX_XML_BYTES:
        raise MusicXmlError(f"{name}: {member} is too large; up to {MAX_XML_BYTES >> 20} MB are read")
    return data


def parse(data: bytes, name: str) -> Element:
    """The root of an XML document; `name` is what errors call it. Raises MusicXmlError.

    A document that isn't in the encoding that it declares is read in the one that it is in; one may begin with empty lines.
    """
    try:
        return _parsed(data)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding that nobody knows
        if isinstance(error, PianalysisError):
            raise MusicXmlError(f"{name}: {error}") from None
        first = error
    try:
        return _parsed(DECLARATION.sub("", decode(data), count=1).strip().encode())
    except (expat.ExpatError, PianalysisError):
        found = "an empty file" if not data else f"what begins with {data[:12]!r}"
        raise MusicXmlError(f"{name}: expected MusicXML, found {found}, which is no valid XML ({first})") from None


def _parsed(data: bytes) -> Element:
    """The root of a document. Raises MusicXmlError, which doesn't name the file, or what expat raises."""
    parser, builder = expat.ParserCreate(), TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise MusicXmlError(f"expected a score, found elements nested {depth} deep")
        builder.start(tag.rpartition(":")[2], attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag.rpartition(":")[2])

    def refuse(entity: str, *_: object) -> None:
        raise MusicXmlError(f"the file declares an entity of its own ({entity!r}), which isn't read; remove it")

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.Parse(data, True)
    return builder.close()


NUMBER: Final = re.compile(r"[+-]?(\d{1,9}(\.\d{1,9})?|\.\d{1,9})")
"""No exponent and no more digits: `1e999999999` is a number as well, and takes for ever to write out."""


def fraction(text: str | None) -> Fraction | None:
    """The number that an element holds, exactly; None for none.

    >>> fraction(" 1.5 "), fraction("1e9"), fraction(None)
    (Fraction(3, 2), None, None)
    """
    match = NUMBER.fullmatch((text or "").strip())
    return Fraction(match[0]) if match else None


def whole_number(text: str | None, default: int) -> int:
    """The number that an element holds, rounded, or the default.

    >>> whole_number("2", 0), whole_number("-0.5", 0), whole_number("two", 1)
    (2, 0, 1)
    """
    value = fraction(text)
    return default if value is None else round(value)
