// Playing a piece that may still be growing: a clock, a look-ahead, and a wait where the music isn't written yet.

const TICK_MS = 25;
const LOOKAHEAD_S = 0.18;
const SAFETY_MS = 60; // how far before the unwritten part playing waits

export class Player {
  /** `onChange()` is called when playing begins, waits or ends. */
  constructor(sampler, context, onChange = () => {}) {
    this.sampler = sampler;
    this.context = context;
    this.onChange = onChange;
    this.parts = { melody: this.makePart(), accompaniment: this.makePart() };
    this.master = new GainNode(context, { gain: 1 });
    this.limiter = new DynamicsCompressorNode(context, { threshold: -8, ratio: 12, attack: 0.002, release: 0.15 });
    this.analyser = new AnalyserNode(context, { fftSize: 2048 });
    for (const part of Object.values(this.parts)) part.gain.connect(this.master);
    this.master.connect(this.limiter).connect(this.analyser).connect(context.destination);
    this.volume = 0.8;
    this.setVolume(this.volume);
    this.rate = 1;
    this.transpose = 0;
    this.loop = null; // [from, to] in ms
    this.state = "stopped"; // stopped, playing, waiting
    this.writtenMs = 0;
    this.endMs = 0;
    this.anchor = { at: 0, ms: 0 };
    this.scheduledMs = 0;
    this.voices = new Set();
  }

  makePart() {
    return { notes: [], gain: new GainNode(this.context, { gain: 1 }), muted: false };
  }

  /** A new piece. `writtenMs` is how far the accompaniment is there, `endMs` where the piece ends. */
  load({ melody, accompaniment = [], writtenMs, endMs }, { keepPosition = false } = {}) {
    const ms = keepPosition ? this.position() : 0;
    const playing = keepPosition && this.state !== "stopped";
    this.silence();
    this.parts.melody.notes = melody;
    this.parts.accompaniment.notes = accompaniment;
    this.writtenMs = writtenMs;
    this.endMs = endMs;
    this.setAnchor(Math.min(ms, endMs));
    if (!keepPosition) this.state = "stopped";
    if (playing) this.play();
    this.onChange();
  }

  /** More of the accompaniment, and how far it is written now. */
  extend(notes, writtenMs) {
    this.parts.accompaniment.notes = this.parts.accompaniment.notes.concat(notes).sort((a, b) => a[0] - b[0]);
    this.sampler.need(notes, this.transpose);
    this.writtenMs = writtenMs;
  }

  /** The time in the piece that sounds now, in ms. */
  position() {
    if (this.state !== "playing") return this.anchor.ms;
    const ms = this.anchor.ms + Math.max(0, this.context.currentTime - this.anchor.at) * 1000 * this.rate;
    return Math.min(ms, this.endMs);
  }

  setAnchor(ms) {
    this.anchor = { at: this.context.currentTime + 0.03, ms };
    this.scheduledMs = ms;
  }

  async play() {
    if (this.context.state !== "running") await this.context.resume();
    if (this.position() >= this.endMs - 1) this.setAnchor(this.loop ? this.loop[0] : 0);
    else this.setAnchor(this.position());
    this.state = "playing";
    if (!this.timer) this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
    this.onChange();
  }

  pause() {
    const ms = this.position();
    this.state = "stopped";
    this.silence();
    this.setAnchor(ms);
    clearInterval(this.timer);
    this.timer = null;
    this.onChange();
  }

  toggle() {
    if (this.state === "stopped") this.play();
    else this.pause();
  }

  seek(ms) {
    this.silence();
    this.setAnchor(Math.min(Math.max(ms, 0), this.endMs));
    if (this.state !== "stopped") {
      this.state = "playing";
      this.tick();
    }
    this.onChange();
  }

  setRate(rate) {
    const ms = this.position();
    this.silence();
    this.rate = rate;
    this.setAnchor(ms);
  }

  setTranspose(semitones) {
    const ms = this.position();
    this.silence();
    this.transpose = semitones;
    for (const part of Object.values(this.parts)) this.sampler.need(part.notes, semitones);
    this.setAnchor(ms);
  }

  setVolume(volume) {
    this.volume = volume;
    this.master.gain.setTargetAtTime(2.2 * volume ** 2, this.context.currentTime, 0.02);
  }

  setMuted(name, muted) {
    this.parts[name].muted = muted;
    this.parts[name].gain.gain.setTargetAtTime(muted ? 0 : 1, this.context.currentTime, 0.02);
  }

  silence() {
    for (const voice of this.voices) voice.stop(this.context.currentTime, 0.08);
    this.voices.clear();
  }

  tick() {
    const ms = this.position();
    if (this.loop && ms >= this.loop[1] - 1) return this.seek(this.loop[0]);
    if (ms >= this.endMs - 1) return this.finish();
    const written = this.writtenMs >= this.endMs ? Infinity : this.writtenMs - SAFETY_MS;
    if (this.state === "playing" && ms >= written) {
      this.setAnchor(ms);
      this.state = "waiting";
      return this.onChange();
    }
    if (this.state === "waiting") {
      if (this.anchor.ms + 1_000 * this.rate > written) return undefined;
      this.setAnchor(this.anchor.ms);
      this.state = "playing";
      this.onChange();
    }
    this.schedule(Math.min(ms + LOOKAHEAD_S * 1000 * this.rate, written, this.loop?.[1] ?? Infinity));
    return undefined;
  }

  /** Start every note from where scheduling stopped to a time in the piece. */
  schedule(untilMs) {
    if (untilMs <= this.scheduledMs) return;
    for (const { notes, gain } of Object.values(this.parts)) {
      for (let index = firstAt(notes, this.scheduledMs); index < notes.length && notes[index][0] < untilMs; index += 1) {
        const [onset, duration, pitch, velocity] = notes[index];
        const when = this.anchor.at + (onset - this.anchor.ms) / 1000 / this.rate;
        const key = Math.min(Math.max(pitch + this.transpose, 21), 108);
        const seconds = duration / 1000 / this.rate;
        const voice = this.sampler.strike(key, velocity, Math.max(when, this.context.currentTime), seconds, gain);
        if (voice) this.remember(voice, when + seconds + 1);
      }
    }
    this.scheduledMs = untilMs;
  }

  remember(voice, until) {
    this.voices.add(voice);
    voice.until = until;
    if (this.voices.size > 64) for (const old of this.voices) if (old.until < this.context.currentTime) this.voices.delete(old);
  }

  finish() {
    this.state = "stopped";
    clearInterval(this.timer);
    this.timer = null;
    this.voices.clear(); // the last notes ring out
    this.setAnchor(0);
    this.onChange();
  }

  /** The loudness of what sounds now: root mean square of the last 2,048 samples. */
  loudness() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  }
}

/** The index of the first note at or after a time; notes are sorted by onset. */
export function firstAt(notes, ms) {
  let low = 0;
  let high = notes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (notes[middle][0] < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}
