// The controls of playing, always in sight: play, time, loop, balance, tempo, key, metronome, volume; and the keys for them.

import { clock, movedKey } from "./choices.js";
import { byId, make, typing } from "./page.js";
import { AS_WRITTEN, setHeard } from "./session.js";

/** @import {Heard, Take} from "./types.js" */
/** @typedef {{live: import("./live.js").Live, player: import("./player.js").Player, roll: import("./roll.js").Roll, stage: import("./stage.js").Stage,
 *   unlock: () => Promise<void>, onFirstSound: () => void, onPlayhead: (ms: number) => void, playable: () => boolean}} Parts */

const FARTHEST = 6; // semitones

/** Gains of melody and piano for a balance from −1 (melody alone) to 1. @param {number} balance */
export function gainsOf(balance) {
  return { melody: balance > 0 ? round(1 - balance) : 1, accompaniment: balance < 0 ? round(1 + balance) : 1 };
}

/** @param {{melody: number, accompaniment: number}} gains */
export function balanceOf({ melody, accompaniment }) {
  return melody < 1 ? round(1 - melody) : round(accompaniment - 1);
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}

export class Transport {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.frame = 0;
    this.silent = true;
    this.listen();
    addEventListener("keydown", (event) => this.key(event));
  }

  listen() {
    const { live, player, unlock } = this.parts;
    byId("play").addEventListener("click", async () => {
      await unlock();
      player.toggle();
    });
    byId("loop").addEventListener("click", () => this.setLoop(!player.loop));
    byId("volume").addEventListener("input", (/** @type {any} */ event) => player.setVolume(Number(event.target.value)));
    byId("metronome").addEventListener("click", () => {
      player.metronome = !player.metronome;
      byId("metronome").setAttribute("aria-pressed", String(player.metronome));
    });
    const set = (/** @type {Partial<Heard>} */ change, /** @type {string} */ label) => live.do(label, setHeard(live.session, change), label);
    byId("rate").addEventListener("input", (/** @type {any} */ event) => set({ rate: Number(event.target.value) / 100 }, "the tempo"));
    byId("transpose").addEventListener("change", (/** @type {any} */ event) => set({ transpose: Number(event.target.value) }, "the key"));
    byId("balance").addEventListener("input", (/** @type {any} */ event) => set(gainsOf(Number(event.target.value)), "the balance"));
    const solo = (/** @type {number} */ side) => set(gainsOf(balanceOf(live.session.heard) === side ? 0 : side), "the balance");
    byId("only-melody").addEventListener("click", () => solo(-1));
    byId("only-piano").addEventListener("click", () => solo(1));
    byId("as-written").addEventListener("click", () => {
      live.do("how it sounds", setHeard(live.session, AS_WRITTEN));
      byId("play").focus();
    });
  }

  /** Show how it's heard, and its limits. @param {Heard} heard @param {Take | null} take */
  showHeard(heard, take) {
    byId("rate").value = Math.round(heard.rate * 100);
    const bpm = take?.bpm ? `${Math.round(take.bpm * heard.rate)} bpm` : `${Math.round(heard.rate * 100)} %`;
    byId("rate-shown").value = bpm;
    byId("rate").setAttribute("aria-valuetext", `${Math.round(heard.rate * 100)} %, ${bpm}`);
    const balance = balanceOf(heard);
    byId("balance").value = balance;
    byId("balance").setAttribute("aria-valuetext", balance === 0 ? "both" : balance === -1 ? "melody alone" : balance === 1 ? "piano alone" : balance < 0 ? "more melody" : "more piano");
    byId("only-melody").setAttribute("aria-pressed", String(balance === -1));
    byId("only-piano").setAttribute("aria-pressed", String(balance === 1));
    byId("as-written").hidden = Object.entries(AS_WRITTEN).every(([name, value]) => heard[/** @type {keyof Heard} */ (name)] === value);
    this.showKeys(heard.transpose, take?.key?.name ?? "");
  }

  /** @param {number} transpose @param {string} name */
  showKeys(transpose, name) {
    const list = byId("transpose");
    if (list.dataset.key !== name || !list.options.length) {
      list.dataset.key = name;
      const steps = Array.from({ length: 2 * FARTHEST + 1 }, (_, index) => FARTHEST - index);
      const signed = (/** @type {number} */ step) => (step > 0 ? `+${step}` : `${step}`.replace("-", "−"));
      list.replaceChildren(...steps.map((step) => make("option", { value: step }, step ? [name && movedKey(name, step), signed(step)].filter(Boolean).join(" ") : (movedKey(name, 0) || "as written"))));
    }
    list.value = String(transpose);
  }

  /** @param {boolean} on */
  setLoop(on) {
    const { player, roll } = this.parts;
    player.setLoop(on ? (roll.selectionMs() ?? [roll.bars[0] ?? 0, player.endMs]) : null);
    this.show();
  }

  /** A loop goes with the selection, and ends with it. */
  selected() {
    const { player, roll } = this.parts;
    if (player.loop) this.setLoop(Boolean(roll.selection));
  }

  /** Show what the player does now; while it plays, with every frame. */
  show() {
    const { player, roll, onPlayhead, onFirstSound } = this.parts;
    const ms = player.position();
    const active = player.state !== "stopped";
    const play = byId("play");
    if (play.classList.contains("playing") !== active || !play.dataset.shown) {
      play.classList.toggle("playing", active);
      play.dataset.shown = "yes";
      play.setAttribute("aria-label", active ? "Pause" : "Play");
    }
    byId("loop").setAttribute("aria-pressed", String(Boolean(player.loop)));
    byId("time").textContent = `${clock(ms / player.rate)} / ${clock(player.endMs / player.rate)}`;
    byId("roll").classList.toggle("waiting", player.state === "waiting");
    roll.setPlayhead(ms, player.state === "playing");
    onPlayhead(ms);
    if (!active) return;
    if (this.silent && player.loudness() > 1e-3) {
      this.silent = false;
      onFirstSound();
    }
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.show();
    });
  }

  /** @param {number} step */
  jump(step) {
    const { player, roll } = this.parts;
    const bar = roll.barAt(player.position() + (step > 0 ? 1 : -120)) + (step > 0 ? 1 : 0);
    player.seek(roll.bars[Math.min(Math.max(bar, 0), roll.bars.length - 1)] ?? 0);
    roll.show(player.position());
  }

  /** @param {number} step */
  moveSelection(step) {
    const { player, roll } = this.parts;
    const here = roll.barAt(player.position());
    const [from, to] = roll.selection ?? [here, here - (step > 0 ? 1 : 0)];
    roll.setSelection([from, Math.min(Math.max(to + step, from), roll.bars.length - 2)], "keys");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (!this.parts.playable() || event.ctrlKey || event.metaKey || event.altKey) return;
    const { player, unlock } = this.parts;
    const onRoll = document.activeElement === byId("roll");
    const element = /** @type {Element} */ (event.target);
    const free = !typing(event) && !element.closest?.("button, summary, label, a, input, select, [role=tab], [role=dialog], [role=radio]");
    if (!onRoll && !free) return;
    if (event.key === " ") {
      event.preventDefault();
      unlock().then(() => player.toggle());
    } else if (event.key.toLowerCase() === "l") this.setLoop(!player.loop);
    else if (onRoll) this.keyOnRoll(event);
  }

  /** @param {KeyboardEvent} event */
  keyOnRoll(event) {
    const { roll } = this.parts;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      if (event.shiftKey) this.moveSelection(step);
      else this.jump(step);
    } else if (event.key === "Escape") roll.setSelection(null);
    else if (event.key === "Enter" && roll.selection) {
      event.preventDefault();
      byId("bubble").querySelector("button:not(:disabled)")?.focus();
    }
  }
}
