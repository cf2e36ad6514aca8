// The piano: sampled strings, three loudnesses of every third key, fetched when they are first needed.

const RELEASE_S = [0.3, 0.18]; // of the lowest and the highest damped key
const HIGHEST_DAMPED = 88;
const RING_S = 2.5;
const AT_ONCE = 8; // downloads

/** Amplitude of a velocity: the square law that the package's own renderer uses. */
export function amplitude(velocity) {
  return (0.1 + (0.9 * (velocity - 1)) / 126) ** 2;
}

export class Sampler {
  /** `base` is where the samples are served; `context` an AudioContext. */
  constructor(context, base = "piano") {
    this.context = context;
    this.base = base;
    this.keys = []; // [{pitch, layers: [{velocity, file}]}], rising
    this.buffers = new Map(); // file -> AudioBuffer
    this.loading = new Map(); // file -> Promise
    this.suffix = ".ogg";
    this.queue = [];
    this.active = 0;
    this.bytes = 0;
  }

  async loadIndex() {
    const rows = await (await fetch(`${this.base}/index.json`)).json();
    const keys = new Map();
    for (const { pitch, velocity, file } of rows) {
      if (!keys.has(pitch)) keys.set(pitch, []);
      keys.get(pitch).push({ velocity, file });
    }
    this.keys = [...keys].map(([pitch, layers]) => ({ pitch, layers })).sort((a, b) => a.pitch - b.pitch);
  }

  /** The sampled key nearest to a pitch. */
  nearest(pitch) {
    let best = this.keys[0];
    for (const key of this.keys) if (Math.abs(key.pitch - pitch) < Math.abs(best.pitch - pitch)) best = key;
    return best;
  }

  /** The file that a note is best played from. */
  fileFor(pitch, velocity) {
    const { layers } = this.nearest(pitch);
    return layers.reduce((a, b) => (Math.abs(b.velocity - velocity) < Math.abs(a.velocity - velocity) ? b : a)).file;
  }

  /** Fetch what these [onset, duration, pitch, velocity] notes need, the earliest first; resolves when all is there. */
  need(notes, transpose = 0) {
    if (!this.keys.length) return Promise.resolve();
    const inTime = [...notes].sort((a, b) => a[0] - b[0]);
    const files = new Set(inTime.map(([, , pitch, velocity]) => this.fileFor(pitch + transpose, velocity)));
    return Promise.all([...files].map((file) => this.load(file)));
  }

  load(file) {
    if (!this.loading.has(file)) {
      this.loading.set(
        file,
        new Promise((resolve) => {
          this.queue.push({ file, resolve });
          this.work();
        }),
      );
    }
    return this.loading.get(file);
  }

  async work() {
    if (this.active >= AT_ONCE || !this.queue.length) return;
    const { file, resolve } = this.queue.shift();
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

  async fetchSample(file) {
    const get = async (suffix) => {
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
        if (error.name !== "EncodingError") throw error;
        this.suffix = ".mp3"; // this browser can't read Ogg Vorbis
      }
    }
    return get(this.suffix);
  }

  /** The best buffer that is there already: the right key at another loudness, else a key near by. */
  bufferFor(pitch, velocity) {
    const wanted = this.fileFor(pitch, velocity);
    if (this.buffers.has(wanted)) return { buffer: this.buffers.get(wanted), from: this.nearest(pitch).pitch };
    const near = [...this.keys].sort((a, b) => Math.abs(a.pitch - pitch) - Math.abs(b.pitch - pitch)).slice(0, 5);
    for (const key of near) {
      const layer = key.layers.find(({ file }) => this.buffers.has(file));
      if (layer) return { buffer: this.buffers.get(layer.file), from: key.pitch };
    }
    return null;
  }

  /** Strike a key at a time of the context's clock. Returns {stop(at)}, or null if no sample is there yet. */
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
    const stop = (at, length = release) => {
      gain.gain.cancelScheduledValues(at);
      gain.gain.setTargetAtTime(0, at, length / 4);
      source.stop(at + length * 1.5);
    };
    if (Number.isFinite(held)) stop(when + held);
    source.onended = () => gain.disconnect();
    return { stop };
  }
}
