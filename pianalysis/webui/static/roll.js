// The piano roll: melody and accompaniment on one time line, growing while it's written; click to jump, drag for bars.

import { firstAt } from "./player.js";

const KEYS_WIDTH = 34;
const RULER_HEIGHT = 26;
const FOOT_HEIGHT = 18;
const BLACK = new Set([1, 3, 6, 8, 10]);
const FAINTEST = 0.45; // opacity of the softest note
const APPEAR_MS = 350;
const DRAG_PX = 6;

export class Roll {
  /** `scroller` holds a canvas and a spacer; `onSeek(ms)`, `onSelect([firstBar, lastBar] | null)`, bars from 0. */
  constructor(scroller, { onSeek = () => {}, onSelect = () => {} } = {}) {
    this.scroller = scroller;
    this.canvas = scroller.querySelector("canvas");
    this.spacer = scroller.querySelector(".spacer");
    this.context = this.canvas.getContext("2d");
    this.onSeek = onSeek;
    this.onSelect = onSelect;
    this.visibleMs = 0; // how much time a screen shows; 0: chosen from the width
    this.follow = true;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.clear();
    new ResizeObserver(() => this.resize()).observe(scroller);
    scroller.addEventListener("scroll", () => this.touch());
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
      this.canvas.addEventListener(kind, (event) => this.pointer(event));
    }
    this.readColours();
    this.resize();
  }

  clear() {
    this.parts = { melody: [], accompaniment: [] };
    this.muted = { melody: false, accompaniment: false };
    this.bars = [];
    this.endMs = 0;
    this.startMs = 0;
    this.writtenMs = 0;
    this.writing = false;
    this.playhead = 0;
    this.selection = null;
    this.range = [48, 84];
    this.born = new Map();
    this.drag = null;
    this.resize();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = Object.fromEntries(
      ["melody", "accompaniment", "roll", "lane", "line", "beat", "muted", "ink", "accent", "select", "key-white", "key-black"].map((name) => [name, read(name)]),
    );
    this.font = style.getPropertyValue("--sans");
    this.touch();
  }

  /** A new piece; `bars` are the bar lines in ms, the last one its end. */
  setPiece({ melody, accompaniment = [], bars, writing = false, writtenMs = bars.at(-1) }) {
    this.clear();
    this.parts = { melody, accompaniment };
    this.bars = bars;
    this.startMs = Math.min(0, bars[0]);
    this.endMs = Math.max(bars.at(-1), ...melody.map(([onset, duration]) => onset + duration));
    this.writing = writing;
    this.writtenMs = writtenMs;
    this.scroller.scrollLeft = 0;
    this.fitRange();
    this.resize();
  }

  addNotes(notes, writtenMs) {
    const now = performance.now();
    for (const note of notes) this.born.set(note, now);
    this.parts.accompaniment = this.parts.accompaniment.concat(notes).sort((a, b) => a[0] - b[0]);
    this.writtenMs = writtenMs;
    this.fitRange();
    this.touch();
  }

  finish(accompaniment) {
    this.parts.accompaniment = accompaniment;
    this.writing = false;
    this.writtenMs = this.endMs;
    this.fitRange();
    this.touch();
  }

  fitRange() {
    const pitches = [...this.parts.melody, ...this.parts.accompaniment].map((note) => note[2]);
    const low = Math.min(55, ...pitches) - 3;
    const high = Math.max(79, ...pitches) + 3;
    this.range = [low, high];
  }

  setPlayhead(ms, playing) {
    if (ms === this.playhead && !playing) return;
    this.playhead = ms;
    if (playing && this.follow && !this.drag) this.keepInView(ms);
    this.touch();
  }

  keepInView(ms) {
    const x = this.xOf(ms);
    const width = this.width - KEYS_WIDTH;
    if (x < KEYS_WIDTH || x > KEYS_WIDTH + width * 0.82) {
      this.scroller.scrollLeft += x - KEYS_WIDTH - width * 0.12;
    }
  }

  setSelection(bars) {
    this.selection = bars;
    this.onSelect(bars);
    this.touch();
  }

  zoom(factor) {
    const middle = this.msOf(KEYS_WIDTH + (this.width - KEYS_WIDTH) / 2);
    this.visibleMs = Math.min(Math.max(this.shownMs() * factor, 4_000), Math.max(this.endMs - this.startMs, 8_000));
    this.resize();
    this.scroller.scrollLeft += this.xOf(middle) - (KEYS_WIDTH + (this.width - KEYS_WIDTH) / 2);
    this.touch();
  }

  shownMs() {
    const all = Math.max(this.endMs - this.startMs, 8_000);
    return Math.min(this.visibleMs || Math.max((this.width - KEYS_WIDTH) * 38, 9_000), all);
  }

  get scale() {
    return (this.width - KEYS_WIDTH - 8) / this.shownMs();
  }

  xOf(ms) {
    return KEYS_WIDTH + (ms - this.startMs) * this.scale - this.scroller.scrollLeft;
  }

  msOf(x) {
    return (x - KEYS_WIDTH + this.scroller.scrollLeft) / this.scale + this.startMs;
  }

  yOf(pitch) {
    return RULER_HEIGHT + (this.range[1] - pitch) * this.row;
  }

  get row() {
    return (this.height - RULER_HEIGHT - FOOT_HEIGHT) / (this.range[1] - this.range[0] + 1);
  }

  resize() {
    this.width = this.scroller.clientWidth || 300;
    this.height = this.scroller.clientHeight || 200;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.spacer.style.width = `${Math.max(KEYS_WIDTH + 8 + (this.endMs - this.startMs) * this.scale, this.width)}px`;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.touch();
  }

  /** Draw again, with the next frame. */
  touch() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const { context, width, height, colours } = this;
    context.fillStyle = colours.roll;
    context.fillRect(0, 0, width, height);
    this.drawLanes();
    if (this.bars.length) {
      this.drawSelection();
      this.drawBars();
      this.drawUnwritten();
      this.drawPart("accompaniment");
      this.drawPart("melody");
      this.drawPlayhead();
    }
    this.drawKeys();
  }

  drawLanes() {
    const { context, width } = this;
    for (let pitch = this.range[0]; pitch <= this.range[1]; pitch += 1) {
      if (BLACK.has(pitch % 12)) {
        context.fillStyle = this.colours.lane;
        context.fillRect(KEYS_WIDTH, this.yOf(pitch), width, this.row);
      }
    }
  }

  drawBars() {
    const { context, colours, bars, height } = this;
    context.font = `11px ${this.font}`;
    context.textBaseline = "middle";
    const barPx = ((bars.at(-1) - bars[0]) / Math.max(bars.length - 1, 1)) * this.scale;
    const every = [1, 2, 4, 8, 16].find((step) => step * barPx > 26) ?? 32;
    bars.forEach((ms, index) => {
      const x = Math.round(this.xOf(ms)) + 0.5;
      if (x < KEYS_WIDTH || x > this.width) return;
      context.fillStyle = colours.line;
      context.fillRect(x - 0.5, index % every ? RULER_HEIGHT : RULER_HEIGHT - 8, 1, height);
      if (index % every === 0 && index < bars.length - 1) {
        context.fillStyle = colours.muted;
        context.fillText(String(index + 1), x + 4, RULER_HEIGHT / 2);
      }
    });
    const step = [1, 2, 5, 10, 30, 60].find((seconds) => seconds * 1000 * this.scale > 56) ?? 120;
    context.fillStyle = colours.muted;
    for (let second = 0; second * 1000 <= this.endMs; second += step) {
      const x = this.xOf(second * 1000);
      if (x < KEYS_WIDTH || x > this.width - 24) continue;
      context.fillText(clock(second * 1000), x + 2, height - FOOT_HEIGHT / 2);
    }
  }

  drawSelection() {
    if (!this.selection) return;
    const [from, to] = this.selectionMs();
    const { context, colours } = this;
    context.fillStyle = colours.select;
    context.globalAlpha = 0.22;
    context.fillRect(this.xOf(from), 0, (to - from) * this.scale, this.height);
    context.globalAlpha = 1;
    context.fillRect(this.xOf(from), RULER_HEIGHT - 4, (to - from) * this.scale, 4);
  }

  selectionMs() {
    return this.selection && [this.bars[this.selection[0]], this.bars[this.selection[1] + 1]];
  }

  drawUnwritten() {
    if (!this.writing) return;
    const { context, colours, height } = this;
    const x = Math.max(this.xOf(this.writtenMs), KEYS_WIDTH);
    context.save();
    context.globalAlpha = 0.5;
    context.beginPath();
    context.rect(x, RULER_HEIGHT, this.width - x, height - RULER_HEIGHT - FOOT_HEIGHT);
    context.clip();
    context.strokeStyle = colours.beat;
    context.lineWidth = 1;
    context.beginPath();
    const offset = this.scroller.scrollLeft % 14;
    for (let at = x - height - offset; at < this.width + height; at += 14) {
      context.moveTo(at, height);
      context.lineTo(at + height, 0);
    }
    context.stroke();
    context.restore();
    context.fillStyle = colours.accompaniment;
    context.fillRect(x - 1, RULER_HEIGHT, 2, height - RULER_HEIGHT - FOOT_HEIGHT);
  }

  drawPart(name) {
    const { context, colours } = this;
    const notes = this.parts[name];
    const right = this.msOf(this.width);
    const now = performance.now();
    let growing = false;
    context.save();
    context.beginPath();
    context.rect(KEYS_WIDTH, RULER_HEIGHT, this.width, this.height - RULER_HEIGHT - FOOT_HEIGHT);
    context.clip();
    const tall = Math.max(Math.min(this.row * 1.15, 13), 3.5);
    for (let index = firstAt(notes, this.msOf(KEYS_WIDTH) - 20_000); index < notes.length && notes[index][0] < right; index += 1) {
      const note = notes[index];
      const [onset, duration, pitch, velocity] = note;
      const x = this.xOf(onset);
      const width = Math.max(duration * this.scale - 1, 2);
      if (x + width < KEYS_WIDTH) continue;
      const age = this.calm ? 1 : Math.min((now - (this.born.get(note) ?? -1e6)) / APPEAR_MS, 1);
      growing ||= age < 1;
      const sounds = this.playhead >= onset && this.playhead < onset + duration && this.playhead > this.startMs;
      const y = this.yOf(pitch) + this.row / 2;
      const size = tall * (1 + 0.9 * (1 - age)) * (sounds ? 1.25 : 1);
      context.globalAlpha = (this.muted[name] ? 0.22 : FAINTEST + ((1 - FAINTEST) * velocity) / 127) * Math.max(age, 0.2);
      if (sounds && !this.muted[name]) context.globalAlpha = 1;
      context.fillStyle = colours[name];
      context.beginPath();
      context.roundRect(x, y - size / 2, width, size, Math.min(size / 2.6, 3));
      context.fill();
    }
    context.restore();
    if (growing) this.touch();
  }

  drawPlayhead() {
    const x = this.xOf(this.playhead);
    if (x < KEYS_WIDTH - 1) return;
    const { context, colours, height } = this;
    context.fillStyle = colours.ink;
    context.fillRect(x - 0.75, RULER_HEIGHT - 6, 1.5, height - FOOT_HEIGHT - RULER_HEIGHT + 6);
    context.beginPath();
    context.moveTo(x - 6, RULER_HEIGHT - 12);
    context.lineTo(x + 6, RULER_HEIGHT - 12);
    context.lineTo(x, RULER_HEIGHT - 3);
    context.fill();
  }

  drawKeys() {
    const { context, colours, height } = this;
    context.fillStyle = colours.roll;
    context.fillRect(0, 0, KEYS_WIDTH, height);
    context.fillStyle = colours["key-white"];
    context.fillRect(0, RULER_HEIGHT, KEYS_WIDTH - 2, height - RULER_HEIGHT - FOOT_HEIGHT);
    const sounding = this.soundingKeys();
    context.font = `10px ${this.font}`;
    context.textBaseline = "middle";
    for (let pitch = this.range[0]; pitch <= this.range[1]; pitch += 1) {
      const y = this.yOf(pitch);
      const part = sounding.get(pitch);
      if (BLACK.has(pitch % 12)) {
        context.fillStyle = part ? colours[part] : colours["key-black"];
        context.fillRect(0, y, (KEYS_WIDTH - 2) * 0.5, this.row);
      } else if (part) {
        context.fillStyle = colours[part];
        context.fillRect(0, y, KEYS_WIDTH - 2, this.row);
      }
      if (pitch % 12 === 0) {
        context.fillStyle = colours["key-black"];
        context.fillRect(0, y + this.row - 0.5, KEYS_WIDTH - 2, 1);
        context.fillText(`C${pitch / 12 - 1}`, KEYS_WIDTH - 16, y + this.row / 2);
      }
    }
  }

  soundingKeys() {
    const found = new Map();
    for (const name of ["accompaniment", "melody"]) {
      if (this.muted[name]) continue;
      const notes = this.parts[name];
      for (let index = firstAt(notes, this.playhead - 20_000); index < notes.length && notes[index][0] <= this.playhead; index += 1) {
        const [onset, duration, pitch] = notes[index];
        if (this.playhead < onset + duration && this.playhead > this.startMs) found.set(pitch, name);
      }
    }
    return found;
  }

  barAt(ms) {
    let bar = 0;
    while (bar < this.bars.length - 2 && this.bars[bar + 1] <= ms) bar += 1;
    return bar;
  }

  pointer(event) {
    if (!this.bars.length) return;
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const ms = this.msOf(x);
    if (event.type === "pointerdown" && event.button === 0) {
      this.drag = { x, bar: this.barAt(ms), moved: false };
      if (event.pointerType === "mouse") this.canvas.setPointerCapture(event.pointerId);
    } else if (event.type === "pointermove" && this.drag && event.pointerType === "mouse") {
      this.drag.moved ||= Math.abs(x - this.drag.x) > DRAG_PX;
      if (this.drag.moved) {
        const bars = [this.drag.bar, this.barAt(ms)].sort((a, b) => a - b);
        this.setSelection(bars);
      }
    } else if (event.type === "pointerup" && this.drag) {
      if (!this.drag.moved && Math.abs(x - this.drag.x) <= DRAG_PX) {
        if (this.selection && event.pointerType === "mouse" && !inside(ms, this.selectionMs())) this.setSelection(null);
        this.onSeek(Math.min(Math.max(ms, 0), this.endMs));
      }
      this.drag = null;
    } else if (event.type === "pointercancel") {
      this.drag = null; // a finger that scrolls
    }
  }
}

function inside(ms, [from, to]) {
  return ms >= from && ms < to;
}

/** Milliseconds as minutes and seconds: 83000 is 1:23. */
export function clock(ms) {
  const seconds = Math.floor(Math.max(ms, 0) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
