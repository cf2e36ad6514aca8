import assert from "node:assert/strict";
import { test } from "node:test";

import * as c from "../../../pianalysis/webui/static/choices.js";

test("only what isn't a default is sent, and only what the server knows", () => {
  assert.deepEqual(c.forServer(c.DEFAULTS), { style: "auto", density: "mid" });
  assert.deepEqual(c.forServer({ ...c.DEFAULTS, pedal: true, intro: 2, top_k: "" }), { style: "auto", density: "mid", pedal: 1, intro: 2 });
  assert.deepEqual(c.forServer({ ...c.DEFAULTS, pedal: true, left_hand: "waltz" }, ["style", "left_hand"]), { style: "auto", left_hand: "waltz" });
});

test("settings of strangers: known names, each of its kind", () => {
  const read = c.readSettings({ style: "pop", intro: "2", pedal: "true", temperature: "hot", seed: 5, evil: 1, max_bars: "8", top_p: null });
  assert.deepEqual(c.differing(read, c.DEFAULTS), ["style", "intro", "pedal", "max_bars"]);
  assert.deepEqual([read.intro, read.pedal, read.max_bars], [2, true, 8]);
});

test("a take in words", () => {
  assert.equal(c.describe(c.DEFAULTS), "");
  assert.equal(c.describe(c.readSettings({ style: "pop", density: "high", left_hand: "alberti", intro: 1, max_bars: 1 })), "pop, many notes, alberti bass, 1-bar intro, first 1 bar");
});

test("simpler and busier go one step, and stop at the ends", () => {
  const of = (density, way) => c.leaning({ ...c.DEFAULTS, density }, way);
  assert.deepEqual([of("mid", "simpler").density, of("low", "simpler").density, of("low", "simpler").difficulty], ["low", "low", "easy"]);
  assert.deepEqual([of("low", "busier").density, of("high", "busier").density], ["mid", "high"]);
  assert.equal(c.leaning({ ...c.DEFAULTS, density: "low", style: "hymn" }, "simpler").difficulty, "auto"); // a hymn has no other
});

test("words: one bar, two bars; sentences; clocks", () => {
  assert.deepEqual([c.plural(1, "bar"), c.plural(2, "bar")], ["1 bar", "2 bars"]);
  assert.deepEqual([c.sentence("expected a note"), c.sentence("Done."), c.sentence("")], ["Expected a note.", "Done.", ""]);
  assert.deepEqual([c.clock(0), c.clock(83_000), c.clock(-5)], ["0:00", "1:23", "0:00"]);
});

test("keys and chords move together, there and back", () => {
  assert.equal(c.movedKey("G major", 2), "A major");
  assert.equal(c.movedKey("Bb minor", 0), "B♭ minor");
  assert.equal(c.movedKey("E minor", -1), "E♭ minor");
  assert.equal(c.movedChord("F/C", 2), "G/D");
  assert.equal(c.movedChord("Bbmaj7", 1), "Bmaj7");
  assert.equal(c.movedChord("N.C.", 3), "N.C.");
  for (let step = -6; step <= 6; step += 1) assert.equal(c.movedChord(c.movedChord("Am7", step), -step), "Am7");
});
