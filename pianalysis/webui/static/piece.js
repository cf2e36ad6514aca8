// From what the server tells to what the page shows, plays and keeps. Pure.

import { newId } from "./session.js";
import { endOf } from "./timing.js";

/** @import {Melody, Row, Settings, Take} from "./types.js" */

const MIDDLE = 60;

/** What is told of a hand for each note; where it isn't, what lies below middle C is the left one's. @param {Row[]} notes @param {string} [hands] */
export function splitHands(notes, hands) {
  /** @type {{right: Row[], left: Row[]}} */
  const parts = { right: [], left: [] };
  notes.forEach((note, index) => {
    const left = hands ? hands[index] === "L" : note[2] < MIDDLE;
    (left ? parts.left : parts.right).push(note);
  });
  return parts;
}

/** Notes sorted by onset, and their hands with them. @param {Row[]} notes @param {string} hands */
export function sortedWithHands(notes, hands) {
  const order = notes.map((_, index) => index).sort((a, b) => /** @type {Row} */ (notes[a])[0] - /** @type {Row} */ (notes[b])[0]);
  return { notes: order.map((index) => /** @type {Row} */ (notes[index])), hands: hands ? order.map((index) => hands[index]).join("") : "" };
}

/**
 * A take that begins: the event `start`, and what it is written with.
 * @param {any} event @param {Melody} melody @param {Settings} settings @returns {Take}
 */
export function beginTake(event, melody, settings) {
  return {
    id: newId(), number: 0, piece: "", title: event.title, seed: event.seed, settings, edits: [], chordsGiven: melody.chords, composed: melody.compose !== null,
    melody: event.melody, notes: [], hands: "", bar_lines_ms: event.bar_lines_ms, bars: event.bars, bars_done: 0, seconds: (event.bar_lines_ms.at(-1) ?? 0) / 1000,
    remarks: event.remarks ?? [], how_found: event.how_found ?? "", fit: null, written_in_s: 0, chords: event.chords ?? [], chart: "", key: event.key ?? null,
    time_signature: event.time_signature ?? "", bpm: event.bpm ?? 0, starred: false, given: melody.given,
  };
}

/**
 * The same take with more of it. A note that is told again, with its onset and pitch, is shorter now: its key is struck again.
 * @param {Take} take @param {{notes: Row[], hands: string, bars_done: number}} event @returns {Take}
 */
export function growTake(take, event) {
  const notes = [...take.notes];
  const hands = [...take.hands];
  const places = new Map(notes.map(([onset, , pitch], index) => [`${onset} ${pitch}`, index]));
  event.notes.forEach((note, index) => {
    const place = places.get(`${note[0]} ${note[2]}`) ?? notes.length;
    notes[place] = note;
    hands[place] = event.hands[index] ?? "R";
  });
  return { ...take, ...sortedWithHands(notes, hands.join("")), bars_done: event.bars_done };
}

/** What the event `done` says of a take. @param {any} event @returns {Partial<Take>} */
export function finished(event) {
  const found = /** @type {Record<string, any>} */ ({});
  for (const name of ["piece", "notes", "hands", "bar_lines_ms", "bars", "seconds", "remarks", "fit", "written_in_s", "chords", "chart", "key", "time_signature", "bpm", "melody"]) {
    if (event[name] !== undefined && !(name === "melody" && !Array.isArray(event.melody))) found[name] = event[name];
  }
  return { ...found, bars_done: event.bars };
}

/** A take of which only some bars are there: it ends with the last of them. @param {Take} take @returns {Take} */
export function brokenOff(take) {
  const end = take.bar_lines_ms[take.bars_done] ?? 0;
  const hands = take.hands;
  const kept = take.notes.map((note, index) => ({ note, hand: hands[index] ?? "" })).filter(({ note }) => note[0] < end);
  return { ...take, notes: kept.map(({ note }) => note), hands: hands ? kept.map(({ hand }) => hand).join("") : "" };
}

/** Where the music of a take ends that can be heard: all of it, or what is written. @param {Take} take */
export function heardUntil(take) {
  return take.bars_done < take.bars ? (take.bar_lines_ms[take.bars_done] ?? 0) : endOf(take);
}

/** Notes a person played, as the server takes a melody. @param {Row[]} notes @param {number} bpm @param {number} beats */
export function playedMelody(notes, bpm, beats) {
  return JSON.stringify({ bpm, beats, notes: notes.map(([onset, duration, pitch, velocity]) => [Math.max(Math.round(onset), 0), Math.max(Math.round(duration), 1), pitch, velocity]) });
}

/**
 * The chords of some bars as the server's chart takes them, "Am . F . | G": a word a beat, "." holds.
 * @param {{chords: Take["chords"], bar_lines_ms: number[]}} piece @param {number} first @param {number} last bars from 1
 * @param {number} beats of a whole bar @param {(index: number) => string} symbolOf
 */
export function chartOf({ chords, bar_lines_ms: lines }, first, last, beats, symbolOf) {
  const lengths = lines.slice(1).map((line, index) => line - (lines[index] ?? 0));
  const usual = [...lengths].sort((a, b) => a - b)[lengths.length >> 1] ?? 1;
  const bars = [];
  for (let bar = first; bar <= last; bar += 1) {
    const from = lines[bar - 1] ?? 0;
    const long = lengths[bar - 1] ?? usual;
    const own = Math.max(Math.round((beats * long) / usual), 1); // a pickup has fewer
    const words = Array.from({ length: own }, () => ".");
    chords.forEach((chord, index) => {
      if (chord.end_ms <= from + 1 || chord.start_ms >= from + long - 1) return;
      words[Math.min(Math.max(Math.round(((chord.start_ms - from) / long) * own), 0), own - 1)] = symbolOf(index);
    });
    if (words[0] === ".") words[0] = "?";
    bars.push(words.slice(1).every((word) => word === ".") ? words[0] : words.join(" "));
  }
  return bars.join(" | ");
}
