// Humming into the microphone: a mono WAV file of at most so many seconds, with its level while it's recorded.

/**
 * @typedef {{seconds?: number, onLevel?: (level: number) => void, onTime?: (seconds: number) => void,
 *   onEnd?: (recording: Blob, seconds: number) => void, onFail?: (sentence: string) => void}} HumCalls
 */

export const RATE = 22_050; // what the server's reader works at
const SHORTEST_S = 0.5;
const SILENCE = 0.003; // of full scale, −50 dB: the loudest sample of a recording in which nothing was sung
const LOBES = 12; // of the filter that takes what 22.05 kHz can't hold
const FLOOR_DB = -60; // the level meter's lower end
const CUT_OFF = 0.92; // of half the new rate

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError: "The microphone may not be used. Allow it for this page (beside its address), then try again.",
  SecurityError: "The microphone may not be used on this page.",
  NotFoundError: "No microphone was found. Connect one, then try again.",
  NotReadableError: "The microphone can't be opened: another program may be using it.",
  AbortError: "The microphone stopped. Try again.",
  NetworkError: "The recorder could not be loaded. Is the server still there? Try again.",
};
const UNSAFE = "Browsers hand out the microphone only on pages opened by https or on this computer itself.";
const OLD = "This browser can't record. Upload a recording as a file instead.";
const SHORT = "That was too short: hum for some seconds.";
const SILENT = "Nothing was heard. Is the right microphone chosen, and is it on?";

export class Hum {
  /** @type {"idle" | "asking" | "recording"} */
  state = "idle";
  /** @type {Float32Array[]} */
  blocks = [];
  samples = 0;
  /** @type {AudioContext | null} */
  context = null;
  /** @type {MediaStream | null} */
  stream = null;

  /**
   * `seconds` at most. `onLevel` 0 … 1 while recording, `onTime` seconds so far; then `onEnd` with the WAV file, also when the time
   * is up, or `onFail` with a sentence.
   * @param {HumCalls} [calls]
   */
  constructor({ seconds = 60, onLevel = () => {}, onTime = () => {}, onEnd = () => {}, onFail = () => {} } = {}) {
    this.seconds = seconds;
    this.onLevel = onLevel;
    this.onTime = onTime;
    this.onEnd = onEnd;
    this.onFail = onFail;
  }

  /** Ask for the microphone and record; gives whether it does. To be called from a click. */
  async start() {
    if (this.state !== "idle") return false;
    if (!navigator.mediaDevices?.getUserMedia) return this.fail(isSecureContext ? OLD : UNSAFE);
    this.state = "asking";
    const asked = (this.asked = Symbol("asked"));
    try {
      // what makes speech clear takes held tones for noise
      const sound = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
      const stream = await navigator.mediaDevices.getUserMedia({ audio: sound });
      if (this.asked !== asked) return release(stream, null); // cancelled while the browser asked
      this.stream = stream;
      await this.listen(stream);
      if (this.asked !== asked) return release(stream, null);
    } catch (error) {
      if (this.asked !== asked) return false;
      this.letGo();
      return this.fail(reasonOf(error));
    }
    this.state = "recording";
    return true;
  }

  /** @param {MediaStream} stream */
  async listen(stream) {
    this.blocks = [];
    this.samples = 0;
    const context = (this.context = new AudioContext());
    await context.audioWorklet.addModule(new URL("./humworklet.js", import.meta.url)).catch((cause) => {
      throw Object.assign(new Error("no worklet", { cause }), { name: "NetworkError" });
    });
    if (context.state === "closed") return;
    const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
    tap.port.onmessage = ({ data }) => this.take(data);
    context.createMediaStreamSource(stream).connect(tap);
    stream.getAudioTracks()[0]?.addEventListener("ended", () => this.state === "recording" && this.stop()); // unplugged
    await context.resume();
  }

  /** @param {Float32Array} block */
  take(block) {
    if (this.state !== "recording" || !this.context) return;
    const rate = this.context.sampleRate;
    const left = Math.max(Math.round(this.seconds * rate) - this.samples, 0);
    this.blocks.push(block.length > left ? block.subarray(0, left) : block);
    this.samples += Math.min(block.length, left);
    this.onLevel(levelOf(block));
    this.onTime(this.samples / rate);
    if (block.length >= left) this.stop();
  }

  /** End the recording and hand it over. */
  stop() {
    if (this.state !== "recording" || !this.context) return this.cancel();
    const rate = this.context.sampleRate;
    const all = joined(this.blocks, this.samples);
    this.letGo();
    if (all.length < SHORTEST_S * rate) return void this.fail(SHORT);
    if (peakOf(all) < SILENCE) return void this.fail(SILENT);
    this.onEnd(wav(resampled(all, rate, RATE), RATE), all.length / rate);
  }

  /** End without a recording, whatever was going on. */
  cancel() {
    this.letGo();
  }

  /** The microphone's light goes out. */
  letGo() {
    this.state = "idle";
    this.asked = undefined;
    release(this.stream, this.context);
    this.stream = this.context = null;
    this.blocks = [];
    this.onLevel(0);
  }

  /** @param {string} sentence */
  fail(sentence) {
    this.onFail(sentence);
    return false;
  }
}

/** @param {MediaStream | null} stream @param {AudioContext | null} context */
function release(stream, context) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  if (context && context.state !== "closed") context.close();
  return false;
}

/** Why the microphone can't be had, as a sentence. @param {unknown} error */
export function reasonOf(error) {
  const name = error instanceof Error ? error.name : "";
  return REASONS[name] ?? "The microphone can't be used; try it again, or upload a recording.";
}

/** How loud a block is: 0 (−60 dB or less) to 1 (full scale). @param {Float32Array} block */
export function levelOf(block) {
  const power = block.reduce((sum, value) => sum + value * value, 0) / Math.max(block.length, 1);
  return Math.min(Math.max(1 - (10 * Math.log10(power * 2 + 1e-12)) / FLOOR_DB, 0), 1); // a full sine is 1
}

/** @param {Float32Array} samples */
function peakOf(samples) {
  return samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** @param {Float32Array[]} blocks @param {number} samples */
function joined(blocks, samples) {
  const all = new Float32Array(samples);
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

/**
 * Sound at another rate: what the new one can't hold is filtered away (a sinc with a Hann window), lengths agree to a sample.
 * @param {Float32Array} samples @param {number} from @param {number} to Hz
 */
export function resampled(samples, from, to) {
  if (from === to) return samples;
  const cut = (Math.min(from, to) / from) * CUT_OFF;
  const reach = LOBES / cut;
  const found = new Float32Array(Math.round((samples.length * to) / from));
  for (let at = 0; at < found.length; at += 1) {
    const middle = (at * from) / to;
    const first = Math.max(Math.ceil(middle - reach), 0);
    const last = Math.min(Math.floor(middle + reach), samples.length - 1);
    let sum = 0;
    for (let index = first; index <= last; index += 1) {
      const away = index - middle;
      const angle = Math.PI * away * cut;
      const sinc = Math.abs(angle) < 1e-9 ? 1 : Math.sin(angle) / angle;
      sum += samples[index] * sinc * (0.5 + 0.5 * Math.cos((Math.PI * away) / reach));
    }
    found[at] = sum * cut;
  }
  return found;
}

/** A WAV file: one channel, 16 bits. @param {Float32Array} samples −1 … 1 @param {number} rate Hz */
export function wav(samples, rate) {
  const bytes = 2 * samples.length;
  const view = new DataView(new ArrayBuffer(44 + bytes));
  const word = (/** @type {number} */ at, /** @type {string} */ text) => [...text].forEach((sign, index) => view.setUint8(at + index, sign.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, bytes, true);
  samples.forEach((value, index) => view.setInt16(44 + 2 * index, Math.round(Math.min(Math.max(value, -1), 1) * 32_767), true));
  return new Blob([view.buffer], { type: "audio/wav" });
}
