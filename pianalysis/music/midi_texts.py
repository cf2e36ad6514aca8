"""Texts in MIDI files whose encoding nobody states: names of tracks, lyrics, markers.

In: the bytes of a MIDI file. Out: the same file with its texts in UTF-8, which is what symusic reads; it replaces what it
can't read. A file whose texts are UTF-8, and one that is damaged, stays as it is, byte for byte.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

SYSEX: Final = (0xF0, 0xF7)
META: Final = 0xFF
TEXTS: Final = range(0x01, 0x10)
"""The meta events that hold text: 3 is a track's name, 5 a lyric, 6 a marker."""
ENCODINGS: Final = ("gb18030", "cp932", "cp949", "big5", "cp1251", "cp1252", "latin-1")
"""What is tried where UTF-8 doesn't fit; of two that fit as well the former."""
MUSICAL: Final = (
    "主旋律 旋律 主音 人声 鋼琴 钢琴 吉他 贝斯 貝斯 低音 鼓 弦乐 和弦 伴奏 歌曲 音轨 右手 左手 主唱 人聲",
    "メロディ メロディー ピアノ ギター ベース ドラム ストリングス ボーカル ヴォーカル 歌 コーラス 右手 左手 主旋律 トラック",
    "멜로디 피아노 기타 베이스 드럼 보컬 노래 코러스 반주 트랙 오른손 왼손 현악기",
    "мелодия голос вокал фортепиано гитара бас ударные соло хор рояль правая левая рука",
    "mélodie mélodía melodía chœur flûte hautbois contralto ténor geschütz klöppel flöte oboé violão voz canção música",
)
"""Words that names of tracks are made of, by the languages of the encodings; one that is read settles which it was."""
WORD_SETTLES: Final = 2.0


@dataclass(frozen=True)
class _Text:
    """A text event: where its length begins, where its bytes do, and where they end."""

    length_at: int
    start: int
    end: int


def texts_in_utf8(data: bytes) -> bytes:
    """The file with its texts in UTF-8; the very same bytes where they are already, or the file is damaged."""
    chunks = list(_chunks(data))
    texts = [list(_texts(data, start, end)) if data[start - 8 : start - 4] == b"MTrk" else [] for start, end in chunks]
    other = [
        data[text.start : text.end] for found in texts for text in found if not _is_utf8(data[text.start : text.end])
    ]
    if not other:
        return data
    encoding = guess_encoding(other)
    result, done = bytearray(), 0
    for (start, end), found in zip(chunks, texts, strict=True):
        body, at = bytearray(), start
        for text in found:
            raw = data[text.start : text.end]
            if not _is_utf8(raw):
                said = raw.decode(encoding, "replace").encode()
                body += data[at : text.length_at] + _variable_length(len(said)) + said
                at = text.end
        body += data[at:end]
        result += data[done : start - 4] + len(body).to_bytes(4, "big") + body
        done = end
    return bytes(result + data[done:])


def guess_encoding(texts: list[bytes]) -> str:
    """The likeliest of `ENCODINGS` for some texts of one file, none of which is UTF-8.

    >>> guess_encoding(["メロディ".encode("cp932")]), guess_encoding(["Mélodie".encode("latin-1")])
    ('cp932', 'cp1252')
    """
    scores = {encoding: sum(_plausible(text, encoding) * len(text) for text in texts) for encoding in ENCODINGS}
    return max(ENCODINGS, key=lambda encoding: scores[encoding])


def _plausible(raw: bytes, encoding: str) -> float:
    """How like writing some bytes are in an encoding: the mean of its letters, from -1 to 1, more if a word is known."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return -1.0
    foreign = [(place, letter) for place, letter in enumerate(text) if ord(letter) > 0x7F]
    if not foreign:
        return 0.0
    likely = sum(LIKELIHOOD[encoding](letter, text, place) for place, letter in foreign) / len(foreign)
    plain = unicodedata.normalize("NFKC", text).casefold()
    return likely + WORD_SETTLES * any(word in plain for line in MUSICAL for word in line.split())


def _chinese(letter: str, text: str, place: int) -> float:
    lead, trail = (*letter.encode("gb18030"), 0)[:2]
    if 0xB0 <= lead <= 0xD7 and trail >= 0xA1:  # GB 2312's first level: the 3,755 usual characters
        return 0.8
    return 0.5 if 0xA1 <= lead <= 0xA3 else 0.0


def _japanese(letter: str, text: str, place: int) -> float:
    if "\u3040" <= letter <= "\u30ff":
        return 1.0
    if "\uff66" <= letter <= "\uff9f":  # half-width kana: what Chinese and Korean bytes look like, too
        return 0.3
    lead = letter.encode("cp932")[0]
    return 0.7 if 0x88 <= lead <= 0x97 or lead == 0x81 else 0.0


def _korean(letter: str, text: str, place: int) -> float:
    lead, trail = (*letter.encode("cp949"), 0)[:2]
    # The same bytes are usual Chinese characters; few names are long enough to tell, and of Chinese there are more.
    return 0.7 if 0xB0 <= lead <= 0xC8 and trail >= 0xA1 else 0.0


def _taiwanese(letter: str, text: str, place: int) -> float:
    return 0.6 if 0xA4 <= letter.encode("big5")[0] <= 0xC6 else 0.0


def _cyrillic(letter: str, text: str, place: int) -> float:
    if not "\u0400" <= letter <= "\u04ff":
        return -0.5
    before = text[place - 1] if place else " "
    shouts = letter.isupper() and before.islower()
    return 0.0 if shouts or (before.isascii() and before.isalpha()) else 0.9


def _western(letter: str, text: str, place: int) -> float:
    if letter in "©®°«»’‘“”–…":
        return 0.4
    if not letter.isalpha():
        return -0.5
    near = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    among = any(other.isascii() and other.isalpha() for other in near)
    shouts = letter.isupper() and near[:1].islower() if place else False
    return 0.95 if among and not shouts else -0.3


LIKELIHOOD: Final[dict[str, Callable[[str, str, int], float]]] = {
    "gb18030": _chinese,
    "cp932": _japanese,
    "cp949": _korean,
    "big5": _taiwanese,
    "cp1251": _cyrillic,
    "cp1252": _western,
    "latin-1": lambda letter, text, place: _western(letter, text, place) - 0.01,
}
"""How likely a letter beyond ASCII is in a text of each encoding: the letter, the text, its place."""


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _chunks(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the contents of each whole chunk begin and end."""
    at = 0
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        if end > len(data):
            return
        yield at + 8, end
        at = end


def _texts(data: bytes, start: int, end: int) -> Iterator[_Text]:
    """The text events of a track, as far as its events can be followed."""
    at, status = start, 0
    while at < end:
        _, at = _number(data, at, end)  # the wait before the event
        if at >= end:
            return
        if data[at] >= 0x80:
            status, at = data[at], at + 1
        if status == META:
            kind, length_at = data[at] if at < end else 0, at + 1
            length, at = _number(data, length_at, end)
            if at + length > end:
                return
            if kind in TEXTS and length:
                yield _Text(length_at, at, at + length)
            at += length
        elif status in SYSEX:
            length, at = _number(data, at, end)
            at += length
        elif status < 0x80:
            return
        else:
            at += 1 if 0xC0 <= status < 0xE0 else 2


def _number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of variable length, and where what follows it begins."""
    value = 0
    while at < end:
        byte, at = data[at], at + 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, at


def _variable_length(value: int) -> bytes:
    """The bytes of a number of variable length.

    >>> _variable_length(200).hex()
    '8148'
    """
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
