// The score of the piece on the stage: asked of the server when it's looked at, shown beside the roll, printed and saved.

import { reason } from "./client.js";
import { loadLibrary } from "./engraver.js";
import { saveBlob } from "./page.js";
import { ScoreView } from "./score.js";
import { printScore } from "./scoreprint.js";
import { parseScore } from "./scorexml.js";

/** @import {Bars, Take} from "./types.js" */
/** @typedef {{onSeek: (ms: number) => void, onSelect: (bars: Bars | null) => void, transpose: () => number, writing: () => boolean, restore: (take: Take) => Promise<string | null>}} Parts */

const PICTURE_PX = 1_000; // as wide as a saved picture is
const LATER = "The score comes when the piece is finished.";
const UNFINISHED = "Only a finished piece has a score.";

export class ScorePanel {
  /** @param {HTMLElement} element @param {Parts} parts */
  constructor(element, parts) {
    this.parts = parts;
    this.view = new ScoreView(element, { onSeek: parts.onSeek, onSelect: parts.onSelect });
    /** @type {Take | null} */
    this.take = null;
    this.whole = false;
    this.seen = false;
    this.shown = ""; // what the view shows or is loading
    /** @type {Bars | null} */
    this.selection = null;
    this.ms = 0;
  }

  /** What is on the stage, and whether all of it is written. @param {Take | null} take @param {boolean} whole */
  show(take, whole) {
    this.take = take;
    this.whole = whole;
    this.update();
  }

  /** Whether anybody looks at it. @param {boolean} seen */
  setSeen(seen) {
    this.seen = seen;
    this.update();
  }

  /** @param {number} ms */
  setPlayhead(ms) {
    this.ms = ms;
    if (this.seen) this.view.setPlayhead(ms);
  }

  /** @param {Bars | null} bars */
  setSelection(bars) {
    this.selection = bars;
    if (this.seen) this.view.setSelection(bars);
  }

  /** Show what is on the stage, if it's another piece or in another key than what is shown. */
  async update() {
    const { take, view } = this;
    if (!this.seen) return;
    const finished = take !== null && this.whole && take.piece !== "";
    const wanted = take === null ? "" : finished ? `${take.piece} ${this.parts.transpose()}` : this.parts.writing() ? LATER : UNFINISHED;
    if (wanted !== this.shown) {
      this.shown = wanted;
      if (!finished) view.clear(wanted);
      else await this.load(take, wanted);
    }
    if (this.shown !== wanted) return;
    view.setSelection(this.selection);
    view.setPlayhead(this.ms);
  }

  /** @param {Take} take @param {string} wanted */
  async load(take, wanted) {
    this.view.clear("Asking for the score …");
    try {
      const text = await this.fetch(take);
      if (this.shown === wanted) this.view.load(text, take.bar_lines_ms);
    } catch (error) {
      if (this.shown !== wanted) return;
      this.shown = ""; // looked at again, it's asked for again
      this.view.clear(messageOf(error));
    }
  }

  /** @param {Take} take @param {boolean} [again] @returns {Promise<string>} MusicXML, in the key that is heard; throws an Error with a sentence */
  async fetch(take, again = true) {
    const transpose = this.parts.transpose();
    const response = await fetch(`piece/${take.piece}.musicxml${transpose ? `?transpose=${transpose}` : ""}`);
    if (response.ok) return response.text();
    const piece = response.status === 404 && again ? await this.parts.restore(take) : null;
    if (piece) return this.fetch({ ...take, piece }, false);
    throw await reason(response);
  }

  /** The score to print (also as PDF), or as a picture. Throws an Error with a sentence. @param {"pdf" | "svg"} kind @param {Take} take */
  async save(kind, take) {
    const text = await this.fetch(take);
    if (kind === "pdf") await printScore(await loadLibrary(), parseScore(text), take.title);
    else saveBlob(new Blob([await picture(text, take.bar_lines_ms)], { type: "image/svg+xml" }), `${take.title || "score"}.svg`);
  }
}

/** A score as one picture, whatever the window's width. @param {string} text @param {number[]} lines */
async function picture(text, lines) {
  const box = document.createElement("div");
  box.className = "score-off";
  box.style.width = `${PICTURE_PX}px`;
  document.body.append(box);
  try {
    const view = new ScoreView(box);
    if (!(await view.load(text, lines))) throw new Error(box.textContent || "The score can't be drawn.");
    return view.svg();
  } finally {
    box.remove();
  }
}

/** @param {unknown} error */
function messageOf(error) {
  if (error instanceof TypeError) return "The server doesn't answer. Choose Score again to try once more.";
  return error instanceof Error ? error.message : "The score can't be had.";
}
