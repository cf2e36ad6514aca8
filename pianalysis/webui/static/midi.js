// MIDI keyboards, by Web MIDI: which are there, and what is played on the chosen one.

/**
 * @typedef {{id: string, name: string}} Keyboard
 * @typedef {{onDown?: (pitch: number, velocity: number) => void, onUp?: (pitch: number) => void, onChange?: (keyboards: Keyboard[]) => void}} MidiCalls
 */

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError: "MIDI keyboards may not be used. Allow them for this page (beside its address), then try again.",
  SecurityError: "MIDI keyboards may not be used. Allow them for this page (beside its address), then try again.",
  NotSupportedError: "This browser can't reach MIDI keyboards.",
};
const LOWEST = 21;
const HIGHEST = 108; // a piano's keys

export class MidiKeyboards {
  /** @type {MIDIAccess | null} */
  access = null;
  chosen = ""; // an id; "": all of them
  /** @type {Map<number, string>} */
  held = new Map(); // pitch -> the keyboard that holds it

  /** `onChange` comes whenever one is connected or taken away. @param {MidiCalls} [calls] */
  constructor({ onDown = () => {}, onUp = () => {}, onChange = () => {} } = {}) {
    this.onDown = onDown;
    this.onUp = onUp;
    this.onChange = onChange;
  }

  /** Whether this browser has Web MIDI at all: what there is to show. */
  static get supported() {
    return typeof navigator !== "undefined" && "requestMIDIAccess" in navigator;
  }

  /** Ask for the keyboards; gives those that are there. Throws an Error with a sentence. To be called from a click. @returns {Promise<Keyboard[]>} */
  async connect() {
    if (!MidiKeyboards.supported) throw new Error(isSecureContext ? REASONS.NotSupportedError : "Browsers hand out MIDI keyboards only on pages opened by https or on this computer itself.");
    try {
      this.access = await navigator.requestMIDIAccess();
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      throw new Error(REASONS[name] ?? "MIDI keyboards can't be reached; try it again.", { cause: error });
    }
    this.access.onstatechange = () => {
      this.listen();
      this.onChange(this.keyboards());
    };
    this.listen();
    return this.keyboards();
  }

  /** @returns {Keyboard[]} */
  keyboards() {
    const inputs = [...(this.access?.inputs.values() ?? [])].filter(({ state }) => state === "connected");
    return inputs.map(({ id, name }, index) => ({ id, name: name || `Keyboard ${index + 1}` }));
  }

  /** Hear one keyboard alone, or all. @param {string} id "" for all */
  choose(id) {
    this.chosen = id;
    this.listen();
  }

  /** Hear no keyboard any more. */
  close() {
    for (const input of this.access?.inputs.values() ?? []) input.onmidimessage = null;
    if (this.access) this.access.onstatechange = null;
    this.access = null;
    this.releaseAll();
  }

  listen() {
    const heard = new Set();
    for (const input of this.access?.inputs.values() ?? []) {
      const wanted = input.state === "connected" && (!this.chosen || input.id === this.chosen);
      if (wanted) heard.add(input.id);
      input.onmidimessage = wanted ? (event) => event.data && this.take(event.data, input.id) : null;
    }
    this.releaseAll((holder) => !heard.has(holder));
  }

  /** @param {Uint8Array} data @param {string} holder */
  take(data, holder) {
    const message = read(data);
    if (!message) return;
    if (message.kind === "silence") return this.releaseAll((other) => other === holder);
    const { pitch, velocity } = message;
    if (message.kind === "down") {
      if (this.held.has(pitch)) this.onUp(pitch); // struck again without its end
      this.held.set(pitch, holder);
      this.onDown(pitch, velocity);
    } else if (this.held.delete(pitch)) {
      this.onUp(pitch);
    }
  }

  /** @param {(holder: string) => boolean} [which] */
  releaseAll(which = () => true) {
    for (const [pitch, holder] of [...this.held]) {
      if (!which(holder)) continue;
      this.held.delete(pitch);
      this.onUp(pitch);
    }
  }
}

/**
 * What a MIDI message says, as far as keys go; null for everything else (also the pedal: a melody's notes are as long as their keys
 * are held), and for keys that a piano hasn't.
 * @param {Uint8Array | number[]} data @returns {{kind: "down" | "up" | "silence", pitch: number, velocity: number} | null}
 */
export function read([status = 0, first = 0, second = 0]) {
  const kind = status & 0xf0;
  if (kind === 0xb0 && (first === 120 || first === 123)) return { kind: "silence", pitch: 0, velocity: 0 };
  if ((kind !== 0x80 && kind !== 0x90) || first < LOWEST || first > HIGHEST) return null;
  return { kind: kind === 0x90 && second > 0 ? "down" : "up", pitch: first, velocity: kind === 0x90 ? second : 0 };
}
