from __future__ import annotations

from itertools import pairwise

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.music.midi import read_midi
from pianalysis.music.words import put_words, read_words, score_words, syllables_of, word_fit


def event(kind, text):
    return bytes([0, 0xFF, kind, len(text)]) + text


def karaoke(*words, kind=1, head=(b"@KMIDI KARAOKE FILE", b"@TSong")):
    """A file of one track whose notes are a quarter long, each with a word."""
    body = b"".join(event(1, text) for text in head)
    for word in words:
        body += event(kind, word) + bytes([0, 0x90, 60, 80, 0x83, 0x60, 60, 0])  # running status ends the note
    body += bytes([0, 0xF0, 2, 1, 0xF7, 0, 0xC0, 5, 0, 0xFF, 0x2F, 0])
    return b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 0xE0]) + b"MTrk" + len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize("kind", [1, 5])
def test_karaoke_and_lyrics_are_read_with_their_ticks(kind):
    words = [(0, "\\Hap"), (480, "py "), (960, "day")]
    data = karaoke(*(text.encode() for _, text in words), kind=kind)
    assert read_words(data) == words
    assert score_words(read_midi(data)) == words


def test_texts_that_are_no_words_are_none():
    assert read_words(karaoke(b"made by", b"somebody", head=())) == []


@pytest.mark.parametrize(
    ("text", "code"), [("Mädchen", "utf-8"), ("Mädchen", "cp1252"), ("さくら", "cp932"), ("さくら", "utf-8")]
)
def test_words_in_other_encodings(text, code):
    assert read_words(karaoke(text.encode(code))) == [(0, text)]


@given(st.binary(max_size=60))
def test_no_bytes_crash_it(tail):
    whole = karaoke(b"la ", b"lo ")
    for data in (whole[:14] + tail, whole[: len(whole) - len(tail)] + tail, b"MTrk\xff\xff\xff\xff\xff\x05" + tail):
        assert all(tick >= 0 for tick, _ in read_words(data))


@given(st.lists(st.text("ab -/\\\r", max_size=4), max_size=12))
def test_words_begin_and_end_in_turn(texts):
    syllables = syllables_of(enumerate(texts))
    assert all(after.begins == before.ends for before, after in pairwise(syllables))
    assert not syllables or syllables[0].begins
    assert all(syllable.text.strip("-/\\\r ") for syllable in syllables)


def test_syllables_of_files_without_spaces_are_words():
    assert [(s.text, s.begins, s.ends) for s in syllables_of([(0, "la"), (1, "A-"), (2, "men")])] == [
        ("la", True, True),
        ("A", True, False),
        ("men", False, True),
    ]


def test_yamahas_signs_are_no_letters():
    """In XF files < begins a page, / a line, and ^ is a space within a syllable."""
    rows = syllables_of([(0, "<Hap"), (1, "py "), (2, "day^to "), (3, "<"), (4, "/you")])
    assert [(s.text, s.begins, s.ends) for s in rows] == [
        ("Hap", True, False),
        ("py", False, True),
        ("day to", True, True),
        ("you", True, True),
    ]


def test_words_fit_the_line_that_begins_with_them_and_not_a_busy_one_or_drums():
    song = [(480 * n, 480, 60 + n % 5) for n in range(16)]
    busy = [(120 * n, 120, 40) for n in range(64)]
    score = symusic.Score(480)
    for rows, drums in ((busy, True), (busy, False), ([(tick + 30, *rest) for tick, *rest in song], False)):
        track = symusic.Track("", 0, drums)
        track.notes.extend([symusic.Note(*row, 80) for row in rows])
        score.tracks.append(track)
    put_words(score, [(tick, "la") for tick, *_ in song])
    assert [len(track.lyrics) for track in score.tracks] == [0, 0, 16]


@given(
    st.lists(st.integers(0, 10_000), max_size=30),
    st.lists(st.integers(0, 10_000), max_size=30),
    st.integers(0, 200),
)
def test_word_fit_is_a_share_that_is_whole_where_all_are_on_notes(words, onsets, near):
    fit = word_fit(words, onsets, near)
    assert 0 <= fit <= 1
    assert fit == pytest.approx(word_fit(onsets, words, near))
    assert word_fit(words, words, near) == (1 if words else 0)
