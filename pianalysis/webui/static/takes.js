// The takes of one melody: rows on one time axis, switched at the same bar.

import { plural, describe } from "./choices.js";
import { contour } from "./contour.js";
import { byId, make } from "./page.js";
import { splitHands } from "./piece.js";
import { endOf } from "./timing.js";

/** @import {Session, Take} from "./types.js" */
/** @typedef {{onChoose: (id: string) => void, onStar: (id: string) => void, onRemove: (id: string) => void}} Told */
/** @typedef {{item: HTMLElement, take: Take | null, endMs: number, choose: HTMLButtonElement, star: HTMLButtonElement, words: HTMLElement, picture: HTMLElement, key: HTMLElement}} Row */

export class Takes {
  /** @param {Told} told */
  constructor(told) {
    this.list = byId("takes");
    this.told = told;
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    /** @type {Session | null} */
    this.session = null;
  }

  /** Rows are kept as they are where nothing changed: focus stays. @param {Session} session */
  show(session) {
    if (session.takes === this.session?.takes && session.current === this.session.current) return;
    this.session = session;
    const endMs = Math.max(1, ...session.takes.map((take) => endOf(take)));
    for (const [id, row] of this.rows) {
      if (session.takes.some((take) => take.id === id)) continue;
      const near = row.item.contains(document.activeElement) && (row.item.nextElementSibling ?? row.item.previousElementSibling);
      row.item.remove();
      this.rows.delete(id);
      if (near) /** @type {HTMLElement | null} */ (near.querySelector(".choose"))?.focus();
    }
    session.takes.forEach((take, index) => {
      const row = this.rows.get(take.id) ?? this.makeRow(take.id);
      this.rows.set(take.id, row);
      this.fill(row, take, index, take.id === session.current, endMs);
      if (this.list.children[index] !== row.item) this.list.insertBefore(row.item, this.list.children[index] ?? null);
    });
  }

  /** @param {string} id @returns {Row} */
  makeRow(id) {
    const key = make("kbd", { "aria-hidden": "true" });
    const words = make("span", { class: "take-words" });
    const picture = make("span", { class: "take-picture" });
    const choose = make("button", { type: "button", class: "choose", onclick: () => this.told.onChoose(id) }, key, words, picture);
    const star = make("button", { type: "button", class: "icon quiet star", onclick: () => this.told.onStar(id) });
    const remove = make("button", { type: "button", class: "icon quiet remove", onclick: () => this.told.onRemove(id) }, "✕");
    return { item: make("li", {}, choose, star, remove), take: null, endMs: 0, choose, star, words, picture, key };
  }

  /** @param {Row} row @param {Take} take @param {number} index @param {boolean} current @param {number} endMs */
  fill(row, take, index, current, endMs) {
    row.choose.setAttribute("aria-pressed", String(current));
    row.key.textContent = String(index + 1);
    if (row.take === take && row.endMs === endMs) return;
    Object.assign(row, { take, endMs });
    const said = describe(take.settings) || "as it comes";
    const edits = take.edits.length ? `, ${plural(take.edits.length, "change")}` : "";
    row.words.replaceChildren(make("strong", {}, `Take ${take.number}`), make("span", {}, `${said}${edits}`));
    const hands = splitHands(take.notes, take.hands);
    row.picture.replaceChildren(contour([{ name: "left", notes: hands.left }, { name: "right", notes: hands.right }, { name: "melody", notes: take.melody }], { height: 60, width: 600, endMs, startMs: 0 }));
    row.star.textContent = take.starred ? "★" : "☆";
    row.star.setAttribute("aria-pressed", String(take.starred));
    row.star.setAttribute("aria-label", `Keep take ${take.number}`);
    row.star.title = "A take with a star is never given up for a new one";
    const remove = row.item.querySelector(".remove");
    remove?.setAttribute("aria-label", `Remove take ${take.number}`);
  }

  /** The playhead over all rows. @param {number} ms */
  setPlayhead(ms) {
    const end = Math.max(1, ...[...this.rows.values()].map((row) => row.endMs));
    this.list.style.setProperty("--at", String(Math.min(ms / end, 1)));
  }
}

/** A finished take's figures, in plain words. @param {Take | null} take */
export function showFigures(take) {
  const box = byId("figures");
  byId("details").hidden = !take;
  if (!take) return;
  const { fit, notes, seconds, written_in_s: taken } = take;
  /** @type {[string, string][]} */
  const rows = [];
  const percent = (/** @type {number} */ share) => `${Math.round(share * 100)} %`;
  if (fit && fit.chord_tones !== null) {
    rows.push(["Notes that belong to their chord", `${percent(fit.chord_tones)}; in accompaniments by people ${percent(fit.human - fit.spread)} to ${percent(Math.min(fit.human + fit.spread, 1))}, so this one ${fit.verdict}.`]);
  }
  rows.push(["Accompaniment", `${plural(notes.length, "note")}${fit ? `, ${fit.notes_per_second} a second` : ""}${taken ? `; ${Math.round(seconds)} s of music written in ${taken.toFixed(1)} s` : ""}.`]);
  if (take.how_found) rows.push(["Melody", `${take.how_found}.`]);
  if (take.chart) rows.push(["Chords", take.chart]);
  rows.push(["Seed", String(take.seed)]);
  for (const remark of take.remarks) rows.push(["Remark", remark]);
  box.replaceChildren(make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
}
