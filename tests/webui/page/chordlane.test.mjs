import assert from "node:assert/strict";
import { test } from "node:test";

import { boxOf, chordAt, chordName, inSight, percent, spoken } from "../../../pianalysis/webui/static/chordlane.js";

const chord = (start_ms, end_ms, symbol = "C", probability = 0.5) => ({ start_ms, end_ms, bar: 1, beat: 1, symbol, probability });
const chords = [chord(0, 1000), chord(1000, 3000), chord(3500, 4000), chord(4000, 4100)];
const view = (from, scale = 0.1, left = 34, right = 234) => ({ xOf: (ms) => left + (ms - from) * scale, left, right });

test("the chord that sounds: from its beginning to its end, not in a gap", () => {
  assert.deepEqual([-1, 0, 999, 1000, 3000, 3499, 3500, 4100].map((ms) => chordAt(chords, ms)), [-1, 0, 0, 1, -1, -1, 2, -1]);
  assert.equal(chordAt([], 5), -1);
});

test("in sight is what has a pixel between left and right", () => {
  assert.deepEqual(inSight(chords, view(0)), [0, 1]);
  assert.deepEqual(inSight(chords, view(1000)), [1]);
  assert.deepEqual(inSight(chords, view(999)), [0, 1]);
  assert.deepEqual(inSight(chords, view(3990, 1)), [2, 3]);
  assert.deepEqual(inSight(chords, view(9000)), []);
});

test("what is in sight among many is what each says alone", () => {
  const many = [...Array(500).keys()].map((at) => chord(at * 1000, at * 1000 + 1000));
  for (const from of [-5000, 0, 123_456, 498_000, 700_000]) {
    const seen = view(from, 0.037);
    const alone = many.flatMap(({ start_ms, end_ms }, index) => (seen.xOf(end_ms) > seen.left && seen.xOf(start_ms) < seen.right ? [index] : []));
    assert.deepEqual(inSight(many, seen), alone);
  }
});

test("a chord that began before what is seen starts at its edge", () => {
  assert.deepEqual(boxOf(chords[1], view(0)), { left: 134, width: 100 }); // its end is out of sight too
  assert.deepEqual(boxOf(chords[1], view(2000)), { left: 34, width: 98 });
  assert.equal(boxOf(chords[0], view(-100)).left, 44);
});

test("a chord is never wider than it lasts, but for a sliver", () => {
  assert.deepEqual(boxOf(chords[2], view(3000)), { left: 84, width: 48 });
  assert.equal(boxOf(chords[3], view(3000)).width, 8);
  assert.equal(boxOf(chords[3], view(3000, 0.001)).width, 4);
  assert.ok(boxOf(chords[1], view(2990)).left < 34); // nearly gone: its name isn't squeezed
});

test("a chord's name for those who hear the page", () => {
  assert.equal(chordName({ ...chord(0, 1, "Bbm7/F", 0.624), bar: 3, beat: 2 }), "B flat minor 7 over F, bar 3, beat 2, likelihood 62 %");
  assert.equal(chordName({ ...chord(0, 1, "N.C."), probability: null, beat: 2.5 }), "no chord, bar 1, beat 2.5, given");
  assert.deepEqual(["F#m7b5", "Cmaj7#11", "Am", "Emadd9", "AmMaj7", "D/F#", "Gdim7"].map(spoken), [
    "F sharp minor 7 flat 5", "C major 7 sharp 11", "A minor", "E minor add9", "A minor major 7", "D over F sharp", "G diminished 7",
  ]);
});

test("likelihoods are whole, and never 0 for what is possible", () => {
  assert.deepEqual([0, 0.004, 0.01, 0.555, 1].map(percent), ["0 %", "under 1 %", "1 %", "56 %", "100 %"]);
});
