// The page put together: each part is told of what happens in the others. It holds no state; the session does.

import { makeAnnouncer } from "./announce.js";
import { Audition } from "./audition.js";
import { Bubble } from "./bubble.js";
import { ChordEditing } from "./chordediting.js";
import { plural } from "./choices.js";
import { setUpKeys } from "./hotkeys.js";
import { HumPanel } from "./humpanel.js";
import { Intake } from "./intake.js";
import { readLink } from "./link.js";
import { Live } from "./live.js";
import { byId, clearErrors, setUpPopover, setUpTheme, showError } from "./page.js";
import { playedMelody } from "./piece.js";
import { Player } from "./player.js";
import { PlayPanel, setUpMidi } from "./playpanel.js";
import { Rewriting } from "./rewriting.js";
import { Roll } from "./roll.js";
import { Sampler } from "./sampler.js";
import { setUpSave } from "./save.js";
import { ScorePanel } from "./scorepanel.js";
import { changed, changeTake, chooseTake, currentTake, emptySession, nextSeed, removeTake, withMelody } from "./session.js";
import { SettingsPanel } from "./settingspanel.js";
import { readRecipeFile, setUpShare } from "./share.js";
import { setUpSheets } from "./sheets.js";
import { makeMelody, Sources, tabOf } from "./sources.js";
import { setUpViews, Stage } from "./stage.js";
import { Store } from "./store.js";
import { showFigures, Takes } from "./takes.js";
import { Transport } from "./transport.js";
import { Writer } from "./writer.js";

/** @import {Bars, Boot, Melody, Session, Take} from "./types.js" */
/** @import {Recipe} from "./link.js" */
/** @import {State} from "./writer.js" */

/** @type {Boot} */
const boot = JSON.parse(byId("boot").textContent);
const context = new AudioContext({ latencyHint: "interactive" });
const store = new Store();
const live = new Live(store);
const announce = makeAnnouncer(byId("announcer"));
const sampler = new Sampler(context);
const player = new Player(sampler, context, () => transport.show());
const audition = new Audition(player, sampler, context);
const roll = new Roll(byId("roll"), { onSeek: seek, onSelect: (_, how) => showBubble(how), onView: showView });
const stage = new Stage({ roll, player, sampler, autoplay: () => byId("autoplay").checked });
const transport = new Transport({ live, player, roll, stage, unlock, onFirstSound: () => (writer.timing.firstSound = performance.now()), onPlayhead: showPlayhead, playable: () => stage.shown !== null && !playPanel.recording && byId("sources").hidden });
const writer = new Writer({ live, boot, told: {
  onState: showState,
  onBegin: begin,
  onGrow: (draft) => stage.grow(draft),
  onBroken: broken,
  onDone: (take) => announce(`Ready: take ${take.number}, ${plural(take.bars, "bar")}.`),
  isShown: (id) => stage.shown?.id === id,
  onFull: () => showState({ busy: false, text: "", progress: null, error: "All eight takes have a star. Take one's star or remove one, then write again.", code: "" }),
} });
const takes = new Takes({
  onChoose: choose,
  onStar: (id) => live.do("the star", changeTake(live.session, id, { starred: !live.session.takes.find((take) => take.id === id)?.starred })),
  onRemove: (id) => live.do("removing a take", removeTake(live.session, id)),
});
const panel = new SettingsPanel({ live, boot, onWrite: again });
const rewriting = new Rewriting({ live, writer, roll, player, announce, shown: () => stage.shown });
const bubble = new Bubble(boot.options.left_hand ?? [], { onLoop: () => transport.setLoop(!player.loop), onRewrite: (way, figure) => rewriting.bars(way, figure), onUndo: undo, onBars: (bars) => roll.setSelection(bars) });
const sources = new Sources({ boot, sampler, told: { onMelody: open, onFile: openFile, onRecipe: openRecipeFile, onPiece: openPiece, onTab: tabChosen } });
const intake = new Intake({ boot, audition, onWrite: (melody) => open(melody, 0), onShow: showIntake, onError: (message) => {
  toggleMenu(true);
  sources.showTab(intake.source.startsWith("data:audio/wav") && intake.title === "Hummed" ? "hum" : "file");
  showError(sources.place(sources.shownTab), message);
} });
const playPanel = new PlayPanel({ context, unlock, audition, quiet, open: () => !byId("sources").hidden && !byId("panel-play").hidden,
  strike: (pitch, velocity) => sampler.strike(pitch, velocity, context.currentTime, Infinity, audition.output),
  onArrange: ({ notes, bpm, beats }) => open(makeMelody(playedMelody(notes, bpm, beats), "played", { title: "Your melody" }), 0) });
const humPanel = new HumPanel({ seconds: boot.limits.hum_seconds ?? 120, quiet, onHeard: openFile });
const chords = new ChordEditing({ index: boot.endpoints.alternatives ?? 0, transpose: () => live.session.heard.transpose, hear: (notes) => audition.play(notes), restore: (take) => writer.restore(take).catch(() => null), rewrite: (...asked) => rewriting.chord(...asked),
  selected: () => (roll.selection ? [roll.selection[0] + 1, roll.selection[1] + 1] : null), reveal: (ms) => roll.show(ms), pan: (px) => (roll.scroller.scrollLeft += px) });
const score = new ScorePanel(byId("score"), { onSeek: seek, onSelect: (bars) => roll.setSelection(bars, "done"), transpose: () => live.session.heard.transpose, writing: () => stage.writing, restore: (take) => writer.restore(take).catch(() => null) });
const toggleMenu = setUpPopover(byId("melody-menu"), byId("sources"), { stay: () => !live.session.melody && byId("intake").hidden, onOpen: menuOpened, onClose: leavePanels });
const setView = setUpViews((view) => {
  roll.resize();
  score.setSeen(view !== "roll");
});

async function unlock() {
  if (context.state !== "running") await context.resume();
}

/** Nothing sounds while something is recorded. */
function quiet() {
  audition.stop();
  stage.hush();
}

/** @param {number} ms */
function seek(ms) {
  player.seek(ms);
}

/** Write a melody, in a session of its own, which is opened when its first event comes. @param {Melody} melody @param {number} seed */
function open(melody, seed) {
  clearErrors();
  leavePanels();
  unlock();
  writer.write({ session: withMelody(live.session, melody), seed });
}

/** @param {string} source @param {string} title */
function openFile(source, title) {
  unlock();
  toggleMenu(false);
  intake.open(source, title);
}

/** @param {string} text */
function openRecipeFile(text) {
  const recipe = readRecipeFile(text);
  if (recipe) openRecipe(recipe);
  return recipe !== null;
}

/** What a link or a saved file asks for. @param {Recipe} recipe */
async function openRecipe({ melody, settings, seed, edits, heard }, sound = false) {
  clearErrors();
  if (sound) unlock();
  const session = { ...emptySession(), melody, settings, heard };
  const take = await writer.write({ session, seed, settings, sound });
  if (!take) return;
  for (const edit of edits) {
    const now = live.session.takes.find(({ id }) => id === take.id);
    if (!now || !(await writer.rewrite(now, edit, "", { quiet: true }))) break;
  }
}

/** @param {Session} session */
function openPiece(session) {
  writer.leave();
  toggleMenu(false);
  live.open(session);
}

/** A take begins to be written. @param {Take} draft @param {boolean} sound @param {Session} session */
function begin(draft, sound, session) {
  clearErrors();
  const fresh = session.id !== live.session.id;
  if (fresh) live.open({ ...session, melody: { .../** @type {Melody} */ (session.melody), title: draft.title } });
  toggleMenu(false);
  stage.begin(draft, sound);
  announce(`Writing ${draft.title}.`);
  showPiece(live.session);
  showStage(fresh);
  if (!document.activeElement?.checkVisibility() || document.activeElement === document.body) byId("roll").focus({ preventScroll: true });
}

/** Writing ended before its end. @param {Take | null} take what there is of it */
function broken(take) {
  if (take) stage.show(take, { keep: true });
  else if (stage.writing) {
    const now = currentTake(live.session);
    if (now) stage.show(now);
    else stage.clear();
  }
  byId("retry").hidden = !live.session.melody;
}

/** Bring the stage into view if its head is out of it. @param {boolean} fresh */
function showStage(fresh) {
  const { top } = byId("stage").getBoundingClientRect();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (fresh || top < 0 || top > innerHeight * 0.4) scrollTo({ top: 0, behavior: calm || fresh ? "instant" : "smooth" });
}

/** @param {State} state */
function showState({ busy, text, progress, error, code }) {
  byId("status").textContent = text;
  if (!busy && document.activeElement === byId("cancel")) byId("again").focus({ preventScroll: true });
  byId("cancel").hidden = !busy;
  byId("progress").hidden = progress === null || !busy;
  byId("progress").value = progress ?? 0;
  byId("stage").setAttribute("aria-busy", String(busy));
  const inMenu = !byId("sources").hidden;
  byId("asking").hidden = !(busy && inMenu);
  byId("asking-status").textContent = text;
  if (busy || !error) byId("retry").hidden = true;
  if (error) {
    const place = inMenu ? sources.place(sources.shownTab) : byId("intake").hidden ? byId("stage-error") : byId("intake-error");
    showError(place, error);
  } else if (busy) showError(byId("stage-error"));
  byId("retry").hidden = !(error && code !== "stopped" && !inMenu && stage.shown?.piece === "");
  showBusy(busy);
}

/** @param {boolean} busy */
function showBusy(busy) {
  for (const id of ["again", "write-these"]) byId(id).setAttribute("aria-disabled", String(busy)); // not disabled: focus stays
  showBubble("page");
}

/** The same melody again: with the same seed if a setting was changed, with the next one if nothing was. @param {number | null} seed */
function again(seed = panel.seed()) {
  if (writer.busy) return;
  clearErrors();
  unlock();
  const { session } = live;
  const take = currentTake(session);
  const same = take && changed(session).length > 0 && !session.takes.some((one) => one !== take && one.seed === take.seed && one.edits.length === 0 && sameSettings(one.settings, session.settings));
  writer.write({ seed: seed ?? (same ? take.seed : nextSeed(session)) });
  byId("seed").value = "";
}

/** @param {object} one @param {object} other */
function sameSettings(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** @param {string} id */
function choose(id) {
  live.amend(chooseTake(live.session, id));
  announce(`Take ${currentTake(live.session)?.number}.`);
}

function undo() {
  announce(`Undone: ${live.history.past.at(-1)?.label ?? ""}.`);
  live.undo();
}

function redo() {
  announce(`Done again: ${live.history.future[0]?.label ?? ""}.`);
  live.redo();
}

/** @param {{xOf: (ms: number) => number, left: number, right: number}} view */
function showView(view) {
  chords.lane.setView(view);
  placeBubble();
}

/** @param {number} ms */
function showPlayhead(ms) {
  takes.setPlayhead(ms);
  chords.lane.setPlayhead(ms);
  score.setPlayhead(ms);
}

/** @param {string} how */
function showBubble(how) {
  const ready = stage.shown !== null && stage.shown === currentTake(live.session);
  const last = live.history.past.at(-1)?.label ?? "";
  bubble.show(roll.selection, { last: roll.bars.length - 1, ready, busy: writer.busy, looped: player.loop !== null, undo: last.startsWith("rewriting") || last.startsWith("the chord") ? `Undo: ${last}` : "", dragging: how === "drag" });
  if (how !== "drag") transport.selected();
  score.setSelection(roll.selection);
  placeBubble();
}

function placeBubble() {
  const span = roll.selectionMs();
  if (!span) return;
  bubble.place(roll.xOf(span[0]), roll.xOf(span[1]));
}

/** What is recorded ends where nobody looks at it any more. */
function leavePanels() {
  audition.stop();
  playPanel.leave();
  humPanel.leave();
}

/** @param {string} name */
function tabChosen(name) {
  leavePanels();
  if (name === "play") sampler.need(Array.from({ length: 29 }, (_, step) => [0, 0, 60 + step, 84]));
}

async function menuOpened() {
  const { melody, id } = live.session;
  if (melody) sources.showTab(tabOf(melody.kind));
  live.keepNow();
  const lately = await store.lately();
  sources.showLately(lately.filter((session) => session.id !== id && session.takes.length).slice(0, 6));
}

/** @param {boolean} shown */
function showIntake(shown) {
  byId("intake").hidden = !shown;
  document.body.dataset.intake = shown ? "open" : "";
  if (shown) byId("intake").scrollIntoView({ block: "nearest" });
  else if (!live.session.melody) toggleMenu(true);
}

/** @param {"pdf" | "svg"} kind */
async function saveScore(kind) {
  const take = currentTake(live.session);
  if (take) await score.save(kind, take);
}

/** What goes with a session, whoever changed it. @param {Session} session @param {Session} before */
function show(session, before) {
  const take = currentTake(session);
  const other = session.id !== before.id && !(writer.draft && writer.target === session.id);
  if (other) writer.leave();
  showPiece(session);
  takes.show(session);
  panel.show(session);
  stage.setHeard(session.heard);
  if (session.heard.transpose !== before.heard.transpose) for (const part of stage.beside) part.show(stage.shown, chords.whole);
  if (other) {
    if (session.melody) toggleMenu(false);
    roll.setSelection(null);
    showError(byId("stage-error"));
    byId("retry").hidden = true;
    byId("status").textContent = take ? plural(take.bars, "bar") : "";
    if (take) stage.show(take);
    else stage.clear();
  } else if (take && take !== currentTake(before)) {
    if (stage.writing && stage.shown?.id === take.id) stage.finish(take);
    else stage.show(take, { keep: stage.shown !== null });
  } else if (!take && currentTake(before)) stage.clear();
  transport.showHeard(session.heard, stage.shown);
  showFigures(take);
  showBubble("page");
}

/** @param {Session} session */
function showPiece(session) {
  const { melody } = session;
  document.body.dataset.state = melody ? "piece" : "welcome";
  for (const id of ["stage", "transport", "below", "top-actions"]) byId(id).hidden = !melody;
  byId("lead").hidden = Boolean(melody);
  byId("melody-menu").hidden = !melody;
  if (!melody && byId("intake").hidden) toggleMenu(true);
  const title = stage.writing ? (stage.shown?.title ?? "") : (currentTake(session)?.title ?? melody?.title ?? "");
  byId("melody-name").textContent = title || "Untitled";
  document.title = melody ? `${title} · Pianalysis` : "Pianalysis: drop in a melody, hear a piano";
  const { past, future } = live.history;
  for (const [id, word, step] of /** @type {[string, string, any][]} */ ([["undo", "Undo", past.at(-1)], ["redo", "Redo", future[0]]])) {
    byId(id).disabled = !step;
    byId(id).setAttribute("aria-label", step ? `${word}: ${step.label}` : word);
    byId(id).title = step ? `${word}: ${step.label}` : word;
  }
  const take = currentTake(session);
  byId("share").disabled = byId("save").disabled = !take;
  transport.showHeard(session.heard, stage.shown ?? take);
  sources.markCurrent(session);
}

function setUp() {
  byId("undo").addEventListener("click", undo);
  byId("redo").addEventListener("click", redo);
  byId("again").addEventListener("click", () => again());
  byId("retry").addEventListener("click", () => writer.write({ seed: stage.shown?.seed ?? nextSeed(live.session), settings: stage.shown?.settings ?? live.session.settings }));
  for (const id of ["cancel", "asking-cancel"]) byId(id).addEventListener("click", () => writer.cancel());
  byId("zoom-in").addEventListener("click", () => roll.zoom(0.7));
  byId("zoom-out").addEventListener("click", () => roll.zoom(1 / 0.7));
  setUpKeys({ undo, redo, free: () => byId("sources").hidden && !playPanel.recording, chooseAt: (index) => {
    const take = live.session.takes[index];
    if (take && take.id !== live.session.current) choose(take.id);
  } });
  setUpTheme(byId("theme"), () => roll.readColours());
  setUpSheets();
  setUpMidi(playPanel);
  setUpShare(() => live.session);
  setUpSave({ formats: boot.formats, take: () => currentTake(live.session), heard: () => live.session.heard, restore: (take) => writer.restore(take).catch(() => null), score: saveScore, say: announce });
  byId("model").textContent = boot.model;
  byId("version").textContent = boot.version;
}

/** A link, the piece that was open before a reload, or the welcome. */
async function enter() {
  const recipe = await readLink(location.href).catch(() => null);
  if (recipe) return openRecipe(recipe);
  const kept = history.state?.piece;
  if (kept) await live.goTo(kept);
  return undefined;
}

stage.beside.push(chords, score);
setUp();
live.listen(show);
setView("roll");
await sampler.loadIndex().catch(() => {});
enter();
const shown = { // for tests and the curious
  live, player, roll, sampler, stage, writer, bubble, audition, score,
  get takes() {
    return { all: live.session.takes, current: currentTake(live.session) };
  },
  get timing() {
    return writer.timing;
  },
};
Object.assign(globalThis, { pianalysis: shown });
