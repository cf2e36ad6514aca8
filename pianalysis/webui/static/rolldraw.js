// How the roll looks: drawn on a canvas from what a Roll knows.

import { clock } from "./choices.js";
import { FOOT_HEIGHT, KEYS_WIDTH, msOf, numberEvery, RULER_HEIGHT, rowHeight, scale, xOf, yOf } from "./geometry.js";
import { firstAt } from "./timing.js";

/** @import {Row} from "./types.js" */
/** @import {PartName, Roll} from "./roll.js" */

const BLACK = new Set([1, 3, 6, 8, 10]);
const FAINTEST = 0.5; // opacity of the softest note
const MUTED = 0.2;
const APPEAR_MS = 350;
const LONGEST_MS = 20_000;
/** @type {PartName[]} */
const ORDER = ["left", "right", "melody"];
const NAMES = ["melody", "right", "left", "roll", "lane", "line", "beat", "muted", "ink", "accent", "select", "key-white", "key-black"];

/** @returns {Record<string, string>} */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  const colours = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return { ...colours, font: style.getPropertyValue("--sans") };
}

/** Draw all of it; true where something still moves. @param {Roll} roll */
export function drawRoll(roll) {
  const { context, view, colours } = roll;
  context.fillStyle = colours.roll ?? "";
  context.fillRect(0, 0, view.width, view.height);
  drawLanes(roll);
  let moves = false;
  if (roll.bars.length) {
    drawSelection(roll);
    drawBars(roll);
    drawUnwritten(roll);
    for (const name of ORDER) moves = drawPart(roll, name) || moves;
    drawPlayhead(roll);
  }
  drawKeys(roll);
  return moves;
}

/** @param {Roll} roll */
function drawLanes({ context, view, colours }) {
  context.fillStyle = colours.lane ?? "";
  for (let pitch = view.low; pitch <= view.high; pitch += 1) {
    if (BLACK.has(pitch % 12)) context.fillRect(KEYS_WIDTH, yOf(view, pitch), view.width, rowHeight(view));
  }
}

/** @param {Roll} roll */
function drawBars({ context, view, colours, bars, rate }) {
  context.font = `12px ${colours.font}`;
  context.textBaseline = "middle";
  const first = bars[0] ?? 0;
  const barPx = (((bars.at(-1) ?? 0) - first) / Math.max(bars.length - 1, 1)) * scale(view);
  const every = numberEvery(barPx);
  bars.forEach((ms, index) => {
    const x = Math.round(xOf(view, ms)) + 0.5;
    if (x < KEYS_WIDTH || x > view.width) return;
    context.fillStyle = colours.line ?? "";
    context.fillRect(x - 0.5, index % every ? RULER_HEIGHT : RULER_HEIGHT - 8, 1, view.height);
    if (index % every === 0 && index < bars.length - 1) {
      context.fillStyle = colours.muted ?? "";
      context.fillText(String(index + 1), x + 4, RULER_HEIGHT / 2 + 1);
    }
  });
  const step = [1, 2, 5, 10, 30, 60].find((seconds) => seconds * 1000 * rate * scale(view) > 64) ?? 120;
  context.fillStyle = colours.muted ?? "";
  context.font = `10.5px ${colours.font}`;
  for (let second = 0; second * 1000 * rate <= view.endMs; second += step) {
    const x = xOf(view, second * 1000 * rate);
    if (x >= KEYS_WIDTH && x <= view.width - 24) context.fillText(clock(second * 1000), x + 3, view.height - FOOT_HEIGHT / 2);
  }
}

/** @param {Roll} roll */
function drawSelection(roll) {
  const span = roll.selectionMs();
  if (!span) return;
  const { context, view, colours } = roll;
  const x = xOf(view, span[0]);
  const width = (span[1] - span[0]) * scale(view);
  context.fillStyle = colours.select ?? "";
  context.globalAlpha = 0.2;
  context.fillRect(x, 0, width, view.height);
  context.globalAlpha = 1;
  context.fillRect(x, RULER_HEIGHT - 4, width, 4);
}

/** @param {Roll} roll */
function drawUnwritten({ context, view, colours, writing, writtenMs }) {
  if (!writing) return;
  const x = Math.max(xOf(view, writtenMs), KEYS_WIDTH);
  const tall = view.height - RULER_HEIGHT - FOOT_HEIGHT;
  context.save();
  context.globalAlpha = 0.6;
  context.beginPath();
  context.rect(x, RULER_HEIGHT, view.width - x, tall);
  context.clip();
  context.strokeStyle = colours.beat ?? "";
  context.lineWidth = 1;
  context.beginPath();
  const offset = view.scroll % 14;
  for (let at = x - view.height - offset; at < view.width + view.height; at += 14) {
    context.moveTo(at, view.height);
    context.lineTo(at + view.height, 0);
  }
  context.stroke();
  context.restore();
  context.fillStyle = colours.right ?? "";
  context.fillRect(x - 1, RULER_HEIGHT, 2, tall);
}

/** @param {Roll} roll @param {PartName} name */
function drawPart(roll, name) {
  const { context, view, colours, transpose } = roll;
  const notes = roll.parts[name];
  const right = msOf(view, view.width);
  const now = performance.now();
  const row = rowHeight(view);
  const tall = Math.max(Math.min(row * 1.1, 12), 3.5);
  const gain = roll.gains[name];
  let moves = false;
  context.save();
  context.beginPath();
  context.rect(KEYS_WIDTH, RULER_HEIGHT, view.width, view.height - RULER_HEIGHT - FOOT_HEIGHT);
  context.clip();
  context.fillStyle = colours[name] ?? "";
  for (let index = firstAt(notes, msOf(view, KEYS_WIDTH) - LONGEST_MS); index < notes.length; index += 1) {
    const note = /** @type {Row} */ (notes[index]);
    const [onset, duration, pitch, velocity] = note;
    if (onset >= right) break;
    const x = xOf(view, onset);
    const width = Math.max(duration * scale(view) - 1, 2);
    if (x + width < KEYS_WIDTH) continue;
    const age = roll.calm ? 1 : Math.min((now - (roll.born.get(note) ?? -1e6)) / APPEAR_MS, 1);
    moves ||= age < 1;
    const sounds = gain > 0 && roll.playhead >= onset && roll.playhead < onset + duration && roll.playhead > 0;
    const size = tall * (1 + 0.9 * (1 - age)) * (sounds ? 1.25 : 1);
    const loud = FAINTEST + ((1 - FAINTEST) * velocity) / 127;
    context.globalAlpha = sounds ? 1 : (gain === 0 ? MUTED : loud * (0.4 + 0.6 * gain)) * Math.max(age, 0.2);
    context.beginPath();
    // the left hand's notes are square, so that it isn't told by its colour alone
    context.roundRect(x, yOf(view, pitch + transpose) + row / 2 - size / 2, width, size, name === "left" ? 1 : Math.min(size / 2.4, 4));
    context.fill();
  }
  context.restore();
  return moves;
}

/** @param {Roll} roll */
function drawPlayhead({ context, view, colours, playhead }) {
  const x = xOf(view, playhead);
  if (x < KEYS_WIDTH - 1) return;
  context.fillStyle = colours.ink ?? "";
  context.fillRect(x - 0.75, RULER_HEIGHT - 6, 1.5, view.height - FOOT_HEIGHT - RULER_HEIGHT + 6);
  context.beginPath();
  context.moveTo(x - 6, RULER_HEIGHT - 12);
  context.lineTo(x + 6, RULER_HEIGHT - 12);
  context.lineTo(x, RULER_HEIGHT - 3);
  context.fill();
}

/** @param {Roll} roll */
function drawKeys(roll) {
  const { context, view, colours } = roll;
  const row = rowHeight(view);
  context.fillStyle = colours.roll ?? "";
  context.fillRect(0, 0, KEYS_WIDTH, view.height);
  context.fillStyle = colours["key-white"] ?? "";
  context.fillRect(0, RULER_HEIGHT, KEYS_WIDTH - 2, view.height - RULER_HEIGHT - FOOT_HEIGHT);
  const sounding = soundingKeys(roll);
  context.font = `10px ${colours.font}`;
  context.textBaseline = "middle";
  for (let pitch = view.low; pitch <= view.high; pitch += 1) {
    const y = yOf(view, pitch);
    const part = sounding.get(pitch);
    const black = BLACK.has(pitch % 12);
    if (black || part) {
      context.fillStyle = (part ? colours[part] : colours["key-black"]) ?? "";
      context.fillRect(0, y, (KEYS_WIDTH - 2) * (black ? 0.5 : 1), row);
    }
    if (pitch % 12 === 0) {
      context.fillStyle = colours["key-black"] ?? "";
      context.fillRect(0, y + row - 0.5, KEYS_WIDTH - 2, 1);
      context.fillText(`C${pitch / 12 - 1}`, KEYS_WIDTH - 17, y + row / 2);
    }
  }
}

/** @param {Roll} roll */
function soundingKeys({ parts, gains, playhead, transpose }) {
  /** @type {Map<number, PartName>} */
  const found = new Map();
  for (const name of ORDER) {
    const notes = parts[name];
    if (gains[name] === 0 || playhead <= 0) continue;
    for (let index = firstAt(notes, playhead - LONGEST_MS); index < notes.length; index += 1) {
      const [onset, duration, pitch] = /** @type {Row} */ (notes[index]);
      if (onset > playhead) break;
      if (playhead < onset + duration) found.set(pitch + transpose, name);
    }
  }
  return found;
}
