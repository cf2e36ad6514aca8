// Recording what is played: a count-in, a metronome, and notes against its beats.

const LONGEST_S = 180;
const SHORTEST_MS = 60;

/** @import {Row} from "./types.js" */

export class Recorder {
  /** Beats are counted from −beats, the count-in. @param {AudioContext} context @param {{onBeat: (beat: number, beats: number) => void, onStop: () => void}} told */
  constructor(context, told) {
    this.context = context;
    this.told = told;
    this.recording = false;
    /** @type {Row[]} */
    this.notes = [];
    /** @type {Map<number, {onset: number, velocity: number}>} */
    this.open = new Map();
    this.bpm = 90;
    this.beats = 4;
    this.click = true;
    this.next = 0;
    this.zero = 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  /** @param {{bpm: number, beats: number, click: boolean}} wanted */
  start({ bpm, beats, click }) {
    Object.assign(this, { bpm, beats, click, notes: [], open: new Map(), next: -beats, recording: true });
    this.zero = this.context.currentTime + 0.15 + (beats * 60) / bpm;
    this.timer = setInterval(() => this.tick(), 25);
    this.tick();
  }

  get beatS() {
    return 60 / this.bpm;
  }

  /** Milliseconds since the first bar began. */
  now() {
    return (this.context.currentTime - this.zero) * 1000;
  }

  tick() {
    while (this.zero + this.next * this.beatS < this.context.currentTime + 0.1) {
      const beat = this.next;
      const when = this.zero + beat * this.beatS;
      if (this.click || beat < 0) this.tock(when, (beat + this.beats) % this.beats === 0);
      setTimeout(() => this.recording && this.told.onBeat(beat, this.beats), (when - this.context.currentTime) * 1000);
      this.next += 1;
    }
    if (this.now() > LONGEST_S * 1000) this.stop();
  }

  /** @param {number} when @param {boolean} strong */
  tock(when, strong) {
    const tone = new OscillatorNode(this.context, { frequency: strong ? 1760 : 1175 });
    const gain = new GainNode(this.context, { gain: strong ? 0.18 : 0.1 });
    gain.gain.setTargetAtTime(0, when + 0.005, 0.015);
    tone.connect(gain).connect(this.context.destination);
    tone.start(when);
    tone.stop(when + 0.12);
  }

  /** @param {number} pitch @param {number} velocity */
  down(pitch, velocity) {
    if (this.recording) this.open.set(pitch, { onset: this.now(), velocity });
  }

  /** @param {number} pitch */
  up(pitch) {
    const note = this.open.get(pitch);
    if (!this.recording || !note) return;
    this.open.delete(pitch);
    const end = this.now();
    if (end > 0) this.notes.push([note.onset, Math.max(end - note.onset, SHORTEST_MS), pitch, note.velocity]);
  }

  stop() {
    if (!this.recording) return;
    for (const pitch of [...this.open.keys()]) this.up(pitch);
    this.recording = false;
    clearInterval(this.timer);
    this.notes.sort((a, b) => a[0] - b[0]);
    this.told.onStop();
  }

  /** What was played, as the server takes it; `tidy` moves onsets and ends to the nearest quarter of a beat. @param {{tidy: boolean}} how */
  melody({ tidy }) {
    const notes = tidy ? tidied(this.notes, (this.beatS * 1000) / 4) : this.notes;
    const whole = /** @type {Row[]} */ (notes.map(([onset, duration, pitch, velocity]) => [Math.max(Math.round(onset), 0), Math.round(duration), pitch, velocity]));
    return { bpm: this.bpm, beats: this.beats, notes: whole };
  }
}

/** Notes with onsets and ends on a grid of `stepMs`, none shorter than a step, one key struck once at a time. @param {Row[]} notes @param {number} stepMs @returns {Row[]} */
export function tidied(notes, stepMs) {
  const seen = new Set();
  /** @type {Row[]} */
  const moved = [];
  for (const [onset, duration, pitch, velocity] of notes) {
    const start = Math.max(Math.round(onset / stepMs), 0);
    const stop = Math.max(Math.round((onset + duration) / stepMs), start + 1);
    if (seen.has(`${start} ${pitch}`)) continue;
    seen.add(`${start} ${pitch}`);
    moved.push([start * stepMs, (stop - start) * stepMs, pitch, velocity]);
  }
  return moved;
}
