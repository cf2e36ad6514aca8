"""What the name of a track says: a melody, perhaps one, or something else.

In: a name as people give it, in one of many languages. Out: a `NameSays`.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from enum import IntEnum
from typing import Final

from pianalysis.melody.programme_names import without_programmes


class NameSays(IntEnum):
    """What a name says, from what speaks against a melody to what speaks for one."""

    NEVER = -2
    """Drums, bass, pads, chords, backing vocals: whatever else the name holds."""
    LOW = -1
    """The left hand, tenor and bass of a choir: below another line."""
    NOTHING = 0
    HIGH = 1
    """The right hand: where nobody sings."""
    PERHAPS = 2
    """Lead, solo, voice, theme: often the melody, often a guitar's or a flute's answer to it."""
    MELODY = 3
    """Melody, vocal, soprano."""


MELODY: Final = (
    r"melod\w*|melo?|vocals?|voc|sing(er|ing)?|sung|lyrics?|words|karaoke|soprano?s?|sopran\w*|cant(us|o|ante|or|ora)|discant\w*|descant|"
    r"lead ?voc\w*|main ?voc\w*|voca|vo|(lead|ld|main|female|male|solo|verse|hook|guide)[ _]?vo?x|vo?x[ _]?(lead|main|solo|guide|\d+)|vocaloid\w*|hatsune|miku|kagamine|utau|top ?line|sopr?|superius|"
    r"(lead|solo|main|principal)[ _]?voice|voice[ _]?(lead|solo|principal)|voce (principale|solista)|(voz|voix) (principal\w*|lead|solo|solista)|"
    r"melodie\w*|(haupt|gesangs|leit|lied)melodie|(solo|haupt)?gesang\w*|singstimme|hauptstimme|oberstimme|sänger(in)?|chante?u?r?|chanteuse|chants?|"
    r"zang|zangstem|zangeres|zanger|sang|sangstemme|sangstämma|laulu|spiew|wokal\w*|śpiew\w*|głos|glos|zpev|zpěv|hlas|ének|dallam|şarkı|melodi|"
    r"(verse|chorus|refrain)[ _]?(melod\w*|tune)|(melod\w*|tune)[ _]?(verse|chorus|refrain)|canzone|cantanti|vocalist\w*|vocalista|vocais|cantor|vokal\w*|"
    r"м[еэ]лод[иі]\w*|вокал\w*|спів|соло голос|голос соло|солирующий голос|"
    r"сопрано|пение|певец|певица|"
    r"멜로디|멜로듸|보컬|노래|가창|주선율|소프라노|"
    r"メロディー?|メロ|初音ミク|ミク|主旋律|旋律|ボーカル|ヴォーカル|ヴォカル|歌|唄|うた|歌手|ソプラノ|仮歌|"
    r"主唱|人声|人聲|歌声|歌聲|歌唱|演唱|独唱|獨唱|女声|男声|女聲|男聲|女高音|领唱|領唱|唱|"
    r"μελωδία|τραγούδι|τραγουδιστ\w*|מנגינה|מלודיה|שירה|זמרת?|(ال)?لحن|(ال)?غناء|(ال)?مطربة?|giai điệu|giọng hát|lời ca|ca sĩ|ทำนอง|เสียงร้อง|นักร้อง"
)
PERHAPS: Final = (
    r"leads?|solos?|soli|soloists?|solist\w*|voices?|theme|thème|thema|tema|tune|air|lied|singt|stimmen?|"
    r"voz|voces|vozes|voce|voci|voix|canción|cancion|canção|cancao|aria|"
    r"голос\w*|соло|солист\w*|тема|песня|독주|솔로|리드|테마|목소리|ソロ|リード|テーマ|主題|主题|独奏|獨奏|声|主音|主奏|"
    r"φωνή|σόλο|θέμα|קול|סולו|(ال)?صوت|صولو|ร้อง"
)
RIGHT: Final = (
    r"women|ladies|girls|frauen|femmes|damen|"
    r"(piano|pno|klavier|keys?|kbd)[ _.]?r|right ?hand|right|droite|derecha|direita|destra|rh|r\.? ?h\.?|treble|upper|up|rechts|rechte|md|"
    r"правая ?рука|右手|오른손|haut|discant|δεξ[ίι] χέρι|יד ימין|(ال)?يد (ال)?يمنى|tay phải|มือขวา"
)
LEFT: Final = (
    r"(piano|pno|klavier|keys?|kbd)[ _.]?l|left ?hand|left|gauche|izquierda|esquerda|sinistra|lh|l\.? ?h\.?|lower|down|links|linke|mg|"
    r"левая ?рука|左手|왼손|αριστερό χέρι|יד שמאל|(ال)?يد (ال)?يسرى|tay trái|มือซ้าย"
)
LOW_VOICES: Final = (
    r"men|gentlemen|männer|hommes|herren|"
    r"alto?s?|alt|altus|contralt\w*|(counter)?tenor\w*|ténor|альт|тенор|알토|테너|アルト|テノール|bassus"
)
"""Singers who are often below others, but have songs of their own."""
NEVER: Final = (
    r"back(ing|ground|up)?|backvoc\w*|bg|bgvs?|bvs?|bvox|ad ?libs?|bkg?|back ?vox|b[. ]?voc\w*|b ?vox|harms?|hrmn?y?|harmon(y|ies|ia|ias|ie|ien|ize[ds]?|ise[ds]?|isch\w*|ic|.e)?|oo+hs?|aa+hs?|chorus|choirs?|choeurs?|chœurs?|chor|coros?|"
    r"armon(ia|ias|ie|ías)|gegen(stimme|melodie)|neben(melodie)|counter(?!tenor)\w*|contracanto|contrecant|oblig\w*|obblig\w*|chops?|"
    r"cori|fondo|segundas|slagwerk|trommel\w*|bas|ритм\w*|подголос\w*|백 ?보컬|백그라운드|伴唱|合音|和唱|リズム|オブリ|裏メロ|対旋律|"
    r"pads?|drums?|drm|perc\w*|kick|snare|hi-?hats?|hats?|cymbals?|toms?|claps?|shaker|tambourin\w*|congas?|bongos?|timp\w*|beat|"
    r"bass(?!oon|ett?h)\w*|basso?s?|baß|contrabass\w*|kontrabass\w*|contrebasse|tuba|sub|"
    r"accomp\w*|acc|akk?omp\w*|begleit\w*|accompagn\w*|acomp\w*|comping|comp|rhyth?m\w*|rythm\w*|rhy|ritm\w*|chords?|"
    r"akkord\w*|accords?|acordes?|accordi|arp\w*|arpeg\w*|broken|strum(s|m\w*)?|fx|sfx|effects?|effekte?|ambien\w*|drone|click|metronom\w*|"
    r"schlagzeug|pauken?|batterie|batería|bateria|batteria|tambores?|percusi\w*|percuss\w*|bajo|baixo|unterstimmen?|nebenstimmen?|"
    r"ударные|барабан\w*|бас|аккорд\w*|аккомп\w*|сопровожд\w*|бэк\w*|бек\w*|хор|литавры|контрабас|"
    r"드럼|베이스|코러스|반주|화음|패드|타악기|ドラムス?|ベース|コーラス|ハモリ?|ハーモニー|伴奏|パッド|コード|和音|パーカッション|ティンパニ|"
    r"鼓|贝斯|貝斯|低音|和声|和聲|和音|和弦|合唱|打击乐|打擊樂|定音鼓|"
    r"συνοδεία|μπάσο|ντραμς|χορωδία|αρμονία|ליווי|תופים|מקהלה|(ال)?مرافقة|(ال)?[إا]يقاع|كورال|đệm|hòa âm|trống|เบส|กลอง|คอร์ด|ประสาน"
)
INSTRUMENTS: Final = (
    r"strument[oi]|instrumento|piano|pno|kbd|klavier|pianoforte|fortepiano|guitars?|gtr|git|guitare|guitarra|gitarre|chitarra|flutes?|flöte|flauto?|violins?|violin[eo]?|viola|"
    r"violoncello|fiddle|banjo|mandolin\w*|ukulele|pan ?flute|recorder|whistle|brass|bell|glockenspiel|marimba|vibra\w*|xylo\w*|celesta|"
    r"пиано|фортепиано|гитара|скрипка|флейта|기타|피아노|바이올린|플루트|ピアノ|ギター|バイオリン|フルート|钢琴|鋼琴|吉他|小提琴|长笛|二胡|笛子|"
    r"hands?|hand|cello|oboe|clarinet\w*|klarinette|sax\w*|trumpet|trompete|horn|organ|orgel|synth\w*|keys?|keyboard|strings?|streicher|harp\w*|accordion|"
    r"harmonica|vox|sq|square|saw|electric|elec|acoustic|nylon|steel|clean|dist\w*|overdrive|jazz|alto sax|tenor sax|midi|instrument|sound"
)
FILLERS: Final = (
    r"the|duets?|duo|and|und|et|y|e|of|von|de|der|la|le|il|el|main|haupt|first|second|male|female|mens?|womens?|männer|frauen|doubled?|dbl|line|track|trk|"
    r"spur|piste|pista|part|parte|partie|ch|chan|channel|no|nr|staff|stave|high|low|top|principal\w*|principale|1st|2nd|i|ii|iii|a|b|d|dx|\d+|"
    r"copy|kopie|copie|copia|kopia|dub|guia|guida|verses?|refrain|bridge|strophe|couplet|estrofa|estribillo|strofa|ritornello|guide|ガイド|가이드|メイン|主|주|메인|основн\w*|главн\w*|linha|linea|línea|ligne|linie|линия|ld|l|r|stereo|"
    r"masculin[ao]|feminin[ao]|femenin[ao]|weiblich\w*|männlich\w*|mezzo|s|mano|mao"
)
ALONE: Final = {"vox": NameSays.MELODY, "vx": NameSays.MELODY, "s": NameSays.HIGH, "t": NameSays.LOW, "b": NameSays.LOW}
"""What says something where it is the whole name: a singer, the voices of a choir."""
_LOW_INSTRUMENT: Final = (
    r"sax\w*|blockfl\w*|recorders?|clarinet\w*|klarinett\w*|flutes?|fl[öo]te[ns]?|flaut[oi]|trombones?|posaunen?"
)
_INSTRUMENT: Final = rf"{_LOW_INSTRUMENT}|horns?|banjos?|guitars?|viols?|violas?"
_SIZE: Final = re.compile(
    rf"\b(soprano?|alto?|tenor)[ _.-]*(?=({_INSTRUMENT})\b)|\b(contra|kontra)?bass[ _.-]*(?=({_LOW_INSTRUMENT})\b)|"
    rf"(?<=sax)\w*[ _.(-]+(soprano?|alto?|tenor|bass)\b\)?"
)
"""An instrument's size, not a voice: Alto Sax, Sax (Tenor), Bass Clarinet."""
_PATTERNS: Final = {
    NameSays.NEVER: NEVER,
    NameSays.MELODY: MELODY,
    NameSays.PERHAPS: PERHAPS,
    NameSays.LOW: f"{LEFT}|{LOW_VOICES}",
    NameSays.HIGH: RIGHT,
}


def _plain(text: str) -> str:
    """Text without case, widths and accents: people leave them out, or keep them.

    >>> _plain("ﾒﾛﾃﾞｨ"), _plain("Mélodie")
    ('メロディ', 'melodie')
    """
    bare = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text.replace("\0", "")))
    return unicodedata.normalize("NFC", bare).casefold()


_WORD: Final = {says: re.compile(_plain(pattern)) for says, pattern in _PATTERNS.items()}
_LOW_VOICE: Final = re.compile(_plain(LOW_VOICES))
_KNOWN: Final = re.compile(_plain("|".join([*_PATTERNS.values(), INSTRUMENTS, FILLERS])))
_FILLER: Final = re.compile(_plain(FILLERS))
_UNSPACED: Final = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that are written without spaces, Thai among them: there a word may stand anywhere."""
_WORDS: Final = re.compile(r"[\u0e00-\u0e7f]+|[^\W_\u0e00-\u0e7f]+(?:\.[^\W_]+)*")
"""Thai's vowels and tones stand as signs of their own."""
STRANGE_SHARE: Final = 0.5
"""A name more than so much of which is neither of music nor of numbers is a title: its words say little."""


def read_name(name: str) -> NameSays:
    """What a name says.

    >>> read_name("Vocals"), read_name("Backing Vocals"), read_name("主旋律"), read_name("A Winter Melody")
    (<NameSays.MELODY: 3>, <NameSays.NEVER: -2>, <NameSays.MELODY: 3>, <NameSays.NOTHING: 0>)
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)  # LeadVocal
    plain = re.sub(r"(?<=[a-zа-я])(?=\d)|(?<=\d)(?=[a-zа-я])", " ", _SIZE.sub("", without_programmes(_plain(spaced))))
    words = _WORDS.findall(plain)
    if not words:
        return NameSays.NOTHING
    if (whole := ALONE.get(" ".join(words))) is not None:
        return whole
    pairs = [f"{first} {second}" for first, second in itertools.pairwise(words)]
    in_pairs = {word for pair in pairs if _KNOWN.fullmatch(pair) for word in pair.split()}
    alone = [word for word in words if word not in in_pairs]  # giọng hát is a voice, and no hi-hat
    said = {says for says, pattern in _WORD.items() if _says(pattern, alone, pairs, plain)}
    if NameSays.NEVER in said:
        return NameSays.NEVER
    strange = [word for word in alone if not _known(word)]
    telling = [word for word in words if not _FILLER.fullmatch(word)]
    if strange and len(strange) >= STRANGE_SHARE * len(telling):
        # "A Winter Melody" is a title, "Melody - Anna" a singer's part.
        part = NameSays.MELODY in said and len(words) == 2 and words[0] not in strange
        return NameSays.PERHAPS if part else NameSays.NOTHING
    return max(said & {NameSays.MELODY, NameSays.PERHAPS}, default=_hand(said))


def names_low_voice(name: str) -> bool:
    """Whether a name that says LOW is a singer's, who may have nobody above, and not a hand's.

    >>> names_low_voice("Tenor"), names_low_voice("Left Hand")
    (True, False)
    """
    plain = _plain(name)
    return _says(_LOW_VOICE, re.findall(r"[^\W_]+", plain), [], plain)


def _hand(said: set[NameSays]) -> NameSays:
    if {NameSays.LOW, NameSays.HIGH} <= said or not said:
        return NameSays.NOTHING
    return next(iter(said & {NameSays.LOW, NameSays.HIGH}), NameSays.NOTHING)


def _says(pattern: re.Pattern[str], words: list[str], pairs: list[str], plain: str) -> bool:
    if any(pattern.fullmatch(word) for word in (*words, *pairs)):
        return True
    return any(_UNSPACED.match(found[0]) is not None for found in pattern.finditer(plain))


def _known(word: str) -> bool:
    if _KNOWN.fullmatch(word):
        return True
    return any(_UNSPACED.match(found[0]) is not None for found in _KNOWN.finditer(word))
