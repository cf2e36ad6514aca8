"""The event view of a window: note-ons and note-offs in one time order.

In: a window. Out: ids for people and for the dataset's `training_sequence`, and back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pianalysis.music.notes import Notes, make_notes, sort_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.tokenizer import MELODY_VELOCITY, TokenError, WindowNotes, _show, quantize


def to_events(window: WindowNotes) -> list[int]:
    """The event view: ``<bos> melody <sep> melody and accompaniment <eos>`` as TIME, NOTE_ON | NOTE_OFF, PITCH triples.

    In one time order; at one time first the keys struck earlier are let go. A note-off past the window stands at its
    last time step. It has no dynamics and no chords; a lead sheet's polyphony is its melody.
    """
    both = sort_notes(np.concatenate([window.melody, window.below]))
    return [vocab.BOS, *_events(window.melody), vocab.SEP, *_events(both), vocab.EOS]


def _events(notes: Notes) -> list[int]:
    last = vocab.WINDOW_MS - vocab.TIME_STEP_MS
    events = []
    for onset, length, pitch, _ in notes.tolist():
        end = min(int(onset + length), last)
        events.append((int(onset), 1, pitch, vocab.NOTE_ON))
        # A note that begins on the last step ends there too: its note-off must follow its note-on.
        events.append((end, 2 if end == onset else 0, pitch, vocab.NOTE_OFF))
    return [token for time, _, pitch, kind in sorted(events) for token in (vocab.time_id(time), kind, pitch)]


def from_events(ids: Sequence[int]) -> WindowNotes:
    """Grid notes of an event view: the inverse of `to_events` in onsets, pitches and lengths.

    Holds for whatever fits the window and doesn't strike a sounding key. Lengths become the nearest of the 52;
    velocities are `MELODY_VELOCITY`. Raises TokenError where an event is broken or a note is never let go.
    """
    ids = [int(token) for token in ids]
    if len(ids) < 3 or ids[0] != vocab.BOS or ids[-1] != vocab.EOS or ids.count(vocab.SEP) != 1:
        raise TokenError(f"expected <bos> … <sep> … <eos>, found {_show(ids[:2])} … {_show(ids[-2:])}")
    middle = ids.index(vocab.SEP)
    melody = make_notes(_notes_of_events(ids[1:middle]))
    rows = list(_notes_of_events(ids[middle + 1 : -1]))
    for row in melody.tolist():
        if row not in rows:
            raise TokenError(
                f"expected every melody note after <sep> too, found none for pitch {row[2]} at {row[0]:.0f} ms"
            )
        rows.remove(row)
    return WindowNotes(quantize(melody), quantize(make_notes(rows)))


def _notes_of_events(ids: Sequence[int]) -> Iterator[tuple[float, float, int, int]]:
    if len(ids) % 3:
        raise TokenError(f"expected events of three ids, found {len(ids)} ids")
    sounding: dict[int, int] = {}
    now = 0
    for time, kind, pitch in zip(ids[::3], ids[1::3], ids[2::3], strict=True):
        if time not in vocab.TIME_IDS or kind not in (vocab.NOTE_ON, vocab.NOTE_OFF) or pitch not in vocab.PITCH_IDS:
            raise TokenError(f"expected TIME, NOTE_ON or NOTE_OFF, PITCH, found {_show((time, kind, pitch))}")
        if vocab.time_ms(time) < now:
            raise TokenError(f"expected times that never fall, found {vocab.time_ms(time)} after {now} ms")
        now = vocab.time_ms(time)
        if kind == vocab.NOTE_ON:
            if pitch in sounding:
                raise TokenError(f"expected NOTE_OFF before pitch {pitch} is struck again at {now} ms")
            sounding[pitch] = now
        elif pitch not in sounding:
            raise TokenError(f"expected NOTE_ON before NOTE_OFF of pitch {pitch} at {now} ms")
        else:
            onset = sounding.pop(pitch)
            yield float(onset), float(max(now - onset, vocab.TIME_STEP_MS)), pitch, MELODY_VELOCITY
    if sounding:
        raise TokenError(f"expected NOTE_OFF for every NOTE_ON, found none for pitches {sorted(sounding)}")
