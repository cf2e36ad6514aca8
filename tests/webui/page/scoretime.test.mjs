import assert from "node:assert/strict";
import { test } from "node:test";

import { anchorAt, barAt, barBoxAt, boxesOf, continued, msAt, msIn, withoutSilence } from "../../../pianalysis/webui/static/scoretime.js";

const lines = [0, 500, 2500, 4500]; // a pickup, then two bars
const box = (bar, system, left, right, top) => ({ bar, system, left, right, top, bottom: top + 100 });
const bars = [box(0, 0, 40, 100, 0), box(1, 0, 100, 300, 0), box(2, 1, 40, 300, 200)];
const anchors = [
  { bar: 0, ms: 0, x: 60, system: 0 },
  { bar: 1, ms: 500, x: 120, system: 0 },
  { bar: 1, ms: 1500, x: 200, system: 0 },
  { bar: 2, ms: 2500, x: 60, system: 1 },
];

test("a share of a bar in ms; bars that aren't there stand at the end", () => {
  assert.deepEqual([msIn(lines, 0, 0.5), msIn(lines, 1, 0.25), msIn(lines, 2, 1), msIn(lines, 1, 7)], [250, 1000, 4500, 2500]);
  assert.deepEqual([msIn(lines, 3, 0.5), msIn(lines, 9, 0), msIn([], 0, 0)], [4500, 4500, 0]);
});

test("a pickup begins where its notes are written", () => {
  const written = [0, 2000, 4000, 6000];
  assert.deepEqual(withoutSilence(written, [1, 4, 4], 0), [1500, 2000, 4000, 6000]); // three beats of silence
  assert.deepEqual(withoutSilence([0, 500, 2500, 4500], [1, 4, 4], 0), [0, 500, 2500, 4500]); // none
  assert.deepEqual(withoutSilence([0, 2000, 4000, 6000], [0, 1, 4], 1), [0, 3500, 4000, 6000]); // a silent bar, and three beats
  assert.deepEqual(withoutSilence([0, 2000, 3600], [3, 4], 0), [500, 2000, 3600]); // slower than the next bar
  assert.deepEqual(withoutSilence([0, 400, 2500], [1, 4], 0), [0, 400, 2500]);
  assert.deepEqual(withoutSilence([0, 2000], [1], 0), [0, 2000]); // nothing to measure by
  assert.deepEqual(written, [0, 2000, 4000, 6000]);
});

test("what is written beyond the last bar line goes on in its tempo", () => {
  assert.deepEqual(continued([0, 500, 2500], [1, 4, 4, 2]), [0, 500, 2500, 4500, 5500]);
  assert.deepEqual(continued([0, 500, 2500], [1, 4]), [0, 500, 2500]);
  assert.deepEqual(continued([], [4]), []);
});

test("the bar of a time; a rounded bar line belongs to the bar that it begins", () => {
  assert.deepEqual([-10, 0, 499, 497, 500, 2499.5, 9999].map((ms) => barAt(lines, ms)), [-1, 0, 1, 0, 1, 2, 2]);
  assert.equal(barAt([], 0), -1);
});

test("the cursor stands at the last notes that have begun", () => {
  assert.equal(anchorAt(anchors, -100), null);
  assert.deepEqual([0, 499, 500, 1497, 1499, 2600, 1e9].map((ms) => anchorAt(anchors, ms)?.ms), [0, 500, 500, 500, 1500, 2500, 2500]);
});

test("every anchor is found at its own time, and stays until the next", () => {
  const many = [...Array(300).keys()].map((at) => ({ bar: at >> 2, ms: at * 250 + (at % 3), x: at, system: 0 }));
  for (const [index, anchor] of many.entries()) {
    assert.equal(anchorAt(many, anchor.ms), anchor);
    if (many[index + 1]) assert.equal(anchorAt(many, many[index + 1].ms - 3), anchor);
  }
});

test("a place means the bar there, in the nearest system", () => {
  assert.deepEqual([[70, 50], [250, 90], [250, 160], [70, 290], [0, 999], [999, -5]].map(([x, y]) => barBoxAt(bars, x, y)?.bar), [0, 1, 2, 2, 2, 1]);
  assert.equal(barBoxAt([], 1, 1), null);
});

test("a click means the nearest note of its bar", () => {
  const drawn = { bars, anchors };
  assert.deepEqual([[110, 50], [190, 50], [299, 10], [299, 250]].map(([x, y]) => msAt(drawn, x, y)), [500, 1500, 1500, 2500]);
  assert.equal(msAt({ bars: [], anchors: [] }, 1, 1), null);
});

test("a selection is one box a system", () => {
  assert.deepEqual(boxesOf(bars, [0, 2]).map(({ left, right, top }) => [left, right, top]), [[40, 300, 0], [40, 300, 200]]);
  assert.deepEqual(boxesOf(bars, [1, 1]).map(({ left, right }) => [left, right]), [[100, 300]]);
  assert.deepEqual(boxesOf(bars, null), []);
});
