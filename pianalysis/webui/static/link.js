// A piece as a link: what it was written with, packed behind the #, which browsers keep to themselves. Pure but for deflate.

import { DEFAULTS, differing, readSettings } from "./choices.js";
import { AS_WRITTEN } from "./session.js";

/** @import {Edit, Heard, Melody, Session, Settings, Take} from "./types.js" */

export const LONGEST = 7_000;
const DATA_URL = /^data:([^,;]*);base64,(.*)$/s;

/** What brings a take back. @typedef {{melody: Melody, settings: Settings, seed: number, edits: Edit[], heard: Heard}} Recipe */

/** @param {Session} session @param {Take} take @returns {Recipe} */
export function recipeOf(session, take) {
  const melody = /** @type {Melody} */ (session.melody);
  const compose = take.composed ? take.seed : null;
  const own = { ...melody, chords: take.chordsGiven, given: take.given, compose, source: take.composed ? "" : melody.source };
  return { melody: own, settings: take.settings, seed: take.seed, edits: take.edits, heard: session.heard };
}

/** @param {Settings} settings @param {Settings} from @returns {Settings} */
function onlyChanged(settings, from) {
  return Object.fromEntries(differing(settings, from).map((name) => [name, settings[name] ?? DEFAULTS[name] ?? ""]));
}

/** A recipe with short names and without defaults. @param {Recipe} recipe */
export function shorten({ melody, settings, seed, edits, heard }) {
  const { title, track, bpm, given, chords, compose } = melody;
  const changes = edits.map((edit) => [edit.first, edit.last, edit.seed, onlyChanged(edit.settings, settings), edit.chords]);
  const parts = { k: melody.kind, t: title, n: track || 0, b: bpm === 100 ? 0 : bpm, g: given, h: chords, c: compose ?? -1, s: onlyChanged(settings, DEFAULTS), r: seed, e: changes, p: [heard.rate, heard.transpose, heard.melody, heard.accompaniment] };
  if (same(parts.p, [1, 0, 1, 1])) parts.p = [];
  if (parts.c < 0) parts.c = /** @type {any} */ (0);
  const kept = Object.entries(parts).filter(([name, value]) => (name === "c" ? compose !== null : value && (typeof value !== "object" || Object.keys(value).length)));
  return Object.fromEntries(kept);
}

/** @param {any} parts @param {string} source @returns {Recipe} */
export function lengthen(parts, source) {
  const settings = readSettings(parts.s ?? {});
  /** @type {Melody} */
  const melody = { source, kind: String(parts.k ?? "notes"), title: String(parts.t ?? "").slice(0, 120), track: Number(parts.n) || 0, bpm: Number(parts.b) || 100, given: parts.g ?? {}, chords: String(parts.h ?? ""), compose: "c" in parts ? Number(parts.c) || 0 : null };
  const edits = (Array.isArray(parts.e) ? parts.e : []).map((/** @type {any[]} */ [first, last, seed, own, chords]) => ({
    first: Number(first), last: Number(last), seed: Number(seed), settings: readSettings({ ...settings, ...own }), chords: String(chords ?? "") }));
  const [rate, transpose, loud, soft] = Array.isArray(parts.p) && parts.p.length === 4 ? parts.p.map(Number) : [1, 0, 1, 1];
  const heard = [rate, transpose, loud, soft].every(Number.isFinite) ? { rate, transpose, melody: loud, accompaniment: soft } : AS_WRITTEN;
  return { melody, settings, seed: Number(parts.r) || 0, edits, heard: /** @type {Heard} */ (heard) };
}

/** @param {unknown} one @param {unknown} other */
function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {"compress" | "decompress"} way */
async function deflated(bytes, way) {
  const stream = way === "compress" ? new CompressionStream("deflate-raw") : new DecompressionStream("deflate-raw");
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 32_768) binary += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(binary);
}

/** @param {string} text */
export function fromBase64(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}

/** A recipe as text for a link: a file is packed as its bytes. @param {Recipe} recipe */
export async function pack(recipe) {
  const { source } = recipe.melody;
  const file = DATA_URL.exec(source);
  const head = JSON.stringify({ ...shorten(recipe), ...(file ? { d: file[1] } : {}), ...(!file && source ? { m: source } : {}) });
  const tail = file ? fromBase64(file[2] ?? "") : new Uint8Array();
  const text = new TextEncoder().encode(head);
  const bytes = new Uint8Array(text.length + 1 + tail.length);
  bytes.set(text);
  bytes.set(tail, text.length + 1); // a zero between them: JSON has none
  return toBase64(await deflated(bytes, "compress")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {string} packed @returns {Promise<Recipe>} */
export async function unpack(packed) {
  const bytes = await deflated(fromBase64(packed), "decompress");
  const border = bytes.indexOf(0);
  const parts = JSON.parse(new TextDecoder().decode(bytes.subarray(0, border)));
  return lengthen(parts, parts.d !== undefined ? `data:${parts.d};base64,${toBase64(bytes.subarray(border + 1))}` : String(parts.m ?? ""));
}

/** A link that brings a take back, or null where its melody is too long for one. @param {Recipe} recipe @param {string} page */
export async function makeLink(recipe, page) {
  const packed = await pack(recipe);
  return packed.length > LONGEST ? null : `${page}#p=${packed}`;
}

/** What a link asks for, or null; links of the first version of the page, too. @param {string} href @returns {Promise<Recipe | null>} */
export async function readLink(href) {
  const link = new URL(href);
  const packed = /^#p=([\w-]+)$/.exec(link.hash)?.[1];
  if (packed) return unpack(packed);
  const query = link.searchParams;
  const source = query.get("example") ?? new URLSearchParams(link.hash.slice(1)).get("melody");
  if (source === null) return null;
  const kind = source === "" ? "composed" : query.has("example") ? "example" : source.startsWith("data:") ? "midi" : source.startsWith("{") ? "played" : "notes";
  const settings = readSettings(Object.fromEntries(query));
  const edits = [...(query.get("edits") ?? "").matchAll(/(\d+)-(\d+)\.(\d+)/g)].map(([, first, last, seed]) => ({ first: Number(first), last: Number(last), seed: Number(seed), settings, chords: "" }));
  const seed = Number(query.get("seed")) || 0;
  const melody = { source, kind, title: query.get("title") ?? "", track: Number(query.get("track")) || 0, bpm: Number(query.get("bpm")) || 100, given: {}, chords: "", compose: source === "" ? seed : null };
  return { melody, settings, seed, edits, heard: AS_WRITTEN };
}
