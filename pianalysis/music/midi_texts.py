"""Texts in MIDI files whose encoding nobody states: names of tracks, lyrics, markers.

In: the bytes of a MIDI file. Out: the same file with its texts in UTF-8, which is what symusic reads; it replaces what it
can't read. A file whose texts are UTF-8, and one that is damaged, stays as it is, byte for byte.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable
from typing import Final

from pianalysis.music.midi_events import number_bytes, texts_between, track_spans

ENCODINGS: Final = (
    "gb18030", "cp932", "cp949", "big5", "cp1251", "cp1252", "latin-1", "koi8-r", "cp866", "mac_cyrillic", "euc_jp", "cp1250", "cp1254",
    "cp850", "mac_roman",
)  # fmt: skip
"""What is tried where UTF-8 doesn't fit; of two that fit as well the former."""
MUSICAL: Final = (
    "主旋律 旋律 主音 人声 鋼琴 钢琴 吉他 贝斯 貝斯 低音 鼓 弦乐 和弦 伴奏 歌曲 音轨 右手 左手 主唱 人聲",
    "メロディ メロディー ピアノ ギター ベース ドラム ストリングス ボーカル ヴォーカル 歌 コーラス 右手 左手 主旋律 トラック",
    "멜로디 피아노 기타 베이스 드럼 보컬 노래 코러스 반주 트랙 오른손 왼손 현악기 목소리 가수 주선율 합창",
    "мелодия голос вокал фортепиано гитара бас ударные соло хор рояль правая левая рука",
    "вокал солист бэк пиано тенор сопрано альт скрипка флейта",
    "śpiew głos zpěv hlas perkusja ének zenekar şarkı melodía melódia klávesy",
    "mélodie mélodía melodía chœur flûte hautbois contralto ténor geschütz klöppel flöte oboé violão voz canção canción música",
)
"""Words that names of tracks are made of, by the languages of the encodings; one that is read settles which it was."""
SHORTEST_UTF8: Final = 6
"""Bytes beyond ASCII of a text that is taken for UTF-8 among others that aren't."""
USUAL_CYRILLIC: Final = "оеаинтсрвлкмдпуя"
"""Letters of which four in five of a Russian text are."""
WORD_SETTLES: Final = 2.0
HANGUL_TELLS: Final = 10
"""Different syllables: of usual Chinese characters three in five have bytes that Korean ones have, too."""
UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How a text begins that says itself what it is in: some programs write so where a name isn't plain letters."""


def texts_in_utf8(data: bytes) -> bytes:
    """The file with its texts in UTF-8; the very same bytes where they are already. A track that was cut off stays."""
    tracks = [
        (start, end, list(texts_between(data, start, end))) for start, end in track_spans(data) if end <= len(data)
    ]
    other = [raw for *_, found in tracks for text in found if not _is_utf8(raw := data[text.start : text.end])]
    if not other:
        return data
    encoding = guess_encoding([raw for raw in other if not raw.startswith(UTF16_MARKS)])
    result, done = bytearray(), 0
    for start, end, found in tracks:
        body, at = bytearray(), start
        for text in found:
            raw = data[text.start : text.end]
            if not _is_utf8(raw) or _by_chance(raw):
                known = "utf-16" if raw.startswith(UTF16_MARKS) else encoding
                said = raw.decode(known, "replace").encode()
                body += data[at : text.length_at] + number_bytes(len(said)) + said
                at = text.end
        body += data[at:end]
        result += data[done : start - 4] + len(body).to_bytes(4, "big") + body
        done = end
    return bytes(result + data[done:])


def guess_encoding(texts: list[bytes]) -> str:
    """The likeliest of `ENCODINGS` for some texts of one file, none of which is UTF-8.

    >>> guess_encoding(["メロディ".encode("cp932")]), guess_encoding(["Mélodie".encode("latin-1")])
    ('cp932', 'cp1252')
    >>> guess_encoding(["아리랑 고개로 넘어간다".encode("cp949")])
    'cp949'
    """
    scores = {encoding: sum(_plausible(text, encoding) * len(text) for text in texts) for encoding in ENCODINGS}
    likeliest = max(ENCODINGS, key=lambda encoding: scores[encoding])
    return "cp949" if likeliest == "gb18030" and _all_hangul(texts) else likeliest


def _all_hangul(texts: list[bytes]) -> bool:
    """Whether texts whose bytes may be Chinese hold so many syllables of Korean, and no other, that it isn't by chance."""
    letters = {letter for text in texts for letter in text.decode("cp949", "replace") if ord(letter) > 0x7F}
    return len(letters) >= HANGUL_TELLS and all("\uac00" <= letter <= "\ud7a3" for letter in letters)


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
    if (letter.isupper() and before.islower()) or (before.isascii() and before.isalpha()):
        return 0.0
    return 0.6 if letter.lower() not in USUAL_CYRILLIC else 0.95


def _cyrillic_elsewhere(letter: str, text: str, place: int) -> float:
    return _cyrillic(letter, text, place) - 0.02


def _rarer(letter: str, text: str, place: int) -> float:
    """Of encodings that few files are in: believed where a word is known, or nothing else fits."""
    return min(_western(letter, text, place), 0.5) - 0.4


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
    **dict.fromkeys(("koi8-r", "cp866", "mac_cyrillic"), _cyrillic_elsewhere),
    "euc_jp": lambda letter, text, place: 0.85 if "\u3040" <= letter <= "\u30ff" else 0.2,
    **dict.fromkeys(("cp1250", "cp1254", "cp850", "mac_roman"), _rarer),
    "latin-1": lambda letter, text, place: _western(letter, text, place) - 0.01,
}
"""How likely a letter beyond ASCII is in a text of each encoding: the letter, the text, its place."""


def _by_chance(raw: bytes) -> bool:
    """Whether a text of a file in another encoding is so short that it may be UTF-8 by chance."""
    return 0 < sum(byte > 0x7F for byte in raw) < SHORTEST_UTF8


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
