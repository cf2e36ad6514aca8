import assert from "node:assert/strict";
import { test } from "node:test";

import { heard, parseChord, pitchClasses, semitones, voicing } from "../../../pianalysis/webui/static/chordtones.js";

test("symbols as people write them", () => {
  assert.deepEqual(pitchClasses("Am7"), [9, 0, 4, 7]);
  assert.deepEqual(pitchClasses("F/C"), [5, 9, 0]);
  assert.deepEqual(pitchClasses("C/D"), [0, 4, 7, 2]);
  assert.deepEqual(pitchClasses("Bb7sus4"), [10, 3, 5, 8]);
  assert.deepEqual(pitchClasses("C△"), pitchClasses("Cmaj7"));
  assert.deepEqual(pitchClasses("F♯ø"), [6, 9, 0, 4]);
  assert.deepEqual(pitchClasses("G6/9"), [7, 11, 2, 4, 9]);
  assert.deepEqual(pitchClasses(" N.C. "), []);
});

test("what isn't understood is null", () => {
  for (const text of ["", "H7", "Cfoo", "C(", "C//G", "c", "Amm", "C7 G", "C".repeat(101)]) assert.equal(pitchClasses(text), null, text);
  assert.equal(voicing("Cfoo"), null);
});

test("an accidental is the root's while it can be", () => {
  assert.equal(parseChord("Abb5")?.root, 8);
  assert.equal(parseChord("Abb")?.root, 7);
  assert.equal(parseChord("Cb")?.root, 11);
});

test("degrees and their height", () => {
  assert.deepEqual(heard("m7b5"), ["1", "b3", "b5", "b7"]);
  assert.deepEqual(heard("+7"), ["1", "3", "#5", "b7"]);
  assert.deepEqual(["b3", "#11", "bb7"].map(semitones), [3, 18, 9]);
});

test("a voicing has the chord's tones, its bass lowest, within the piano's middle", () => {
  assert.deepEqual(voicing("C"), [48, 60, 64, 67]);
  assert.deepEqual(voicing("C/E"), [40, 60, 64, 67]);
  assert.deepEqual(voicing("G13"), [43, 55, 59, 62, 65, 69, 72, 76]);
  assert.deepEqual(voicing("N.C."), []);
  for (const root of ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]) {
    for (const quality of ["", "m", "dim7", "maj13", "7(b9,#11)", "/D"]) {
      const heights = /** @type {number[]} */ (voicing(root + quality));
      const classes = /** @type {number[]} */ (pitchClasses(root + quality));
      assert.deepEqual(new Set(heights.map((pitch) => pitch % 12)), new Set(classes), root + quality);
      assert.equal(heights[0] % 12, parseChord(root + quality)?.bass);
      assert.ok(heights[0] >= 40 && heights[heights.length - 1] <= 88);
    }
  }
});
