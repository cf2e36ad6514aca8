// The score as one reads it: drawn some bars at a time, with a cursor that follows the music; click to jump, drag for bars.

import { engrave, loadLibrary } from "./engraver.js";
import { printScore } from "./scoreprint.js";
import { anchorAt, barAt, barBoxAt, boxesOf, continued, msAt, withoutSilence } from "./scoretime.js";
import { barLengths, excerpt, hasPickup, parseScore } from "./scorexml.js";

/** @import {Anchor, Drawn} from "./scoretime.js" */
/** @typedef {{onSeek?: (ms: number) => void, onSelect?: (bars: [number, number] | null) => void}} ScoreCalls */
/** @typedef {{bar: number, x: number, y: number, moved: boolean, timer: number}} Drag */

const FIRST_BARS = 10; // drawn at once, so that something is there
const FEWEST_BARS = 6;
const MOST_BARS = 28;
const TASK_MS = 250; // how long the page may stand still for some bars
const DRAG_PX = 6;
const LONG_PRESS_MS = 500;
const CURSOR_PX = 22; // at zoom 1
const SETTLED_MS = 250; // after a change of the window's width
const FAILED = "The score can't be drawn.";

export class ScoreView {
  /** @type {Document | null} */
  score = null;
  /** @type {number[]} */
  lines = [];
  /** @type {number[]} */
  quarters = [];
  silent = 0; // bars at the beginning that aren't written
  /** @type {Drawn} */
  drawn = { bars: [], anchors: [] };
  /** @type {[number, number] | null} */
  selection = null;
  playhead = 0;
  turn = 0;
  width = 0; // that is drawn for; 0: nothing is
  systems = 0;
  height = 0;
  zoom = 1;
  shownSystem = -1;
  /** @type {Anchor | null | undefined} */
  shown; // where the cursor stands; undefined: to be shown anew
  /** @type {Drag | null} */
  drag = null;

  /**
   * `element` is the score's, and scrolls. `onSeek(ms)`: a note was clicked; `onSelect([first, last] | null)`: bars were chosen, from 0.
   * @param {HTMLElement} element @param {ScoreCalls} [calls]
   */
  constructor(element, { onSeek = () => {}, onSelect = () => {} } = {}) {
    this.element = element;
    this.onSeek = onSeek;
    this.onSelect = onSelect;
    this.state = document.createElement("p");
    this.state.className = "score-state";
    this.state.setAttribute("role", "status");
    this.sheet = document.createElement("div");
    this.sheet.className = "score-sheet";
    this.sheet.hidden = true;
    this.music = document.createElement("div");
    this.music.setAttribute("aria-hidden", "true"); // what it says, the slider and the chords say in words
    this.marks = document.createElement("div");
    this.cursor = document.createElement("div");
    this.cursor.className = "score-cursor";
    this.cursor.hidden = true;
    this.sheet.append(this.marks, this.cursor, this.music);
    element.append(this.sheet, this.state); // what is said of the drawing stands where the rest will
    this.setUpSheet();
    new ResizeObserver(() => this.resized()).observe(element);
  }

  setUpSheet() {
    const { sheet } = this;
    sheet.tabIndex = 0;
    sheet.setAttribute("role", "slider");
    sheet.setAttribute("aria-label", "Place in the score");
    sheet.setAttribute("aria-valuemin", "1");
    sheet.addEventListener("keydown", (event) => this.key(event));
    for (const kind of /** @type {const} */ (["pointerdown", "pointermove", "pointerup", "pointercancel"])) {
      sheet.addEventListener(kind, (event) => this.pointer(event));
    }
    sheet.addEventListener("contextmenu", (event) => this.drag?.timer === 0 && event.preventDefault()); // a long press has done its work
  }

  /**
   * Show a piece; gives whether all of it was drawn (not where another came meanwhile, or where it can't be drawn: that is said).
   * @param {string} musicxml @param {number[]} lines the bar lines in ms, the last one the end
   */
  async load(musicxml, lines) {
    this.clear();
    try {
      this.score = parseScore(musicxml);
    } catch (error) {
      this.say(error instanceof Error ? error.message : FAILED);
      return false;
    }
    const written = barLengths(this.score);
    this.silent = Math.max(lines.length - 1 - written.length, 0);
    this.quarters = [...new Array(this.silent).fill(0), ...written];
    const all = continued(lines, this.quarters);
    this.lines = hasPickup(this.score) ? withoutSilence(all, this.quarters, this.silent) : all;
    this.sheet.setAttribute("aria-valuemax", String(this.quarters.length));
    return this.draw();
  }

  /** Nothing is shown, or what is being waited for. @param {string} [sentence] */
  clear(sentence = "") {
    this.turn += 1;
    this.score = null;
    this.drawn = { bars: [], anchors: [] };
    this.selection = null;
    this.width = 0;
    this.playhead = 0;
    this.music.replaceChildren();
    this.sheet.hidden = true;
    this.shown = undefined;
    this.showPlayhead();
    this.showSelection();
    this.say(sentence);
  }

  /** @param {string} sentence */
  say(sentence) {
    this.state.textContent = sentence;
    this.state.hidden = !sentence;
  }

  async draw() {
    const turn = (this.turn += 1);
    const { score } = this;
    const width = this.element.clientWidth;
    if (!score || !width) return false; // hidden: drawn when it's seen
    this.width = width;
    this.say("Drawing the score …");
    this.element.setAttribute("aria-busy", "true");
    try {
      await this.drawBars(score, width, () => this.turn !== turn);
    } catch (error) {
      if (this.turn === turn) {
        this.width = 0;
        this.say(error instanceof Error && error.message.endsWith(".") ? error.message : FAILED);
      }
    }
    if (this.turn !== turn) return false;
    this.element.setAttribute("aria-busy", "false");
    return this.width > 0;
  }

  /** @param {Document} score @param {number} width @param {() => boolean} superseded */
  async drawBars(score, width, superseded) {
    const library = await loadLibrary();
    await document.fonts.ready;
    const zoom = width < 480 ? 0.58 : width < 760 ? 0.7 : 0.8;
    const end = this.quarters.length - 1;
    let old = this.music.childElementCount > 0; // stays until there is something new
    let size = FIRST_BARS;
    for (let first = this.silent; first <= end; ) {
      const last = Math.min(first + size - 1, end);
      const block = document.createElement("div");
      block.className = "score-block";
      block.style.width = `${width}px`;
      this.element.append(block); // it must be laid out to be measured; it isn't seen there
      const wanted = { first, last: last === end, lines: this.lines, quarters: this.quarters, zoom };
      const done = await engrave(library, block, excerpt(score, first - this.silent, last - this.silent, this.silent + 1), wanted, idle).finally(() => block.remove());
      if (superseded()) return;
      if (!done.height) {
        size *= 2; // no whole system
        continue;
      }
      if (old || first === this.silent) this.begin(zoom);
      old = false;
      this.add(block, done);
      first = Math.max(done.next, first + 1);
      if (first <= end) this.say(`Drawing bar ${first + 1} of ${end + 1} …`);
      const least = Math.ceil((2 * done.bars.length) / (done.systems || 1)); // two systems, one of which is kept
      size = Math.min(Math.max(Math.round((size * TASK_MS) / done.took), least, FEWEST_BARS), Math.max(MOST_BARS, least));
    }
    this.say("");
  }

  /** @param {number} zoom */
  begin(zoom) {
    this.music.replaceChildren();
    Object.assign(this, { zoom, systems: 0, height: 0, shownSystem: -1 });
    this.drawn = { bars: [], anchors: [] };
    this.sheet.hidden = false;
  }

  /** @param {HTMLElement} block @param {import("./engraver.js").Engraved} done */
  add(block, { height, bars, anchors }) {
    block.style.height = `${height}px`;
    block.style.containIntrinsicSize = `auto ${height}px`;
    block.classList.add("drawn");
    this.music.append(block);
    const { systems, height: top } = this;
    this.drawn.bars.push(...bars.map((box) => ({ ...box, system: box.system + systems, top: box.top + top, bottom: box.bottom + top })));
    this.drawn.anchors.push(...anchors.map((anchor) => ({ ...anchor, system: anchor.system + systems })));
    this.systems += (bars[bars.length - 1]?.system ?? -1) + 1;
    this.height += height;
    this.shown = undefined;
    this.showPlayhead();
    this.showSelection();
  }

  resized() {
    const width = this.element.clientWidth;
    clearTimeout(this.settling);
    if (!this.score || !width || Math.abs(width - this.width) < 8) return;
    this.settling = setTimeout(() => this.draw(), this.width ? SETTLED_MS : 0);
  }

  /** The cursor goes to the notes that sound at a time; while they move on, their system is kept in sight. @param {number} ms */
  setPlayhead(ms) {
    this.playhead = ms;
    this.showPlayhead();
  }

  showPlayhead() {
    const { cursor, sheet, drawn } = this;
    const anchor = anchorAt(drawn.anchors, this.playhead) ?? drawn.anchors[0] ?? null;
    const bar = Math.max(barAt(this.lines, this.playhead), 0);
    const now = String(bar + 1);
    if (sheet.getAttribute("aria-valuenow") !== now) {
      sheet.setAttribute("aria-valuenow", now);
      sheet.setAttribute("aria-valuetext", `bar ${now} of ${this.quarters.length}`);
      this.shown = undefined;
    }
    if (anchor === this.shown) return;
    this.shown = anchor;
    const box = anchor && drawn.bars.find((one) => one.bar === anchor.bar);
    cursor.hidden = !box || bar > drawn.bars[drawn.bars.length - 1].bar; // not drawn yet
    if (!box || cursor.hidden) return;
    const width = CURSOR_PX * this.zoom;
    cursor.style.width = `${width}px`;
    cursor.style.height = `${box.bottom - box.top + 20}px`;
    cursor.style.transform = `translate(${anchor.x - width / 2}px, ${box.top - 10}px)`;
    if (anchor.system !== this.shownSystem) this.reveal(anchor.system, box.top, box.bottom);
  }

  /** @param {number} system @param {number} top @param {number} bottom */
  reveal(system, top, bottom) {
    const { element } = this;
    this.shownSystem = system;
    const [above, below] = [element.scrollTop, element.scrollTop + element.clientHeight];
    if (this.drag || (top >= above && bottom <= below)) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollTo({ top: Math.max(top - 50, 0), behavior: calm ? "auto" : "smooth" });
  }

  /** @param {[number, number] | null} bars from 0, the last included */
  setSelection(bars) {
    this.selection = bars;
    this.showSelection();
  }

  showSelection() {
    const boxes = boxesOf(this.drawn.bars, this.selection).map(({ left, right, top, bottom }) => {
      const mark = document.createElement("div");
      mark.className = "score-selection";
      Object.assign(mark.style, { left: `${left}px`, top: `${top - 14}px`, width: `${right - left}px`, height: `${bottom - top + 28}px` });
      return mark;
    });
    this.marks.replaceChildren(...boxes);
  }

  /** @param {[number, number] | null} bars */
  select(bars) {
    this.setSelection(bars);
    this.onSelect(bars);
  }

  /** @param {PointerEvent} event */
  pointer(event) {
    if (event.type === "pointerdown" && event.button === 0) this.press(event);
    else if (event.type === "pointermove") this.move(event);
    else if (event.type === "pointerup") this.lift(event);
    else if (event.type === "pointercancel") this.letGo();
  }

  /** @param {PointerEvent} event */
  press(event) {
    const { x, y } = this.placeOf(event);
    const box = barBoxAt(this.drawn.bars, x, y);
    if (!box) return;
    const mouse = event.pointerType === "mouse";
    if (mouse) this.sheet.setPointerCapture(event.pointerId);
    /** @type {Drag} */
    const drag = { bar: box.bar, x, y, moved: false, timer: 1 };
    if (!mouse) {
      drag.timer = setTimeout(() => {
        drag.timer = 0;
        this.selectTo(box.bar, box.bar);
      }, LONG_PRESS_MS);
    }
    this.drag = drag;
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { drag } = this;
    if (!drag) return;
    const { x, y } = this.placeOf(event);
    const far = Math.hypot(x - drag.x, y - drag.y) > DRAG_PX;
    if (far && event.pointerType !== "mouse" && drag.timer) return this.letGo(); // a finger that scrolls
    drag.moved ||= far;
    if (drag.moved || !drag.timer) this.selectTo(drag.bar, barBoxAt(this.drawn.bars, x, y)?.bar ?? drag.bar);
  }

  /** @param {PointerEvent} event */
  lift(event) {
    const { drag } = this;
    this.letGo();
    if (!drag || drag.moved || !drag.timer) return; // bars were chosen
    const { x, y } = this.placeOf(event);
    const ms = msAt(this.drawn, x, y);
    if (ms === null) return;
    const bar = barAt(this.lines, ms);
    if (this.selection && (bar < this.selection[0] || bar > this.selection[1])) this.select(null);
    this.onSeek(ms);
  }

  letGo() {
    clearTimeout(this.drag?.timer);
    this.drag = null;
  }

  /** @param {number} one @param {number} other */
  selectTo(one, other) {
    const [first, last] = [Math.min(one, other), Math.max(one, other)];
    if (this.selection?.[0] !== first || this.selection[1] !== last) this.select([first, last]);
  }

  /** @param {PointerEvent} event */
  placeOf(event) {
    const { left, top } = this.sheet.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** Arrows go from bar to bar, with Shift they select, Escape selects nothing. @param {KeyboardEvent} event */
  key(event) {
    const last = this.quarters.length - 1;
    const bar = Math.max(barAt(this.lines, this.playhead), 0);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && this.selection) this.select(null);
    else if (event.key === "Home" || event.key === "End") this.onSeek(this.lines[event.key === "Home" ? 0 : last] ?? 0);
    else if (step === undefined) return;
    else if (event.shiftKey) this.extend(bar, step, last);
    else this.onSeek(this.lines[Math.min(Math.max(bar + step, 0), last)] ?? 0);
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} bar @param {number} step @param {number} last */
  extend(bar, step, last) {
    const [from, to] = this.selection ?? [bar, bar - step];
    const end = Math.min(Math.max(to + step, 0), last);
    if (end >= from) this.select([from, end]);
    else this.select(step < 0 ? [end, from] : null);
  }

  /** All that is drawn as one picture: an SVG file's text; "" where nothing is. */
  svg() {
    const blocks = [...this.music.children];
    if (!blocks.length) return "";
    const ink = "#1f2328"; // on paper, whatever the page's colours are
    let top = 0;
    const parts = blocks.map((block) => {
      const svg = /** @type {SVGSVGElement} */ (/** @type {Element} */ (block.querySelector("svg")).cloneNode(true));
      svg.setAttribute("y", String(top));
      svg.removeAttribute("style");
      svg.setAttribute("color", ink);
      top += Number(svg.getAttribute("height"));
      return new XMLSerializer().serializeToString(svg);
    });
    const size = `width="${this.width}" height="${top}" viewBox="0 0 ${this.width} ${top}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect width="100%" height="100%" fill="#ffffff"/>${parts.join("")}</svg>`;
  }

  /** The browser's dialog to print or to save as PDF, the score on pages of its own. @param {string} [title] */
  async print(title = "") {
    if (this.score) await printScore(await loadLibrary(), this.score, title);
  }
}

/** When the browser has nothing better to do: playback and clicks come first. @returns {Promise<void>} */
function idle() {
  return new Promise((done) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(() => done(), { timeout: 400 });
    else setTimeout(done, 20);
  });
}
