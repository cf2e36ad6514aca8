// The lane of chords above the bars: one button a chord, as wide as it lasts, in whatever geometry the roll or the score has.

/**
 * @typedef {{start_ms: number, end_ms: number, bar: number, beat: number, symbol: string, probability: number | null}} ChordInfo
 * Bar and beat from 1; the probability is null for a chord that somebody gave.
 * @typedef {{xOf: (ms: number) => number, left: number, right: number}} View
 * Where a time stands in the lane's own pixels, and between which of them it's seen.
 * @typedef {{onOpen?: (index: number, button: HTMLButtonElement) => void, onReveal?: (ms: number) => void, onPan?: (pixels: number) => void}} LaneCalls
 */

const GAP_PX = 2;
const LEAST_PX = 24; // a finger's least target; a shorter chord's button reaches over the next one's beginning
const PAN_PX = 8;

export class ChordLane {
  /** @type {ChordInfo[]} */
  chords = [];
  /** @type {View | null} */
  view = null;
  /** @type {Map<number, HTMLButtonElement>} */
  buttons = new Map();
  current = -1; // the chord that sounds
  reached = 0; // the one that Tab goes to
  /** @type {{x: number, id: number, moved: boolean} | null} */
  drag = null;

  /**
   * `element` is empty and stands above the bars. `onOpen(index, button)`: a chord was chosen; `onReveal(ms)`: the keyboard went
   * to a chord that may be out of sight; `onPan(pixels)`: the lane was pushed or scrolled sideways.
   * @param {HTMLElement} element @param {LaneCalls} [calls]
   */
  constructor(element, { onOpen = () => {}, onReveal = () => {}, onPan = () => {} } = {}) {
    this.element = element;
    this.onOpen = onOpen;
    this.onReveal = onReveal;
    this.onPan = onPan;
    element.classList.add("chord-lane");
    element.setAttribute("role", "toolbar");
    element.setAttribute("aria-label", "Chords");
    element.addEventListener("click", (event) => this.click(event));
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("focusin", (event) => this.focused(event));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    for (const kind of /** @type {const} */ (["pointerdown", "pointermove", "pointerup", "pointercancel"])) {
      element.addEventListener(kind, (event) => this.pointer(event));
    }
  }

  /** In order of their beginnings; an empty list empties the lane. @param {ChordInfo[]} chords */
  setChords(chords) {
    const focused = this.buttons.get(this.reached) === document.activeElement && this.chords.length > 0;
    const ms = this.chords[this.reached]?.start_ms ?? 0;
    this.chords = chords;
    for (const button of this.buttons.values()) button.remove();
    this.buttons.clear();
    this.current = -1;
    this.reached = Math.max(chordAt(chords, ms), 0);
    this.draw();
    if (focused) this.buttons.get(this.reached)?.focus({ preventScroll: true });
  }

  /** @param {View} view */
  setView(view) {
    this.view = view;
    this.draw();
  }

  /** The chord that sounds now is marked. @param {number} ms */
  setPlayhead(ms) {
    const index = chordAt(this.chords, ms);
    if (index === this.current) return;
    this.buttons.get(this.current)?.classList.remove("sounds");
    this.buttons.get(index)?.classList.add("sounds");
    this.current = index;
  }

  /** Which chord's picker is open; none: −1. @param {number} index */
  setOpen(index) {
    for (const [number, button] of this.buttons) button.setAttribute("aria-expanded", String(number === index));
  }

  /** @param {number} index */
  focus(index) {
    if (!this.chords[index]) return;
    this.reached = index;
    this.onReveal(this.chords[index].start_ms);
    this.draw();
    this.buttons.get(index)?.focus({ preventScroll: true });
  }

  /** Buttons for what is in sight, and for the one that Tab goes to. */
  draw() {
    const { view, chords } = this;
    if (!view) return;
    const seen = inSight(chords, view);
    const wanted = new Set(seen);
    if (chords.length) wanted.add(this.reached);
    for (const [index, button] of this.buttons) {
      if (wanted.has(index)) continue;
      button.remove();
      this.buttons.delete(index);
    }
    for (const index of [...wanted].sort((one, other) => one - other)) {
      const button = this.buttons.get(index) ?? this.make(index);
      const { left, width } = boxOf(chords[index], view);
      button.style.transform = `translateX(${left.toFixed(1)}px)`;
      button.style.width = `${width.toFixed(1)}px`;
      button.tabIndex = index === this.reached ? 0 : -1;
    }
  }

  /** @param {number} index */
  make(index) {
    const chord = this.chords[index];
    const button = document.createElement("button");
    button.type = "button";
    button.className = chord.probability === null ? "chord given" : "chord";
    button.classList.toggle("sounds", index === this.current);
    button.dataset.index = String(index);
    const text = document.createElement("span");
    text.textContent = chord.symbol;
    button.append(text);
    button.setAttribute("aria-label", chordName(chord));
    button.setAttribute("aria-haspopup", "dialog");
    button.setAttribute("aria-expanded", "false");
    const after = [...this.buttons].filter(([other]) => other > index).sort(([one], [other]) => one - other)[0];
    this.element.insertBefore(button, after?.[1] ?? null); // in order, for readers that go through them
    this.buttons.set(index, button);
    return button;
  }

  /** @param {Event} event */
  indexOf(event) {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    return button ? Number(button.dataset.index) : -1;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const index = this.indexOf(event);
    const button = this.buttons.get(index);
    if (button) this.onOpen(index, button);
  }

  /** @param {FocusEvent} event */
  focused(event) {
    const index = this.indexOf(event);
    const before = this.buttons.get(this.reached);
    if (before) before.tabIndex = -1;
    const button = this.buttons.get(index);
    if (!button) return;
    this.reached = index;
    button.tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const last = this.chords.length - 1;
    const next = event.key === "Home" ? 0 : event.key === "End" ? last : step === undefined ? -1 : this.reached + step;
    if (next < 0 || next > last || event.ctrlKey || event.metaKey || event.altKey) {
      if (step !== undefined) event.stopPropagation(); // an arrow at either end isn't the player's
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.focus(next);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (event.ctrlKey || Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
    event.preventDefault();
    this.onPan(event.deltaX);
  }

  /** A finger that pushes the lane sideways. @param {PointerEvent} event */
  pointer(event) {
    if (event.type === "pointerdown" && event.pointerType === "touch") {
      this.drag = { x: event.clientX, id: event.pointerId, moved: false };
    } else if (event.type === "pointermove" && this.drag?.id === event.pointerId) {
      const by = this.drag.x - event.clientX;
      if (!this.drag.moved && Math.abs(by) < PAN_PX) return;
      if (!this.drag.moved) this.element.setPointerCapture(event.pointerId); // no click at the end of a push
      this.drag.moved = true;
      this.drag.x = event.clientX;
      this.onPan(by);
    } else if (event.type === "pointerup" || event.type === "pointercancel") {
      this.drag = null;
    }
  }
}

/** The number of the chord that sounds at a time; −1: none. @param {ChordInfo[]} chords @param {number} ms */
export function chordAt(chords, ms) {
  const index = lastBefore(chords, ms);
  return index >= 0 && ms < chords[index].end_ms ? index : -1;
}

/** The numbers of the chords of which something is seen. @param {ChordInfo[]} chords @param {View} view @returns {number[]} */
export function inSight(chords, { xOf, left, right }) {
  let low = 0;
  let high = chords.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xOf(chords[middle].end_ms) <= left) low = middle + 1;
    else high = middle;
  }
  const found = [];
  for (let index = low; index < chords.length && xOf(chords[index].start_ms) < right; index += 1) found.push(index);
  return found;
}

/**
 * A chord's place in the lane. One that began before what is seen starts at its edge, so that its name can be read.
 * @param {ChordInfo} chord @param {View} view
 */
export function boxOf(chord, { xOf, left, right }) {
  const from = xOf(chord.start_ms);
  const to = xOf(chord.end_ms) - GAP_PX;
  const start = Math.min(Math.max(from, left), Math.max(to - LEAST_PX, from));
  return { left: start, width: Math.max(Math.min(to, right) - start, Math.min(to - from, LEAST_PX), 4) };
}

/** How a chord is called where it can't be seen. @param {ChordInfo} chord */
export function chordName({ symbol, bar, beat, probability }) {
  const likely = probability === null ? "given" : `likelihood ${percent(probability)}`;
  return `${spoken(symbol)}, bar ${bar}, beat ${Number.isInteger(beat) ? beat : beat.toFixed(1)}, ${likely}`;
}

/** A symbol in words that a screen reader says right: "Bb7" is "B flat 7". @param {string} symbol */
export function spoken(symbol) {
  if (symbol === "N.C.") return "no chord";
  return symbol
    .replace("/", " over ")
    .replace(/(^|over )([A-G])(bb?|##?)?/g, (_, before, letter, sign) => {
      const word = { b: " flat", bb: " double flat", "#": " sharp", "##": " double sharp" }[/** @type {string} */ (sign)] ?? "";
      return `${before}${letter}${word} `;
    })
    .replace(/(^|[A-G] |flat |sharp )m(?!aj)/g, "$1minor ")
    .replace(/[mM]aj/g, "major ")
    .replace(/b(?=\d)/g, " flat ")
    .replace(/#(?=\d)/g, " sharp ")
    .replace(/dim/g, "diminished ")
    .replace(/aug/g, "augmented ")
    .replace(/[(),]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** @param {number} part */
export function percent(part) {
  return part > 0 && part < 0.01 ? "under 1 %" : `${Math.round(part * 100)} %`;
}

/** The last chord that has begun at a time; −1: none. @param {ChordInfo[]} chords @param {number} ms */
function lastBefore(chords, ms) {
  let low = 0;
  let high = chords.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (chords[middle].start_ms <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
