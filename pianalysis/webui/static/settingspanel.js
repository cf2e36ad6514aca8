// The settings as controls: drawn once, shown from the session, and "Write with these" beside what was changed last.

import { CHOICES, DEFAULTS, LEFT_HANDS, plural, SLIDER_WORDS, sliderWord } from "./choices.js";
import { byId, make } from "./page.js";
import { changed, currentTake, setSettings } from "./session.js";

/** @import {Boot, Session, Settings} from "./types.js" */
/** @import {Live} from "./live.js" */

/** @type {Record<string, string[]>} which settings a control stands for */
const OF_CONTROL = { register: ["lowest", "highest"] };
/** @type {[string, string, Record<string, number>][]} */
const SLIDERS = [["temperature", "Adventurousness", { min: 0.6, max: 1.3, step: 0.05 }], ["dynamics", "Loudness", { min: -1, max: 1, step: 0.25 }]];
/** @type {[string, string, Record<string, string | number>][]} */
const NUMBERS = [
  ["max_bars", "Only so many bars", { min: 1, step: 1, placeholder: "all" }],
  ["top_k", "Top k", { min: 1, max: 801, step: 1, placeholder: "as trained" }],
  ["top_p", "Top p", { min: 0.05, max: 1, step: 0.05, placeholder: "as trained" }],
];

export class SettingsPanel {
  /** @param {{live: Live, boot: Boot, onWrite: (seed: number | null) => void}} parts */
  constructor({ live, boot, onWrite }) {
    this.live = live;
    this.boot = boot;
    /** @type {Map<string, HTMLElement>} by the control's name */
    this.controls = new Map();
    this.last = "";
    this.button = byId("write-these");
    this.button.addEventListener("click", () => onWrite(this.seed()));
    this.draw();
  }

  draw() {
    const { boot } = this;
    const known = (/** @type {string} */ name) => (OF_CONTROL[name] ?? [name]).every((own) => own === "seed" || own in boot.options || own in boot.numbers || own in boot.switches);
    const choice = (/** @type {string} */ name) => this.choice(/** @type {typeof CHOICES[number]} */ (CHOICES.find(([own]) => own === name)));
    const first = [choice("style"), choice("density"), this.menu("left_hand", "Left hand", (boot.options.left_hand ?? []).map((name) => [name, LEFT_HANDS[name] ?? name])), choice("difficulty"), choice("register"),
      this.menu("intro", "Introduction", [0, 1, 2, 4, 8].map((bars) => [String(bars), bars ? plural(bars, "bar") : "None"])), choice("ending")];
    const more = [choice("harmony"), this.menu("verses", "Verses", [1, 2, 3, 4].map((count) => [String(count), String(count)])), this.tick("pedal", "Sustain pedal"), ...SLIDERS.map((slider) => this.slider(...slider)), ...NUMBERS.map((number) => this.number(...number)), this.seedField(),
      make("label", { class: "tick" }, make("input", { type: "checkbox", id: "autoplay", checked: true }), "Play while it's written")];
    byId("controls").append(...first.filter((control) => known(control.dataset.name ?? "")));
    byId("more-controls").append(...more.filter((control) => !control.dataset?.name || known(control.dataset.name)));
  }

  /** @param {string} name @param {HTMLElement} element */
  add(name, element) {
    const control = make("div", { class: "control", "data-name": name }, element);
    this.controls.set(name, control);
    return control;
  }

  /** @param {string} name @param {Settings} change */
  set(name, change) {
    this.last = name;
    this.live.do("a setting", setSettings(this.live.session, change), `setting ${name}`);
  }

  /** @param {typeof CHOICES[number]} choice */
  choice([name, legend, values]) {
    const pick = (/** @type {string} */ value) => (name === "register" ? { lowest: Number(value.split("-")[0]), highest: Number(value.split("-")[1]) } : { [name]: value });
    const labels = values.map(([value, word]) => make("label", {}, make("input", { type: "radio", name, value, onchange: () => this.set(name, pick(value)) }), make("span", {}, word)));
    return this.add(name, make("fieldset", { class: "choice" }, make("legend", {}, legend), ...labels));
  }

  /** @param {string} name @param {string} label @param {[string, string][]} values */
  menu(name, label, values) {
    const list = make("select", { id: name, onchange: () => this.set(name, { [name]: typeof DEFAULTS[name] === "number" ? Number(list.value) : list.value }) }, ...values.map(([value, word]) => make("option", { value }, word)));
    return this.add(name, make("label", { class: "field" }, make("span", {}, label), list));
  }

  /** @param {string} name @param {string} label */
  tick(name, label) {
    const box = make("input", { type: "checkbox", id: name, onchange: () => this.set(name, { [name]: box.checked }) });
    return this.add(name, make("label", { class: "tick" }, box, label));
  }

  /** @param {string} name @param {string} label @param {Record<string, number>} range */
  slider(name, label, range) {
    const shown = make("output", { id: `${name}-shown` });
    const slider = make("input", { type: "range", id: name, "aria-label": label, ...range, oninput: () => this.set(name, { [name]: Number(slider.value) }) });
    return this.add(name, make("label", { class: "slide" }, make("span", {}, `${label} `, shown), slider));
  }

  /** @param {string} name @param {string} label @param {Record<string, string | number>} range */
  number(name, label, range) {
    const limits = { ...range, min: this.boot.numbers[name]?.low ?? range.min, max: this.boot.numbers[name]?.high ?? range.max };
    const field = make("input", { type: "number", id: name, ...limits, oninput: () => field.validity.valid && this.set(name, { [name]: field.value === "" ? "" : Number(field.value) }) });
    return this.add(name, make("label", { class: "field" }, make("span", {}, label), field));
  }

  seedField() {
    const field = make("input", { type: "number", id: "seed", min: 0, max: 4294967295, step: 1, placeholder: "the next", oninput: () => {
      this.last = "seed";
      this.show(this.live.session);
    } });
    return this.add("seed", make("label", { class: "field" }, make("span", {}, "Seed"), field));
  }

  /** The seed that was asked for, or null. */
  seed() {
    const { value, validity } = byId("seed");
    return value === "" || !validity.valid ? null : Number(value);
  }

  /** @param {Session} session */
  show(session) {
    const { settings } = session;
    const take = currentTake(session);
    const differ = new Set(changed(session));
    for (const [name, element] of this.controls) {
      this.fill(name, element, settings);
      const differs = name === "seed" ? this.seed() !== null && this.seed() !== take?.seed : (OF_CONTROL[name] ?? [name]).some((own) => differ.has(own));
      element.classList.toggle("changed", Boolean(take) && differs);
    }
    this.place();
  }

  /** @param {string} name @param {HTMLElement} element @param {Settings} settings */
  fill(name, element, settings) {
    if (name === "seed") return;
    const value = name === "register" ? `${settings.lowest}-${settings.highest}` : String(settings[name] ?? DEFAULTS[name]);
    for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (element.querySelectorAll("input, select"))) {
      if (field.type === "radio") field.checked = field.value === value;
      else if (field.type === "checkbox") field.checked = value === "true";
      else if (field !== document.activeElement || field.type === "range") field.value = value;
      if (field.type === "range" && SLIDER_WORDS[name]) {
        const word = sliderWord(name, Number(value));
        byId(`${name}-shown`).value = word;
        field.setAttribute("aria-valuetext", word);
      }
    }
  }

  /** The button stands beside the setting that was changed last, as long as one differs from the take that is heard. */
  place() {
    const changes = [...this.controls].filter(([, element]) => element.classList.contains("changed"));
    const beside = changes.find(([name]) => name === this.last) ?? changes[0];
    if (!beside && document.activeElement === this.button) /** @type {HTMLElement | null} */ (this.button.parentElement?.querySelector("input:checked, input, select"))?.focus();
    this.button.hidden = !beside;
    if (beside && this.button.parentElement !== beside[1]) beside[1].append(this.button);
  }
}
