// What a user may set: names, defaults, and words for them. Pure; `settingspanel.js` draws it.

/** @import {Settings} from "./types.js" */

/** @type {Settings} */
export const DEFAULTS = Object.freeze({
  style: "auto", density: "mid", left_hand: "auto", difficulty: "auto", harmony: "balanced", intro: 0, ending: "auto", pedal: false, verses: 1,
  temperature: 0.9, dynamics: 0, lowest: 21, highest: 108, top_k: "", top_p: "", max_bars: "",
});

/** Those that make another form of the whole piece; bars can't be rewritten with others. */
export const OF_THE_WHOLE = ["intro", "ending", "verses", "max_bars", "pedal"];

/** @type {Record<string, string>} */
export const LEFT_HANDS = {
  auto: "As it comes", block: "Block chords", broken: "Broken chords", alberti: "Alberti bass", arpeggio: "Arpeggios", waltz: "Waltz", stride: "Stride",
  "root-fifth": "Root and fifth", octaves: "Octaves", boogie: "Boogie", habanera: "Habanera", ballad: "Ballad", pedal: "Pedal point",
};

/** @type {[string, string, [string, string][]][]} name, legend, [value, word] */
export const CHOICES = [
  ["style", "Style", [["auto", "Fitting"], ["pop", "Pop"], ["classical", "Classical"], ["hymn", "Hymn"]]],
  ["density", "How many notes", [["low", "Few"], ["mid", "Some"], ["high", "Many"]]],
  ["difficulty", "To play", [["auto", "As it comes"], ["easy", "Easy"], ["medium", "Medium"], ["hard", "Hard"]]],
  ["harmony", "Chords", [["simple", "Simple"], ["balanced", "Balanced"], ["rich", "Rich"]]],
  ["register", "Register", [["21-67", "Low"], ["21-108", "Whole piano"], ["43-108", "High"]]],
  ["ending", "Ending", [["auto", "Fitting"], ["plain", "Last chord"], ["ritardando", "Slowing"], ["none", "None"]]],
];

/** @type {Record<string, [number, string][]>} up to which value a slider is called what */
export const SLIDER_WORDS = {
  temperature: [[0.75, "tame"], [0.95, "balanced"], [1.1, "bold"], [9, "wild"]],
  dynamics: [[-0.6, "much softer"], [-0.1, "softer"], [0.1, "as written"], [0.6, "louder"], [9, "much louder"]],
};

/** @param {string} name @param {number} value */
export function sliderWord(name, value) {
  return SLIDER_WORDS[name]?.find(([limit]) => value <= limit)?.[1] ?? String(value);
}

/** The settings as the server takes them: only what isn't a default, and only what it knows. @param {Settings} settings @param {string[]} [known] */
export function forServer(settings, known) {
  /** @type {Settings} */
  const sent = {};
  for (const [name, value] of Object.entries(settings)) {
    if (value === "" || value === null || value === undefined || (value === DEFAULTS[name] && name !== "style" && name !== "density")) continue;
    if (!known || known.includes(name)) sent[name] = typeof value === "boolean" ? Number(value) : value;
  }
  return sent;
}

/** The names of settings that differ. @param {Settings} one @param {Settings} other */
export function differing(one, other) {
  return Object.keys(DEFAULTS).filter((name) => (one[name] ?? DEFAULTS[name]) !== (other[name] ?? DEFAULTS[name]));
}

/** Settings from a link or an older page: known names only, each as its default's kind. @param {Record<string, unknown>} raw */
export function readSettings(raw) {
  /** @type {Settings} */
  const settings = { ...DEFAULTS };
  for (const [name, value] of Object.entries(raw)) {
    if (!(name in DEFAULTS) || value === null || value === undefined || value === "") continue;
    if (typeof DEFAULTS[name] === "boolean") settings[name] = value === true || value === 1 || value === "1" || value === "true";
    else if (typeof DEFAULTS[name] === "number" || /^(top_k|top_p|max_bars)$/.test(name)) {
      if (Number.isFinite(Number(value))) settings[name] = Number(value);
    } else settings[name] = String(value);
  }
  return settings;
}

/** @type {Record<string, (value: any, word: string) => string>} what a setting that isn't the default is called beside a take */
const SAID = {
  style: (_, word) => word,
  density: (value) => ({ low: "few notes", mid: "some notes", high: "many notes" })[/** @type {"low"} */ (value)] ?? "",
  left_hand: (value) => LEFT_HANDS[value] ?? value,
  difficulty: (_, word) => `${word} to play`,
  harmony: (_, word) => `${word} chords`,
  lowest: () => "high register",
  highest: () => "low register",
  intro: (value) => `${value}-bar intro`,
  ending: (_, word) => `ending: ${word}`,
  verses: (value) => `${value} verses`,
  pedal: () => "pedal",
  temperature: (value) => sliderWord("temperature", value),
  dynamics: (value) => sliderWord("dynamics", value),
  max_bars: (value) => `first ${plural(value, "bar")}`,
};

/** What a take was written with, in a few words: only what was chosen. @param {Settings} settings */
export function describe(settings) {
  const words = differing(settings, DEFAULTS).map((name) => {
    const value = settings[name];
    const word = CHOICES.find(([own]) => own === name)?.[2].find(([own]) => own === value)?.[1] ?? String(value);
    return SAID[name]?.(value, word) ?? "";
  });
  return words.filter(Boolean).join(", ").toLowerCase();
}

const LESS = { high: "mid", mid: "low", low: "low" };
const MORE = { low: "mid", mid: "high", high: "high" };

/** Settings for fewer notes and simpler chords, or for more. @param {Settings} settings @param {"simpler" | "busier"} way */
export function leaning(settings, way) {
  const density = /** @type {"low"} */ (settings.density ?? "mid");
  if (way === "busier") return { ...settings, density: MORE[density] ?? "high", difficulty: settings.difficulty === "easy" ? "medium" : (settings.difficulty ?? "auto") };
  return { ...settings, density: LESS[density] ?? "low", difficulty: density === "low" && settings.style !== "hymn" ? "easy" : (settings.difficulty ?? "auto") };
}

/** @param {number} count @param {string} word */
export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** Milliseconds as minutes and seconds: 83000 is 1:23. @param {number} ms */
export function clock(ms) {
  const seconds = Math.floor(Math.max(ms, 0) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @param {string} text */
export function sentence(text) {
  const whole = text.trim();
  return whole && `${whole[0]?.toUpperCase()}${whole.slice(1)}${/[.!?…]$/.test(whole) ? "" : "."}`;
}

const NAMES = ["C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** A key's name, moved: "G major" 2 semitones up is "A major". @param {string} name @param {number} semitones */
export function movedKey(name, semitones) {
  const found = /^([A-G])([#b♯♭]?)(.*)$/.exec(name);
  if (!found || !semitones) return name.replace("#", "♯").replace(/^([A-G])b/, "$1♭");
  const tonic = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 }[/** @type {"C"} */ (found[1])] + (/[#♯]/.test(found[2] ?? "") ? 1 : 0) - (/[b♭]/.test(found[2] ?? "") ? 1 : 0);
  return `${NAMES[(((tonic + semitones) % 12) + 12) % 12]}${found[3]}`;
}

/** A chord's symbol, moved by semitones: root and bass. @param {string} symbol @param {number} semitones */
export function movedChord(symbol, semitones) {
  if (!semitones) return symbol;
  return symbol.split("/").map((part) => (/^[A-G]/.test(part) ? movedKey(part, semitones).replace("♯", "#").replace("♭", "b") : part)).join("/");
}
