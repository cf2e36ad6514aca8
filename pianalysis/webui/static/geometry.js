// Where things are on the roll: times to x, pitches to y, and back. Numbers only.

/** @import {Bars, Row} from "./types.js" */

export const KEYS_WIDTH = 38;
export const RULER_HEIGHT = 24;
export const FOOT_HEIGHT = 16;
const MS_PER_PX = 17;
const LEAST_SHOWN_MS = 4_000;
const RIGHT_MARGIN = 8;

/**
 * What is seen. shownMs: how much time fits the width. scroll: px scrolled from the start. low, high: pitches.
 * @typedef {{width: number, height: number, startMs: number, endMs: number, shownMs: number, scroll: number, low: number, high: number}} View
 */

/** How much time a width shows at first: about 17 ms a pixel, never more than the piece. @param {number} width @param {number} spanMs */
export function shownAtFirst(width, spanMs) {
  return Math.min(Math.max((width - KEYS_WIDTH) * MS_PER_PX, 6_000), Math.max(spanMs, 8_000));
}

/** @param {number} shownMs @param {number} factor @param {number} spanMs */
export function zoomed(shownMs, factor, spanMs) {
  return Math.min(Math.max(shownMs * factor, LEAST_SHOWN_MS), Math.max(spanMs, 8_000));
}

/** px a ms. @param {View} view */
export function scale({ width, shownMs }) {
  return (width - KEYS_WIDTH - RIGHT_MARGIN) / shownMs;
}

/** @param {View} view @param {number} ms */
export function xOf(view, ms) {
  return KEYS_WIDTH + (ms - view.startMs) * scale(view) - view.scroll;
}

/** @param {View} view @param {number} x */
export function msOf(view, x) {
  return (x - KEYS_WIDTH + view.scroll) / scale(view) + view.startMs;
}

/** @param {View} view */
export function rowHeight({ height, low, high }) {
  return (height - RULER_HEIGHT - FOOT_HEIGHT) / (high - low + 1);
}

/** The top of a key's row. @param {View} view @param {number} pitch */
export function yOf(view, pitch) {
  return RULER_HEIGHT + (view.high - pitch) * rowHeight(view);
}

/** How wide all of the piece is, at least as wide as what is seen. @param {View} view */
export function fullWidth(view) {
  return Math.max(KEYS_WIDTH + RIGHT_MARGIN + (view.endMs - view.startMs) * scale(view), view.width);
}

/** How far to scroll so that a playhead stays in sight; 0 where it is. @param {View} view @param {number} ms */
export function toFollow(view, ms) {
  const x = xOf(view, ms);
  const inner = view.width - KEYS_WIDTH;
  return x < KEYS_WIDTH || x > KEYS_WIDTH + inner * 0.85 ? x - KEYS_WIDTH - inner * 0.1 : 0;
}

/** The bar, from 0, that a time is in. @param {number[]} bars @param {number} ms */
export function barAt(bars, ms) {
  let bar = 0;
  while (bar < bars.length - 2 && /** @type {number} */ (bars[bar + 1]) <= ms) bar += 1;
  return bar;
}

/** Selected bars as [from, to] in ms. @param {number[]} bars @param {Bars | null} selection @returns {[number, number] | null} */
export function spanOf(bars, selection) {
  if (!selection || bars.length < 2) return null;
  return [bars[selection[0]] ?? 0, bars[Math.min(selection[1] + 1, bars.length - 1)] ?? 0];
}

/** The keys that are shown: all that sound, a few more, at least two octaves. @param {Row[]} notes @param {number} transpose @returns {[number, number]} */
export function keyRange(notes, transpose = 0) {
  let low = 55;
  let high = 79;
  for (const note of notes) {
    low = Math.min(low, note[2] + transpose);
    high = Math.max(high, note[2] + transpose);
  }
  return [low - 3, high + 3];
}

/** Every how many bars a number stands. @param {number} barPx */
export function numberEvery(barPx) {
  return [1, 2, 4, 8, 16].find((step) => step * barPx > 26) ?? 32;
}
