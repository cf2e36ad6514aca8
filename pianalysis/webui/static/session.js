// The document: a melody, the settings, the takes. Every change gives a new Session, and History remembers the ones before.

import { DEFAULTS, differing } from "./choices.js";

/** @import {Edit, Heard, History, Melody, Session, Settings, Take} from "./types.js" */

export const MOST_TAKES = 8;
const MOST_STEPS = 100;
/** @type {Heard} */
export const AS_WRITTEN = Object.freeze({ rate: 1, transpose: 0, melody: 1, accompaniment: 1 });

/** @returns {Session} */
export function emptySession(id = newId()) {
  return { id, melody: null, settings: { ...DEFAULTS }, heard: AS_WRITTEN, takes: [], current: null, count: 0 };
}

export function newId() {
  return [...crypto.getRandomValues(new Uint32Array(3))].map((part) => part.toString(36)).join("");
}

/** @param {Session} session */
export function currentTake(session) {
  return session.takes.find(({ id }) => id === session.current) ?? null;
}

/** A session for another melody: the settings stay, the takes are those of the one before and stay with it. @param {Session} session @param {Melody} melody */
export function withMelody(session, melody) {
  return { ...emptySession(), settings: session.settings, melody };
}

/** @param {Session} session @param {Partial<Melody>} change */
export function changeMelody(session, change) {
  return session.melody ? { ...session, melody: { ...session.melody, ...change } } : session;
}

/** @param {Session} session @param {Settings} change */
export function setSettings(session, change) {
  return { ...session, settings: { ...session.settings, ...change } };
}

/** @param {Session} session @param {Partial<Heard>} change */
export function setHeard(session, change) {
  return { ...session, heard: { ...session.heard, ...change } };
}

/**
 * Add a take and make it the current one. Where there are too many the oldest without a star gives way; null where none may.
 * @param {Session} session @param {Take} take @returns {{session: Session, gone: Take | null} | null}
 */
export function addTake(session, take) {
  const full = session.takes.length >= MOST_TAKES;
  const gone = full ? (session.takes.find(({ starred, id }) => !starred && id !== session.current) ?? session.takes.find(({ starred }) => !starred)) : null;
  if (full && !gone) return null;
  const takes = session.takes.filter((one) => one !== gone);
  const count = session.count + 1;
  return { session: { ...session, takes: [...takes, { ...take, number: count }], current: take.id, count }, gone: gone ?? null };
}

/** @param {Session} session @param {string} id @param {Partial<Take>} change */
export function changeTake(session, id, change) {
  return { ...session, takes: session.takes.map((take) => (take.id === id ? { ...take, ...change } : take)) };
}

/** A take with some bars written anew in its place. @param {Session} session @param {string} id @param {Partial<Take>} written @param {Edit} edit */
export function rewriteTake(session, id, written, edit) {
  const take = session.takes.find((one) => one.id === id);
  if (!take) return session;
  return { ...changeTake(session, id, { ...written, seed: take.seed, edits: [...take.edits, edit] }), current: id };
}

/** @param {Session} session @param {string} id */
export function chooseTake(session, id) {
  return session.takes.some((take) => take.id === id) ? { ...session, current: id } : session;
}

/** @param {Session} session @param {string} id */
export function removeTake(session, id) {
  const at = session.takes.findIndex((take) => take.id === id);
  const takes = session.takes.filter((take) => take.id !== id);
  const current = session.current === id ? (takes[Math.max(at - 1, 0)]?.id ?? null) : session.current;
  return { ...session, takes, current };
}

/** A seed that no take of this session has. @param {Session} session */
export function nextSeed(session) {
  return 1 + Math.max(-1, ...session.takes.map(({ seed }) => seed));
}

/** The settings that differ from those the current take was written with. @param {Session} session */
export function changed(session) {
  const take = currentTake(session);
  return take ? differing(session.settings, take.settings) : [];
}

/** @param {Session} present @returns {History} */
export function startHistory(present) {
  return { past: [], present, future: [], group: "" };
}

/**
 * A step that can be undone. Steps of one group (a slider that is drawn) that follow each other are one.
 * @param {History} history @param {string} label @param {Session} session @returns {History}
 */
export function step(history, label, session, group = "") {
  if (session === history.present) return history;
  if (group && group === history.group && history.past.length) return { ...history, present: session, future: [] };
  const past = [...history.past, { label, session: history.present, group }].slice(-MOST_STEPS);
  return { past, present: session, future: [], group };
}

/** A change that is no step: which take is shown, a server's new name for a piece. @param {History} history @param {Session} session @returns {History} */
export function amend(history, session) {
  return { ...history, present: session, group: "" };
}

/** @param {History} history @returns {History} */
export function undo(history) {
  const last = history.past.at(-1);
  if (!last) return history;
  const back = { label: last.label, session: history.present, group: last.group };
  return { past: history.past.slice(0, -1), present: last.session, future: [back, ...history.future], group: "" };
}

/** @param {History} history @returns {History} */
export function redo(history) {
  const [next, ...future] = history.future;
  if (!next) return history;
  return { past: [...history.past, { label: next.label, session: history.present, group: next.group }], present: next.session, future, group: "" };
}
