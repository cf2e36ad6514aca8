import assert from "node:assert/strict";
import { test } from "node:test";

import { readTyped } from "../../../pianalysis/webui/static/typed.js";

test("letters alone are notes, each in the octave of the one before", () => {
  assert.equal(readTyped("c d e").text, "C4 D4 E4");
  assert.equal(readTyped("g5 a b c6 d/2 e/8.").text, "G5 A5 B5 C6 D6/2 E6/8.");
  assert.equal(readTyped("C4/4 Bb3/8. r/16 D4").text, "C4/4 Bb3/8. R/16 D4");
  assert.equal(readTyped("fis h cis5").text, "F#4 B4 C#5");
});

test("bar lines stay, and are counted", () => {
  const { text, bars, notes } = readTyped("c d e f | g a b c5 || d");
  assert.equal(text, "C4 D4 E4 F4 | G4 A4 B4 C5 | D5");
  assert.deepEqual([bars, notes], [3, 9]);
});

test("what isn't a note is said plainly", () => {
  assert.match(readTyped("c x4 e").slip, /“x4”, the 2nd word/);
  assert.match(readTyped("c4/0").slip, /a length is written as/);
  for (const nothing of ["", "  \n", "| |", "r r"]) assert.match(readTyped(nothing).slip, /Type a melody first/);
});

test("a tune in ABC is left to the server", () => {
  const tune = "X:1\nK:G\nGAB c2|";
  assert.deepEqual(readTyped(tune), { text: tune, notes: 0, bars: 0, slip: "" });
});
