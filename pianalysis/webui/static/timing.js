// The transport's timing, without a sound: what time of the piece is heard at what time of the clock, loops included.

/** @import {Row} from "./types.js" */

/** Place `ms` of the piece sounds at `at` seconds of the clock; from then on `rate` times as fast. @typedef {{at: number, ms: number}} Anchor */
/** @typedef {{anchor: Anchor, rate: number, loop: [number, number] | null}} Course */
/** A stretch of the piece, from and to in ms, that begins to sound at `at` seconds. @typedef {{from: number, to: number, at: number, wraps: boolean}} Stretch */

/** The place in the piece, in ms, at a time of the clock, in seconds. @param {Course} course @param {number} now */
export function placeAt({ anchor, rate, loop }, now) {
  const ms = anchor.ms + Math.max(now - anchor.at, 0) * 1000 * rate;
  if (!loop || anchor.ms >= loop[1] || ms < loop[1]) return ms;
  return loop[0] + ((ms - loop[0]) % (loop[1] - loop[0]));
}

/**
 * The stretches of the piece that sound between two times of the clock: one, or more where a loop begins again in between. A
 * pass of the loop lasts exactly as long as the loop.
 * @param {Course} course @param {number} from @param {number} until @returns {Stretch[]}
 */
export function stretches(course, from, until) {
  const { rate, loop } = course;
  const found = [];
  let at = Math.max(from, course.anchor.at);
  let ms = placeAt(course, at);
  let wraps = false;
  while (at < until - 1e-9) {
    const border = loop && course.anchor.ms < loop[1] && ms < loop[1] ? loop[1] : Infinity;
    const to = Math.min(ms + (until - at) * 1000 * rate, border);
    found.push({ from: ms, to, at, wraps });
    at += (to - ms) / 1000 / rate;
    wraps = to === border;
    ms = wraps && loop ? loop[0] : to;
  }
  return found;
}

/** The index of the first note at or after a time; notes are sorted by onset. @param {Row[]} notes @param {number} ms */
export function firstAt(notes, ms) {
  let low = 0;
  let high = notes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {Row} */ (notes[middle])[0] < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

const WORTH_STRIKING_MS = 150;

/** The notes that begin in [from, to). @param {Row[]} notes @param {number} from @param {number} to */
export function begun(notes, from, to) {
  return notes.slice(firstAt(notes, from), firstAt(notes, to));
}

/** The notes that are held at a time and go on for long enough to be struck there, cut to what is left. @param {Row[]} notes @param {number} ms @returns {Row[]} */
export function heldAt(notes, ms) {
  /** @type {Row[]} */
  const held = [];
  for (let index = firstAt(notes, ms - 20_000); index < notes.length; index += 1) {
    const [onset, duration, pitch, velocity] = /** @type {Row} */ (notes[index]);
    if (onset >= ms) break;
    if (onset + duration - ms > WORTH_STRIKING_MS) held.push([ms, onset + duration - ms, pitch, velocity]);
  }
  return held;
}

/** Where a piece begins to sound. @param {Row[][]} parts */
export function firstSound(...parts) {
  const first = Math.min(...parts.map((notes) => notes[0]?.[0] ?? Infinity));
  return Number.isFinite(first) ? Math.max(first, 0) : 0;
}

/** @param {{melody: Row[], notes?: Row[], bar_lines_ms: number[]}} piece */
export function endOf({ melody, notes = [], bar_lines_ms: bars }) {
  return [...melody, ...notes].reduce((end, [onset, duration]) => Math.max(end, onset + duration), bars.at(-1) ?? 0);
}

/** How many clicks a bar of a metre has, and where its weight lies: 6/8 has two. @param {string} metre */
export function beatsOf(metre) {
  const [above = 4, below = 4] = metre.split("/").map(Number);
  return below >= 8 && above > 3 && above % 3 === 0 ? above / 3 : above || 4;
}

/** The metronome's clicks of a piece: ms and whether a bar begins. @param {number[]} bars bar lines in ms @param {number} beats */
export function clicks(bars, beats) {
  /** @type {Row[]} */
  const found = [];
  const usual = middleOf(bars.slice(1).map((bar, index) => bar - /** @type {number} */ (bars[index])));
  for (let index = 0; index + 1 < bars.length; index += 1) {
    const start = /** @type {number} */ (bars[index]);
    const end = /** @type {number} */ (bars[index + 1]);
    const short = end - start < usual * 0.9;
    const beat = short ? usual / beats : (end - start) / beats;
    // a pickup's clicks count from its end
    const from = short ? end - Math.floor((end - start + 1) / beat) * beat : start;
    for (let ms = from, count = 0; ms < end - 1; ms += beat, count += 1) found.push([ms, 40, !short && count === 0 ? 1 : 0, 100]);
  }
  return found;
}

/** @param {number[]} values */
function middleOf(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
