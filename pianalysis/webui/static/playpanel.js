// The panel in which one plays a melody: keyboard on the screen, computer's keys, MIDI keyboard, recorder and its buttons.

import { plural } from "./choices.js";
import { Keyboard } from "./keyboard.js";
import { MidiKeyboards } from "./midi.js";
import { byId, make, showError, typing } from "./page.js";
import { Recorder } from "./recorder.js";

/** @import {Row} from "./types.js" */
/** @import {Audition} from "./audition.js" */
/** @import {Voice} from "./sampler.js" */
/** @typedef {{bpm: number, beats: number, notes: Row[]}} Played */

export class PlayPanel {
  /**
   * `strike` sounds a key and gives a voice.
   * @param {{context: AudioContext, unlock: () => Promise<void>, audition: Audition, quiet: () => void, open: () => boolean,
   *   strike: (pitch: number, velocity: number) => Voice | null, onArrange: (played: Played) => void}} parts
   */
  constructor(parts) {
    this.parts = parts;
    this.error = /** @type {HTMLElement} */ (document.querySelector("#panel-play .error"));
    /** @type {Map<number, Voice | null>} */
    this.voices = new Map();
    this.recorder = new Recorder(parts.context, { onBeat: (beat, beats) => this.showBeat(beat, beats), onStop: () => this.stopped() });
    this.keyboard = new Keyboard(byId("piano"), {
      listening: (event) => parts.open() && !typing(event) && /** @type {Element} */ (event.target).getAttribute?.("role") !== "tab",
      onDown: (pitch, velocity) => this.down(pitch, velocity),
      onUp: (pitch) => this.up(pitch),
    });
    byId("record").addEventListener("click", () => this.record());
    byId("rec-listen").addEventListener("click", () => this.listen());
    byId("rec-arrange").addEventListener("click", () => parts.onArrange(this.played()));
    byId("rec-tidy").addEventListener("change", () => this.parts.audition.stop());
    const scroll = (/** @type {number} */ way) => byId("piano-scroll").scrollBy({ left: way * byId("piano").scrollWidth * (7 / 17), behavior: "smooth" });
    byId("octave-down").addEventListener("click", () => scroll(-1));
    byId("octave-up").addEventListener("click", () => scroll(1));
  }

  get recording() {
    return this.recorder.recording;
  }

  /** @param {number} pitch @param {number} velocity */
  async down(pitch, velocity) {
    this.recorder.down(pitch, velocity);
    const { context, unlock, strike } = this.parts;
    if (context.state !== "running") await unlock();
    this.voices.get(pitch)?.stop(context.currentTime);
    this.voices.set(pitch, strike(pitch, velocity));
  }

  /** @param {number} pitch */
  up(pitch) {
    this.voices.get(pitch)?.stop(this.parts.context.currentTime);
    this.voices.delete(pitch);
    this.recorder.up(pitch);
  }

  async record() {
    showError(this.error);
    this.parts.quiet();
    if (this.recording) return this.recorder.stop();
    const bpm = Number(byId("rec-bpm").value);
    if (!(bpm >= 40 && bpm <= 200)) return showError(this.error, "Choose a tempo from 40 to 200 beats a minute.");
    await this.parts.unlock();
    this.recorder.start({ bpm, beats: Number(byId("rec-beats").value), click: byId("rec-metronome").checked });
    const button = byId("record");
    button.textContent = "■ Stop";
    button.classList.add("on");
    button.blur(); // or the computer's keys would press it
    return undefined;
  }

  /** End a recording that nobody looks at any more. */
  leave() {
    this.parts.audition.stop();
    if (this.recording) this.recorder.stop();
  }

  /** @param {number} beat @param {number} beats */
  showBeat(beat, beats) {
    byId("rec-status").textContent = beat < 0 ? `${beat + beats + 1} …` : `Recording: bar ${Math.floor(beat / beats) + 1}, beat ${(beat % beats) + 1}`;
  }

  stopped() {
    const { notes } = this.recorder;
    byId("record").textContent = "● Record";
    byId("record").classList.remove("on");
    byId("rec-listen").disabled = byId("rec-arrange").disabled = !notes.length;
    byId("rec-status").textContent = notes.length ? `${plural(notes.length, "note")} recorded.` : "Nothing was played. Record again.";
  }

  /** @returns {Played} */
  played() {
    return this.recorder.melody({ tidy: byId("rec-tidy").checked });
  }

  listen() {
    const button = byId("rec-listen");
    if (button.getAttribute("aria-pressed") === "true") return this.parts.audition.stop();
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Stop";
    return this.parts.audition.play(this.played().notes, () => {
      button.setAttribute("aria-pressed", "false");
      button.textContent = "Listen";
    });
  }
}

/** MIDI keyboards play the same keys. @param {PlayPanel} panel */
export function setUpMidi(panel) {
  const box = byId("midi-box");
  box.hidden = !MidiKeyboards.supported;
  if (box.hidden) return;
  const show = (/** @type {{id: string, name: string}[]} */ list) => {
    const names = list.map(({ id, name }) => make("option", { value: id }, name));
    const menu = make("select", { id: "midi", "aria-label": "MIDI keyboard", onchange: () => midi.choose(menu.value) }, make("option", { value: "" }, list.length ? "Every MIDI keyboard" : "No MIDI keyboard is connected"), ...names);
    box.replaceChildren(make("span", {}, "MIDI keyboard"), menu);
  };
  const midi = new MidiKeyboards({ onDown: (pitch, velocity) => panel.keyboard.press(`midi ${pitch}`, pitch, velocity), onUp: (pitch) => panel.keyboard.release(`midi ${pitch}`), onChange: show });
  byId("midi-ask").addEventListener("click", async () => {
    try {
      show(await midi.connect());
    } catch (error) {
      showError(panel.error, /** @type {Error} */ (error).message);
    }
  });
}
