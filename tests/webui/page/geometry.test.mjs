import assert from "node:assert/strict";
import { test } from "node:test";

import * as g from "../../../pianalysis/webui/static/geometry.js";

const view = (more = {}) => ({ width: 1_000, height: 400, startMs: 0, endMs: 60_000, shownMs: 16_000, scroll: 0, low: 40, high: 84, ...more });

test("x and time are inverses, whatever is scrolled and zoomed", () => {
  for (const own of [view(), view({ scroll: 700 }), view({ startMs: -500, shownMs: 4_000 })]) {
    for (const ms of [-500, 0, 1, 15_999, 60_000]) assert.ok(Math.abs(g.msOf(own, g.xOf(own, ms)) - ms) < 1e-6);
  }
  assert.equal(g.xOf(view(), 0), g.KEYS_WIDTH);
});

test("higher keys stand higher, one row each, within ruler and foot", () => {
  const own = view();
  assert.equal(g.yOf(own, 84), g.RULER_HEIGHT);
  assert.ok(Math.abs(g.yOf(own, 40) + g.rowHeight(own) - (400 - g.FOOT_HEIGHT)) < 1e-6);
  assert.ok(Math.abs(g.yOf(own, 60) - g.yOf(own, 61) - g.rowHeight(own)) < 1e-6);
});

test("bars by time, and selections as spans", () => {
  const bars = [0, 2_000, 4_000, 6_000];
  assert.deepEqual([-5, 0, 1_999, 2_000, 5_999, 9_000].map((ms) => g.barAt(bars, ms)), [0, 0, 0, 1, 2, 2]);
  assert.deepEqual(g.spanOf(bars, [1, 2]), [2_000, 6_000]);
  assert.deepEqual(g.spanOf(bars, [1, 7]), [2_000, 6_000]);
  assert.equal(g.spanOf(bars, null), null);
});

test("a transposition moves the keys that are shown", () => {
  const notes = [[0, 1, 40, 80], [0, 1, 90, 80]];
  assert.deepEqual(g.keyRange(notes), [37, 93]);
  assert.deepEqual(g.keyRange(notes, 5), [42, 98]);
  assert.deepEqual(g.keyRange([]), [52, 82]);
});

test("the playhead is followed before it's out of sight", () => {
  assert.equal(g.toFollow(view(), 5_000), 0);
  assert.ok(g.toFollow(view(), 15_500) > 0);
  assert.ok(g.toFollow(view({ scroll: 2_000 }), 0) < 0);
});

test("zoom keeps within four seconds and the piece", () => {
  assert.equal(g.zoomed(5_000, 0.1, 60_000), 4_000);
  assert.equal(g.zoomed(50_000, 3, 60_000), 60_000);
  assert.equal(g.shownAtFirst(1_280, 500_000), (1_280 - g.KEYS_WIDTH) * 17);
  assert.equal(g.shownAtFirst(1_280, 2_000), 8_000);
});
