// What one takes home: how well the piece fits, its files, and a link that brings it back.

import { byId, make, showError } from "./page.js";

const NAMES = { mid: "MIDI", mp3: "MP3", wav: "WAV", musicxml: "MusicXML", png: "Picture" };
const SAYS = {
  mid: "for notation programs and music software",
  mp3: "audio, small",
  wav: "audio, uncompressed",
  musicxml: "sheet music on two staves",
  png: "the piano roll as a picture",
};

/** Buttons for the formats that the server writes; `current()` gives the take to save. */
export function setUpDownloads(formats, current) {
  const order = Object.keys(NAMES).filter((format) => formats.includes(format));
  byId("downloads").replaceChildren(
    ...order.map((format) =>
      make("button", { type: "button", disabled: true, title: SAYS[format], "data-format": format, onclick: (event) => save(format, current(), event.currentTarget) }, NAMES[format]),
    ),
  );
}

export function allowDownloads(allowed) {
  for (const button of byId("downloads").children) button.disabled = !allowed;
  byId("share").disabled = !allowed;
  if (allowed) byId("keep-status").textContent = "";
}

async function save(format, take, button) {
  showError(byId("keep-error"));
  const status = byId("keep-status");
  status.textContent = format === "mid" ? "" : `Making the ${NAMES[format]} file…`;
  button.disabled = true;
  try {
    const response = await fetch(`piece/${take.piece}.${format}`);
    if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? "That file couldn't be made. Try again.");
    const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? `piece.${format}`;
    const address = URL.createObjectURL(await response.blob());
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    status.textContent = `Saved ${name}.`;
  } catch (error) {
    status.textContent = "";
    showError(byId("keep-error"), error instanceof TypeError ? "The server doesn't answer. Try again." : error.message);
  }
  button.disabled = false;
}

/** The fit card of a finished take, or nothing. */
export function showFit(take) {
  const card = byId("fit");
  card.hidden = !take;
  if (!take) return;
  const { fit, melody, notes, written_in_s: taken, seconds } = take;
  const percent = `${Math.floor(fit.melody_kept * 1000) / 10} %`.replace(".0 %", " %");
  const range = make("span", { class: "range", "aria-hidden": "true" });
  const at = (value) => `${Math.min(Math.max((value - 0.5) / 0.5, 0), 1) * 100}%`; // the scale goes from a half to all
  const human = make("i", { class: "human" });
  human.style.left = at(fit.human - fit.spread);
  human.style.right = `calc(100% - ${at(fit.human + fit.spread)})`;
  range.append(human);
  if (fit.chord_tones !== null) {
    const mark = make("i", { class: "mark" });
    mark.style.left = at(fit.chord_tones);
    range.append(mark);
  }
  const rows = [
    ["Melody kept", percent, `${melody.length} notes, each as it was given`],
    ["Notes in the chords", fit.chord_tones === null ? "–" : `${Math.round(fit.chord_tones * 100)} %`, `${fit.verdict}: ${Math.round(fit.human * 100)} ± ${Math.round(fit.spread * 100)} %`, range],
    ["Accompaniment", `${notes.length} notes`, `${fit.notes_per_second} a second${taken ? `, ${Math.round(seconds)} s of music written in ${taken.toFixed(1)} s` : ""}`],
  ];
  card.replaceChildren(
    ...rows.map(([name, value, note, extra]) => make("div", {}, make("dt", {}, name), make("dd", {}, make("b", {}, value), extra ?? null, make("small", {}, note)))),
  );
}

/** Copy a link, or show it to be copied where the clipboard is closed. */
export async function copyLink(link) {
  const field = byId("link");
  if (!link) {
    byId("keep-status").textContent = "This melody is too long for a link. Save the MIDI file instead.";
    return;
  }
  field.value = link;
  field.hidden = false;
  field.select();
  try {
    await navigator.clipboard.writeText(link);
    byId("keep-status").textContent = "Link copied. It brings back melody, settings and seed.";
  } catch {
    byId("keep-status").textContent = "Copy this link: it brings back melody, settings and seed.";
  }
}
