// The piano roll: melody and two hands on one time line, growing while it's written; click to jump, drag for bars.

import { barAt, fullWidth, keyRange, KEYS_WIDTH, msOf, shownAtFirst, spanOf, toFollow, xOf, zoomed } from "./geometry.js";
import { drawRoll, readColours } from "./rolldraw.js";

/** @import {Bars, Row} from "./types.js" */
/** @import {View} from "./geometry.js" */
/** @typedef {"melody" | "right" | "left"} PartName */
/** @typedef {{onSeek: (ms: number) => void, onSelect: (bars: Bars | null, how: string) => void, onView: (view: {xOf: (ms: number) => number, left: number, right: number}) => void}} Told */

const DRAG_PX = 6;
const LONG_PRESS_MS = 420;

export class Roll {
  /** `scroller` holds a canvas and a spacer; bars are counted from 0. @param {HTMLElement} scroller @param {Told} told */
  constructor(scroller, told) {
    this.scroller = scroller;
    this.canvas = /** @type {HTMLCanvasElement} */ (scroller.querySelector("canvas"));
    this.spacer = /** @type {HTMLElement} */ (scroller.querySelector(".spacer"));
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.told = told;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    /** @type {Record<PartName, Row[]>} */
    this.parts = { melody: [], right: [], left: [] };
    /** @type {Record<PartName, number>} */
    this.gains = { melody: 1, right: 1, left: 1 };
    this.transpose = 0;
    this.rate = 1;
    /** @type {number[]} */
    this.bars = [];
    this.writing = false;
    this.writtenMs = 0;
    this.playhead = 0;
    /** @type {Bars | null} */
    this.selection = null;
    /** @type {Map<Row, number>} */
    this.born = new Map();
    /** @type {{x: number, bar: number, moved: boolean, touch: boolean, selecting: boolean} | null} */
    this.drag = null;
    /** @type {View} */
    this.view = { width: 300, height: 200, startMs: 0, endMs: 0, shownMs: 8_000, scroll: 0, low: 48, high: 84 };
    this.chosenZoom = false;
    this.frame = 0;
    this.colours = readColours();
    new ResizeObserver(() => this.resize()).observe(scroller);
    scroller.addEventListener("scroll", () => this.scrolled());
    scroller.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    for (const kind of /** @type {const} */ (["pointerdown", "pointermove", "pointerup", "pointercancel"])) {
      this.canvas.addEventListener(kind, (event) => this.pointer(event));
    }
    this.canvas.addEventListener("touchmove", (event) => this.drag?.selecting && event.preventDefault(), { passive: false });
    this.canvas.addEventListener("contextmenu", (event) => this.drag?.touch && event.preventDefault());
  }

  readColours() {
    this.colours = readColours();
    this.touch();
  }

  /**
   * A new piece; `bars` are the bar lines in ms, the last one its end. With `keep` the place that is seen stays.
   * @param {{melody: Row[], right?: Row[], left?: Row[], bars: number[], writing?: boolean, writtenMs?: number}} piece
   */
  setPiece({ melody, right = [], left = [], bars, writing = false, writtenMs = bars.at(-1) ?? 0 }, { keep = false } = {}) {
    this.parts = { melody, right, left };
    this.bars = bars;
    this.writing = writing;
    this.writtenMs = writtenMs;
    this.born = new Map();
    this.drag = null;
    this.view.startMs = Math.min(0, bars[0] ?? 0);
    this.view.endMs = Math.max(bars.at(-1) ?? 0, ...melody.map(([onset, duration]) => onset + duration));
    if (!keep) {
      this.chosenZoom = false;
      this.selection = null;
    }
    this.fitRange();
    this.resize();
    if (!keep) this.scroller.scrollLeft = 0;
    this.scrolled();
  }

  /** More of the two hands. @param {{right: Row[], left: Row[]}} hands @param {number} writtenMs */
  grow({ right, left }, writtenMs) {
    const now = performance.now();
    const known = new Set([...this.parts.right, ...this.parts.left]);
    for (const note of [...right, ...left]) if (!known.has(note)) this.born.set(note, now);
    Object.assign(this.parts, { right, left });
    this.writtenMs = writtenMs;
    this.fitRange();
    this.touch();
  }

  fitRange() {
    const [low, high] = keyRange([...this.parts.melody, ...this.parts.right, ...this.parts.left], this.transpose);
    Object.assign(this.view, { low, high });
  }

  /** How it's heard: the gains of melody and piano, the transposition, the speed. @param {{melody: number, accompaniment: number, transpose: number, rate: number}} heard */
  setHeard({ melody, accompaniment, transpose, rate }) {
    this.gains = { melody, right: accompaniment, left: accompaniment };
    Object.assign(this, { transpose, rate });
    this.fitRange();
    this.touch();
  }

  /** @param {number} ms @param {boolean} playing */
  setPlayhead(ms, playing) {
    if (ms === this.playhead && !playing) return;
    this.playhead = ms;
    if (playing && !this.drag) this.scroller.scrollLeft += toFollow(this.view, ms);
    this.touch();
  }

  /** Scroll so that a time is in sight. @param {number} ms */
  show(ms) {
    this.scroller.scrollLeft += toFollow(this.view, ms);
  }

  /** @param {Bars | null} bars @param {string} how by what it was selected: drag, press, keys or page */
  setSelection(bars, how = "page") {
    this.selection = bars;
    this.told.onSelect(bars, how);
    this.touch();
  }

  /** @param {number} factor @param {number} x where the time stays that is there now */
  zoom(factor, x = KEYS_WIDTH + (this.view.width - KEYS_WIDTH) / 2) {
    const stays = msOf(this.view, x);
    this.chosenZoom = true;
    this.view.shownMs = zoomed(this.view.shownMs, factor, this.view.endMs - this.view.startMs);
    this.resize();
    this.scroller.scrollLeft += xOf(this.view, stays) - x;
    this.scrolled();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, event.clientX - this.canvas.getBoundingClientRect().left);
  }

  scrolled() {
    this.view.scroll = this.scroller.scrollLeft;
    const { view } = this;
    this.told.onView({ xOf: (ms) => xOf(view, ms), left: KEYS_WIDTH, right: view.width });
    this.touch();
  }

  resize() {
    const width = this.scroller.clientWidth || this.view.width;
    const height = this.scroller.clientHeight || this.view.height;
    Object.assign(this.view, { width, height });
    const span = this.view.endMs - this.view.startMs;
    this.view.shownMs = this.chosenZoom ? Math.min(this.view.shownMs, Math.max(span, 8_000)) : shownAtFirst(width, span);
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.spacer.style.width = `${fullWidth(this.view)}px`;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.scrolled();
  }

  /** Draw again, with the next frame. */
  touch() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (drawRoll(this)) this.touch();
    });
  }

  /** Where a time is, in px from the left of what is seen. @param {number} ms */
  xOf(ms) {
    return xOf(this.view, ms);
  }

  selectionMs() {
    return spanOf(this.bars, this.selection);
  }

  /** @param {number} ms */
  barAt(ms) {
    return barAt(this.bars, ms);
  }

  /** @param {PointerEvent} event */
  pointer(event) {
    if (!this.bars.length) return;
    const x = event.clientX - this.canvas.getBoundingClientRect().left;
    const ms = msOf(this.view, x);
    if (event.type === "pointerdown" && event.button === 0) this.press(event, x, ms);
    else if (event.type === "pointermove" && this.drag) this.move(event, x, ms);
    else if (event.type === "pointerup" && this.drag) this.lift(event, x, ms);
    else if (event.type === "pointercancel") this.drag = null; // a finger that scrolls
  }

  /** @param {PointerEvent} event @param {number} x @param {number} ms */
  press(event, x, ms) {
    const touch = event.pointerType !== "mouse";
    const drag = { x, bar: this.barAt(ms), moved: false, touch, selecting: false };
    this.drag = drag;
    if (!touch) return this.canvas.setPointerCapture(event.pointerId);
    setTimeout(() => {
      if (this.drag !== drag || drag.moved) return;
      drag.selecting = true;
      navigator.vibrate?.(8);
      this.setSelection([drag.bar, drag.bar], "press");
    }, LONG_PRESS_MS);
    return undefined;
  }

  /** @param {PointerEvent} event @param {number} x @param {number} ms */
  move(event, x, ms) {
    const drag = /** @type {NonNullable<Roll["drag"]>} */ (this.drag);
    drag.moved ||= Math.abs(x - drag.x) > DRAG_PX;
    if (!drag.moved || (drag.touch && !drag.selecting)) return;
    const bar = this.barAt(ms);
    this.setSelection(drag.bar < bar ? [drag.bar, bar] : [bar, drag.bar], "drag");
  }

  /** @param {PointerEvent} event @param {number} x @param {number} ms */
  lift(event, x, ms) {
    const drag = /** @type {NonNullable<Roll["drag"]>} */ (this.drag);
    this.drag = null;
    if (drag.moved || drag.selecting) {
      if (this.selection && (drag.selecting || !drag.touch)) this.setSelection(this.selection, "done");
      return;
    }
    const span = this.selectionMs();
    if (span && (ms < span[0] || ms >= span[1])) this.setSelection(null);
    this.told.onSeek(Math.min(Math.max(ms, 0), this.view.endMs));
  }
}
