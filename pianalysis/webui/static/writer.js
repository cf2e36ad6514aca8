// Writing: from what the session asks for to calls, and from what they tell to takes.

import { differing, forServer, OF_THE_WHOLE, plural } from "./choices.js";
import { call, CallError } from "./client.js";
import { beginTake, brokenOff, finished, growTake, playedMelody } from "./piece.js";
import { addTake, changeTake, nextSeed, rewriteTake } from "./session.js";

/** @import {Boot, Edit, Melody, Session, Settings, Take} from "./types.js" */
/** @import {Live} from "./live.js" */
/** @typedef {{busy: boolean, text: string, progress: number | null, error: string, code: string}} State */
/**
 * @typedef {{onState: (state: State) => void, onBegin: (draft: Take, sound: boolean, session: Session) => void, onGrow: (draft: Take) => void,
 *   onBroken: (draft: Take | null) => void, onDone: (take: Take) => void, isShown: (id: string) => boolean, onFull: () => void}} Told
 */

const QUEUE_SHOWN_MS = 700; // one who is next and let in at once isn't told of a queue

export class Writer {
  /** @param {{live: Live, boot: Boot, told: Told}} parts */
  constructor({ live, boot, told }) {
    this.live = live;
    this.boot = boot;
    this.told = told;
    /** @type {ReturnType<typeof call> | null} */
    this.job = null;
    /** @type {Take | null} */
    this.draft = null;
    this.error = ""; // of what was asked for last
    this.target = "";
    this.timing = /** @type {Record<string, number | null>} */ ({});
  }

  get busy() {
    return this.job !== null;
  }

  /** @param {Partial<State>} state */
  say(state) {
    this.error = state.error ?? "";
    this.told.onState({ busy: this.busy, text: "", progress: null, error: "", code: "", ...state });
  }

  /** @param {string} name @param {unknown[]} data @param {string} begun @param {(event: any) => void} [onEvent] */
  start(name, data, begun, onEvent = () => {}) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let soon;
    this.job?.cancel();
    const job = call(name, data, {
      index: this.boot.endpoints[name] ?? 0,
      onQueue: (place) => {
        clearTimeout(soon);
        soon = setTimeout(() => this.job === job && this.say({ text: placeInQueue(place) }), place.rank ? 0 : QUEUE_SHOWN_MS);
      },
      onStart: () => {
        clearTimeout(soon);
        if (this.job === job) this.say({ text: begun });
      },
      onEvent: (event) => this.job === job && onEvent(event),
    });
    job.done.catch(() => {}).finally(() => clearTimeout(soon));
    this.job = job;
    this.say({ text: "Asking the server…" });
    return job;
  }

  /** @param {Melody} melody @param {Settings} settings @param {number} seed @returns {[string, unknown[]]} */
  request(melody, settings, seed) {
    const sent = { ...forServer(settings, this.knownSettings()), ...forServer(melody.given) };
    if (melody.compose !== null) return ["compose", [sent, seed]];
    return ["stream", [melody.source, sent, seed, melody.track, melody.title, melody.bpm, melody.chords]];
  }

  knownSettings() {
    const { options, numbers, switches } = this.boot;
    return [...Object.keys(options), ...Object.keys(numbers), ...Object.keys(switches)];
  }

  /**
   * Another take of a session's melody: of the one that is open, or of one that is opened when its first event comes.
   * @param {{session?: Session, seed?: number, settings?: Settings, sound?: boolean}} [wanted] @returns {Promise<Take | null>}
   */
  async write({ session = this.live.session, seed = nextSeed(session), settings = session.settings, sound = true } = {}) {
    const { melody, id } = session;
    if (!melody) return null;
    this.target = id; // the session that it is written for
    this.timing = { asked: performance.now(), started: null, firstNotes: null, firstSound: null, done: null };
    this.draft = null;
    const [name, data] = this.request(melody, settings, seed);
    const job = this.start(name, data, melody.compose === null ? "Reading the melody…" : "Inventing a melody…", (event) => this.heard(event, session, settings, sound));
    try {
      const done = await job.done;
      if (this.job !== job) return null;
      this.job = null;
      if (done === null) return this.broken("Stopped. What is written is here to listen to.", "stopped");
      return this.keep(done, id, settings);
    } catch (error) {
      if (this.job !== job) return null;
      this.job = null;
      if (!(error instanceof CallError)) throw error;
      return this.broken(error.message, error.code);
    }
  }

  /** @param {any} event @param {Session} session @param {Settings} settings @param {boolean} sound */
  heard(event, session, settings, sound) {
    if (event.event === "start") {
      this.timing.started = performance.now();
      this.draft = beginTake(event, /** @type {Melody} */ (session.melody), settings);
      this.told.onBegin(this.draft, sound, session);
      this.say({ text: `Writing bar 1 of ${event.bars}`, progress: 0 });
    } else if (event.event === "notes" && this.draft) {
      this.timing.firstNotes ??= performance.now();
      this.draft = growTake(this.draft, event);
      const text = event.bars_done < event.bars ? `Writing bar ${event.bars_done + 1} of ${event.bars}` : "Finishing…";
      this.say({ text, progress: event.bars_done / event.bars });
      this.told.onGrow(this.draft);
    }
  }

  /** @param {any} done @param {string} id @param {Settings} settings */
  keep(done, id, settings) {
    const { live, draft } = this;
    this.timing.done = performance.now();
    if (!draft || live.session.id !== id) return null;
    const take = { ...draft, ...finished(done), settings };
    this.draft = null;
    const added = addTake(live.session, take);
    if (!added) {
      this.told.onFull();
      return null;
    }
    const { melody, current } = added.session;
    const given = melody && melody.compose !== null ? { ...melody, ...asMelody(take) } : melody;
    const shown = this.told.isShown(take.id);
    live.do(`take ${added.session.count}`, { ...added.session, melody: given, current: shown ? current : live.session.current });
    const kept = /** @type {Take} */ (live.session.takes.at(-1));
    this.told.onDone(kept);
    const gone = added.gone ? ` Take ${added.gone.number} gave way; Undo brings it back.` : "";
    const touch = matchMedia("(pointer: coarse)").matches;
    const long = touch ? "" : `, ${plural(Math.round(take.seconds), "second")}`;
    const hint = touch ? "Hold one to change it." : `Written in ${take.written_in_s.toFixed(1)} s. Drag over bars to change them.`;
    this.say({ text: `${plural(take.bars, "bar")}${long}. ${hint}${gone}` });
    return kept;
  }

  /** Writing ended before the piece did: what is there stays. @param {string} why @param {string} code */
  broken(why, code) {
    const { draft } = this;
    this.draft = null;
    const stopped = code === "stopped";
    if (draft && draft.bars_done > 0) {
      const take = brokenOff(draft);
      this.told.onBroken(take);
      this.say({ text: `${plural(take.bars_done, "bar")} of ${take.bars} ${take.bars_done === 1 ? "is" : "are"} here to listen to.`, error: stopped ? "" : why, code });
    } else {
      this.told.onBroken(null);
      this.say({ text: "Nothing was written.", error: stopped ? "" : why, code });
    }
    return null;
  }

  cancel() {
    this.job?.cancel();
  }

  /** Forget what is being written: another piece is on the stage. */
  leave() {
    const { job } = this;
    this.job = null;
    this.draft = null;
    job?.cancel();
  }

  /** Write some bars of a take anew, in its place. @param {Take} take @param {Edit} edit @param {string} label */
  async rewrite(take, edit, label, { quiet = false } = {}) {
    const { first, last } = edit;
    const bars = first === last ? `bar ${first}` : `bars ${first} to ${last}`;
    const done = await this.onServer(take, `Writing ${bars} anew…`, (piece) => {
      return ["rewrite", [piece, first, last, this.ofTheBars(take, edit.settings), edit.seed, edit.chords]];
    });
    const now = this.live.session.takes.find(({ id }) => id === take.id);
    if (!done || !now) return false;
    const session = rewriteTake(this.live.session, take.id, finished(done), { ...edit, settings: edit.settings });
    if (quiet) this.live.amend(session);
    else this.live.do(label, session);
    this.say({ text: `${bars[0]?.toUpperCase()}${bars.slice(1)} ${first === last ? "is" : "are"} new.` });
    return true;
  }

  /** What is to be other in some bars than in the piece: how they are played, not what the whole piece is. @param {Take} take @param {Settings} settings */
  ofTheBars(take, settings) {
    const names = differing(settings, take.settings).filter((name) => !OF_THE_WHOLE.includes(name) && settings[name] !== "");
    return Object.fromEntries(names.map((name) => [name, settings[name] ?? ""]));
  }

  /**
   * Something that the server does with a take's piece. Where it has forgotten the piece, it's written again first.
   * @param {Take} take @param {string} begun @param {(piece: string) => [string, unknown[]]} ask
   * @returns {Promise<any>}
   */
  async onServer(take, begun, ask, { again = true } = {}) {
    /** @type {any} */
    let job = null;
    try {
      const piece = take.piece || (await this.restore(take));
      if (!piece) return null;
      const [name, data] = ask(piece);
      job = this.start(name, data, begun);
      const done = await job.done;
      if (this.job !== job) return null;
      this.job = null;
      if (done === null) this.say({ text: "Stopped. Nothing was changed." });
      return done;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (job && this.job !== job) return null;
      this.job = null;
      if (isForgotten(error) && again) return this.onServer({ ...take, piece: "" }, begun, ask, { again: false });
      this.say({ text: "Nothing was changed.", error: error.message, code: error.code });
      return null;
    }
  }

  /** Write a take again on a server that has forgotten it: its recipe makes it the same. @param {Take} take @returns {Promise<string | null>} the piece's id there */
  async restore(take) {
    const { melody } = this.live.session;
    if (!melody) return null;
    const own = { ...melody, compose: take.composed ? take.seed : null, chords: take.chordsGiven, given: take.given };
    const job = this.start(...this.request(own, take.settings, take.seed), "The server has forgotten this piece: it is written again…");
    const done = await job.done;
    if (this.job !== job || !done) return null;
    let { piece } = done;
    for (const edit of take.edits) {
      const data = [piece, edit.first, edit.last, this.ofTheBars(take, edit.settings), edit.seed, edit.chords];
      const next = this.start("rewrite", data, "Its changes are made again…");
      const changed = await next.done;
      if (this.job !== next || !changed) return null;
      piece = changed.piece;
    }
    this.job = null;
    this.live.amend(changeTake(this.live.session, take.id, { piece }));
    return piece;
  }
}

/** @param {CallError} error */
function isForgotten({ code, message }) {
  return code === "forgotten" || message.includes("isn't kept here any more");
}

/** An invented melody is a melody from now on: other takes are written to it. @param {Take} take @returns {Partial<Melody>} */
function asMelody({ melody, bar_lines_ms: lines, time_signature: metre }) {
  const beats = Math.min(Number((metre || "4/4").split("/")[0]) || 4, 12);
  const bar = (lines[1] ?? 2_000) - (lines[0] ?? 0);
  return { source: playedMelody(melody, Math.round((beats * 60_000_000) / bar) / 1000, beats), compose: null };
}

/** @param {import("./client.js").Place} place */
function placeInQueue({ rank, eta }) {
  const before = rank === 0 ? "You are next" : rank === 1 ? "One piece is before yours" : `${rank} pieces are before yours`;
  return `${before}${eta ? `, about ${Math.max(Math.round(eta), 1)} s` : ""}…`;
}
