// The takes of one melody, up to four side by side.

import { contour } from "./contour.js";
import { make } from "./page.js";

const MOST = 4;
const DENSITIES = { low: "few notes", mid: "some notes", high: "many notes" };

export class Takes {
  /** `list` is the element they stand in; `onChoose(take)` is called when one is to be shown. */
  constructor(list, onChoose) {
    Object.assign(this, { list, onChoose });
    this.clear();
  }

  clear() {
    this.all = [];
    this.current = null;
    this.count = 0;
    this.draw();
  }

  /** Add a finished take and make it the current one; the oldest gives way to a fifth. */
  add(take) {
    this.count += 1;
    take.number = this.count;
    this.all.push(take);
    if (this.all.length > MOST) this.all.splice(0, 1);
    this.current = take;
    this.draw();
  }

  /** Put a changed take in the place of the one that it came from. */
  replace(old, take) {
    take.number = old.number;
    this.all[this.all.indexOf(old)] = take;
    this.current = take;
    this.draw();
  }

  choose(take) {
    this.current = take;
    this.draw();
    this.onChoose(take);
  }

  draw() {
    this.list.replaceChildren(...this.all.map((take) => this.card(take)));
    this.list.querySelector("[data-focus]")?.focus();
  }

  card(take) {
    const { settings, seed, melody, notes, fit, edits } = take;
    const said = `${settings.style}, ${DENSITIES[settings.density]}${edits.length ? ", rewritten" : ""}`;
    const picture = contour([{ name: "accompaniment", notes }, { name: "melody", notes: melody }], { height: 80 });
    const label = make("span", { class: "take-label" }, make("strong", {}, `Take ${take.number}`), ` seed ${seed}`);
    const detail = make("span", { class: "take-detail" }, said, make("br"), fit.chord_tones === null ? "" : `${Math.round(fit.chord_tones * 100)} % in the chords`);
    const choose = () => this.choose(take);
    return make("li", {}, make("button", { type: "button", "aria-pressed": String(take === this.current), onclick: choose }, label, picture, detail));
  }
}
