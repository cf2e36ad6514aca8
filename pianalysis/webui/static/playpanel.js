// The panel in which one plays a melody: keyboard, recorder and its three buttons.

import { Keyboard } from "./keyboard.js";
import { byId, showError, typing } from "./page.js";
import { Recorder } from "./recorder.js";

/** `strike(pitch, velocity)` sounds a key and gives a voice; `onArrange(melody, title)`; `onListen(notes)`. */
export function setUpPlayPanel({ context, unlock, strike, onArrange, onListen }) {
  const status = byId("rec-status");
  const error = document.querySelector("#panel-play .error");
  const record = byId("record");
  const voices = new Map();
  const showBeat = (beat, beats) => {
    status.textContent = beat < 0 ? `${beat + beats + 1} …` : `Recording: bar ${Math.floor(beat / beats) + 1}, beat ${(beat % beats) + 1}`;
  };
  const recorder = new Recorder(context, { onBeat: showBeat, onStop: stopped });

  new Keyboard(byId("piano"), {
    listening: (event) => !byId("panel-play").hidden && !typing(event) && event.target.getAttribute?.("role") !== "tab",
    onDown: async (pitch, velocity) => {
      if (context.state !== "running") await unlock();
      voices.get(pitch)?.stop(context.currentTime);
      voices.set(pitch, strike(pitch, velocity));
      recorder.down(pitch, velocity);
    },
    onUp: (pitch) => {
      voices.get(pitch)?.stop(context.currentTime);
      voices.delete(pitch);
      recorder.up(pitch);
    },
  });

  function stopped() {
    record.textContent = "● Record";
    record.classList.remove("on");
    const { notes } = recorder;
    byId("rec-listen").disabled = byId("rec-arrange").disabled = !notes.length;
    status.textContent = notes.length ? `${notes.length} notes recorded.` : "Nothing was played. Record again.";
  }

  record.addEventListener("click", async () => {
    showError(error);
    if (recorder.recording) return recorder.stop();
    const bpm = Number(byId("rec-bpm").value);
    if (!(bpm >= 40 && bpm <= 200)) return showError(error, "Choose a tempo from 40 to 200 beats a minute.");
    await unlock();
    recorder.start({ bpm, beats: Number(byId("rec-beats").value), click: byId("rec-metronome").checked });
    record.textContent = "■ Stop";
    record.classList.add("on");
    record.blur(); // or the computer's keys would press it
    return undefined;
  });
  const melody = () => recorder.melody({ tidy: byId("rec-tidy").checked });
  byId("rec-listen").addEventListener("click", () => onListen(melody()));
  byId("rec-arrange").addEventListener("click", () => onArrange(JSON.stringify(melody())));
  return recorder;
}
