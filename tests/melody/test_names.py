from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.melody.names import NameSays, read_name

MELODIES = (
    "Melody", "MELODY ", "melody 1", "Main Melody", "Vocals", "Lead Vocal", "vocal-track", "LeadVocal", ":soprano", "Sopran",
    "Melodie", "Gesang", "Singstimme", "Mélodie", "Chant", "Chanteur", "Melodía", "Cantante", "Melodia", "Canto", "Vocalista",
    "Мелодия", "ВОКАЛ", "メロディ", "ﾒﾛﾃﾞｨ", "メロディー", "ボーカル", "歌", "主旋律", "旋律1", "人声", "主唱", "멜로디", "보컬", "노래",
    "Vox", "Lead Vox", "LD VOCAL", "Vo.", "Guide Melody", "Top Line", "Melody L", "Sopr.", "Solo Voice", "Voz principal", "Voce solista",
    "Linha melódica", "Ligne mélodique", "Hauptmelodie", "Zang", "Sång", "Laulu", "Śpiew", "Wokal", "Głos", "Zpěv", "Ének", "Мелодія",
    "Основная мелодия", "Соло голос", "주 멜로디", "メインメロディ", "ガイドメロディ", "仮歌", "领唱", "唱",
    "Μελωδία", "ΤΡΑΓΟΥΔΙ", "Τραγουδιστής", "מנגינה", "זמרת", "لحن", "اللحن", "غناء", "Giai điệu", "Giọng hát", "ทำนอง", "เสียงร้องหลัก",
    "Vx", "Lead Vx", "Verse Vox", "Sologesang", "Melody Copy", "Vocal Dub", "Mélo", "Hatsune Miku", "VOCALOID - Miku", "初音ミク", "Strumento melodia",
)  # fmt: skip
PERHAPS = (
    "Lead Guitar", "Sq Lead", "Solo Violin", "Voice 1 (Soloist)", "Theme", "Stimme", "Voix", "Voz", "Voce", "Tema principal", "Голос",
    "Гитара соло", "ソロ", "リード", "솔로", "独奏", "Φωνή", "קול", "صوت", "ร้อง",
)  # fmt: skip
NEVER = (
    "Backing Vocals", "BackVocals", "Voice 3 (Harmony)", "Vocals, harmony", "Vocal Pads", "Lead drums", "Bass Voice", "Choir", "Aahs", "Mixed Choir", "B. Vocal", "B Vox", "FX", "Sound Effects", "Steel Bass",
    "Begleitung", "Accompagnement", "Acompañamiento", "Chœurs", "Coro", "Бас", "Бэк-вокал", "コーラス", "伴奏", "和声", "베이스", "화음",
    "Countermelody", "Gegenmelodie", "Vocal Chops", "Voces de fondo", "Segundas voces", "Armonía", "Slagwerk", "Ритм гитара", "백보컬",
    "BGVs", "Harm Voc", "Ad Lib Vocals", "Acomp.", "Strummed Guitar",
    "伴唱", "リズムギター", "裏メロ", "Συνοδεία", "ליווי", "إيقاع", "Đệm", "กลอง", "เสียงร้องประสาน",
)  # fmt: skip
NOTHING = (
    "",
    "Piano",
    "A Winter Melody",
    "Singing in the Rain",
    "Voice of the Bees",
    "Soprano Sax",
    "Harmonica",
    "Track 2",
    "Flute",
    "钢琴",
    "Synth Vox",
    "Voice Oohs",
    "Lead 1 (square)",
    "Men's & Women's",
)
PROGRAMMES = (
    "Choir Aahs", "Voice Oohs", "Synth Voice", "Synth Choir 2", "CHOIR AAHS", "Choral Aahs", "Aah Choir", "Synth Effects", "Effect Synthesizer",
    "Synth FX", "FX 1 (rain)", "FX 8 (sci-fi)", "FX 4 (Atmosphere)", "Percussive Organ", "Perc. Organ", "Chromatic Percussion",
    "Guitar Harmonics", "Steel Drums", "Synth Lead", "Lead Synthesizer", "Lead 2 (sawtooth)", "Lead 8 (bass + lead)", "Orchestral Harp",
    "Alto Sax", "Tenor Saxophone", "Sax Alto", "Sax (Tenor)", "Alto-Sax", "Alto Flute", "Tenor Trombone", "Bassoon", "Ensemble", "Reed", "Pipe",
    "Ethnic", "Organ, Org., Percussive Organ", "Piano, Piano, Piano ", "Brass, Brass, Brass Sect",
)  # fmt: skip
"""Names that programs write, which say no more than the programme."""
ACCOMPANIMENTS = ("Acoustic Bass", "Synth Bass 2", "Fretless Electric Bass, ", "Pad 2 (warm)", "Pad 4 (choir)", "Synth Pad", "Timpani", "Timpani, Timp., Timpani",
                  "Taiko Drum", "Melodic Tom", "Reverse Cymbal", "Percussive", "Drum Kit")  # fmt: skip
"""… and those of what accompanies by nature."""
HANDS = {
    "Right Hand": NameSays.HIGH, "PIANO RH": NameSays.HIGH, "Klavier rechts": NameSays.HIGH, "Main droite": NameSays.HIGH,
    "Mano derecha": NameSays.HIGH, "右手": NameSays.HIGH, "Left Hand": NameSays.LOW, "Piano LH": NameSays.LOW, "linke Hand": NameSays.LOW,
    "Alto, Alto, Lead 1 Aahs ": NameSays.LOW, "Tenor, T., Choir Aa": NameSays.LOW, "Countertenor": NameSays.LOW,
    "Women": NameSays.HIGH, "Men": NameSays.LOW, "S.": NameSays.HIGH, "B": NameSays.LOW, "Main gauche": NameSays.LOW, ":tenor": NameSays.LOW, "Alt": NameSays.LOW, "왼손": NameSays.LOW,
    "Δεξί χέρι": NameSays.HIGH, "Αριστερό χέρι": NameSays.LOW, "יד ימין": NameSays.HIGH, "اليد اليسرى": NameSays.LOW, "Tay phải": NameSays.HIGH,
    "มือซ้าย": NameSays.LOW, "Piano R": NameSays.HIGH, "Piano L": NameSays.LOW, "Pno RH": NameSays.HIGH, "Klavier L.": NameSays.LOW,
}  # fmt: skip
CASES = [
    *((name, NameSays.MELODY) for name in MELODIES),
    *((name, NameSays.PERHAPS) for name in PERHAPS),
    *((name, NameSays.NEVER) for name in NEVER),
    *((name, NameSays.NOTHING) for name in NOTHING + PROGRAMMES),
    *((name, NameSays.NEVER) for name in ACCOMPANIMENTS),
    *HANDS.items(),
]


@pytest.mark.parametrize(("name", "says"), CASES)
def test_names_in_many_languages(name, says):
    assert read_name(name) == says


@given(
    st.sampled_from(MELODIES + PERHAPS),
    st.sampled_from(["backing {}", "{} (harmony)", "{} pad", "Drums {}", "Begleitung {}"]),
)
def test_whatever_else_a_name_holds_backing_is_no_melody(name, frame):
    assert read_name(frame.format(name)) == NameSays.NEVER


@given(
    st.sampled_from(MELODIES + PERHAPS + NEVER), st.sampled_from(["Choir Aahs", "Synth Voice", "Effect Synthesizer"])
)
def test_a_programme_beside_a_name_leaves_it_what_it_says(name, programme):
    assert read_name(f"{name}, {programme}") == read_name(name)


@given(st.text(max_size=60))
def test_any_name_says_something(name):
    assert read_name(name) in NameSays
    assert read_name(name) == read_name(f" {name}\0 ")


@pytest.mark.parametrize(
    "name", ["Bass Clarinet", "Bassklarinette", "Bass Trombone", "Sax (Bass)", "Contrabass Clarinet"]
)
def test_an_instruments_size_is_no_bass(name):
    assert read_name(name) == NameSays.NOTHING
    assert read_name("Bass Guitar") == read_name("Contrabass") == NameSays.NEVER


@pytest.mark.parametrize(
    "name", ["Verse Melody", "Chorus Melody", "Melody (Chorus)", "Refrain Melodie", "Vocal Verse 2"]
)
def test_a_part_of_the_song_says_nothing_against_its_melody(name):
    assert read_name(name) == NameSays.MELODY
    assert read_name("Chorus") == read_name("Chorus Vocals") == NameSays.NEVER
