import assert from "node:assert/strict";
import { test } from "node:test";

import { DEFAULTS } from "../../../pianalysis/webui/static/choices.js";
import * as s from "../../../pianalysis/webui/static/session.js";

const melody = { source: "sakura", kind: "example", title: "Sakura", track: 0, bpm: 100, given: {}, chords: "", compose: null };
const take = (id, more = {}) => ({ id, seed: 0, settings: DEFAULTS, edits: [], starred: false, notes: [], melody: [], ...more });
const begun = () => s.withMelody(s.emptySession("one"), melody);

function withTakes(count, more = {}) {
  let session = begun();
  for (let index = 0; index < count; index += 1) session = s.addTake(session, take(`t${index}`, { seed: index, ...more })).session;
  return session;
}

test("nothing changes what it is given", () => {
  const session = Object.freeze(withTakes(2));
  Object.freeze(session.takes);
  session.takes.forEach(Object.freeze);
  s.addTake(session, take("new"));
  s.changeTake(session, "t0", { starred: true });
  s.removeTake(session, "t1");
  s.setSettings(session, { style: "pop" });
  s.setHeard(session, { rate: 0.5 });
  s.rewriteTake(session, "t0", { notes: [[0, 1, 60, 80]] }, { first: 1, last: 2, seed: 3, settings: {}, chords: "" });
  assert.equal(session.takes[0].starred, false);
});

test("undo and redo are inverses, whatever was done", () => {
  const steps = [
    (now) => s.addTake(now, take("a")).session,
    (now) => s.setSettings(now, { style: "pop" }),
    (now) => s.addTake(now, take("b", { seed: 1 })).session,
    (now) => s.changeTake(now, "a", { starred: true }),
    (now) => s.removeTake(now, "b"),
    (now) => s.setHeard(now, { transpose: 3 }),
  ];
  let history = s.startHistory(begun());
  const seen = [history.present];
  for (const change of steps) {
    history = s.step(history, "a change", change(history.present));
    seen.push(history.present);
  }
  for (let at = steps.length - 1; at >= 0; at -= 1) {
    history = s.undo(history);
    assert.equal(history.present, seen[at]);
  }
  assert.equal(s.undo(history), history);
  for (let at = 1; at <= steps.length; at += 1) {
    history = s.redo(history);
    assert.equal(history.present, seen[at]);
  }
  assert.equal(s.redo(history), history);
});

test("a slider that is drawn is one step, and what comes after it another", () => {
  let history = s.startHistory(begun());
  for (const temperature of [0.7, 0.8, 1.2]) history = s.step(history, "a setting", s.setSettings(history.present, { temperature }), "setting temperature");
  assert.equal(history.past.length, 1);
  history = s.step(history, "a setting", s.setSettings(history.present, { style: "pop" }), "setting style");
  assert.equal(history.past.length, 2);
  assert.equal(s.undo(history).present.settings.temperature, 1.2);
});

test("a new step forgets what was undone, and a change that is no step can't be undone", () => {
  let history = s.step(s.startHistory(begun()), "style", s.setSettings(begun(), { style: "pop" }));
  history = s.undo(history);
  history = s.step(history, "style", s.setSettings(history.present, { style: "hymn" }));
  assert.equal(history.future.length, 0);
  history = s.amend(history, s.setSettings(history.present, { density: "high" }));
  assert.equal(history.past.length, 1);
});

test("a ninth take takes the place of the oldest without a star, and of none where all have one", () => {
  const full = withTakes(s.MOST_TAKES);
  const starred = s.changeTake(full, "t0", { starred: true });
  const added = s.addTake(starred, take("new", { seed: 99 }));
  assert.equal(added.gone.id, "t1");
  assert.equal(added.session.takes.length, s.MOST_TAKES);
  assert.equal(added.session.takes.at(-1).number, s.MOST_TAKES + 1);
  assert.equal(s.addTake(withTakes(s.MOST_TAKES, { starred: true }), take("new")), null);
});

test("a rewritten take stays in its place, with its seed and the changes so far", () => {
  const edit = { first: 2, last: 3, seed: 5, settings: { left_hand: "alberti" }, chords: "" };
  const session = s.rewriteTake(withTakes(3), "t1", { piece: "new", seed: 5 }, edit);
  assert.deepEqual(session.takes.map(({ id }) => id), ["t0", "t1", "t2"]);
  assert.equal(session.current, "t1");
  assert.deepEqual([session.takes[1].piece, session.takes[1].seed, session.takes[1].edits], ["new", 1, [edit]]);
});

test("another melody begins a session of its own with the settings of before", () => {
  const before = s.setSettings(withTakes(2), { style: "hymn" });
  const after = s.withMelody(before, { ...melody, source: "ode_to_joy" });
  assert.notEqual(after.id, before.id);
  assert.deepEqual([after.takes, after.settings.style, before.takes.length], [[], "hymn", 2]);
});

test("what differs from the take that is heard", () => {
  const session = withTakes(1);
  assert.deepEqual(s.changed(session), []);
  assert.deepEqual(s.changed(s.setSettings(session, { density: "high", lowest: 43 })), ["density", "lowest"]);
  assert.deepEqual(s.changed(begun()), []);
  assert.equal(s.nextSeed(session), 1);
});
