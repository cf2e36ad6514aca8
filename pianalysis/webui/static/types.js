// The shapes that the page's modules pass to each other. Types only; nothing runs here.

/** One note: onset_ms, duration_ms, pitch, velocity. @typedef {[number, number, number, number]} Row */

/** @typedef {{start_ms: number, end_ms: number, bar: number, beat: number, symbol: string, probability: number | null}} ChordInfo */

/** @typedef {{fifths: number, name: string}} Key */

/** What a user set, by the server's own names. @typedef {Record<string, string | number | boolean>} Settings */

/**
 * A melody as it was given. source: the text that the server takes (an example's name, notes, ABC, a data URL, played notes as
 * JSON; empty: the model invents one). given: what a user said of it: time_signature, pickup, bpm, key, tune.
 * chords: a chart as text, "" where the chords are to be found. compose: the seed that invented it, or null.
 * @typedef {{source: string, kind: string, title: string, track: number, bpm: number, given: Settings, chords: string,
 *   compose: number | null}} Melody
 */

/** Bars, first and last from 1, that were written anew. @typedef {{first: number, last: number, seed: number, settings: Settings, chords: string}} Edit */

/** @typedef {{chord_tones: number | null, notes_per_second: number, human: number, spread: number, verdict: string}} Fit */

/**
 * A piece that is written, or as much of it as is there. piece: its id on the server, "" where that has none. hands: a letter a
 * note, L or R. bars_done: fewer than bars where writing was broken off. recipe: what it was written with.
 * @typedef {{id: string, number: number, piece: string, title: string, seed: number, settings: Settings, edits: Edit[],
 *   chordsGiven: string, composed: boolean, melody: Row[], notes: Row[], hands: string, bar_lines_ms: number[], bars: number,
 *   bars_done: number, seconds: number, remarks: string[], how_found: string, fit: Fit | null, written_in_s: number,
 *   chords: ChordInfo[], chart: string, key: Key | null, time_signature: string, bpm: number, starred: boolean,
 *   given: Settings}} Take
 */

/** How a piece is played and saved: rate 1 is as written, transpose in semitones, gains 0 to 1. @typedef {{rate: number, transpose: number, melody: number, accompaniment: number}} Heard */

/** @typedef {{id: string, melody: Melody | null, settings: Settings, heard: Heard, takes: Take[], current: string | null, count: number}} Session */

/** @typedef {{label: string, session: Session, group: string}} Step */

/** @typedef {{past: Step[], present: Session, future: Step[], group: string}} History */

/** A row of boot's examples. @typedef {{name: string, title: string, origin: string, metre: string, bpm: string, bars: string, length: string, opening: Row[]}} Example */

/**
 * What the server says of itself, in the page's own text.
 * @typedef {{version: string, model: string, examples: Example[], formats: string[], settings: string[],
 *   endpoints: Record<string, number>, options: Record<string, string[]>, numbers: Record<string, {low: number, high: number}>,
 *   switches: Record<string, boolean>, limits: Record<string, number>}} Boot
 */

/** @typedef {{number: number, name: string, notes: number, share: number, low: number, high: number, likelihood: number, chosen: boolean, contour: (number | null)[], opening: Row[]}} Track */

/**
 * What was found in a file or a recording before anything is written.
 * @typedef {{title: string, kind: string, melody: string, tracks: Track[], track: number, how_found: string, key: Key | null,
 *   time_signature: string, bpm: number, pickup: number, bars: number, seconds: number, tunes: number, chords: string,
 *   melody_notes: Row[], bar_lines_ms: number[], remarks: string[]}} Intake
 */

/** Bars, first and last from 0. @typedef {[number, number]} Bars */

export {};
