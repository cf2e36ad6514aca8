"""What a model card shows of a model at work: a prompt of tokens, and code that needs `transformers` alone.

In: a model's name. Out: text.
"""

from __future__ import annotations

from typing import Final

_ODE: Final = (64, 64, 65, 67, 67, 65, 64, 62)
"""Ode to Joy, its first two bars, in MIDI pitches, a quarter each."""
PROMPT_TITLE: Final = "Ode to Joy, two bars"
PROMPT: Final = " ".join(
    [
        *("<bos>", "STYLE_POP", "DENSITY_MID"),
        *(f"TIME_{500 * place} NOTE_ON PITCH_{pitch} DURATION_500" for place, pitch in enumerate(_ODE)),
        "<sep>",
    ]
)
ALONE: Final = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

name = {name}
tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModelForCausalLM.from_pretrained(name)
melody = (
{melody}
)
prompt = tokenizer(melody, return_tensors="pt").input_ids
written = model.generate(prompt, do_sample=True, max_new_tokens=400)[0, prompt.shape[1] :]
words = tokenizer.decode(written).split()
while "<sep>" in words:  # the chords stand before it, the accompaniment after it
    words = words[words.index("<sep>") + 1 :]
onset, pitch, notes = 0, 60, []
for word in words:
    kind, _, value = word.partition("_")
    if kind == "TIME":
        onset = int(value)
    elif kind == "PITCH":
        pitch = int(value)
    elif kind == "DURATION":
        notes.append((onset, pitch, int(value)))
print(notes)  # onset in ms at 120 quarters a minute, MIDI pitch, length in ms"""


def with_transformers_alone(name: str) -> str:
    """Code that loads a model of this name, a folder's or the Hub's, and writes an accompaniment: nothing of ours in it."""
    words = PROMPT.split()
    rows = [words[:3], *(words[start : start + 8] for start in range(3, len(words) - 1, 8)), words[-1:]]
    lines = [f'    "{" ".join(row)}{" " if row is not rows[-1] else ""}"' for row in rows]
    return ALONE.format(name=f'"{name}"', melody="\n".join(lines))
