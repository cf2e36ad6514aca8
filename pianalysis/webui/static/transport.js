// The controls of playing: buttons, sliders, the selection's bars, and keys.

import { byId, typing } from "./page.js";
import { clock } from "./roll.js";

export function setUpTransport({ player, roll, timing, unlock }) {
  const play = byId("play");
  const hear = { melody: byId("hear-melody"), accompaniment: byId("hear-accompaniment") };
  let piece = null;
  let frame = null;

  play.addEventListener("click", async () => {
    await unlock();
    player.toggle();
  });
  for (const [name, button] of Object.entries(hear)) {
    button.addEventListener("click", () => setHeard(name, button.getAttribute("aria-pressed") !== "true"));
  }
  byId("compare").addEventListener("click", () => {
    const alone = hear.accompaniment.getAttribute("aria-pressed") === "true";
    setHeard("melody", true);
    setHeard("accompaniment", !alone);
  });
  byId("volume").addEventListener("input", (event) => player.setVolume(Number(event.target.value)));
  byId("rate").addEventListener("input", (event) => {
    player.setRate(Number(event.target.value) / 100);
    byId("rate-shown").value = `${event.target.value} %`;
  });
  byId("transpose").addEventListener("input", (event) => {
    const semitones = Number(event.target.value);
    player.setTranspose(semitones);
    byId("transpose-shown").value = semitones > 0 ? `+${semitones}` : `${semitones}`.replace("-", "−");
  });
  byId("zoom-in").addEventListener("click", () => roll.zoom(0.7));
  byId("zoom-out").addEventListener("click", () => roll.zoom(1 / 0.7));
  byId("loop").addEventListener("click", () => setLoop(!player.loop));
  byId("deselect").addEventListener("click", () => roll.setSelection(null));
  for (const id of ["from-bar", "to-bar"]) byId(id).addEventListener("change", readBars);

  function setHeard(name, on) {
    hear[name].setAttribute("aria-pressed", on);
    player.setMuted(name, !on);
    roll.muted[name] = !on;
    roll.touch();
    const both = hear.melody.getAttribute("aria-pressed") === hear.accompaniment.getAttribute("aria-pressed");
    byId("compare").setAttribute("aria-pressed", !both);
  }

  function setLoop(on) {
    player.loop = on ? (roll.selectionMs() ?? [0, player.endMs]) : null;
    byId("loop").setAttribute("aria-pressed", on);
    if (on && !within(player.position(), player.loop)) player.seek(player.loop[0]);
  }

  function readBars() {
    if (!piece) return;
    const last = piece.bar_lines_ms.length - 1;
    const bar = (id) => Math.min(Math.max(Math.round(Number(byId(id).value)) || 1, 1), last) - 1;
    roll.setSelection([bar("from-bar"), bar("to-bar")].sort((a, b) => a - b));
  }

  function select(bars) {
    byId("deselect").hidden = !bars;
    if (bars) {
      byId("from-bar").value = bars[0] + 1;
      byId("to-bar").value = bars[1] + 1;
    }
    showRewrite();
    if (player.loop) setLoop(Boolean(bars));
  }

  /** Bars can be rewritten where some are selected in a piece that is finished. */
  function showRewrite() {
    byId("rewrite").disabled = !roll.selection || !piece?.piece;
  }

  function setPiece(next) {
    piece = next;
    showRewrite();
  }

  function moveSelection(step) {
    const here = roll.barAt(player.position());
    const [from, to] = roll.selection ?? [here, here - (step > 0 ? 1 : 0)];
    const last = roll.bars.length - 2;
    roll.setSelection([from, Math.min(Math.max(to + step, from), last)]);
  }

  function jump(step) {
    const bar = roll.barAt(player.position() + (step > 0 ? 1 : -120));
    player.seek(roll.bars[Math.min(Math.max(bar + (step > 0 ? 1 : 0), 0), roll.bars.length - 1)]);
  }

  addEventListener("keydown", (event) => {
    const onRoll = document.activeElement === byId("roll");
    const free = !typing(event) && !event.target.closest?.("button, summary, label, a, [role=tab], input");
    if (event.key === " " && (onRoll || free) && !play.disabled) {
      event.preventDefault();
      unlock().then(() => player.toggle());
    } else if (onRoll && piece && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      const step = event.key === "ArrowRight" ? 1 : -1;
      if (event.shiftKey) moveSelection(step);
      else jump(step);
    } else if (onRoll && event.key === "Escape") {
      roll.setSelection(null);
    }
  });

  /** Show what the player does now; while it plays, with every frame. */
  function show() {
    const ms = player.position();
    const active = player.state !== "stopped";
    play.classList.toggle("playing", active);
    play.setAttribute("aria-label", active ? "Pause" : "Play");
    byId("time").value = `${clock(ms)} / ${clock(player.endMs)}`;
    byId("roll").classList.toggle("waiting", player.state === "waiting");
    roll.setPlayhead(ms, player.state === "playing");
    if (active) {
      if (!timing.firstSound && player.loudness() > 1e-3) timing.firstSound = performance.now();
      frame ??= requestAnimationFrame(() => {
        frame = null;
        show();
      });
    }
  }

  function newPiece(next) {
    piece = next;
    play.disabled = false;
    const last = next.bar_lines_ms.length - 1;
    player.loop = null;
    byId("loop").setAttribute("aria-pressed", false);
    byId("loop").disabled = false;
    for (const id of ["from-bar", "to-bar"]) Object.assign(byId(id), { disabled: false, max: last });
    byId("from-bar").value = 1;
    byId("to-bar").value = last;
    select(null);
    show();
  }

  return { show, select, newPiece, setPiece };
}

function within(ms, [from, to]) {
  return ms >= from && ms < to;
}
