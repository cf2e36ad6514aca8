import assert from "node:assert/strict";
import { test } from "node:test";

import { MidiKeyboards, read } from "../../../pianalysis/webui/static/midi.js";

const input = (id, name = id) => ({ id, name, state: "connected", onmidimessage: null });

/** Keyboards that are there, and what is heard of them. */
function connected(...inputs) {
  const heard = [];
  const midi = new MidiKeyboards({ onDown: (pitch, velocity) => heard.push(`+${pitch} ${velocity}`), onUp: (pitch) => heard.push(`-${pitch}`) });
  midi.access = { inputs: new Map(inputs.map((one) => [one.id, one])), onstatechange: null };
  midi.listen();
  return { midi, heard, say: (one, ...data) => one.onmidimessage?.({ data }) };
}

test("keys down and up, on any channel; a note on without velocity is an end", () => {
  assert.deepEqual(read([0x93, 60, 90]), { kind: "down", pitch: 60, velocity: 90 });
  assert.deepEqual(read([0x90, 60, 0]), { kind: "up", pitch: 60, velocity: 0 });
  assert.deepEqual(read([0x80, 60, 64]), { kind: "up", pitch: 60, velocity: 0 });
});

test("clock, pedal, bends and keys that a piano hasn't are nothing", () => {
  for (const data of [[0xf8], [0xfe], [0xb0, 64, 127], [0xe0, 0, 64], [0x90, 20, 80], [0x90, 109, 80], []]) assert.equal(read(data), null);
});

test("the chosen keyboard alone is heard, and what is held ends with its choice", () => {
  const [one, other] = [input("a"), input("b")];
  const { midi, heard, say } = connected(one, other);
  say(one, 0x90, 60, 70);
  say(other, 0x90, 64, 80);
  midi.choose("b");
  say(one, 0x90, 62, 70);
  say(other, 0x80, 64, 0);
  assert.deepEqual(heard, ["+60 70", "+64 80", "-60", "-64"]);
});

test("a keyboard taken away lets go of its keys and is listed no more", () => {
  const one = input("a", "Stage piano");
  const { midi, heard, say } = connected(one);
  assert.deepEqual(midi.keyboards(), [{ id: "a", name: "Stage piano" }]);
  say(one, 0x90, 60, 70);
  one.state = "disconnected";
  midi.listen();
  assert.deepEqual([heard, midi.keyboards()], [["+60 70", "-60"], []]);
});

test("a key struck again ends first; an end without a beginning is nothing; all notes off", () => {
  const one = input("a");
  const { midi, heard, say } = connected(one);
  say(one, 0x80, 50, 0);
  say(one, 0x90, 60, 70);
  say(one, 0x90, 60, 71);
  say(one, 0x90, 67, 72);
  say(one, 0xb0, 123, 0);
  assert.deepEqual(heard, ["+60 70", "-60", "+60 71", "+67 72", "-60", "-67"]);
  midi.close();
  assert.equal(one.onmidimessage, null);
});
