// What was found in a file or a recording, before anything is written: tracks to choose from and hear, key, metre, tempo, pickup.

import { movedKey, plural, sentence } from "./choices.js";
import { call, CallError } from "./client.js";
import { contour } from "./contour.js";
import { byId, make, showError } from "./page.js";
import { makeMelody } from "./sources.js";

/** @import {Boot, Intake as Found, Melody, Row, Settings, Track} from "./types.js" */
/** @import {Audition} from "./audition.js" */

const NOTE_NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
const METRE = /^\s*(\d{1,2})\s*\/\s*(\d{1,2})\s*$/;

export class Intake {
  /** @param {{boot: Boot, audition: Audition, onWrite: (melody: Melody) => void, onShow: (shown: boolean) => void, onError: (message: string) => void}} parts */
  constructor({ boot, audition, onWrite, onShow, onError }) {
    Object.assign(this, { boot, audition, onWrite, onShow, onError });
    this.boot = boot;
    this.audition = audition;
    this.onWrite = onWrite;
    this.onShow = onShow;
    this.onError = onError;
    /** @type {Found | null} */
    this.found = null;
    this.source = "";
    this.title = "";
    this.track = 0; // the one that was chosen, 0 for the one that is found
    /** @type {Settings} what was said before the file was looked at again */
    this.given = {};
    /** @type {ReturnType<typeof call> | null} */
    this.job = null;
    byId("intake-write").addEventListener("click", () => this.write());
    byId("intake-close").addEventListener("click", () => this.close());
    for (const id of ["intake-metre", "intake-pickup", "intake-tune"]) byId(id).addEventListener("change", () => this.again());
  }

  /** Have a file or a recording looked at. @param {string} source @param {string} title */
  async open(source, title) {
    Object.assign(this, { source, title, found: null, given: {}, track: 0 });
    byId("intake-fields").hidden = true;
    byId("intake-tracks").replaceChildren();
    byId("intake-found").textContent = byId("intake-remarks").textContent = "";
    byId("intake-write").disabled = true;
    this.onShow(true);
    const found = await this.ask(0, {});
    if (!found) return;
    this.show(found, true);
    byId("intake-write").focus({ preventScroll: true });
  }

  /** @param {number} track @param {Settings} settings @returns {Promise<Found | null>} */
  async ask(track, settings) {
    this.job?.cancel();
    showError(byId("intake-error"));
    byId("intake-busy").textContent = this.source.startsWith("data:audio/") && !this.source.startsWith("data:audio/midi") ? "Listening to the recording…" : "Reading the file…";
    const job = call("inspect", [null, this.source, track, this.title, 100, settings], { index: this.boot.endpoints.inspect ?? 0 });
    this.job = job;
    try {
      const found = await job.done;
      return this.job === job ? found : null;
    } catch (error) {
      if (this.job !== job) return null;
      if (!(error instanceof CallError)) throw error;
      if (this.found) showError(byId("intake-error"), error.message);
      else {
        this.close();
        this.onError(error.message);
      }
      return null;
    } finally {
      if (this.job === job) {
        this.job = null;
        byId("intake-busy").textContent = "";
      }
    }
  }

  /** Look again, at another track or with another metre. */
  async again(track = this.track) {
    this.track = track;
    const { given } = this.read();
    this.given = given;
    const found = await this.ask(track, given);
    if (found) this.show(found, false);
  }

  /** @param {Found} found @param {boolean} fresh */
  show(found, fresh) {
    this.found = found;
    byId("intake-fields").hidden = false;
    byId("intake-write").disabled = false;
    byId("intake-found").textContent = [plural(found.bars, "bar"), `${Math.floor(found.seconds / 60)}:${String(Math.round(found.seconds % 60)).padStart(2, "0")}`, found.how_found && `melody: ${found.how_found}`].filter(Boolean).join(" · ");
    byId("intake-remarks").textContent = found.remarks.map(sentence).join(" ");
    this.showTracks(found);
    byId("intake-bpm").value = Math.round(found.bpm);
    byId("intake-metre").value = found.time_signature;
    byId("intake-pickup").value = found.pickup;
    this.showKeys(found.key?.name ?? "", fresh);
    if (!fresh) return;
    byId("intake-name").value = found.title;
    byId("intake-tune-field").hidden = found.tunes <= 1;
    byId("intake-tune").max = found.tunes;
    byId("intake-chords-field").hidden = !found.chords;
    byId("intake-chords").value = found.chords;
  }

  /** @param {string} name @param {boolean} fresh */
  showKeys(name, fresh) {
    const list = byId("intake-key");
    const before = fresh ? "" : list.value;
    const mode = /minor/.test(name) ? " minor" : " major";
    const keys = NOTE_NAMES.map((tonic) => `${tonic}${mode}`).filter((key) => key !== movedKey(name, 0));
    list.replaceChildren(make("option", { value: "" }, name ? `${movedKey(name, 0)}, as found` : "as found"), ...keys.map((key) => make("option", { value: key.replace("♯", "#").replace("♭", "b") }, `to ${key}`)));
    list.value = before;
  }

  /** @param {Found} found */
  showTracks(found) {
    const focused = document.activeElement?.closest(".track")?.getAttribute("data-track");
    const one = found.tracks.length <= 1;
    byId("intake-tracks").replaceChildren(...found.tracks.map((track) => this.row(track, track.chosen || one)));
    if (focused) byId("intake-tracks").querySelector(`[data-track="${focused}"] input`)?.focus();
  }

  /** @param {Track} track @param {boolean} chosen */
  row(track, chosen) {
    const name = track.name || `Track ${track.number}`;
    const pick = make("input", { type: "radio", name: "track", value: track.number, checked: chosen, onchange: () => this.again(track.number) });
    const play = make("button", { type: "button", class: "icon hear", "aria-label": `Hear ${name}`, "aria-pressed": "false", onclick: () => this.hear(play, track.opening) }, "▶");
    const range = `, ${pitchName(track.low)} to ${pitchName(track.high)}`;
    const likely = make("small", { class: "likely" }, chosen ? "the melody" : track.likelihood < 0.01 ? "under 1 % likely" : `${Math.round(track.likelihood * 100)} % likely`);
    const picture = make("span", { class: "track-picture", "aria-hidden": "true" }, contourLine(track.contour));
    return make("div", { class: `track${chosen ? " chosen" : ""}`, "data-track": track.number }, play, make("label", {}, pick, make("span", { class: "track-name" }, make("strong", {}, name), make("small", {}, `${plural(track.notes, "note")}${range}`), likely), picture));
  }

  /** @param {HTMLButtonElement} button @param {Row[]} notes */
  hear(button, notes) {
    const playing = button.getAttribute("aria-pressed") === "true";
    this.audition.stop();
    if (playing) return;
    button.setAttribute("aria-pressed", "true");
    button.textContent = "■";
    this.audition.play(notes, () => {
      button.setAttribute("aria-pressed", "false");
      button.textContent = "▶";
    });
  }

  /** What the fields say: only what differs from what was found is given. */
  read() {
    const { found } = this;
    /** @type {Settings} */
    const given = {};
    const metre = METRE.exec(byId("intake-metre").value);
    const asked = metre ? `${metre[1]}/${metre[2]}` : "";
    if (found && asked && asked !== found.time_signature) given.time_signature = asked;
    const pickup = Number(byId("intake-pickup").value);
    if (found && byId("intake-pickup").value !== "" && Math.abs(pickup - found.pickup) > 1e-6) given.pickup = pickup;
    const bpm = Number(byId("intake-bpm").value);
    if (found && bpm >= 20 && bpm <= 300 && bpm !== Math.round(found.bpm)) given.bpm = bpm;
    if (byId("intake-key").value) given.key = byId("intake-key").value;
    if (found && found.tunes > 1 && Number(byId("intake-tune").value) > 1) given.tune = Number(byId("intake-tune").value);
    const all = { ...this.given, ...given };
    if (!given.key) delete all.key;
    return { given: all, metre: Boolean(metre) };
  }

  write() {
    const { found } = this;
    if (!found) return;
    const { given, metre } = this.read();
    if (!metre) return showError(byId("intake-error"), "Write the metre as two numbers, such as 3/4.");
    if (!byId("intake-bpm").checkValidity()) return showError(byId("intake-error"), "Choose a tempo from 20 to 300 beats a minute.");
    this.audition.stop();
    const melody = makeMelody(found.melody || this.source, found.kind, { title: byId("intake-name").value.trim() || found.title, track: this.track, given, chords: byId("intake-chords").value.trim() });
    if (melody.chords === found.chords.trim()) melody.chords = ""; // the file states them itself
    this.hide();
    return this.onWrite(melody);
  }

  hide() {
    this.audition.stop();
    this.onShow(false);
  }

  close() {
    this.job?.cancel();
    this.job = null;
    this.hide();
  }
}

/** @param {number} pitch */
function pitchName(pitch) {
  return `${NOTE_NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
}

/** A track's contour: one step a slot, a gap where it rests. @param {(number | null)[]} pitches */
function contourLine(pitches) {
  const rows = /** @type {Row[]} */ (pitches.map((pitch, index) => [index, 1, pitch ?? -1, 80]).filter((row) => (row[2] ?? -1) >= 0));
  return contour([{ name: "melody", notes: rows }], { height: 40, startMs: 0, endMs: pitches.length });
}
