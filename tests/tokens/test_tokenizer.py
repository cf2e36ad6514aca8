from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import chord_parts, lead_sheets, windows

from pianalysis.errors import PianalysisError
from pianalysis.model.hf_tokenizer import make_hf_tokenizer
from pianalysis.music.notes import make_notes, sort_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.events import from_events, to_events
from pianalysis.tokens.tokenizer import (
    ChordTones,
    TokenError,
    WindowNotes,
    decode,
    decode_chords,
    encode,
    encode_chords,
    encode_melody,
    encode_prompt,
    quantize,
    without_chords,
)


@given(windows())
def test_decode_inverts_encode(window):
    again = decode(encode(window))
    np.testing.assert_array_equal(again.melody, window.melody)
    np.testing.assert_array_equal(again.accompaniment, window.accompaniment)
    assert (again.style, again.density, again.chords) == (window.style, window.density, window.chords)


@given(lead_sheets())
def test_decode_inverts_encode_of_lead_sheets(window):
    ids = encode(window)
    again = decode(ids)
    assert again.accompaniment is None
    assert not len(again.below)
    np.testing.assert_array_equal(again.melody, window.melody)
    assert (again.style, again.density, again.chords) == (window.style, window.density, window.chords)
    assert encode(again) == ids


@given(chord_parts())
def test_decode_chords_inverts_encode_chords(chords):
    assert decode_chords(encode_chords(chords)) == chords


@given(windows(chords=True))
def test_without_chords_a_window_is_of_the_older_form(window):
    ids, older = encode(window), encode(replace(window, chords=None))
    assert without_chords(ids) == without_chords(older) == older
    prompt = encode_prompt(window.melody, window.chords, style=window.style, density=window.density)
    assert ids[: len(prompt)] == prompt
    assert without_chords(prompt) == encode_melody(window.melody, style=window.style, density=window.density)


def test_without_chords_of_a_lead_sheet_its_melody_is_left():
    sheet = WindowNotes(make_notes([(0, 500, 72, 96)]), None, chords=(ChordTones(0),))
    assert without_chords(encode(sheet)) == encode_melody(sheet.melody)


def without_restrikes(window):
    """The notes of a window that fit it and don't strike a sounding key, as the event view can hold them."""
    kept, free_from = [], {}
    both = [(row, False) for row in window.melody.tolist()] + [(row, True) for row in window.accompaniment.tolist()]
    for row, below in sorted(both):
        onset, length, pitch, _ = row
        if onset >= free_from.get(pitch, 0) and onset + length < vocab.WINDOW_MS:
            free_from[pitch] = onset + length
            kept.append((row, below))
    voices = (make_notes(row for row, below in kept if below == wanted) for wanted in (False, True))
    return WindowNotes(*map(sort_notes, voices))


@given(windows())
def test_from_events_inverts_to_events(window):
    window = without_restrikes(window)
    again = from_events(to_events(window))
    for field in ("onset_ms", "duration_ms", "pitch"):
        np.testing.assert_array_equal(again.melody[field], window.melody[field])
        np.testing.assert_array_equal(again.accompaniment[field], window.accompaniment[field])


@given(
    st.lists(
        st.tuples(st.floats(-500, 17_000), st.floats(0, 20_000), st.integers(0, 127), st.integers(1, 127)), max_size=40
    )
)
def test_quantized_notes_can_always_be_encoded_and_lie_near(rows):
    notes = make_notes(rows)
    grid = quantize(notes)
    encode(WindowNotes(make_notes(), grid))
    np.testing.assert_array_equal(quantize(grid), grid)
    for onset, _, pitch, _ in grid.tolist():
        assert (np.abs(notes["onset_ms"][notes["pitch"] == pitch] - onset) <= vocab.TIME_STEP_MS / 2 + 1e-3).any()


def test_one_window_by_hand():
    melody = make_notes([(0, 500, 72, 96), (500, 1000, 74, 96)])
    below = make_notes([(0, 2000, 48, 64), (0, 500, 55, 49), (250, 250, 60, 80)])
    names = [
        "<bos>",
        "STYLE_POP",
        "DENSITY_MID",
        "TIME_0",
        "NOTE_ON",
        "PITCH_72",
        "DURATION_500",
        "TIME_500",
        "NOTE_ON",
        "PITCH_74",
        "DURATION_1000",
        "<sep>",
        "TIME_0",
        "NOTE_ON_MP",
        "PITCH_48",
        "DURATION_2000",
        "NOTE_ON_P",
        "PITCH_55",
        "DURATION_500",
        "TIME_250",
        "NOTE_ON_MF",
        "PITCH_60",
        "DURATION_250",
        "<eos>",
    ]
    assert [vocab.TOKENS[token] for token in encode(WindowNotes(melody, below))] == names


def test_the_chords_of_the_design_by_hand():
    chords = (ChordTones(0, 0, (0, 4, 7)), ChordTones(2_000, 7, (2, 5, 7, 11)), ChordTones(4_000))
    text = (
        "<bos> STYLE_HYMN DENSITY_LOW TIME_0 NOTE_ON PITCH_72 DURATION_500 <sep> "
        "TIME_0 PITCH_36 PITCH_60 PITCH_64 PITCH_67 TIME_2000 PITCH_43 PITCH_62 PITCH_65 PITCH_67 PITCH_71 "
        "TIME_4000 NOTE_OFF <sep> TIME_0 NOTE_ON_MP PITCH_48 DURATION_2000 <eos>"
    )
    window = WindowNotes(make_notes([(0, 500, 72, 96)]), make_notes([(0, 2000, 48, 64)]), "hymn", "low", chords)
    assert [vocab.TOKENS[token] for token in encode(window)] == text.split()
    lead_sheet = [vocab.TOKENS[token] for token in encode(replace(window, accompaniment=None))]
    assert lead_sheet == text.split()[: text.split().index("NOTE_OFF") + 2]
    assert encode(replace(window, chords=()))[7:9] == [vocab.SEP, vocab.SEP]
    assert to_events(window) == to_events(replace(window, chords=None))


def test_a_lead_sheets_polyphony_is_its_melody():
    window = WindowNotes(make_notes([(0, 500, 72, 96)]), None, chords=(ChordTones(0, 0, (0, 4, 7)),))
    events = to_events(window)
    assert events[1:7] == events[8:14]
    assert len(from_events(events).below) == 0


@pytest.mark.parametrize(
    "chords",
    [
        [ChordTones(25, 0, (0,))],
        [ChordTones(0, 0, (0,)), ChordTones(0)],
        [ChordTones(0, 0, (0,)), ChordTones(30)],
        [ChordTones(0, 0, (4, 0))],
        [ChordTones(0, 0, (0, 0))],
        [ChordTones(0, 12, (0,))],
        [ChordTones(0, 0, (0, 12))],
        [ChordTones(0, -1, (0,))],
        [ChordTones(0, 0)],
    ],
)
def test_chords_that_tokens_cannot_say_are_refused(chords):
    with pytest.raises(ValueError, match="expected"):
        encode_chords(chords)


def test_a_window_of_neither_chords_nor_accompaniment_is_refused():
    with pytest.raises(PianalysisError, match="neither"):
        encode(WindowNotes(make_notes(), None))


def test_events_by_hand():
    window = WindowNotes(make_notes([(0, 500, 60, 96)]), make_notes([(500, 250, 60, 64), (15_975, 500, 40, 64)]))
    names = [vocab.TOKENS[token] for token in to_events(window)]
    assert names[:8] == ["<bos>", "TIME_0", "NOTE_ON", "PITCH_60", "TIME_500", "NOTE_OFF", "PITCH_60", "<sep>"]
    assert names[11:20] == [
        "TIME_500",
        "NOTE_OFF",
        "PITCH_60",
        "TIME_500",
        "NOTE_ON",
        "PITCH_60",
        "TIME_750",
        "NOTE_OFF",
        "PITCH_60",
    ]
    assert names[20:] == ["TIME_15975", "NOTE_ON", "PITCH_40", "TIME_15975", "NOTE_OFF", "PITCH_40", "<eos>"]


def test_quantize_by_hand():
    notes = make_notes([(12.5, 530, 60, 70), (12.4, 12, 61, 127), (15_988, 500, 62, 64), (30, 5, 20, 64)])
    assert quantize(notes).tolist() == [(0, 25, 61, 126), (25, 550, 60, 64)]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("<bos> STYLE_POP DENSITY_MID <eos> <eos>", "<sep>"),
        ("<bos> PITCH_60 DENSITY_MID <sep> <eos>", "STYLE"),
        ("<bos> STYLE_POP DENSITY_MID <sep> NOTE_ON_P PITCH_60 DURATION_25 <eos>", "TIME"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_25 <eos>", "the end"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_25 NOTE_ON PITCH_60 DURATION_25 <eos>", "NOTE_ON"),
        (
            "<bos> STYLE_POP DENSITY_MID <sep> TIME_25 NOTE_ON_P PITCH_60 DURATION_25 NOTE_ON_P PITCH_60 DURATION_25 <eos>",
            "above 60",
        ),
        (
            "<bos> STYLE_POP DENSITY_MID <sep> TIME_25 NOTE_ON_P PITCH_60 DURATION_25 TIME_0 NOTE_ON_P PITCH_60 DURATION_25 <eos>",
            "after 25",
        ),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_25 NOTE_OFF <sep> <eos>", "expected TIME_0 .* TIME_25 at 4"),
        ("<bos> STYLE_POP DENSITY_MID <sep> PITCH_36 PITCH_60 <sep> <eos>", "TIME_0 .* PITCH_36 at 4"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_0 NOTE_OFF TIME_0 NOTE_OFF <sep> <eos>", "after 0 ms .* at 6"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_0 PITCH_60 <sep> <eos>", "bass .* PITCH_60 at 5"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_0 PITCH_36 <sep> <eos>", "a tone after the bass .* the end at 6"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_0 PITCH_36 PITCH_72 <sep> <eos>", "tones of .* PITCH_72 at 6"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_0 PITCH_36 PITCH_64 PITCH_60 <sep> <eos>", "rise .* PITCH_60 at 7"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_0 NOTE_OFF NOTE_OFF <sep> <eos>", "bass .* NOTE_OFF at 5"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_0 <sep> <eos>", "bass .* the end at 5"),
        ("<bos> STYLE_POP DENSITY_MID <sep> <sep> <sep> <eos>", "with 3 <sep>"),
        ("<bos> STYLE_POP DENSITY_MID <sep> TIME_0 NOTE_OFF <sep> TIME_0", "<eos>"),
        ("<bos> STYLE_POP DENSITY_MID TIME_0 NOTE_ON_P PITCH_60 DURATION_25 <sep> <eos>", "NOTE_ON_P .* at 4"),
        ("", "<bos>"),
    ],
)
def test_broken_sequences_say_where(names, says):
    with pytest.raises(TokenError, match=says):
        decode([vocab.IDS[name] for name in names.split()])


@pytest.mark.parametrize(
    "row", [(10, 500, 60, 64), (0, 501, 60, 64), (0, 500, 20, 64), (0, 500, 60, 65), (16_000, 500, 60, 64)]
)
def test_notes_off_the_grid_are_refused(row):
    with pytest.raises(ValueError, match="expected"):
        encode(WindowNotes(make_notes(), make_notes([row])))


def test_unknown_style_is_refused():
    with pytest.raises(PianalysisError, match="jazz"):
        encode(WindowNotes(make_notes(), make_notes(), style="jazz"))


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ([1, 0, 10, 60, 100, 11, 60, 500, 3], "<eos>"),  # the seed's own example: raw milliseconds, no <eos>
        ([1, 3, 109, 10, 60, 2], "NOTE_OFF"),
        ([1, 3, 109, 11, 60, 2], "NOTE_ON"),
        ([1, 3, 109, 10, 60, 109, 10, 60, 2], "NOTE_OFF before"),
        ([1, 3, 110, 10, 60, 109, 11, 60, 2], "never fall"),
        ([1, 109, 10, 60, 110, 11, 60, 3, 2], "after <sep>"),
    ],
)
def test_broken_events_say_what(ids, says):
    with pytest.raises(TokenError, match=says):
        from_events(ids)


def test_hugging_face_tokenizer_loads_as_plain_json(tmp_path):
    from transformers import AutoTokenizer

    make_hf_tokenizer().save_pretrained(tmp_path)
    assert (tmp_path / "tokenizer.json").exists()
    assert not list(tmp_path.glob("*.py"))
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert len(loaded) == vocab.VOCAB_SIZE
    assert [loaded.convert_tokens_to_ids(token) for token in vocab.TOKENS] == list(range(vocab.VOCAB_SIZE))
    ids = encode(WindowNotes(make_notes([(0, 500, 72, 96)]), make_notes([(25, 2000, 48, 64)])))
    text = loaded.decode(ids)
    assert loaded(text)["input_ids"] == ids
    specials = (loaded.pad_token_id, loaded.bos_token_id, loaded.eos_token_id, loaded.sep_token_id, loaded.unk_token_id)
    assert specials == (vocab.PAD, vocab.BOS, vocab.EOS, vocab.SEP, vocab.UNK)
