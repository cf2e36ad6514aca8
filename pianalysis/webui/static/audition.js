// Hearing something that isn't the piece on the stage: a track of a file, a recording, a chord.

/** @import {Row} from "./types.js" */

const START_S = 0.08;
const PATIENCE_MS = 800;

export class Audition {
  /** @param {import("./player.js").Player} player @param {import("./sampler.js").Sampler} sampler @param {AudioContext} context */
  constructor(player, sampler, context) {
    Object.assign(this, { player, sampler, context });
    this.player = player;
    this.sampler = sampler;
    this.context = context;
    this.output = new GainNode(context, { gain: 1 });
    this.output.connect(player.master);
    /** @type {{stop: (at: number, length?: number) => void}[]} */
    this.voices = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.onEnd = () => {};
    this.turn = 0;
  }

  /** Play notes from their first one on; `onEnd` is called when they are over or something else is heard. @param {Row[]} notes @param {() => void} onEnd */
  async play(notes, onEnd = () => {}) {
    this.stop();
    if (!notes.length) return onEnd();
    const turn = this.turn;
    this.onEnd = onEnd;
    this.player.pause();
    if (this.context.state !== "running") await this.context.resume();
    await Promise.race([this.sampler.need(notes.slice(0, 40)), new Promise((go) => setTimeout(go, PATIENCE_MS))]);
    if (turn !== this.turn) return undefined;
    const first = Math.min(...notes.map(([onset]) => onset));
    const start = this.context.currentTime + START_S;
    let end = 0;
    for (const [onset, duration, pitch, velocity] of notes) {
      const voice = this.sampler.strike(pitch, velocity, start + (onset - first) / 1000, duration / 1000, this.output);
      if (voice) this.voices.push(voice);
      end = Math.max(end, onset + duration - first);
    }
    this.timer = setTimeout(() => this.stop(), end + 400);
    return undefined;
  }

  stop() {
    this.turn += 1;
    clearTimeout(this.timer);
    for (const voice of this.voices) voice.stop(this.context.currentTime, 0.08);
    this.voices = [];
    const { onEnd } = this;
    this.onEnd = () => {};
    onEnd();
  }
}
