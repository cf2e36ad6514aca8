from __future__ import annotations

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from strategies import add_track, scores, simple_score

from pianalysis.music.midi import read_midi
from pianalysis.music.midi_texts import texts_in_utf8

MARK = "NAME"


def with_name(raw: bytes, *, lyric: bytes = b"") -> bytes:
    """A file with two tracks, the second of which is named so, in whatever bytes."""
    score = simple_score([(0, 1, 60), (1, 1, 62)], name="Piano")
    add_track(score, [(0, 1, 72), (1, 1, 74)], name=MARK)
    data = score.dumps_midi()
    at = data.index(b"\xff\x03\x04" + MARK.encode())
    events = b"\xff\x03" + bytes([len(raw)]) + raw
    if lyric:
        events += b"\x00\xff\x05" + bytes([len(lyric)]) + lyric
    start = data.rindex(b"MTrk", 0, at)
    length = int.from_bytes(data[start + 4 : start + 8], "big") - 7 + len(events)
    return data[: start + 4] + length.to_bytes(4, "big") + data[start + 8 : at] + events + data[at + 7 :]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "主旋律"),
        ("utf-16", "メロディ"),
        ("utf-16", "Мелодия"),
        ("gbk", "主旋律"),
        ("gbk", "人声"),
        ("big5", "主旋律"),
        ("cp932", "メロディ"),
        ("cp932", "ﾒﾛﾃﾞｨ"),
        ("cp932", "ボーカル"),
        ("cp932", "歌"),
        ("cp949", "멜로디"),
        ("cp949", "보컬"),
        ("cp1251", "Мелодия"),
        ("cp1251", "ВОКАЛ"),
        ("latin-1", "Mélodie"),
        ("latin-1", "Canção"),
        ("cp1252", "Chœur"),
        ("latin-1", "Sängerin"),
        ("koi8-r", "Мелодия"),
        ("koi8-r", "вокал"),
        ("cp866", "Голос"),
        ("mac_cyrillic", "Вокал"),
        ("cp949", "목소리"),
        ("euc_jp", "ボーカル"),
        ("cp1250", "Głos"),
        ("cp850", "Mélodie"),
        ("mac_roman", "Canción"),
    ],
)
def test_names_are_read_in_the_encodings_that_people_use(encoding, name):
    score = read_midi(with_name(name.encode(encoding)))
    assert [track.name for track in score.tracks] == ["Piano", name]
    assert [len(track.notes) for track in score.tracks] == [2, 2]


def test_the_texts_of_a_file_are_of_one_encoding():
    # alone, these bytes would be Chinese as well
    score = read_midi(with_name("メロディ".encode("cp932"), lyric="愛".encode("cp932")))
    assert [item.text for track in score.tracks for item in track.lyrics] == ["愛"]


@given(scores(names=("", "Melody", "旋律", "Voix élevée")))
def test_a_file_in_utf8_stays_as_it_is(score):
    data = score.dumps_midi()
    assert texts_in_utf8(data) is data


@given(st.binary(max_size=60), st.integers(0, 40))
def test_any_name_leaves_the_notes_alone_and_no_bytes_fail(raw, cut):
    data = with_name(raw)
    mended = symusic.Score.from_midi(texts_in_utf8(data))
    assert [track.notes.numpy()["pitch"].tolist() for track in mended.tracks] == [[60, 62], [72, 74]]
    texts_in_utf8(data[: len(data) - cut])
    texts_in_utf8(raw)


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866"])
def test_a_short_text_that_is_utf_8_by_chance_is_of_the_file_s_encoding(encoding):
    # in KOI8 the bytes of “рё” are a letter in UTF-8
    score = read_midi(with_name("Голос".encode(encoding), lyric="рё".encode(encoding)))
    assert [item.text for track in score.tracks for item in track.lyrics] == ["рё"]
