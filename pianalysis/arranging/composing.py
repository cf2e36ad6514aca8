"""A melody from nothing, written by the model as it writes accompaniments: some bars at a time, each with those before it.

In: an engine, an empty score in 4/4. Out: a melody in real milliseconds, in a key of the generator's choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.arranging.planning import LONGEST_REST_MS
from pianalysis.music.clock import QUARTER_MS, WINDOW_MS, BeatClock
from pianalysis.music.keys import fold_to_keyboard
from pianalysis.music.notes import Notes, make_notes, monophonic
from pianalysis.tokens.grammar import Limits, state_after
from pianalysis.tokens.tokenizer import MELODY_VELOCITY, decode_notes, encode_melody
from pianalysis.tokens.windows import notes_between

if TYPE_CHECKING:
    import symusic

    from pianalysis.arranging.options import Options
    from pianalysis.model.engine import Engine

BAR_MS: Final = 4 * QUARTER_MS
HISTORY_BARS: Final = 4
"""So many bars of what is written are known where it goes on."""


def compose_melody(
    engine: Engine, score: symusic.Score, bars: int, options: Options, generator: np.random.Generator
) -> Notes:
    """A melody of so many bars for a score in 4/4; without notes where the model wrote none.

    A model that knows one key writes in it; then the generator chooses the key.
    """
    clock, total = BeatClock.from_score(score), bars * BAR_MS
    melody, done = make_notes(), 0.0
    while done < total:
        start = max(0.0, done - HISTORY_BARS * BAR_MS)
        past = notes_between(melody, start, done - start) if done else make_notes()
        density = options.density_at(int(done / BAR_MS))
        prompt = encode_melody(past, style=options.style, density=density)[:-1]
        length = min(total - start, float(WINDOW_MS))
        state = state_after(prompt, Limits(first_ms=int(done - start), length_ms=int(length), rest_ms=LONGEST_REST_MS))
        fresh = decode_notes([*engine.continue_prompt(prompt, state, options.sampling, generator)], loud=False)
        fresh["onset_ms"] += start
        melody, done = monophonic(np.concatenate([melody, fresh])), start + length
    melody = melody.copy()
    melody["duration_ms"] = np.minimum(melody["duration_ms"], total - melody["onset_ms"])
    # On the composed score's clock a tempo outside 55–125 is folded; notes are stretched back to written bars.
    scale = clock.bar_lines[1] / BAR_MS
    melody["onset_ms"] *= scale
    melody["duration_ms"] *= scale
    melody["velocity"] = MELODY_VELOCITY
    melody = clock.notes_to_real(melody)
    if engine.weights.normalises_key:
        melody["pitch"] += generator.integers(-6, 6)
        melody = fold_to_keyboard(melody)
    return melody
