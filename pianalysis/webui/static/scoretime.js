// Where a time stands in a drawn score, and which time a place in it means. Pure: numbers in, numbers out.

/**
 * @typedef {{bar: number, system: number, left: number, right: number, top: number, bottom: number}} BarBox
 * A bar as drawn, from 0, in px of the sheet; its system's staves from top to bottom.
 * @typedef {{bar: number, ms: number, x: number, system: number}} Anchor  Where notes begin.
 * @typedef {{bars: BarBox[], anchors: Anchor[]}} Drawn  Both in the order of time.
 */

const EARLY_MS = 2; // times are rounded: a note begins a little before it does

/**
 * The time of a place in a bar. @param {number[]} lines the bar lines in ms, the last one the end
 * @param {number} bar from 0 @param {number} share of the bar, 0 … 1
 */
export function msIn(lines, bar, share) {
  const from = lines[bar] ?? lines[lines.length - 1] ?? 0;
  const to = lines[bar + 1] ?? from;
  return from + (to - from) * Math.min(Math.max(share, 0), 1);
}

/**
 * The bar lines, on to the end of what is written, in the last bar's tempo: a melody may go on where the piece was cut short.
 * @param {number[]} lines in ms @param {number[]} quarters each bar's length
 */
export function continued(lines, quarters) {
  const found = [...lines];
  const last = lines.length - 2;
  const quarter = last < 0 ? 500 : (lines[last + 1] - lines[last]) / (quarters[last] || 4);
  while (found.length && found.length <= quarters.length) found.push(found[found.length - 1] + quarter * quarters[found.length - 1]);
  return found;
}

/**
 * The bar lines, a pickup's beginning where its notes are written: a score leaves out the silence before them, the music doesn't.
 * @param {number[]} lines in ms @param {number[]} quarters each bar's length as written @param {number} pickup its number, from 0
 */
export function withoutSilence(lines, quarters, pickup) {
  const [from, to, end] = lines.slice(pickup, pickup + 3);
  const [short, whole] = quarters.slice(pickup, pickup + 2);
  if (end === undefined || !short || !whole || short >= whole) return lines;
  const off = (/** @type {number} */ written) => Math.abs(Math.log((to - from) / written / ((end - to) / whole)));
  if (off(short) <= off(whole)) return lines; // the bar lasts as long as what is written of it
  return lines.map((ms, bar) => (bar === pickup ? to - ((to - from) * short) / whole : ms));
}

/** The bar, from 0, that a time is in; −1 before the first. @param {number[]} lines @param {number} ms */
export function barAt(lines, ms) {
  const last = lines.length - 2;
  if (last < 0 || ms < lines[0] - EARLY_MS) return -1;
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle] <= ms + EARLY_MS) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The notes that sound at a time, by where they begin: the last that have begun; null before all. @param {Anchor[]} anchors @param {number} ms */
export function anchorAt(anchors, ms) {
  let low = 0;
  let high = anchors.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (anchors[middle].ms <= ms + EARLY_MS) low = middle + 1;
    else high = middle;
  }
  return low > 0 ? anchors[low - 1] : null;
}

/** The bar that a place means: in the nearest system, the bar there. @param {BarBox[]} bars @param {number} x @param {number} y @returns {BarBox | null} */
export function barBoxAt(bars, x, y) {
  const away = (/** @type {BarBox} */ box) => Math.max(box.top - y, y - box.bottom, 0);
  let best = null;
  for (const box of bars) {
    if (best === null || away(box) < away(best)) best = box;
    else if (box.system === best.system && x >= box.left) best = box;
  }
  return best;
}

/** The time that a place means: that of the nearest note in its bar. @param {Drawn} drawn @param {number} x @param {number} y @returns {number | null} */
export function msAt({ bars, anchors }, x, y) {
  const box = barBoxAt(bars, x, y);
  if (!box) return null;
  const near = anchors.filter(({ bar }) => bar === box.bar).sort((one, other) => Math.abs(one.x - x) - Math.abs(other.x - x));
  return near[0]?.ms ?? null;
}

/** Selected bars as boxes, one a system. @param {BarBox[]} bars @param {[number, number] | null} selection first and last, from 0 @returns {BarBox[]} */
export function boxesOf(bars, selection) {
  /** @type {Map<number, BarBox>} */
  const found = new Map();
  for (const box of bars) {
    if (!selection || box.bar < selection[0] || box.bar > selection[1]) continue;
    const before = found.get(box.system);
    found.set(box.system, before ? { ...before, right: box.right } : box);
  }
  return [...found.values()];
}
