// A piano on the screen and under the computer's keys.

const FIRST = 60; // middle C
const KEYS = 29; // C4 to E6
const COMPUTER_KEYS = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon", "Quote"];
const LETTERS = "awsedftgyhujkolp;'";
const BLACK = new Set([1, 3, 6, 8, 10]);
const VELOCITY = 84;

/** @typedef {{onDown: (pitch: number, velocity: number) => void, onUp: (pitch: number) => void, listening: (event: KeyboardEvent) => boolean}} Told */

export class Keyboard {
  /** `listening(event)` says whether the computer's keys are the piano's now. @param {HTMLElement} element @param {Told} told */
  constructor(element, told) {
    this.element = element;
    this.told = told;
    this.shift = 0;
    /** @type {Map<string, number>} what holds a key, and its pitch */
    this.held = new Map();
    /** @type {Map<number, HTMLElement>} by pitch */
    this.keys = new Map();
    this.build();
    element.addEventListener("pointerdown", (event) => this.pointer(event));
    element.addEventListener("pointermove", (event) => this.pointer(event));
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"])) {
      element.addEventListener(kind, (event) => this.release(`pointer ${event.pointerId}`));
    }
    addEventListener("keydown", (event) => this.computerKey(event));
    addEventListener("keyup", (event) => this.release(event.code));
    addEventListener("blur", () => [...this.held.keys()].forEach((holder) => this.release(holder)));
  }

  build() {
    const whites = [...Array(KEYS).keys()].filter((step) => !BLACK.has(step % 12)).length;
    const width = 100 / whites;
    let white = 0;
    for (let step = 0; step < KEYS; step += 1) {
      const black = BLACK.has(step % 12);
      const key = document.createElement("div");
      key.className = black ? "black" : "white";
      key.dataset.pitch = String(FIRST + step);
      key.style.width = `${black ? width * 0.62 : width}%`;
      key.style.left = `${black ? white * width - width * 0.31 : white * width}%`;
      key.textContent = LETTERS[step] ?? "";
      if (!black) white += 1;
      this.keys.set(FIRST + step, key);
      this.element.append(key);
    }
  }

  /** @param {PointerEvent} event */
  pointer(event) {
    if (event.type === "pointermove" && !this.held.has(`pointer ${event.pointerId}`)) return;
    if (event.type === "pointerdown") {
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
    }
    const key = /** @type {HTMLElement | null | undefined} */ (document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-pitch]"));
    if (key && this.element.contains(key)) this.press(`pointer ${event.pointerId}`, Number(key.dataset.pitch));
  }

  /** @param {KeyboardEvent} event */
  computerKey(event) {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !this.told.listening(event)) return;
    if (event.code === "KeyZ" || event.code === "KeyX") {
      this.shift = Math.min(Math.max(this.shift + (event.code === "KeyZ" ? -12 : 12), -24), 12);
      return;
    }
    const step = COMPUTER_KEYS.indexOf(event.code);
    if (step < 0) return;
    event.preventDefault();
    this.press(event.code, FIRST + step + this.shift);
  }

  /** @param {string} holder @param {number} pitch */
  press(holder, pitch, velocity = VELOCITY) {
    if (this.held.get(holder) === pitch) return;
    this.release(holder);
    this.held.set(holder, pitch);
    this.keys.get(pitch)?.classList.add("down");
    this.told.onDown(pitch, velocity);
  }

  /** @param {string} holder */
  release(holder) {
    const pitch = this.held.get(holder);
    if (pitch === undefined) return;
    this.held.delete(holder);
    this.keys.get(pitch)?.classList.remove("down");
    this.told.onUp(pitch);
  }
}
