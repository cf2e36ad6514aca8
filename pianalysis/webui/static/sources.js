// Where a melody comes from: examples, pieces of before, files, typed notes. Humming and playing have panels of their own.

import { plural } from "./choices.js";
import { contour } from "./contour.js";
import { toBase64 } from "./link.js";
import { byId, clearErrors, make, setUpTabs, showError } from "./page.js";
import { isAbc, readTyped } from "./typed.js";

/** @import {Boot, Example, Melody, Row, Session} from "./types.js" */
/** @import {Sampler} from "./sampler.js" */

const SOUND_AHEAD_MS = 1_500;
const MB = 2 ** 20;
const FILE_MB = 8;
const EXAMPLE = "E4/4 E4 F4 G4 | G4 F4 E4 D4 | C4 C4 D4 E4 | E4/4. D4/8 D4/2";
/** @type {Record<string, string>} kinds of files that browsers don't name */
const TYPES = { mid: "audio/midi", midi: "audio/midi", kar: "audio/midi", musicxml: "application/vnd.recordare.musicxml+xml", xml: "application/vnd.recordare.musicxml+xml", mxl: "application/vnd.recordare.musicxml", abc: "text/vnd.abc", wav: "audio/wav", mp3: "audio/mpeg", flac: "audio/flac", ogg: "audio/ogg" };

/** @param {string} source @param {string} kind @param {Partial<Melody>} [more] @returns {Melody} */
export function makeMelody(source, kind, more = {}) {
  return { source, kind, title: "", track: 0, bpm: 100, given: {}, chords: "", compose: null, ...more };
}

/** A seed that nobody had before. */
export function randomSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** @typedef {{onMelody: (melody: Melody, seed: number) => void, onFile: (source: string, title: string) => void, onRecipe: (text: string) => boolean, onPiece: (session: Session) => void, onTab: (name: string) => void}} Told */

export class Sources {
  /** @param {{boot: Boot, sampler: Sampler, told: Told}} parts */
  constructor({ boot, sampler, told }) {
    Object.assign(this, { boot, sampler, told });
    this.boot = boot;
    this.sampler = sampler;
    this.told = told;
    this.showTab = setUpTabs(/** @type {HTMLElement} */ (document.querySelector(".tabs")), (name) => told.onTab(name));
    this.showCards();
    this.listen();
  }

  get shownTab() {
    return document.querySelector(".tabs [aria-selected=true]")?.id.replace("tab-", "") ?? "examples";
  }

  showCards() {
    const card = (/** @type {Example} */ { name, title, metre, length, origin, opening }) => {
      const wanted = () => this.told.onMelody(makeMelody(name, "example", { title }), 0);
      const ready = () => this.sampler.need(opening.filter(([onset]) => onset < SOUND_AHEAD_MS)); // before the click
      const picture = contour([{ name: "melody", notes: opening }], { height: 60 });
      return make("li", { onpointerenter: ready, onfocusin: ready }, make("button", { type: "button", title: `${origin}, ${metre}`, "data-melody": name, onclick: wanted }, picture, make("strong", {}, title), make("small", {}, `${metre} · ${length}`)));
    };
    const invent = () => {
      const seed = randomSeed();
      this.told.onMelody(makeMelody("", "composed", { title: "A surprise", compose: seed }), seed);
    };
    const surprise = make("button", { type: "button", class: "surprise", "data-melody": "", onclick: invent }, make("strong", {}, "✦ Surprise me"), make("small", {}, "a melody from nothing, another each time"));
    byId("cards").replaceChildren(...this.boot.examples.map(card), make("li", {}, surprise));
  }

  /** @param {Session | null} session */
  markCurrent(session) {
    for (const card of byId("cards").querySelectorAll("button")) card.setAttribute("aria-current", String(card.dataset.melody === session?.melody?.source && session?.melody?.kind === "example"));
  }

  /** @param {Session[]} sessions */
  showLately(sessions) {
    byId("lately-box").hidden = !sessions.length;
    byId("lately").replaceChildren(...sessions.map((session) => {
      const take = session.takes.find(({ id }) => id === session.current) ?? session.takes[0];
      const picture = contour([{ name: "melody", notes: (take?.melody ?? []).slice(0, 80) }], { height: 40 });
      return make("li", {}, make("button", { type: "button", onclick: () => this.told.onPiece(session) }, picture, make("strong", {}, take?.title || session.melody?.title || "Untitled"), make("small", {}, plural(session.takes.length, "take"))));
    }));
  }

  listen() {
    byId("file").addEventListener("change", (/** @type {any} */ event) => this.takeFile(event.target.files[0]));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      this.takeFile(event.dataTransfer?.files[0]);
    });
    byId("typed").addEventListener("input", () => this.hearTyped());
    byId("typed-fill").addEventListener("click", () => {
      byId("typed").value = EXAMPLE;
      this.hearTyped();
      byId("typed").focus();
    });
    byId("typed-arrange").addEventListener("click", () => this.writeTyped());
    byId("typed").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.writeTyped();
    });
  }

  hearTyped() {
    const text = byId("typed").value;
    const { notes, bars, slip } = readTyped(text);
    byId("typed-heard").textContent = !text.trim() ? "" : isAbc(text) ? "A tune in ABC notation." : slip ? "" : `${plural(notes, "note")}${bars > 1 ? ` in ${plural(bars, "bar")}` : ""}.`;
    showError(this.place("type"));
  }

  writeTyped() {
    clearErrors();
    const { text, slip } = readTyped(byId("typed").value);
    const bpm = Number(byId("typed-bpm").value);
    if (slip) {
      showError(this.place("type"), slip);
      return byId("typed").focus();
    }
    if (!(bpm >= 20 && bpm <= 300)) return showError(this.place("type"), "Choose a tempo from 20 to 300 beats a minute.");
    return this.told.onMelody(makeMelody(text, "notes", { bpm }), 0);
  }

  /** Where errors of a kind of source stand. @param {string} tab @returns {HTMLElement} */
  place(tab) {
    return document.querySelector(`#panel-${tab} .error`) ?? byId("examples-error");
  }

  /** @param {File | undefined} file */
  async takeFile(file) {
    if (!file) return;
    clearErrors();
    byId("file").value = ""; // so that the same file can be chosen again
    const most = (this.boot.limits.file_bytes ?? FILE_MB * MB) / MB;
    if (file.size > most * MB) {
      this.showTab("file");
      this.told.onTab("file");
      return showError(this.place("file"), `“${file.name}” is too large. Files up to ${Math.round(most)} MB are read.`);
    }
    if (/\.json$/i.test(file.name) && this.told.onRecipe(await file.text())) return;
    const suffix = file.name.split(".").at(-1)?.toLowerCase() ?? "";
    const type = TYPES[suffix] ?? (file.type || "application/octet-stream");
    const bytes = new Uint8Array(await file.arrayBuffer());
    this.told.onFile(`data:${type};base64,${toBase64(bytes)}`, file.name);
  }
}

/** @param {string} kind */
export function tabOf(kind) {
  return { example: "examples", composed: "examples", notes: "type", played: "play", recording: "hum" }[kind] ?? "file";
}
