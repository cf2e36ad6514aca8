// Playing a piece that may still be growing: a clock, a look-ahead, and a wait where the music isn't written yet.

import { begun, clicks, firstSound, heldAt, placeAt, stretches } from "./timing.js";

/** @import {Row} from "./types.js" */
/** @import {Sampler, Voice} from "./sampler.js" */
/** @typedef {"melody" | "accompaniment"} PartName */

const TICK_MS = 25;
const LOOKAHEAD_S = 0.18;
const LOOKAHEAD_HIDDEN_S = 1.6; // browsers wake a hidden page once a second
const START_S = 0.03;
const SAFETY_MS = 60; // how far before the unwritten part playing waits
const CLICK = { strong: 1760, weak: 1175 }; // Hz

export class Player {
  /** `onChange()` is called when playing begins, waits or ends. @param {Sampler} sampler @param {AudioContext} context @param {() => void} onChange */
  constructor(sampler, context, onChange = () => {}) {
    this.sampler = sampler;
    this.context = context;
    this.onChange = onChange;
    this.master = new GainNode(context, { gain: 1 });
    this.limiter = new DynamicsCompressorNode(context, { threshold: -8, ratio: 12, attack: 0.002, release: 0.15 });
    this.analyser = new AnalyserNode(context, { fftSize: 2048 });
    this.parts = { melody: this.makePart(), accompaniment: this.makePart() };
    this.master.connect(this.limiter).connect(this.analyser).connect(context.destination);
    this.volume = 0.8;
    this.setVolume(this.volume);
    this.rate = 1;
    this.transpose = 0;
    /** @type {[number, number] | null} */
    this.loop = null;
    /** @type {"stopped" | "playing" | "waiting"} */
    this.state = "stopped";
    this.metronome = false;
    /** @type {Row[]} */
    this.clicks = [];
    this.writtenMs = 0;
    this.endMs = 0;
    this.startMs = 0;
    this.anchor = { at: 0, ms: 0 };
    this.scheduledAt = 0;
    this.fresh = true; // nothing was scheduled since the anchor was set: held notes are struck
    /** @type {Map<string, Voice & {until: number}>} */
    this.voices = new Map();
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    this.passes = /** @type {number[]} */ ([]); // when the loop began again, in seconds of the clock
  }

  makePart() {
    const gain = new GainNode(this.context, { gain: 1 });
    gain.connect(this.master);
    return { notes: /** @type {Row[]} */ ([]), gain };
  }

  /**
   * A piece. `writtenMs` is how far the accompaniment is there, `endMs` where it ends, `bars` and `beats` are the metronome's.
   * @param {{melody: Row[], accompaniment?: Row[], writtenMs: number, endMs: number, bars?: number[], beats?: number}} piece
   */
  load({ melody, accompaniment = [], writtenMs, endMs, bars = [], beats = 4 }, { keepPosition = false } = {}) {
    const ms = this.position();
    const playing = keepPosition && this.state !== "stopped";
    this.silence();
    this.parts.melody.notes = melody;
    this.parts.accompaniment.notes = accompaniment;
    this.clicks = clicks(bars, beats);
    this.startMs = firstSound(melody, accompaniment);
    Object.assign(this, { writtenMs, endMs });
    if (this.loop && this.loop[1] > endMs + 1) this.loop = null;
    this.setAnchor(keepPosition ? Math.min(ms, endMs) : this.startMs);
    if (!keepPosition) this.stopTimer();
    if (playing) this.play();
    this.onChange();
  }

  /** More of the accompaniment: all that is written now, and how far. @param {Row[]} notes @param {number} writtenMs */
  extend(notes, writtenMs) {
    this.parts.accompaniment.notes = notes;
    const before = this.startMs;
    this.startMs = firstSound(this.parts.melody.notes, notes);
    if (this.state === "stopped" && this.anchor.ms === before) this.setAnchor(this.startMs);
    this.sampler.need(notes.slice(-200), this.transpose);
    this.writtenMs = writtenMs;
  }

  get course() {
    return { anchor: this.anchor, rate: this.rate, loop: this.loop };
  }

  /** The time in the piece that sounds now, in ms. */
  position() {
    if (this.state !== "playing") return this.anchor.ms;
    return Math.min(placeAt(this.course, this.context.currentTime), this.endMs);
  }

  /** @param {number} ms */
  setAnchor(ms, at = this.context.currentTime + START_S) {
    this.anchor = { at, ms };
    this.scheduledAt = at;
    this.fresh = true;
  }

  async play() {
    if (this.context.state !== "running") await this.context.resume();
    const ms = this.position();
    const { loop } = this;
    const from = loop && (ms < loop[0] || ms >= loop[1]) ? loop[0] : ms >= this.endMs - 1 || ms < this.startMs ? this.startMs : ms;
    this.setAnchor(from);
    this.state = "playing";
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
    this.tick();
    this.onChange();
  }

  pause() {
    const ms = this.position();
    this.stopTimer();
    this.silence();
    this.setAnchor(ms);
    this.onChange();
  }

  stopTimer() {
    this.state = "stopped";
    clearInterval(this.timer);
    this.timer = undefined;
  }

  toggle() {
    if (this.state === "stopped") this.play();
    else this.pause();
  }

  /** @param {number} ms */
  seek(ms) {
    this.silence();
    this.setAnchor(Math.min(Math.max(ms, 0), this.endMs));
    if (this.state !== "stopped") {
      this.state = "playing";
      this.tick();
    }
    this.onChange();
  }

  /** From what is already scheduled on, things are otherwise: nothing that sounds is cut. @param {() => void} change */
  fromNowOn(change) {
    const { scheduledAt } = this;
    const ms = this.state === "playing" ? placeAt(this.course, scheduledAt) : this.anchor.ms;
    const { fresh } = this;
    change();
    this.setAnchor(ms, Math.max(scheduledAt, this.context.currentTime));
    this.fresh = fresh;
  }

  /** @param {number} rate */
  setRate(rate) {
    if (rate !== this.rate) this.fromNowOn(() => (this.rate = rate));
  }

  /** @param {number} semitones */
  setTranspose(semitones) {
    if (semitones === this.transpose) return;
    this.fromNowOn(() => (this.transpose = semitones));
    for (const part of Object.values(this.parts)) this.sampler.need(part.notes, semitones);
  }

  /** @param {[number, number] | null} loop */
  setLoop(loop) {
    const ms = this.position();
    this.passes = [];
    if (loop && (ms < loop[0] || ms >= loop[1])) {
      this.loop = loop;
      this.seek(loop[0]);
    } else {
      this.silence();
      this.loop = loop;
      this.setAnchor(ms);
    }
    this.onChange();
  }

  /** @param {number} volume */
  setVolume(volume) {
    this.volume = volume;
    this.master.gain.setTargetAtTime(2.2 * volume ** 2, this.context.currentTime, 0.02);
  }

  /** @param {PartName} name @param {number} gain */
  setGain(name, gain) {
    this.parts[name].gain.gain.setTargetAtTime(gain, this.context.currentTime, 0.02);
  }

  silence() {
    for (const voice of this.voices.values()) voice.stop(this.context.currentTime, 0.08);
    this.voices.clear();
  }

  tick() {
    const now = this.context.currentTime;
    const ms = this.position();
    const inLoop = this.loop && this.anchor.ms < this.loop[1];
    if (!inLoop && ms >= this.endMs - 1) return this.finish();
    const written = this.writtenMs >= this.endMs ? Infinity : this.writtenMs - SAFETY_MS;
    if (this.state === "playing" && ms >= written) {
      this.state = "waiting";
      this.setAnchor(ms);
      return this.onChange();
    }
    if (this.state === "waiting") {
      if (this.anchor.ms + 1_000 * this.rate > written) return undefined;
      this.setAnchor(this.anchor.ms);
      this.fresh = false;
      this.state = "playing";
      this.onChange();
    }
    this.schedule(now + (document.hidden ? LOOKAHEAD_HIDDEN_S : LOOKAHEAD_S), Math.min(written, this.endMs));
    return undefined;
  }

  /** Start every note that begins before a time of the clock, and before a place in the piece. @param {number} until @param {number} limitMs */
  schedule(until, limitMs) {
    for (const { from, to, at, wraps } of stretches(this.course, this.scheduledAt, until)) {
      const stop = Math.min(to, limitMs);
      if (stop <= from && !(wraps && stop === from)) return;
      if (wraps) this.passes.push(at);
      for (const name of /** @type {PartName[]} */ (["melody", "accompaniment"])) {
        const { notes } = this.parts[name];
        const held = wraps || this.fresh ? heldAt(notes, from) : [];
        for (const note of [...held, ...begun(notes, from, stop)]) this.strike(name, note, at + (note[0] - from) / 1000 / this.rate);
      }
      if (this.metronome) {
        for (const [ms, , strong] of begun(this.clicks, from, stop)) this.click(at + (ms - from) / 1000 / this.rate, Boolean(strong));
      }
      this.fresh = false;
      this.scheduledAt = at + (stop - from) / 1000 / this.rate;
      if (stop < to) return;
    }
  }

  /** @param {PartName} name @param {Row} note @param {number} when */
  strike(name, [, duration, pitch, velocity], when) {
    const key = Math.min(Math.max(pitch + this.transpose, 21), 108);
    const seconds = duration / 1000 / this.rate;
    const voice = this.sampler.strike(key, velocity, Math.max(when, this.context.currentTime), seconds, this.parts[name].gain);
    if (!voice) return;
    const holder = `${name} ${key}`;
    const before = this.voices.get(holder);
    if (before && before.until > when) before.stop(when, 0.06); // a key that is struck again
    this.voices.set(holder, { ...voice, until: when + seconds });
  }

  /** @param {number} when @param {boolean} strong */
  click(when, strong) {
    const at = Math.max(when, this.context.currentTime);
    const tone = new OscillatorNode(this.context, { frequency: strong ? CLICK.strong : CLICK.weak });
    const gain = new GainNode(this.context, { gain: strong ? 0.16 : 0.09 });
    gain.gain.setTargetAtTime(0, at + 0.005, 0.015);
    tone.connect(gain).connect(this.context.destination);
    tone.start(at);
    tone.stop(at + 0.12);
  }

  finish() {
    this.stopTimer();
    this.voices.clear(); // the last notes ring out
    this.setAnchor(this.startMs);
    this.onChange();
  }

  /** The loudness of what sounds now: root mean square of the last 2,048 samples. */
  loudness() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  }
}
