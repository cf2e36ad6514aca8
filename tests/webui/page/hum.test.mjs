import assert from "node:assert/strict";
import { test } from "node:test";

import { levelOf, RATE, reasonOf, resampled, wav } from "../../../pianalysis/webui/static/hum.js";

const sine = (frequency, rate, seconds, gain = 1) => Float32Array.from({ length: Math.round(rate * seconds) }, (_, at) => gain * Math.sin((2 * Math.PI * frequency * at) / rate));
const strength = (samples) => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
const inner = (samples) => samples.subarray(100, samples.length - 100);

test("a tone keeps its pitch and strength at another rate", () => {
  for (const from of [44_100, 48_000, 96_000, 16_000]) {
    const found = resampled(sine(440, from, 0.2), from, RATE);
    const wanted = sine(440, RATE, 0.2);
    assert.equal(found.length, wanted.length);
    const worst = Math.max(...inner(found).map((value, at) => Math.abs(value - inner(wanted)[at])));
    assert.ok(worst < 0.01, `${from}: ${worst}`);
  }
});

test("what the new rate can't hold is gone, not folded down", () => {
  assert.ok(strength(inner(resampled(sine(15_000, 48_000, 0.2), 48_000, RATE))) < 0.005);
  assert.ok(strength(inner(resampled(sine(8_000, 48_000, 0.2), 48_000, RATE))) > 0.69);
});

test("a WAV file's header and samples", async () => {
  const view = new DataView(await wav(Float32Array.from([0, 1, -1, 2, 0.5]), RATE).arrayBuffer());
  const word = (at) => String.fromCharCode(...[0, 1, 2, 3].map((by) => view.getUint8(at + by)));
  assert.deepEqual([word(0), word(8), word(12), word(36)], ["RIFF", "WAVE", "fmt ", "data"]);
  assert.deepEqual([view.getUint32(4, true), view.getUint32(24, true), view.getUint32(40, true)], [46, RATE, 10]);
  assert.deepEqual([0, 1, 2, 3, 4].map((at) => view.getInt16(44 + 2 * at, true)), [0, 32_767, -32_767, 32_767, 16_384]);
});

test("levels: nothing, half, full", () => {
  assert.equal(levelOf(new Float32Array(64)), 0);
  assert.ok(Math.abs(levelOf(sine(441, 44_100, 1)) - 1) < 1e-6);
  assert.ok(Math.abs(levelOf(sine(441, 44_100, 1, 10 ** (-30 / 20))) - 0.5) < 1e-6);
});

test("each reason has its sentence", () => {
  assert.match(reasonOf(new DOMException("", "NotAllowedError")), /Allow it/);
  assert.match(reasonOf(new DOMException("", "NotFoundError")), /No microphone/);
  assert.match(reasonOf("?"), /upload a recording/);
});
