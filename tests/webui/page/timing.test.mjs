import assert from "node:assert/strict";
import { test } from "node:test";

import * as t from "../../../pianalysis/webui/static/timing.js";

const course = (more = {}) => ({ anchor: { at: 10, ms: 1_000 }, rate: 1, loop: null, ...more });
const near = (one, other) => assert.ok(Math.abs(one - other) < 1e-6, `${one} is not ${other}`);

test("a place in the piece goes with the clock and the speed", () => {
  assert.equal(t.placeAt(course(), 9), 1_000);
  near(t.placeAt(course(), 11.5), 2_500);
  near(t.placeAt(course({ rate: 0.5 }), 12), 2_000);
});

test("a loop of four seconds begins again every four seconds, to the sample", () => {
  const looped = course({ anchor: { at: 0, ms: 2_000 }, loop: [2_000, 6_000] });
  const passes = [];
  let at = 0;
  for (let tick = 0; tick < 1_000; tick += 1) { // as the player does: a look-ahead every 25 ms
    for (const { from, to, at: when, wraps } of t.stretches(looped, at, tick * 0.025 + 0.18)) {
      if (wraps) passes.push(when);
      assert.ok(from >= 2_000 && to <= 6_000);
      at = when + (to - from) / 1_000;
    }
  }
  passes.forEach((when, index) => near(when, 4 * (index + 1)));
  assert.ok(passes.length >= 5);
});

test("stretches follow each other without a gap or an overlap", () => {
  const looped = course({ loop: [500, 1_700], rate: 1.25 });
  let at = 10;
  let place = 1_000;
  for (const until of [10.1, 10.4, 12, 12.001, 20]) {
    for (const { from, to, at: when, wraps } of t.stretches(looped, at, until)) {
      near(when, at);
      near(from, wraps ? 500 : place);
      at += (to - from) / 1_000 / 1.25;
      place = to;
    }
  }
});

test("after a loop's end the piece goes on", () => {
  const after = course({ anchor: { at: 0, ms: 7_000 }, loop: [2_000, 6_000] });
  near(t.placeAt(after, 2), 9_000);
  assert.equal(t.stretches(after, 0, 1).length, 1);
});

test("notes that begin, and notes that are held", () => {
  const notes = [[0, 4_000, 48, 80], [500, 100, 60, 80], [1_000, 1_000, 62, 80], [1_000, 50, 64, 80]];
  assert.deepEqual(t.begun(notes, 500, 1_000), [notes[1]]);
  assert.deepEqual(t.begun(notes, 1_000, 1_001), [notes[2], notes[3]]);
  assert.deepEqual(t.heldAt(notes, 1_500), [[1_500, 2_500, 48, 80], [1_500, 500, 62, 80]]);
  assert.deepEqual(t.heldAt(notes, 0), []);
  assert.deepEqual(t.heldAt(notes, 3_950), []); // too little is left to be struck
});

test("a piece begins to sound with its first note", () => {
  assert.equal(t.firstSound([[17_800, 500, 60, 80]], []), 17_800);
  assert.equal(t.firstSound([[17_800, 500, 60, 80]], [[900, 500, 40, 80]]), 900);
  assert.equal(t.firstSound([], []), 0);
});

test("the metronome's clicks: bars, compound metres, a pickup", () => {
  assert.equal(t.beatsOf("4/4"), 4);
  assert.equal(t.beatsOf("6/8"), 2);
  assert.equal(t.beatsOf("3/8"), 3);
  assert.deepEqual(t.clicks([0, 2_000, 4_000], 4).map(([ms, , strong]) => [ms, strong]), [[0, 1], [500, 0], [1_000, 0], [1_500, 0], [2_000, 1], [2_500, 0], [3_000, 0], [3_500, 0]]);
  assert.deepEqual(t.clicks([0, 500, 2_500, 4_500], 4).slice(0, 3).map(([ms, , strong]) => [ms, strong]), [[0, 0], [500, 1], [1_000, 0]]);
});
