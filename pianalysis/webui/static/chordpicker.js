// A chord's dialog: what else it could be and how likely, another one typed, each to be heard, and these bars rewritten with it.

import { percent, spoken } from "./chordlane.js";
import { parseChord } from "./chordtones.js";

/**
 * @typedef {import("./chordlane.js").ChordInfo} ChordInfo
 * @typedef {{symbol: string, probability: number}} Alternative
 * @typedef {{chord: ChordInfo, anchor: HTMLElement, bars?: [number, number], alternatives: Promise<Alternative[]> | Alternative[]}} Opening
 * `bars`: which would be rewritten, from 1, the last included; the chord's own where none are given.
 * @typedef {{onHear?: (symbol: string) => void, onRewrite?: (choice: {chord: ChordInfo, symbol: string, bars: [number, number]}) => unknown, onClose?: () => void}} PickerCalls
 */

const SHEET_PX = 600; // narrower than this, the dialog is a sheet at the bottom (as in parts.css)
const EDGE_PX = 8;
const NOT_UNDERSTOOD = "That is no chord that is understood: write a root A–G, then what is heard above it, such as Am7, F/C or Bb7sus4.";
let made = 0; // dialogs have ids of their own

export class ChordPicker {
  /** @type {Opening | null} */
  opening = null;
  symbol = "";
  busy = false;

  /**
   * `onHear(symbol)` sounds a chord; `onRewrite(choice)` may give a promise: while it's open the dialog waits, it closes when
   * it's kept, and an error's message is shown. Appended to `parent`.
   * @param {PickerCalls} [calls] @param {HTMLElement} [parent]
   */
  constructor({ onHear = () => {}, onRewrite = () => {}, onClose = () => {} } = {}, parent = document.body) {
    this.onHear = onHear;
    this.onRewrite = onRewrite;
    this.onClose = onClose;
    this.id = `chord-picker-${(made += 1)}`;
    this.dialog = this.build();
    parent.append(this.dialog);
  }

  build() {
    const dialog = document.createElement("dialog");
    dialog.className = "chord-picker";
    dialog.setAttribute("aria-labelledby", `${this.id}-title`);
    this.title = make("h2", "", { id: `${this.id}-title`, tabIndex: -1, autofocus: true }); // until there is a list to go to
    const close = make("button", "×", { type: "button", className: "quiet close", ariaLabel: "Close" });
    close.addEventListener("click", () => dialog.close());
    const head = make("div", "", { className: "head" });
    head.append(this.title, close);
    this.list = make("fieldset", "", { className: "alternatives" });
    this.error = make("p", "", { className: "error", hidden: true, id: `${this.id}-error` });
    this.error.setAttribute("role", "alert");
    this.rewrite = make("button", "", { type: "button", className: "main" });
    this.rewrite.addEventListener("click", () => this.submit());
    dialog.append(head, this.list, this.typing(), this.error, this.rewrite);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // its backdrop
    });
    dialog.addEventListener("close", () => this.closed());
    dialog.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation()); // the page's keys are for the page
    return dialog;
  }

  typing() {
    const row = make("form", "", { className: "typing" });
    const label = make("label", "Another chord");
    this.input = make("input", "", { type: "text", maxLength: 24, autocomplete: "off", spellcheck: false, placeholder: "Fmaj7, Am/C …" });
    this.input.setAttribute("autocapitalize", "characters");
    this.input.setAttribute("aria-describedby", `${this.id}-error`);
    this.input.addEventListener("input", () => this.typed());
    label.append(this.input);
    this.hear = make("button", "Hear it", { type: "submit" });
    row.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.symbol) this.onHear(this.symbol);
    });
    row.append(label, this.hear);
    return row;
  }

  /** Show the dialog for a chord beside the button that asked for it. @param {Opening} opening */
  open(opening) {
    this.opening = opening;
    const { chord, anchor, alternatives } = opening;
    const { title, input, list } = this;
    if (!title || !input || !list) return;
    title.textContent = `${chord.symbol} · bar ${chord.bar}, beat ${Number.isInteger(chord.beat) ? chord.beat : chord.beat.toFixed(1)}`;
    input.value = "";
    this.fail("");
    this.setBusy(false);
    this.choose(chord.symbol);
    list.replaceChildren(make("legend", "What else it could be"), make("p", "Looking …", { className: "hint" }));
    if (!this.dialog.open) this.dialog.showModal();
    this.place(anchor);
    Promise.resolve(alternatives).then(
      (found) => this.opening === opening && this.show(found),
      (error) => this.opening === opening && this.without(error),
    );
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  /** @param {Alternative[]} alternatives */
  show(alternatives) {
    const chord = this.opening?.chord;
    if (!chord) return;
    const rows = [{ symbol: chord.symbol, probability: chord.probability }, ...alternatives].map((row, index) => this.row(row, index));
    this.list?.replaceChildren(make("legend", "What else it could be"), ...rows);
    if (!alternatives.length) this.list?.append(make("p", "Nothing else is likely here.", { className: "hint" }));
    if (document.activeElement === this.title) this.list?.querySelector("input")?.focus();
    if (this.opening) this.place(this.opening.anchor);
  }

  /** What was asked for can't be had. @param {unknown} error */
  without(error) {
    this.list?.replaceChildren(make("legend", "What else it could be"), make("p", messageOf(error), { className: "hint" }));
  }

  /** @param {{symbol: string, probability: number | null}} row @param {number} index */
  row({ symbol, probability }, index) {
    const row = make("label", "", { className: "alternative" });
    const radio = make("input", "", { type: "radio", name: this.id, value: symbol, checked: index === 0 });
    const likely = probability === null ? "given" : percent(probability);
    radio.setAttribute("aria-label", `${spoken(symbol)}, ${index ? likely : `as it is, ${likely}`}`);
    radio.addEventListener("change", () => {
      if (this.input) this.input.value = "";
      this.choose(symbol);
      this.onHear(symbol);
    });
radio.addEventListener("click", (event) => event.detail && this.symbol === symbol && this.onHear(symbol)); // chosen already: heard again
    const bar = make("span", "", { className: "bar", ariaHidden: "true" });
    bar.hidden = probability === null;
    bar.style.setProperty("--part", String(probability ?? 0));
    row.append(radio, make("strong", symbol), bar, make("span", likely, { className: "likely" }));
    return row;
  }

  typed() {
    const text = this.input?.value.trim() ?? "";
    const checked = /** @type {HTMLInputElement | null} */ (this.list?.querySelector("input:checked") ?? null);
    if (!text) {
      this.fail("");
      this.choose(checked?.value ?? this.opening?.chord.symbol ?? "");
      return;
    }
    const understood = parseChord(text) !== null;
    this.choose(understood ? text : "");
    this.fail(understood || text.length < 2 ? "" : NOT_UNDERSTOOD);
  }

  /** "" for nothing that could be heard or written. @param {string} symbol */
  choose(symbol) {
    this.symbol = symbol;
    const [first, last] = this.bars();
    const where = first === last ? `bar ${first}` : `bars ${first}–${last}`;
    if (!this.rewrite || !this.hear) return;
    const other = symbol && symbol !== this.opening?.chord.symbol;
    this.rewrite.textContent = other ? `Rewrite ${where} with ${symbol}` : `Rewrite ${where}`;
    this.rewrite.disabled = this.busy || !other;
    this.hear.disabled = !symbol;
    this.hear.setAttribute("aria-label", symbol ? `Hear ${spoken(symbol)}` : "Hear it");
  }

  /** @returns {[number, number]} */
  bars() {
    const bar = this.opening?.chord.bar ?? 1;
    return this.opening?.bars ?? [bar, bar];
  }

  async submit() {
    const { opening, symbol } = this;
    if (!opening || !symbol || this.busy) return;
    this.setBusy(true);
    this.fail("");
    try {
      await this.onRewrite({ chord: opening.chord, symbol, bars: this.bars() });
      if (this.opening === opening) this.close();
    } catch (error) {
      if (this.opening === opening) this.fail(messageOf(error));
    } finally {
      if (this.opening === opening) this.setBusy(false);
    }
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.busy = busy;
    this.dialog.setAttribute("aria-busy", String(busy));
    this.choose(this.symbol);
    if (busy && this.rewrite) this.rewrite.textContent = "Rewriting …";
  }

  /** @param {string} sentence "" takes it away */
  fail(sentence) {
    if (!this.error || !this.input) return;
    this.error.textContent = sentence;
    this.error.hidden = !sentence;
    this.input.setAttribute("aria-invalid", String(sentence === NOT_UNDERSTOOD));
  }

  closed() {
    const anchor = this.opening?.anchor;
    this.opening = null;
    this.onClose();
    if (anchor?.isConnected && (document.activeElement === document.body || !document.activeElement)) anchor.focus({ preventScroll: true });
  }

  /** Beside its button, within the window; a narrow window has it as a sheet at the bottom. @param {HTMLElement} anchor */
  place(anchor) {
    const { style } = this.dialog;
    if (innerWidth < SHEET_PX || innerHeight < SHEET_PX / 1.5) {
      style.left = style.top = "";
      return;
    }
    const button = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.dialog;
    const below = button.bottom + EDGE_PX;
    const top = below + height + EDGE_PX <= innerHeight ? below : Math.max(innerHeight - height - EDGE_PX, EDGE_PX);
    style.left = `${Math.min(Math.max(button.left, EDGE_PX), innerWidth - width - EDGE_PX)}px`;
    style.top = `${top}px`;
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {string} text @param {Partial<HTMLElementTagNameMap[Tag]>} [settings]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function make(tag, text = "", settings = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  return Object.assign(element, settings);
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error && error.message ? error.message : "That didn't work; try it again.";
}
