// The chords of the piece on the stage: shown in their lane, and one of them changed.

import { movedChord } from "./choices.js";
import { ChordLane } from "./chordlane.js";
import { ChordPicker } from "./chordpicker.js";
import { voicing } from "./chordtones.js";
import { call } from "./client.js";
import { byId } from "./page.js";
import { chartOf } from "./piece.js";

/** @import {ChordInfo, Row, Session, Take} from "./types.js" */
/** @typedef {{symbol: string, probability: number}} Alternative */
/**
 * @typedef {{transpose: () => number, index: number, hear: (notes: Row[]) => void, restore: (take: Take) => Promise<string | null>,
 *   rewrite: (take: Take, bars: [number, number], chords: string, symbol: string) => Promise<void>, selected: () => [number, number] | null,
 *   reveal: (ms: number) => void, pan: (px: number) => void}} Parts
 */

const HEARD_MS = 1_600;
const VELOCITY = 70;

export class ChordEditing {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** @type {Take | null} */
    this.take = null;
    this.whole = false;
    this.lane = new ChordLane(byId("chord-lane"), { onOpen: (index, button) => this.open(index, button), onReveal: parts.reveal, onPan: parts.pan });
    this.picker = new ChordPicker({
      onHear: (symbol) => parts.hear(chordNotes(symbol)),
      onRewrite: ({ chord, symbol, bars }) => this.change(chord, symbol, bars),
      onClose: () => this.lane.setOpen(-1),
    });
  }

  /** @param {Take | null} take @param {boolean} whole */
  show(take, whole) {
    const same = take?.chords === this.take?.chords && whole === this.whole && this.shownAt === this.parts.transpose();
    Object.assign(this, { take, whole });
    byId("chord-lane").hidden = !take?.chords.length;
    if (same) return;
    this.shownAt = this.parts.transpose();
    this.lane.setChords((take?.chords ?? []).map((chord) => this.moved(chord)));
  }

  /** A chord as it's heard: in the key that was chosen for playing. @param {ChordInfo} chord */
  moved(chord) {
    return { ...chord, symbol: movedChord(chord.symbol, this.parts.transpose()) };
  }

  /** @param {number} index @param {HTMLButtonElement} anchor */
  open(index, anchor) {
    const { take } = this;
    const chord = take?.chords[index];
    if (!take || !chord) return;
    if (!this.whole) {
      this.parts.hear(chordNotes(this.moved(chord).symbol));
      return;
    }
    this.lane.setOpen(index);
    const selected = this.parts.selected();
    const bars = selected && chord.bar >= selected[0] && chord.bar <= selected[1] ? selected : undefined;
    this.picker.open({ chord: this.moved(chord), anchor, ...(bars ? { bars } : {}), alternatives: this.alternatives(take, chord) });
  }

  /** @param {Take} take @param {ChordInfo} chord @returns {Promise<Alternative[]>} */
  async alternatives(take, chord, again = true) {
    try {
      const found = await call("alternatives", [take.piece, chord.bar, chord.beat], { index: this.parts.index }).done;
      return found.alternatives.map((/** @type {Alternative} */ one) => ({ ...one, symbol: movedChord(one.symbol, this.parts.transpose()) }));
    } catch (error) {
      const piece = again && /** @type {any} */ (error).code === "forgotten" ? await this.parts.restore(take) : null;
      if (!piece) throw error;
      return this.alternatives({ ...take, piece }, chord, false);
    }
  }

  /** Write bars anew with another chord in them. @param {ChordInfo} chord @param {string} symbol @param {[number, number]} bars */
  async change(chord, symbol, bars) {
    const { take } = this;
    if (!take) return;
    const back = movedChord(symbol, -this.parts.transpose());
    const at = take.chords.findIndex(({ start_ms: start }) => start === chord.start_ms);
    const beats = Number((take.time_signature || "4/4").split("/")[0]) || 4;
    const chart = chartOf(take, bars[0], bars[1], beats, (index) => (index === at ? back : (take.chords[index]?.symbol ?? "?")));
    await this.parts.rewrite(take, bars, chart, symbol);
  }
}

/** A chord to be heard, broken a little. @param {string} symbol @returns {Row[]} */
function chordNotes(symbol) {
  return (voicing(symbol) ?? []).map((pitch, index) => [index * 28, HEARD_MS, pitch, VELOCITY]);
}
