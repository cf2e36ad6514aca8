// What can be done with the selected bars, in a bubble beside them.

import { LEFT_HANDS } from "./choices.js";
import { byId, make } from "./page.js";

/** @import {Bars} from "./types.js" */
/** @typedef {{onLoop: () => void, onRewrite: (way: "same" | "simpler" | "busier" | "figure", figure?: string) => void, onUndo: () => void, onBars: (bars: Bars | null) => void}} Told */

export class Bubble {
  /** @param {string[]} figures the left hand's, as the server names them @param {Told} told */
  constructor(figures, told) {
    this.box = byId("bubble");
    this.told = told;
    /** @type {Bars | null} */
    this.bars = null;
    this.last = 1;
    this.ready = false;
    const number = (/** @type {string} */ label) => make("input", { type: "number", min: 1, "aria-label": label, onchange: () => this.read() });
    this.from = number("First bar");
    this.to = number("Last bar");
    const button = (/** @type {string} */ name, /** @type {string} */ id, /** @type {() => void} */ act, attributes = {}) => make("button", { type: "button", id, onclick: act, ...attributes }, name);
    this.loop = button("Loop", "bubble-loop", told.onLoop, { "aria-pressed": "false" });
    this.changes = [
      button("Rewrite", "rewrite", () => told.onRewrite("same"), { class: "main" }),
      button("Simpler", "simpler", () => told.onRewrite("simpler")),
      button("Busier", "busier", () => told.onRewrite("busier")),
    ];
    const options = figures.map((figure) => make("option", { value: figure }, LEFT_HANDS[figure] ?? figure));
    this.figure = make("select", { id: "bubble-figure", "aria-label": "Write these bars with another left hand", onchange: () => {
      const { value } = this.figure;
      this.figure.value = "";
      if (value) told.onRewrite("figure", value);
    } }, make("option", { value: "" }, "Left hand…"), ...options);
    this.undo = button("Undo", "bubble-undo", told.onUndo);
    this.why = make("span", { class: "hint", id: "bubble-why" });
    const close = button("✕", "deselect", () => told.onBars(null), { class: "icon quiet", "aria-label": "Clear the selection" });
    this.box.append(make("span", { class: "bars" }, "Bars ", this.from, " to ", this.to), this.loop, ...this.changes, this.figure, this.undo, this.why, close);
    this.box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape") return;
      told.onBars(null);
      byId("roll").focus();
    });
  }

  read() {
    const bar = (/** @type {{value: string}} */ field) => Math.min(Math.max(Math.round(Number(field.value)) || 1, 1), this.last) - 1;
    const [from, to] = [bar(this.from), bar(this.to)];
    this.told.onBars(from <= to ? [from, to] : [to, from]);
  }

  /**
   * @param {Bars | null} bars @param {{last: number, ready: boolean, busy: boolean, looped: boolean, undo: string, dragging: boolean}} state
   */
  show(bars, { last, ready, busy, looped, undo, dragging }) {
    Object.assign(this, { bars, last });
    this.box.hidden = !bars || dragging;
    if (!bars) return;
    for (const [field, bar] of /** @type {[any, number][]} */ ([[this.from, bars[0]], [this.to, bars[1]]])) {
      field.max = last;
      if (document.activeElement !== field) field.value = String(bar + 1);
    }
    for (const control of [...this.changes, this.figure]) {
      control.disabled = !ready && !busy;
      control.setAttribute("aria-disabled", String(!ready || busy)); // while something is written focus stays
    }
    this.why.textContent = ready ? "" : busy ? "Bars can be rewritten when the piece is finished." : "Only a finished piece can be rewritten.";
    this.loop.setAttribute("aria-pressed", String(looped));
    this.undo.hidden = !undo;
    this.undo.title = undo;
  }

  /** Stand above the middle of what is selected, within the box. @param {number} left @param {number} right of the selection, in px */
  place(left, right) {
    const width = /** @type {HTMLElement} */ (this.box.parentElement).clientWidth;
    const own = this.box.offsetWidth;
    const middle = Math.min(Math.max((left + right) / 2 - own / 2, 6), Math.max(width - own - 6, 6));
    this.box.style.setProperty("--place", `${Math.round(middle)}px`);
  }
}
