// Saving a piece as it is heard: its key, its tempo, its balance.

import { movedKey } from "./choices.js";
import { reason } from "./client.js";
import { byId, make, saveBlob, setUpPopover, showError } from "./page.js";

/** @import {Heard, Take} from "./types.js" */

/** @type {Record<string, [string, string]>} */
const FORMATS = {
  mid: ["MIDI", "for notation programs and music software"],
  mp3: ["MP3", "audio, small"],
  wav: ["WAV", "audio, uncompressed"],
  musicxml: ["MusicXML", "sheet music for notation programs"],
  pdf: ["PDF of the score", "to print"],
  svg: ["Picture of the score", "as a drawing"],
  png: ["Picture of the roll", "with the chords"],
};
const AUDIO = ["mp3", "wav"];
const DRAWN_HERE = ["pdf", "svg"];

/** How it's heard, as an address says it. @param {Heard} heard @param {string} format */
export function asHeard(heard, format) {
  const query = new URLSearchParams();
  if (heard.transpose) query.set("transpose", String(heard.transpose));
  if (heard.rate !== 1) query.set("rate", String(heard.rate));
  if (heard.accompaniment === 0) query.set("parts", "melody");
  else if (heard.melody === 0) query.set("parts", "accompaniment");
  else if (AUDIO.includes(format)) {
    if (heard.melody < 1) query.set("melody_gain", String(heard.melody));
    if (heard.accompaniment < 1) query.set("accompaniment_gain", String(heard.accompaniment));
  }
  return query.toString();
}

/** The same in words. @param {Heard} heard @param {Take | null} take */
export function heardInWords(heard, take) {
  const words = [];
  if (heard.transpose) words.push(take?.key ? `in ${movedKey(take.key.name, heard.transpose)}` : `${Math.abs(heard.transpose)} semitones ${heard.transpose > 0 ? "higher" : "lower"}`);
  if (heard.rate !== 1) words.push(take?.bpm ? `at ${Math.round(take.bpm * heard.rate)} bpm` : `at ${Math.round(heard.rate * 100)} % of its tempo`);
  if (heard.accompaniment === 0) words.push("the melody alone");
  else if (heard.melody === 0) words.push("the piano alone");
  else if (heard.melody < 1) words.push("with the melody softer");
  else if (heard.accompaniment < 1) words.push("with the piano softer");
  return words.length ? `As you hear it: ${words.join(", ")}.` : "As you hear it.";
}

/**
 * @param {{formats: string[], take: () => Take | null, heard: () => Heard, restore: (take: Take) => Promise<string | null>,
 *   score: null | ((kind: "pdf" | "svg") => Promise<void>), say: (text: string) => void}} parts
 */
export function setUpSave({ formats, take: current, heard, restore, score, say }) {
  const status = byId("save-status");
  const offered = Object.keys(FORMATS).filter((format) => formats.includes(format) || (DRAWN_HERE.includes(format) && score));
  const save = async (/** @type {string} */ format, /** @type {HTMLButtonElement} */ button) => {
    const take = current();
    if (!take || button.getAttribute("aria-disabled") === "true") return;
    const name = FORMATS[format]?.[0] ?? format;
    showError(byId("save-error"));
    status.textContent = format === "mid" ? "" : `Making the ${name}…`;
    button.setAttribute("aria-disabled", "true"); // and not disabled: focus stays
    try {
      if (format === "pdf" || format === "svg") await score?.(format);
      const made = DRAWN_HERE.includes(format) ? "" : await fetchFile(take, format);
      status.textContent = made ? `Saved ${made}.` : "";
      say(made ? `Saved ${made}.` : "");
    } catch (error) {
      status.textContent = "";
      const message = error instanceof TypeError ? "The server doesn't answer. Try again." : /** @type {Error} */ (error).message;
      showError(byId("save-error"), message);
    }
    button.removeAttribute("aria-disabled");
  };
  const fetchFile = async (/** @type {Take} */ take, /** @type {string} */ format, again = true) => {
    const query = asHeard(heard(), format);
    const response = take.piece ? await fetch(`piece/${take.piece}.${format}${query ? `?${query}` : ""}`) : null;
    if (!response?.ok) {
      const why = response ? await reason(response) : null;
      const forgotten = !why || why.code === "forgotten" || response?.status === 404;
      const piece = forgotten && again ? await restore(take) : null;
      if (piece) return fetchFile({ ...take, piece }, format, false);
      throw why ?? new Error("This piece couldn't be written again. Try again.");
    }
    const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? `piece.${format}`;
    saveBlob(await response.blob(), name);
    return name;
  };
  byId("formats").replaceChildren(...offered.map((format) => {
    const [name, says] = FORMATS[format] ?? [format, ""];
    const button = make("button", { type: "button", "data-format": format, onclick: () => save(format, button) }, make("strong", {}, name), make("small", {}, says));
    return button;
  }));
  return setUpPopover(byId("save"), byId("save-panel"), {
    onOpen: () => {
      byId("save-as").textContent = heardInWords(heard(), current());
      status.textContent = "";
      showError(byId("save-error"));
      byId("formats").querySelector("button")?.focus();
    },
  });
}
