// Recording what is played: a count-in, a metronome, and notes against its beats.

const LONGEST_S = 180;
const SHORTEST_MS = 60;

export class Recorder {
  /** `context` an AudioContext; `onBeat(beat, beats)` with beats counted from −beats (the count-in); `onStop()`. */
  constructor(context, { onBeat = () => {}, onStop = () => {} } = {}) {
    Object.assign(this, { context, onBeat, onStop });
    this.recording = false;
    this.notes = [];
  }

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
      setTimeout(() => this.recording && this.onBeat(beat, this.beats), (when - this.context.currentTime) * 1000);
      this.next += 1;
    }
    if (this.now() > LONGEST_S * 1000) this.stop();
  }

  tock(when, strong) {
    const tone = new OscillatorNode(this.context, { frequency: strong ? 1760 : 1175 });
    const gain = new GainNode(this.context, { gain: strong ? 0.18 : 0.1 });
    gain.gain.setTargetAtTime(0, when + 0.005, 0.015);
    tone.connect(gain).connect(this.context.destination);
    tone.start(when);
    tone.stop(when + 0.12);
  }

  down(pitch, velocity) {
    if (this.recording) this.open.set(pitch, { onset: this.now(), velocity });
  }

  up(pitch) {
    const note = this.open?.get(pitch);
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
    this.onStop();
  }

  /** What was played, as the server takes it; `tidy` moves onsets and ends to the nearest half of a half beat. */
  melody({ tidy }) {
    const notes = tidy ? tidied(this.notes, (this.beatS * 1000) / 4) : this.notes;
    const whole = notes.map(([onset, duration, pitch, velocity]) => [Math.max(Math.round(onset), 0), Math.round(duration), pitch, velocity]);
    return { bpm: this.bpm, beats: this.beats, notes: whole };
  }
}

/** Notes with onsets and ends on a grid of `stepMs`, none shorter than a step, one key struck once at a time. */
export function tidied(notes, stepMs) {
  const seen = new Set();
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
