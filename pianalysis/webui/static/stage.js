// The stage: the piece that is shown and heard, as a roll, as a score, or both, growing while it's written.

import { endOf } from "./timing.js";
import { heardUntil, splitHands } from "./piece.js";
import { beatsOf } from "./timing.js";
import { byId } from "./page.js";

/** @import {Bars, Heard, Take} from "./types.js" */
/** @import {Player} from "./player.js" */
/** @import {Roll} from "./roll.js" */
/** @import {Sampler} from "./sampler.js" */
/** What shows a piece beside the roll: the chord lane, the score. @typedef {{show: (take: Take | null, whole: boolean) => void}} Beside */

const SOUND_AHEAD_MS = 1_500; // samples that are waited for before the first sound
const PATIENCE_MS = 800; // and for how long

export class Stage {
  /** @param {{roll: Roll, player: Player, sampler: Sampler, autoplay: () => boolean}} parts */
  constructor({ roll, player, sampler, autoplay }) {
    Object.assign(this, { roll, player, sampler });
    this.roll = roll;
    this.player = player;
    this.sampler = sampler;
    this.autoplay = autoplay;
    /** @type {Take | null} */
    this.shown = null;
    this.writing = false;
    /** @type {Beside[]} */
    this.beside = [];
    this.turn = 0;
    this.sound = true; // whether it plays by itself when its first notes are there
  }

  /** A finished take, or one that was broken off. @param {Take} take */
  show(take, { keep = false } = {}) {
    if (take === this.shown && !this.writing) return;
    this.turn += 1;
    const place = keep ? this.sameBar(take) : null;
    const stays = keep && this.shown !== null && this.player.state !== "stopped";
    this.shown = take;
    this.writing = false;
    const whole = take.bars_done >= take.bars;
    const end = heardUntil(take);
    this.roll.setPiece({ melody: take.melody, ...splitHands(take.notes, take.hands), bars: take.bar_lines_ms, writing: !whole, writtenMs: end }, { keep });
    this.player.load({ ...this.heardOf(take), accompaniment: take.notes, writtenMs: end, endMs: end }, { keepPosition: keep });
    if (place !== null && Math.abs(place - this.player.position()) > 30) this.player.seek(place);
    if (!keep) this.roll.show(this.player.startMs);
    this.tellBeside(whole);
    this.sampler.need([...take.melody, ...take.notes], this.player.transpose);
    if (!stays) this.player.onChange();
  }

  /** Where the same place of the same bar is in another take. @param {Take} take */
  sameBar(take) {
    const ms = this.player.position();
    const lines = this.shown?.bar_lines_ms;
    if (!lines || lines.length < 2) return ms;
    const bar = this.roll.barAt(ms);
    const from = lines[bar] ?? 0;
    const share = (ms - from) / Math.max((lines[bar + 1] ?? from + 1) - from, 1);
    const others = take.bar_lines_ms;
    const at = Math.min(bar, others.length - 2);
    return (others[at] ?? 0) + share * ((others[at + 1] ?? 0) - (others[at] ?? 0));
  }

  /** @param {Take} take */
  heardOf({ melody, bar_lines_ms: bars, time_signature: metre }) {
    return { melody, bars, beats: beatsOf(metre || "4/4") };
  }

  /** A take that begins to be written. @param {Take} draft @param {boolean} sound */
  begin(draft, sound) {
    this.turn += 1;
    this.shown = draft;
    this.writing = true;
    this.sound = sound;
    const { melody, bar_lines_ms: bars } = draft;
    this.roll.setPiece({ melody, bars, writing: true, writtenMs: bars[0] ?? 0 });
    this.player.setLoop(null);
    this.player.load({ ...this.heardOf(draft), writtenMs: 0, endMs: endOf(draft) });
    this.roll.show(this.player.startMs);
    this.tellBeside(false);
    this.sampler.need(this.soon(draft), this.player.transpose);
  }

  /** @param {Take} take */
  soon({ melody, notes }) {
    const start = this.player.startMs;
    return [...melody, ...notes].filter(([onset]) => onset >= start && onset < start + SOUND_AHEAD_MS);
  }

  /** More of the take that is being written. @param {Take} draft */
  async grow(draft) {
    if (!this.writing || this.shown?.id !== draft.id) return;
    const first = this.shown.bars_done === 0;
    this.shown = draft;
    const written = draft.bar_lines_ms[draft.bars_done] ?? endOf(draft);
    this.roll.grow(splitHands(draft.notes, draft.hands), written);
    this.player.extend(draft.notes, draft.bars_done >= draft.bars ? this.player.endMs : written);
    this.tellBeside(false);
    if (!first || !this.sound || !this.autoplay()) return;
    const { turn } = this;
    await Promise.race([this.sampler.need(this.soon(draft), this.player.transpose), new Promise((go) => setTimeout(go, PATIENCE_MS))]);
    if (turn === this.turn && this.player.state === "stopped") this.player.play();
    this.sampler.need(draft.melody, this.player.transpose);
  }

  /** The take that was being written is whole: nothing that sounds changes. @param {Take} take */
  finish(take) {
    if (this.shown?.id !== take.id) return this.show(take, { keep: true });
    this.shown = take;
    this.writing = false;
    const end = endOf(take);
    this.roll.setPiece({ melody: take.melody, ...splitHands(take.notes, take.hands), bars: take.bar_lines_ms }, { keep: true });
    this.player.parts.accompaniment.notes = take.notes;
    Object.assign(this.player, { writtenMs: end, endMs: end });
    this.player.onChange();
    this.tellBeside(true);
    this.sampler.need([...take.melody, ...take.notes], this.player.transpose);
    return undefined;
  }

  /** Pause, and don't begin by itself. */
  hush() {
    this.sound = false;
    this.turn += 1;
    this.player.pause();
  }

  clear() {
    this.turn += 1;
    this.shown = null;
    this.writing = false;
    this.player.pause();
    this.roll.setPiece({ melody: [], bars: [] });
    this.player.load({ melody: [], writtenMs: 0, endMs: 0 });
    this.tellBeside(false);
  }

  /** @param {boolean} whole */
  tellBeside(whole) {
    for (const part of this.beside) part.show(this.shown, whole);
  }

  /** @param {Heard} heard */
  setHeard(heard) {
    this.player.setRate(heard.rate);
    this.player.setTranspose(heard.transpose);
    this.player.setGain("melody", heard.melody);
    this.player.setGain("accompaniment", heard.accompaniment);
    this.roll.setHeard(heard);
  }
}

/** Roll, score or both. @param {(view: string) => void} onView */
export function setUpViews(onView) {
  const names = ["roll", "score", "both"];
  const set = (/** @type {string} */ view) => {
    for (const name of names) byId(`view-${name}`).setAttribute("aria-pressed", String(name === view));
    byId("roll-box").hidden = view === "score";
    byId("score").hidden = view === "roll";
    byId("paper").dataset.view = view;
    onView(view);
  };
  for (const name of names) byId(`view-${name}`).addEventListener("click", () => set(name));
  return set;
}
