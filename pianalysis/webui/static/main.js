// The page: from a melody to a call, from what the call tells to roll, player and takes.

import { call, CallError } from "./client.js";
import { contour } from "./contour.js";
import { allowDownloads, copyLink, setUpDownloads, showFit } from "./keep.js";
import { byId, clearErrors, make, setUpTabs, setUpTheme, showError, typing } from "./page.js";
import { Player } from "./player.js";
import { setUpPlayPanel } from "./playpanel.js";
import { clock, Roll } from "./roll.js";
import { Sampler } from "./sampler.js";
import { keepKnown, makeLink, readLink, readSeed, readSettings, showSettings, showWords } from "./settings.js";
import { Takes } from "./takes.js";
import { setUpTransport } from "./transport.js";

const boot = JSON.parse(byId("boot").textContent);
const context = new AudioContext({ latencyHint: "interactive" });
const sampler = new Sampler(context);
const player = new Player(sampler, context, () => transport.show());
const roll = new Roll(byId("roll"), { onSeek: (ms) => player.seek(ms), onSelect: (bars) => transport.select(bars) });
const takes = new Takes(byId("takes"), showTake);
const timing = {}; // of the last piece, in ms of performance.now(): asked, started, firstNotes, firstSound, done
const transport = setUpTransport({ player, roll, timing, unlock });
const SOUND_AHEAD_MS = 1_500; // samples that are waited for before the first sound
const PATIENCE_MS = 800; // and for how long
const QUEUE_SHOWN_MS = 700; // one who is next and let in at once isn't told of a queue

let request = null; // {melody, title, panel, track, bpm}
let job = null;
let piece = null; // what the stage shows: {melody, notes, bar_lines_ms, …}

async function unlock() {
  if (context.state !== "running") await context.resume();
}

/** Arrange a melody; the takes so far are kept when it's the same one. */
async function arrange(wanted, { seed = readSeed(), settings = readSettings(), sound = true } = {}) {
  job?.cancel();
  clearErrors();
  timing.asked = performance.now();
  timing.firstSound = timing.firstNotes = timing.done = null;
  player.pause();
  working(true, "Asking the server…");
  if (sound) unlock();
  showStage();
  const { melody, track = 0, title = "", bpm = 100 } = wanted;
  const name = melody ? "stream" : "compose";
  const mine = call(name, melody ? [melody, settings, seed, track, title, bpm] : [settings, seed], {
    index: boot.endpoints[name],
    ...tellOfQueue(melody ? "Reading the melody…" : "Inventing a melody…"),
    onEvent: (event) => job === mine && told(event, { wanted, settings, sound }),
  });
  job = mine;
  try {
    const done = await mine.done;
    if (job === mine && done === null) stopped();
  } catch (error) {
    if (job !== mine) return;
    if (!(error instanceof CallError)) throw error;
    working(false, "");
    say("Nothing was written.");
    showError(placeOf(wanted), error.message);
  } finally {
    if (job === mine) job = null;
  }
}

/** Bring the roll into view if its head is out of it. */
function showStage() {
  const { top } = byId("stage").getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.4) byId("stage").scrollIntoView({ behavior: "smooth", block: "start" });
}

/** What a call tells of before its first event. */
function tellOfQueue(begun) {
  let soon = null;
  return {
    onQueue: (place) => {
      clearTimeout(soon);
      soon = setTimeout(() => say(placeInQueue(place)), place.rank ? 0 : QUEUE_SHOWN_MS);
    },
    onStart: () => {
      clearTimeout(soon);
      say(begun);
    },
  };
}

function placeInQueue({ rank, eta }) {
  const before = rank === 0 ? "You are next" : rank === 1 ? "One piece is before yours" : `${rank} pieces are before yours`;
  return `${before}${eta ? `, about ${Math.max(Math.round(eta), 1)} s` : ""}…`;
}

function placeOf(wanted) {
  return document.querySelector(`#panel-${wanted.panel} .error`);
}

/** One event of the call. */
function told(event, { wanted, settings, sound }) {
  if (event.event === "start") begin(event, wanted);
  else if (event.event === "notes") grow(event, sound);
  else if (event.event === "done") finish(event, settings);
}

function begin(event, wanted) {
  timing.started = performance.now();
  if (wanted !== request) takes.clear();
  request = wanted;
  for (const card of byId("cards").querySelectorAll("button")) {
    card.setAttribute("aria-current", card.dataset.melody === wanted.melody);
  }
  piece = { ...event, notes: [] };
  roll.setPiece({ melody: event.melody, bars: event.bar_lines_ms, writing: true, writtenMs: event.bar_lines_ms[0] });
  player.load({ melody: event.melody, writtenMs: 0, endMs: endOf(event) });
  sampler.need(event.melody.filter(([onset]) => onset < SOUND_AHEAD_MS), player.transpose);
  transport.newPiece(piece);
  byId("piece-title").textContent = event.title;
  byId("roll-empty").hidden = true;
  byId("remarks").textContent = [`Melody: ${event.how_found}.`, ...event.remarks.map(sentence)].join(" ");
  showTracks(event.tracks);
  allowDownloads(false);
  showFit(null);
  working(true, `Writing: bar 1 of ${event.bars}`);
}

async function grow(event, sound) {
  const first = !timing.firstNotes;
  timing.firstNotes ??= performance.now();
  const writtenMs = piece.bar_lines_ms[event.bars_done] ?? piece.bar_lines_ms.at(-1);
  piece.notes.push(...event.notes);
  roll.addNotes(event.notes, writtenMs);
  player.extend(event.notes, event.bars_done >= event.bars ? player.endMs : writtenMs);
  byId("progress").value = event.bars_done / event.bars;
  say(event.bars_done < event.bars ? `Writing: bar ${event.bars_done + 1} of ${event.bars}` : "Finishing…");
  if (first && sound && byId("autoplay").checked) {
    const soon = [...piece.melody, ...event.notes].filter(([onset]) => onset < SOUND_AHEAD_MS);
    const mine = piece;
    await Promise.race([sampler.need(soon, player.transpose), new Promise((go) => setTimeout(go, PATIENCE_MS))]);
    if (piece === mine && player.state === "stopped") player.play();
    sampler.need(piece.melody, player.transpose);
  }
}

function finish(event, settings) {
  timing.done = performance.now();
  const take = Object.assign(piece, event, { settings, edits: [] }); // the same object: grow() may be waiting with it
  roll.finish(event.notes);
  player.parts.accompaniment.notes = event.notes;
  player.writtenMs = player.endMs = endOf(take);
  takes.add(take);
  working(false, `${take.bars} bars, ${Math.round(take.seconds)} seconds. Written in ${take.written_in_s.toFixed(1)} s.`);
  settle(take);
  if (context.state !== "running") say("Ready. Press play.");
}

/** Everything that goes with a finished take. */
function settle(take) {
  byId("seed").value = take.seed;
  transport.setPiece(take);
  byId("again").disabled = false;
  allowDownloads(true);
  showFit(take);
  transport.show();
  sampler.need([...take.melody, ...take.notes], player.transpose);
}

/** Write some bars of a take anew; the changed take stands in its place. */
async function rewrite(take, edit, { sound = true } = {}) {
  job?.cancel();
  clearErrors();
  working(true, "Asking the server…");
  const { first, last, seed } = edit;
  const mine = call("rewrite", [take.piece, first, last, take.settings, seed], {
    index: boot.endpoints.rewrite,
    ...tellOfQueue(`Writing bars ${first} to ${last} anew…`),
  });
  job = mine;
  try {
    const event = await mine.done;
    if (job !== mine || !event) return;
    const next = { ...take, ...event, seed: take.seed, edits: [...take.edits, edit] };
    takes.replace(take, next);
    showTake(next);
    if (sound) {
      player.seek(Math.max(next.bar_lines_ms[first - 1] - 1_000, 0));
      player.play();
    }
    roll.setSelection([first - 1, last - 1]);
    say(`Bars ${first} to ${last} are new.`);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    say("Nothing was changed.");
    showError(byId("stage-error"), error.message);
  } finally {
    if (job === mine) {
      job = null;
      working(false, byId("status").textContent);
    }
  }
}

/** A take from the row below: shown at the place where the last one was heard. */
function showTake(take) {
  if (take !== piece) job?.cancel();
  piece = take;
  const { playhead } = roll;
  roll.setPiece({ melody: take.melody, accompaniment: take.notes, bars: take.bar_lines_ms });
  player.load({ melody: take.melody, accompaniment: take.notes, writtenMs: endOf(take), endMs: endOf(take) }, { keepPosition: true });
  roll.setPlayhead(playhead, true);
  showSettings({ ...take.settings, seed: take.seed });
  say(`Take ${take.number}, seed ${take.seed}.`);
  settle(take);
}

function stopped() {
  working(false, "Stopped. What was written is here to listen to.");
  if (!piece) return;
  roll.finish(piece.notes);
  player.writtenMs = player.endMs;
  byId("again").disabled = false;
}

function endOf({ melody, notes = [], bar_lines_ms: bars }) {
  return [...melody, ...notes].reduce((end, [onset, duration]) => Math.max(end, onset + duration), bars.at(-1));
}

function say(text) {
  byId("status").textContent = text;
}

function working(on, text) {
  say(text);
  byId("cancel").hidden = !on;
  byId("progress").hidden = !on;
  if (!on) byId("progress").value = 0;
  byId("stage").setAttribute("aria-busy", on);
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function showTracks(tracks) {
  const field = byId("track-field");
  field.hidden = !(request.panel === "file" && tracks.length > 1);
  const options = tracks.map(({ number, name, notes }) => make("option", { value: number }, `${number}: ${name || "unnamed"}, ${notes} notes`));
  byId("track").replaceChildren(make("option", { value: 0 }, "found by itself"), ...options);
  byId("track").value = request.track ?? 0;
}

/** The same melody again: with the same seed if a setting was changed, with the next one if nothing was. */
function again() {
  const settings = readSettings();
  const { current } = takes;
  const same = current && current.seed === readSeed() && JSON.stringify(current.settings) === JSON.stringify(settings);
  const used = takes.all.map((take) => take.seed);
  arrange(request, { settings, seed: same ? Math.max(...used) + 1 : readSeed() });
}

async function takeFile(file) {
  if (!file) return;
  showTab("file");
  clearErrors();
  const error = document.querySelector("#panel-file .error");
  if (file.size > 8 * 2 ** 20) return showError(error, `“${file.name}” is too large. MIDI files up to 8 MB are read.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 32_768) binary += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  byId("file").value = ""; // so that the same file can be chosen again
  return arrange({ melody: `data:audio/midi;base64,${btoa(binary)}`, title: file.name, panel: "file" });
}

function showCards() {
  const card = ({ name, title, metre, length, origin, opening }) => {
    const wanted = { melody: name, title, panel: "examples" };
    const picture = contour([{ name: "melody", notes: opening }], { height: 60 });
    const getReady = () => sampler.need(opening.filter(([onset]) => onset < SOUND_AHEAD_MS)); // before the click
    return make("li", { onpointerenter: getReady, onfocusin: getReady }, make("button", { type: "button", title: `${origin}, ${metre}`, "data-melody": name, onclick: () => arrange(wanted) }, picture, make("strong", {}, title), make("small", {}, `${metre} · ${length}`)));
  };
  const surprise = make("button", { type: "button", class: "surprise", "data-melody": "", onclick: () => arrange({ melody: "", title: "From nothing", panel: "examples" }) }, make("strong", {}, "✦ Surprise me"), make("small", {}, "a melody from nothing"));
  byId("cards").replaceChildren(...boot.examples.map(card), make("li", {}, surprise));
}

function setUpInputs() {
  byId("file").addEventListener("change", (event) => takeFile(event.target.files[0]));
  byId("track").addEventListener("change", (event) => arrange({ ...request, track: Number(event.target.value) }));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    takeFile(event.dataTransfer.files[0]);
  });
  byId("typed-arrange").addEventListener("click", () => arrange({ melody: byId("typed").value, panel: "type", bpm: Number(byId("typed-bpm").value) }));
  byId("again").addEventListener("click", again);
  byId("cancel").addEventListener("click", () => job?.cancel());
  for (const id of ["temperature", "dynamics"]) byId(id).addEventListener("input", showWords);
  byId("share").addEventListener("click", () => copyLink(makeLink({ ...takes.current, ...request, title: takes.current.title })));
  byId("rewrite").addEventListener("click", () => {
    const { current } = takes;
    const [first, last] = roll.selection;
    rewrite(current, { first: first + 1, last: last + 1, seed: 1 + Math.max(current.seed, ...current.edits.map(({ seed }) => seed)) });
  });
  setUpPlayPanel({
    context,
    unlock,
    strike: (pitch, velocity) => sampler.strike(pitch, velocity, context.currentTime, Infinity, player.parts.melody.gain),
    onArrange: (melody) => arrange({ melody, title: "Your melody", panel: "play" }),
    onListen: listen,
  });
}

/** What was recorded, alone. */
function listen({ bpm, beats, notes }) {
  job?.cancel();
  const end = Math.max(...notes.map(([onset, duration]) => onset + duration));
  const barMs = (60_000 / bpm) * beats;
  const bars = Array.from({ length: Math.ceil(end / barMs) + 1 }, (_, index) => index * barMs);
  piece = { title: "Your melody", melody: notes, notes: [], bar_lines_ms: bars };
  byId("piece-title").textContent = piece.title;
  byId("roll-empty").hidden = true;
  roll.setPiece({ melody: notes, bars });
  player.load({ melody: notes, writtenMs: bars.at(-1), endMs: bars.at(-1) });
  transport.newPiece(piece);
  player.play();
}

async function openLink() {
  const asked = readLink(location.href);
  if (!asked) return;
  showSettings(asked.settings);
  const named = !asked.melody || boot.examples.some(({ name }) => name === asked.melody);
  const panel = named ? "examples" : asked.melody.startsWith("data:") ? "file" : asked.melody.startsWith("{") ? "play" : "type";
  showTab(panel);
  const { edits, ...wanted } = asked;
  await arrange({ ...wanted, panel }, { sound: false });
  for (const edit of edits) if (takes.current) await rewrite(takes.current, edit, { sound: false });
}

const showTab = setUpTabs(document.querySelector(".tabs"), (name) => {
  if (name === "play") sampler.need([...Array(29).keys()].map((step) => [0, 0, 60 + step, 84]));
});
setUpTheme(byId("theme"), () => roll.readColours());
setUpDownloads(boot.formats, () => takes.current);
byId("model").textContent = boot.model;
byId("version").textContent = boot.version;
keepKnown(boot.settings);
showWords();
showCards();
setUpInputs();
await sampler.loadIndex();
openLink();
globalThis.pianalysis = { player, roll, sampler, takes, timing, clock, typing }; // for tests and the curious
