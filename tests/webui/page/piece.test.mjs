import assert from "node:assert/strict";
import { test } from "node:test";

import * as p from "../../../pianalysis/webui/static/piece.js";

const start = { title: "Tune", seed: 3, melody: [[0, 500, 72, 80]], bar_lines_ms: [0, 2_000, 4_000], bars: 2 };
const melody = { source: "x", kind: "notes", title: "Tune", track: 0, bpm: 100, given: {}, chords: "", compose: null };
const begun = () => p.beginTake(start, melody, {});

test("a note that is told again is shorter, not another one", () => {
  const once = p.growTake(begun(), { notes: [[0, 1_000, 48, 60], [500, 500, 64, 60]], hands: "LR", bars_done: 1 });
  const twice = p.growTake(once, { notes: [[2_000, 500, 60, 60], [0, 900, 48, 60]], hands: "RL", bars_done: 2 });
  assert.deepEqual(twice.notes, [[0, 900, 48, 60], [500, 500, 64, 60], [2_000, 500, 60, 60]]);
  assert.equal(twice.hands, "LRR");
  assert.deepEqual([once.bars_done, once.notes.length], [1, 2]); // the former is as it was
});

test("two hands, by what is told and else by middle C", () => {
  const notes = [[0, 1, 48, 80], [0, 1, 64, 80], [1, 1, 65, 80]];
  assert.deepEqual(p.splitHands(notes, "LRL"), { left: [notes[0], notes[2]], right: [notes[1]] });
  assert.deepEqual(p.splitHands(notes), { left: [notes[0]], right: [notes[1], notes[2]] });
});

test("a piece that was broken off ends with its last whole bar", () => {
  const take = p.growTake(begun(), { notes: [[0, 500, 48, 60], [2_100, 500, 50, 60]], hands: "LL", bars_done: 1 });
  const left = p.brokenOff(take);
  assert.deepEqual([left.notes.length, left.hands, p.heardUntil(left)], [1, "L", 2_000]);
});

test("chords of bars as a chart: a word a beat where they change, a pickup's own beats", () => {
  const lines = [0, 500, 2_500, 4_500];
  const chords = [["C", 0, 500], ["Am", 500, 1_500], ["F", 1_500, 2_500], ["G", 2_500, 4_500]].map(([symbol, start_ms, end_ms]) => ({ symbol, start_ms, end_ms }));
  const chart = (first, last, to) => p.chartOf({ chords, bar_lines_ms: lines }, first, last, 4, (index) => (index === 2 ? to : chords[index].symbol));
  assert.equal(chart(1, 3, "Dm7"), "C | Am . Dm7 . | G");
  assert.equal(chart(3, 3, "F"), "G");
});

test("what was played, as the server takes it", () => {
  assert.deepEqual(JSON.parse(p.playedMelody([[-3, 0.2, 60, 80]], 90, 3)), { bpm: 90, beats: 3, notes: [[0, 1, 60, 80]] });
});
