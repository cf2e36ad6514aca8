// The one place where the page's document lives: its history, who is told of a change, and the store that keeps it.

import { amend, emptySession, redo, startHistory, step, undo } from "./session.js";

/** @import {History, Session} from "./types.js" */
/** @typedef {(session: Session, before: Session) => void} Listener */

const KEEP_AFTER_MS = 250;

export class Live {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    /** @type {History} */
    this.history = startHistory(emptySession());
    /** @type {Set<Listener>} */
    this.listeners = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    addEventListener("pagehide", () => this.keepNow());
    addEventListener("popstate", (event) => this.goTo(event.state?.piece));
  }

  get session() {
    return this.history.present;
  }

  /** @param {Listener} listener */
  listen(listener) {
    this.listeners.add(listener);
    listener(this.session, emptySession(""));
  }

  /** A step that can be undone. @param {string} label @param {Session} session @param {string} [group] */
  do(label, session, group = "") {
    this.set(step(this.history, label, session, group));
  }

  /** A change that is no step. @param {Session} session */
  amend(session) {
    this.set(amend(this.history, session));
  }

  undo() {
    this.set(undo(this.history));
  }

  redo() {
    this.set(redo(this.history));
  }

  /** @param {History} history */
  set(history) {
    const before = this.session;
    if (history === this.history) return;
    this.history = history;
    this.tell(before);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keepNow(), KEEP_AFTER_MS);
  }

  /** @param {Session} before */
  tell(before) {
    for (const listener of this.listeners) listener(this.session, before);
  }

  keepNow() {
    clearTimeout(this.timer);
    if (this.session.melody) this.store.keep(this.session);
  }

  /** Another piece, with a place of its own in the browser's history. @param {Session} session */
  open(session) {
    const before = this.session;
    this.keepNow();
    this.history = startHistory(session);
    const address = location.pathname;
    if (before.melody) history.pushState({ piece: session.id }, "", address);
    else history.replaceState({ piece: session.id }, "", address);
    this.tell(before);
  }

  /** Show a piece that is kept; false where it isn't. @param {string | undefined} id */
  async goTo(id) {
    if (id === this.session.id) return true;
    this.keepNow();
    const found = id ? await this.store.find(id) : null;
    if (id && !found) return false;
    const before = this.session;
    this.history = startHistory(found ?? emptySession());
    this.tell(before);
    return Boolean(found);
  }
}
