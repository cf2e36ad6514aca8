// The piano: sampled strings, three loudnesses of every third key, fetched when they are first needed.

const RELEASE_S = /** @type {const} */ ([0.3, 0.18]); // of the lowest and the highest damped key
const HIGHEST_DAMPED = 88;
const RING_S = 2.5;
const AT_ONCE = 8; // downloads

/** @import {Row} from "./types.js" */
/** A key that sounds: `stop(at, length)` damps it. @typedef {{stop: (at: number, length?: number) => void}} Voice */
/** @typedef {{pitch: number, layers: {velocity: number, file: string}[]}} SampledKey */

/** Amplitude of a velocity: the square law that the package's own renderer uses. @param {number} velocity */
export function amplitude(velocity) {
  return (0.1 + (0.9 * (velocity - 1)) / 126) ** 2;
}

export class Sampler {
  /** `base` is where the samples are served. @param {AudioContext} context */
  constructor(context, base = "piano") {
    this.context = context;
    this.base = base;
    /** @type {SampledKey[]} */
    this.keys = []; // rising
    /** @type {Map<string, AudioBuffer>} */
    this.buffers = new Map();
    /** @type {Map<string, Promise<void>>} */
    this.loading = new Map();
    this.suffix = ".ogg";
    /** @type {{file: string, resolve: () => void}[]} */
    this.queue = [];
    this.active = 0;
    this.bytes = 0;
  }

  async loadIndex() {
    /** @type {{pitch: number, velocity: number, file: string}[]} */
    const rows = await (await fetch(`${this.base}/index.json`)).json();
    /** @type {Map<number, SampledKey["layers"]>} */
    const keys = new Map();
    for (const { pitch, velocity, file } of rows) {
      keys.set(pitch, [...(keys.get(pitch) ?? []), { velocity, file }]);
    }
    this.keys = [...keys].map(([pitch, layers]) => ({ pitch, layers })).sort((a, b) => a.pitch - b.pitch);
  }

  /** The sampled key nearest to a pitch. @param {number} pitch @returns {SampledKey} */
  nearest(pitch) {
    let best = /** @type {SampledKey} */ (this.keys[0]);
    for (const key of this.keys) if (Math.abs(key.pitch - pitch) < Math.abs(best.pitch - pitch)) best = key;
    return best;
  }

  /** The file that a note is best played from. @param {number} pitch @param {number} velocity */
  fileFor(pitch, velocity) {
    const { layers } = this.nearest(pitch);
    return layers.reduce((a, b) => (Math.abs(b.velocity - velocity) < Math.abs(a.velocity - velocity) ? b : a)).file;
  }

  /** Fetch what these [onset, duration, pitch, velocity] notes need, the earliest first; resolves when all is there. @param {Row[]} notes @returns {Promise<unknown>} */
  need(notes, transpose = 0) {
    if (!this.keys.length) return Promise.resolve();
    const inTime = [...notes].sort((a, b) => a[0] - b[0]);
    const files = new Set(inTime.map(([, , pitch, velocity]) => this.fileFor(pitch + transpose, velocity)));
    return Promise.all([...files].map((file) => this.load(file)));
  }

  /** @param {string} file */
  load(file) {
    const before = this.loading.get(file);
    if (before) return before;
    /** @type {Promise<void>} */
    const loading = new Promise((resolve) => {
      this.queue.push({ file, resolve });
    });
    this.loading.set(file, loading);
    this.work();
    return loading;
  }

  async work() {
    const next = this.active < AT_ONCE && this.queue.shift();
    if (!next) return;
    const { file, resolve } = next;
    this.active += 1;
    try {
      this.buffers.set(file, await this.fetchSample(file));
    } catch {
      this.loading.delete(file); // asked for again with the next note that needs it
    }
    this.active -= 1;
    resolve();
    this.work();
  }

  /** @param {string} file */
  async fetchSample(file) {
    const get = async (/** @type {string} */ suffix) => {
      const response = await fetch(`${this.base}/${file.replace(".ogg", suffix)}`);
      if (!response.ok) throw new Error(`no sample ${file}`);
      const data = await response.arrayBuffer();
      this.bytes += data.byteLength;
      return this.context.decodeAudioData(data);
    };
    if (this.suffix === ".ogg") {
      try {
        return await get(".ogg");
      } catch (error) {
        if (!(error instanceof DOMException && error.name === "EncodingError")) throw error;
        this.suffix = ".mp3"; // this browser can't read Ogg Vorbis
      }
    }
    return get(this.suffix);
  }

  /** The best buffer that is there already: the right key at another loudness, else a key near by. @param {number} pitch @param {number} velocity */
  bufferFor(pitch, velocity) {
    const wanted = this.fileFor(pitch, velocity);
    const best = this.buffers.get(wanted);
    if (best) return { buffer: best, from: this.nearest(pitch).pitch };
    const near = [...this.keys].sort((a, b) => Math.abs(a.pitch - pitch) - Math.abs(b.pitch - pitch)).slice(0, 5);
    for (const key of near) {
      const buffer = key.layers.map(({ file }) => this.buffers.get(file)).find(Boolean);
      if (buffer) return { buffer, from: key.pitch };
    }
    return null;
  }

  /** Strike a key at a time of the context's clock. Returns null if no sample is there yet.
   * @param {number} pitch @param {number} velocity @param {number} when @param {number} seconds @param {AudioNode} output @returns {Voice | null} */
  strike(pitch, velocity, when, seconds, output) {
    if (!this.keys.length) return null;
    this.load(this.fileFor(pitch, velocity));
    const found = this.bufferFor(pitch, velocity);
    if (!found) return null;
    const source = this.context.createBufferSource();
    source.buffer = found.buffer;
    source.playbackRate.value = 2 ** ((pitch - found.from) / 12);
    const gain = this.context.createGain();
    gain.gain.setValueAtTime(amplitude(velocity), when);
    source.connect(gain).connect(output);
    source.start(when);
    const held = pitch > HIGHEST_DAMPED ? Math.max(seconds, RING_S) : seconds;
    const share = Math.min(Math.max((pitch - 21) / (HIGHEST_DAMPED - 21), 0), 1);
    const release = RELEASE_S[0] + (RELEASE_S[1] - RELEASE_S[0]) * share;
    const stop = (/** @type {number} */ at, length = release) => {
      gain.gain.cancelScheduledValues(at);
      gain.gain.setTargetAtTime(0, at, length / 4);
      source.stop(at + length * 1.5);
    };
    if (Number.isFinite(held)) stop(when + held);
    source.onended = () => gain.disconnect();
    return { stop };
  }
}
