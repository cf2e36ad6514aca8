// Some bars of the current take written anew: as the settings stand, simpler, busier, with a figure, with another chord.

import { leaning } from "./choices.js";
import { clearErrors } from "./page.js";
import { currentTake } from "./session.js";

/** @import {Take} from "./types.js" */
/**
 * @typedef {{live: import("./live.js").Live, writer: import("./writer.js").Writer, roll: import("./roll.js").Roll,
 *   player: import("./player.js").Player, shown: () => Take | null, announce: (text: string) => void}} Parts
 */

const BEFORE_MS = 1_000; // so long before the new bars playing begins

export class Rewriting {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** A seed that this take's bars weren't written with yet. @param {Take} take */
  seed(take) {
    return 1 + Math.max(take.seed, ...take.edits.map((edit) => edit.seed));
  }

  /** The selected bars. @param {"same" | "simpler" | "busier" | "figure"} way */
  async bars(way, figure = "") {
    const { live, writer, roll, player, announce } = this.parts;
    const take = currentTake(live.session);
    if (!take || !roll.selection || writer.busy || this.parts.shown() !== take) return;
    clearErrors();
    const [first, last] = [roll.selection[0] + 1, roll.selection[1] + 1];
    const { settings } = live.session;
    const own = way === "same" ? settings : way === "figure" ? { ...settings, left_hand: figure } : leaning(settings, way);
    const bars = first === last ? `bar ${first}` : `bars ${first} to ${last}`;
    if (!(await writer.rewrite(take, { first, last, seed: this.seed(take), settings: own, chords: "" }, `rewriting ${bars}`))) return;
    announce(first === last ? `Bar ${first} is new.` : `Bars ${first} to ${last} are new.`);
    roll.setSelection([first - 1, last - 1]);
    if (!player.loop) this.play(first, BEFORE_MS);
  }

  /** Bars with another chord, as a chart; an error is thrown for the chord's dialog to show. @param {Take} take @param {[number, number]} bars @param {string} chords @param {string} symbol */
  async chord(take, [first, last], chords, symbol) {
    const { live, writer, announce } = this.parts;
    const done = await writer.rewrite(take, { first, last, seed: this.seed(take), settings: live.session.settings, chords }, `the chord ${symbol}`);
    if (!done) throw new Error(writer.error || "Nothing was changed.");
    announce(`${symbol} is written.`);
    this.play(first);
  }

  /** @param {number} bar */
  play(bar, before = 0) {
    const { roll, player } = this.parts;
    player.seek(Math.max((roll.bars[bar - 1] ?? 0) - before, 0));
    player.play();
  }
}
