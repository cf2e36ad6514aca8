from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.music import xmlfiles
from pianalysis.music.xmlfiles import MusicXmlError, read_tree

SCORE = b'<?xml version="1.0"?><score-partwise/>'
CONTAINER = '<container><rootfiles><rootfile full-path="{}"/></rootfiles></container>'


def packed(files, **options):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data, **options)
    return target.getvalue()


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]


@pytest.mark.parametrize(
    "data",
    [
        SCORE,
        b"\xef\xbb\xbf" + SCORE,
        SCORE.decode().replace("?>", ' encoding="UTF-16"?>').encode("utf-16"),
        b'<!DOCTYPE score-partwise PUBLIC "-//X//DTD//EN" "http://example.invalid/x.dtd">' + b"<score-partwise/>",
        b'<m:score-partwise xmlns:m="urn:x"/>',
        packed({"a/score.xml": SCORE}),
        packed({"META-INF/container.xml": CONTAINER.format("b.xml"), "a.xml": b"<other/>", "b.xml": SCORE}),
        packed({"META-INF/container.xml": "<no xml", "it's.musicxml": SCORE}),
        packed({"META-INF/container.xml": CONTAINER.format("gone.xml"), "a.xml": SCORE}),
    ],
)
def test_scores_plain_and_packed(data):
    assert read_tree(data).tag == "score-partwise"


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "found an empty file"),
        (b"MThd\x00\x00", "found a MIDI file"),
        (b"X:1\nT:tune\n", r"found what begins with b'X:1\\nT:tune\\n', which is no valid XML"),
        (b"<score-partwise><part>", "no valid XML"),
        (b'<?xml version="1.0" encoding="klingon"?><x>', "no valid XML"),
        (LAUGHS, "declares an entity of its own"),
        (OUTSIDE, "declares an entity of its own"),
        (b"<x>" * 100, "nested 65 deep"),
        (packed({}), "expected a .musicxml or .xml file inside"),
        (packed({"score.mscx": b"<museScore/>"}), r"inside, found \['score.mscx'\]"),
        (packed({f"{n}.xml": b"" for n in range(1_001)}), "found 1,001 files"),
        (packed({"a.xml": SCORE})[:60], "compressed file is damaged"),
        (flipped(packed({"a.xml": SCORE}), 40), "compressed file is damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # an archive's bytes tell the time it was made
)
def test_what_is_no_score_is_refused_with_its_reason(data, reason):
    with pytest.raises(MusicXmlError, match=f"^mine: .*({reason})"):
        read_tree(data, name="mine")


def test_a_bomb_is_not_unpacked_whatever_size_it_states(monkeypatch):
    monkeypatch.setattr(xmlfiles, "MAX_XML_BYTES", 10_000)
    bomb = packed({"a.xml": b"<x>" + b" " * 1_000_000 + b"</x>"})
    assert len(bomb) < 2_000
    with pytest.raises(MusicXmlError, match=r"a\.xml is too large"):
        read_tree(bomb)
    lie = bomb.replace((1_000_007).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lie != bomb
    with pytest.raises(MusicXmlError):
        read_tree(lie)
    with pytest.raises(MusicXmlError, match="too large; up to"):
        read_tree(b"<x>" + b" " * 10_000 + b"</x>")


def test_paths(tmp_path):
    (tmp_path / "a.xml").write_bytes(SCORE)
    assert read_tree(tmp_path / "a.xml").tag == "score-partwise"
    with pytest.raises(FileNotFoundError, match=r"b\.xml: there is no such file"):
        read_tree(tmp_path / "b.xml")
    with pytest.raises(MusicXmlError, match="found a folder"):
        read_tree(tmp_path)


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_give_an_error_of_ours_or_a_tree(data):
    for start in (b"", b"<x>", b"PK\x03\x04", packed({"a.xml": SCORE})[:80]):
        with suppress(MusicXmlError):
            read_tree(start + data)


@pytest.mark.parametrize("text", ["1e999999999", "nan", "inf", "1/3", "", None, "9" * 50, "0x10"])
def test_what_is_no_plain_number_is_none(text):
    assert xmlfiles.fraction(text) is None
