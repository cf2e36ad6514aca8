"""What a file is, whatever it is called."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from scores import attributes, chord, note, score
from strategies import simple_score

from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import Chord
from pianalysis.music.abc_books import decode
from pianalysis.music.kinds import Kind, kind_of
from pianalysis.music.midi import read_midi
from pianalysis.music.reading import read_score
from pianalysis.output.musicxml import to_musicxml

TUNE = "X:1\nT:Tune\nM:3/4\nL:1/4\nK:G\nG2A|B2c|d3|]\n"
SHEET = score([attributes(divisions=1, fifths=0) + chord("A", "minor") + note("A4", 4)])
MIDI = simple_score([(0, 1, 60), (1, 1, 64)]).dumps_midi()


def zipped(**files):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return target.getvalue()


def wrapped(midi, *, first=b""):
    """A MIDI file as .rmi: chunks padded to an even length."""
    chunks = first + b"data" + struct.pack("<I", len(midi)) + midi + b"\0" * (len(midi) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"RMID" + chunks


KNOWN = {
    "midi": (MIDI, Kind.MIDI),
    "rmi": (wrapped(MIDI), Kind.MIDI),
    "musicxml": (SHEET, Kind.MUSICXML),
    "musicxml in UTF-16": (SHEET.decode().replace("UTF-8", "UTF-16").encode("utf-16"), Kind.MUSICXML),
    "musicxml after a comment": (b'<?xml version="1.0"?><!-- <html> --><score-partwise/>', Kind.MUSICXML),
    "mxl": (zipped(score_dot_musicxml=SHEET), Kind.MUSICXML),
    "abc": (TUNE.encode(), Kind.ABC),
    "abc after remarks": (b"% a tune\r\n\r\nX: 1\r\nK:C\r\nC", Kind.ABC),
    "abc in UTF-16": (TUNE.encode("utf-16"), Kind.ABC),
    "abc in UTF-16 without a mark": (TUNE.encode("utf-16-be"), Kind.ABC),
    "abc without X": (b"T:Tune\nK:C\nCDEF|", Kind.ABC),
    "wav": (b"RIFF\0\0\0\0WAVEfmt ", Kind.RECORDING),
    "mp3": (b"\xff\xfb\x90\x00", Kind.RECORDING),
    "tagged mp3": (b"ID3\x03", Kind.RECORDING),
    "letter": (b"Dear Sir: or Madam", None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize(("data", "kind"), KNOWN.values(), ids=KNOWN)
def test_the_bytes_say_it(data, kind):
    assert kind_of(data, "file.bin") is kind


NOT_READ = {
    "scan.pdf": (b"%PDF-1.7", "a picture of a score"),
    "photo.mid": (b"\xff\xd8\xff\xe0", "a picture of a score"),
    "song.mscz": (zipped(song_dot_mscx=b"<museScore/>"), "MuseScore.*MusicXML or MIDI"),
    "song.xml": (b'<?xml version="1.0"?><museScore version="4"/>', "MuseScore.*MusicXML or MIDI"),
    "song.gp": (zipped(Content__score_dot_gpif=b"<GPIF/>"), "Guitar Pro.*MusicXML or MIDI"),
    "song.gp5": (b"\x18FICHIER GUITAR PRO v5.00", "Guitar Pro.*MusicXML or MIDI"),
    "song.krn": (b"!!!COM: Anon\n**kern\n4c\n*-\n", "kern.*MusicXML or MIDI"),
    "song.ly": (b'\\version "2.24"\n{ c }', "LilyPond.*MIDI"),
    "song.mei": (b'<?xml version="1.0"?><mei xmlns="x"/>', "MEI.*MusicXML or MIDI"),
    "song.sib": (b"\0\1\2", "Sibelius.*MusicXML or MIDI"),
    "page.musicxml": (b"<!DOCTYPE html><html></html>", "web page"),
    "song.docx": (zipped(**{"[Content_Types]_dot_xml": b""}), "Office"),
    "songs.zip": (zipped(a_dot_mid=MIDI), "unpack"),
    "call.webm": (b"\x1a\x45\xdf\xa3", "WAV"),
    "notes.txt": (b"la la la", "MIDI, MusicXML, ABC, or a recording"),
}


@pytest.mark.parametrize(("name", "data", "says"), [(name, *row) for name, row in NOT_READ.items()], ids=NOT_READ)
def test_what_is_not_read_says_what_to_do(tmp_path, name, data, says):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PianalysisError, match=f"(?s){name}: .*{says}") as caught:
        read_score(tmp_path / name)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200), st.sampled_from(["a.mid", "a.mscz", "a", "a.txt"]))
def test_any_bytes_are_something_or_one_sentence(data, name):
    said = f"{name}: "
    try:
        kind_of(data, name)
    except PianalysisError as error:
        said = str(error)
    assert said.startswith(f"{name}: ")


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.sampled_from(["utf-8-sig", "utf-16"])
)
def test_marked_texts_are_decoded(text, encoding):
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("name", ["tune.txt", "tune.abc", "tune", "tune.mid"])
def test_a_tune_is_one_whatever_it_is_called(tmp_path, name):
    (tmp_path / name).write_bytes(TUNE.encode())
    assert [n.pitch for n in read_score(tmp_path / name).tracks[0].notes] == [67, 69, 71, 72, 74]


def test_a_wrapped_file_is_the_file_in_it(tmp_path):
    extra = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    for index, data in enumerate((wrapped(MIDI), wrapped(MIDI, first=extra), MIDI)):
        path = tmp_path / f"{index}.kar"
        path.write_bytes(data)
        assert read_score(path).dumps_midi() == read_midi(MIDI).dumps_midi()
    with pytest.raises(PianalysisError, match="RIFF"):
        read_midi(b"RIFF\0\0\0\0RMIDLIST")


def test_film_time_is_named():
    film = MIDI[:12] + bytes([256 - 25, 40]) + MIDI[14:]
    with pytest.raises(PianalysisError, match=r"SMPTE frames \(25 a second, 40 ticks each\).*ticks per quarter"):
        read_score(film, name="film.mid")


def test_our_own_score_packed_is_read_with_its_chords(tmp_path):
    chords = [ChordSpan(0, 1500, Chord(9, "min7")), ChordSpan(1500, 4000, Chord(5))]
    data = to_musicxml(read_midi(EXAMPLES / "ode_to_joy.mid"), chords=chords)
    (tmp_path / "plain.xml").write_bytes(data)
    (tmp_path / "packed.dat").write_bytes(zipped(piece_dot_musicxml=data))
    plain, packed = read_score(tmp_path / "plain.xml"), read_score(tmp_path / "packed.dat")
    assert plain.dumps_midi() == packed.dumps_midi()
    assert [mark.text for mark in packed.markers] == ["A:min7", "F:maj"]


def test_a_score_that_unpacks_without_end_is_refused():
    bomb = zipped(score_dot_musicxml=b"<score-partwise>" + bytes(33 * 2**20))
    assert len(bomb) < 100_000
    with pytest.raises(PianalysisError, match="too large"):
        read_score(bomb, name="bomb.mxl")
