"""Tunes in ABC as people have them: in mails, web pages, answers in Markdown, and copied from there."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.music.abc_around import unwrapped
from pianalysis.music.abc_books import looks_like_abc
from pianalysis.music.abc_notation import from_abc
from pianalysis.music.reading import read_with_remarks

TUNE = 'X:1\nT:A & B\nM:4/4\nL:1/4\nK:C\nC>DE<F|\n"Am"GABc|\n'
PLAYED = [(0, 60), (1.5, 62), (2, 64), (2.5, 65), (4, 67), (5, 69), (6, 71), (7, 72)]
ESCAPED = TUNE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(text, mark="> "):
    return "".join(f"{mark}{line}\n" for line in text.splitlines())


def played(text):
    score = read_with_remarks(text.encode(), name="tune.txt").score
    return [(note.time / score.tpq, note.pitch) for note in score.tracks[0].notes]


@pytest.mark.parametrize(
    "text",
    [
        TUNE,
        f"Hi all,\nthis is it:\n\n{quoted(TUNE)}>\n> All the best | A.\n",
        quoted(quoted(TUNE, ">"), "> "),
        f"Here you are:\n\n```abc\n{TUNE}```\nEnjoy it | and sing!\n",
        TUNE.replace("\n", "\r\r\n"),
        TUNE.replace("\n", "\n\n"),
        TUNE.replace("K:C\n", "K:C\n\n"),
        f"<!DOCTYPE html>\n<html><body><p>A page<p>of tunes\n<pre>\n{ESCAPED}</pre>\nMore | of it</body></html>",
        f"<html><body><textarea>{TUNE}</textarea></body></html>",
        "<html><body><div>" + ESCAPED.replace("\n", "<br>\n") + "</div>Bye | bye</body></html>",
        "<html><body>" + "".join(f"<div>{line}</div>" for line in ESCAPED.splitlines()) + "</body></html>",
        TUNE.replace("K:C\n", "").replace("L:1/4\n", "L:1/4\nK:C\n"),
        TUNE.replace("T:A & B\n", "H:A tune of | which a\nlong history | is told\nin a few lines\nT:A\n"),
        TUNE.replace('"Am"', "“Am”"),
    ],
)
def test_a_tune_is_read_wherever_it_stands(text):
    assert played(text) == PLAYED


def test_a_tune_without_a_key_is_in_c():
    assert [note.pitch for note in from_abc(TUNE.replace("K:C\n", "")).tracks[0].notes] == [n for _, n in PLAYED]
    assert len(from_abc("M:3/4\nL:1/4\nFGA|").tracks[0].notes) == 3
    with pytest.raises(PianalysisError, match="with a key"):
        from_abc("FGA|")


def test_prettier_signs_are_those_that_are_typed():
    score = from_abc("X:1\nL:1/4\nK:C\n“F”c’2–|c’2 C‘|")
    assert [(note.time / score.tpq, note.duration / score.tpq, note.pitch) for note in score.tracks[0].notes] == [
        (2, 4, 84),
        (6, 1, 72),
    ]
    assert [marker.text for marker in score.markers] == ["F:maj"]


def test_a_page_without_a_tune_is_refused():
    page = b"<html><body>X: nothing</body></html>"
    assert not looks_like_abc(b"To whom it may concern: K: no\n")
    with pytest.raises(PianalysisError, match="a web page, which isn't read"):
        read_with_remarks(page, name="page.html")


@given(st.text(alphabet="XK:1\n >`~<prebdiv/\r|C", max_size=200))
def test_what_is_unwrapped_stays_so(text):
    once = unwrapped(text)
    assert "\r" not in once
    assert set(once) <= set(text.replace("\r", "\n")) | {"\n"}


@pytest.mark.parametrize("piece", ["<p>", "X:1\n", "<!--", "> X:1\n", "<br", "\n\n", "```\n", "<a b="])
def test_a_hostile_text_takes_no_time(piece):
    begun = time.perf_counter()
    looks_like_abc(("<html>" + piece * 100_000).encode())
    unwrapped("<html>" + piece * 100_000)
    assert time.perf_counter() - begun < 5
