"""The page reads chord symbols as the server does: what each understands, and the tones that it hears."""

from __future__ import annotations

import itertools
import json

import pytest
from page_scripts import node

from pianalysis.errors import PianalysisError
from pianalysis.harmony.qualities import ALTERATIONS, DEGREES, SUFFIXES
from pianalysis.harmony.symbols import PITCH_CLASSES, Chord, parse_chord
from pianalysis.webui.server import STATIC

HEARD = """
import { pitchClasses } from %s;
const texts = JSON.parse(await new Promise((done) => { let all = ""; process.stdin.on("data", (part) => (all += part)).on("end", () => done(all)); }));
console.log(JSON.stringify(texts.map((text) => pitchClasses(text))));
"""
PIECES = ["", "m", "7", "maj7", "dim", "aug", "+", "sus4", "sus2", "6", "9", "13", "b5", "#11", "(b9)", "add9", "no3", "alt", "/E", "°", "ø", "-", "M", "5", "2", "(", ",", "#5"]  # fmt: skip


def by_the_page(texts):
    program = HEARD % json.dumps((STATIC / "chordtones.js").as_uri())
    done = node("--input-type=module", "-e", program, given=json.dumps(texts))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def by_the_server(text):
    try:
        return list(parse_chord(text).pitch_classes)
    except PianalysisError:
        return None


def disagreements(texts):
    return {
        text: (there, here)
        for text, there in zip(texts, by_the_page(texts), strict=True)
        if there != (here := by_the_server(text))
    }


def test_every_symbol_that_is_written_is_heard_alike():
    qualities = [
        *DEGREES,
        *SUFFIXES,
        *(f"7({word})" for word in ALTERATIONS),
        "7(b9,b13)",
        "maj7(#11)",
        "maj(*5)",
        "7(*5,b5,b9)",
    ]
    texts = {
        Chord(root, quality, (root + above) % PITCH_CLASSES).symbol(fifths)
        for root, quality, above, fifths in itertools.product(range(12), qualities, range(12), (-5, 0, 5))
    }
    assert len(texts) > 5_000
    assert disagreements(sorted(texts)) == {}


@pytest.mark.parametrize("root", ["C", "F#", "Ab", "Bbb", "h", "N.C."])
def test_what_people_might_type_is_understood_or_refused_alike(root):
    texts = [root + "".join(words) for words in itertools.product(PIECES, repeat=2)]
    texts += ["", " C ", "C♯m7", "E♭△7", "Go", "Gomit5", "C7/G/B", "Cdom7", "C6/9/E", "Cm9(maj7)", "NC", "x"]
    assert disagreements(texts) == {}
