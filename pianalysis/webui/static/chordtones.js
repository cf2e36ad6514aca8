// Chord symbols as people write them (Am7, F/C, Bb7sus4): whether one is understood, and what it sounds like.
// The grammar is the server's, in pianalysis/harmony/symbols.py and qualities.py; tests/webui/test_chordtones.py holds the two together.

/**
 * @typedef {{root: number, bass: number, degrees: string[]}} Chord
 * Root and bass as pitch classes 0 … 11, −1 both for no chord; degrees of the major scale on the root: 1, b3, 5, b7.
 */

const MAX_CHARACTERS = 100;
const NO_CHORD_NAMES = new Set(["N", "NC", "N.C.", "N.C", "X"]);
const BASS_FROM = 40; // the E below the bass clef's staff
const TONES_FROM = 55; // the G below middle C
/** @type {Record<string, number>} */
const STEPS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const SCALE = [0, 2, 4, 5, 7, 9, 11];
/** @type {Record<string, string>} */
const SPELLINGS = {
  "♭": "b", "♯": "#", "𝄫": "bb", "𝄪": "##", "△": "Δ", "∆": "Δ", "Ø": "ø", "∅": "ø", "º": "°", "˚": "°",
  "–": "-", "−": "-", "‑": "-", "⁶": "6", "⁷": "7", "⁹": "9", "¹": "1", "³": "3", "⁵": "5", "²": "2", "⁴": "4",
};
/** @type {Record<string, string>} */
const FIFTHS = { dim: "b5", hdim: "b5", aug: "#5" };

// The words of a quality, each a named group; an earlier one wins.
const WORDS = new RegExp(
  [
    "(?<hdim>ø7?|h(?:alf)?-?dim7?)",
    "(?<dim>dim|°|o(?![mn]))",
    "(?<seventh>(?:maj|Maj|MAJ|ma|Ma|M|j|Δ)(?<size>7|9|11|13)|Δ)",
    "(?<alt>alt)",
    "(?<add>add(?<added>[b#+-]*(?:1[0-3]|[2-9])))",
    "(?<no>(?:no|omit)(?<gone>[b#]*(?:1[0-3]|[2-9])))",
    "(?<sus>sus(?<which>24|2|4)?)",
    "(?<altered>(?:[b#]|(?!^)[+-])(?:5|9|11|13|6)|(?<=[(,])b7)",
    "(?<maj>major|Major|maj|Maj|MAJ|ma(?![jd])|Ma(?![jd])|M)",
    "(?<min>minor|min|MIN|Min|mi|m|-)",
    "(?<aug>augmented|aug|\\+)",
    "(?<sixnine>6/?9)",
    "(?<number>13|11|9|7|6|5|4|2|1)",
    "(?<comma>[(),]|/(?=\\d)|dom(?=\\d))",
  ].join("|"),
  "y",
);
const KINDS = ["hdim", "dim", "seventh", "alt", "add", "no", "sus", "altered", "maj", "min", "aug", "sixnine", "number", "comma"];

/** What a symbol names; null where it isn't understood. @param {string} symbol @returns {Chord | null} */
export function parseChord(symbol) {
  if (symbol.length > MAX_CHARACTERS) return null;
  const text = [...symbol.normalize("NFC").trim()].map((sign) => SPELLINGS[sign] ?? sign).join("");
  if (NO_CHORD_NAMES.has(text.toUpperCase())) return { root: -1, bass: -1, degrees: [] };
  for (const [root, rest] of notes(text)) {
    for (const [body, bass] of basses(rest, root)) {
      const degrees = heard(body);
      if (degrees) return { root, bass, degrees };
    }
  }
  return null;
}

/** Pitch classes from the root up, a bass that is none of them last; null for what isn't understood. @param {string} symbol @returns {number[] | null} */
export function pitchClasses(symbol) {
  const chord = parseChord(symbol);
  if (!chord) return null;
  const tones = chord.degrees.map((degree) => (chord.root + semitones(degree)) % 12);
  return chord.root < 0 ? [] : [...new Set([...tones, chord.bass])];
}

/**
 * MIDI pitches to hear a symbol by, rising: its bass below, its tones from the root up, what is stacked above the seventh on top.
 * [] for no chord, null for what isn't understood. @param {string} symbol @returns {number[] | null}
 */
export function voicing(symbol) {
  const chord = parseChord(symbol);
  if (!chord) return null;
  if (chord.root < 0) return [];
  const root = TONES_FROM + ((chord.root - TONES_FROM + 120) % 12);
  const bass = BASS_FROM + ((chord.bass - BASS_FROM + 120) % 12);
  const tones = chord.degrees.map((degree) => root + semitones(degree));
  return [...new Set([bass, ...tones])].sort((one, other) => one - other);
}

/** Semitones from the root up to a degree: 3 for b3, 18 for #11. @param {string} degree */
export function semitones(degree) {
  const step = Number(degree.replace(/[b#]/g, "")) - 1;
  return 12 * Math.floor(step / 7) + SCALE[step % 7] + count(degree, "#") - count(degree, "b");
}

/** @param {string} text @param {string} sign */
function count(text, sign) {
  return text.split(sign).length - 1;
}

/**
 * The pitch classes that a text may begin with, and what follows: fewer accidentals first (Abb5 is A flat's).
 * @param {string} text @returns {[number, string][]}
 */
function notes(text) {
  const match = /^([A-G])(b{1,2}|#{1,2}|)/.exec(text);
  if (!match) return [];
  const [, letter, accidentals] = match;
  /** @type {[number, string][]} */
  const found = [];
  for (let size = Math.min(1, accidentals.length); size <= accidentals.length; size += 1) {
    const shift = accidentals.startsWith("#") ? size : -size;
    found.push([(STEPS[letter] + shift + 12) % 12, text.slice(1 + size)]);
  }
  return found;
}

/**
 * The ways to part what follows a root into quality and bass: after the last stroke, or nowhere (6/9).
 * @param {string} rest @param {number} root @returns {[string, number][]}
 */
function basses(rest, root) {
  const stroke = rest.lastIndexOf("/");
  /** @type {[string, number][]} */
  const found = [];
  if (stroke >= 0) {
    for (const [bass, behind] of notes(rest.slice(stroke + 1))) {
      if (!behind) found.push([rest.slice(0, stroke), bass]);
    }
  }
  return [...found, [rest, root]];
}

/** The degrees of what people write after a root; null where a part of it isn't understood. @param {string} body @returns {string[] | null} */
export function heard(body) {
  const reading = new Reading();
  let place = 0;
  while (place < body.length) {
    WORDS.lastIndex = place;
    const match = WORDS.exec(body);
    if (!match?.groups || !reading.take(match.groups, ["", "("].includes(body.slice(0, place)))) return null;
    place += match[0].length;
  }
  return count(body, "(") === count(body, ")") ? reading.degrees() : null;
}

/** What has been read of a quality: a third, a fifth, a seventh, and what is stacked, added and left out. */
class Reading {
  third = "3";
  fifth = "5";
  seventh = "";
  kind = ""; // the triad's word, said once
  stack = 0;
  /** @type {string[]} */
  other = [];
  /** @type {string[]} */
  added = [];
  /** @type {string[]} */
  gone = [];

  /** Read one word; whether it may stand where it does. @param {Record<string, string>} groups @param {boolean} first */
  take(groups, first) {
    const word = KINDS.find((name) => groups[name] !== undefined) ?? "comma";
    if (["maj", "min", "dim", "aug", "hdim"].includes(word)) return this.takeTriad(word, first);
    if (word === "seventh") return this.takeStack(Number(groups.size ?? 7), true);
    if (word === "number") return this.takeNumber(Number(groups.number), first);
    if (word === "altered") return this.takeAltered(plain(groups.altered));
    if (word === "add") this.added.push(plain(groups.added));
    if (word === "no") this.gone.push(groups.gone);
    if (word === "sixnine") this.other.push("6", "9");
    if (word === "sus") {
      this.third = "";
      this.other.push(...({ 2: ["2"], 24: ["2", "4"] }[groups.which ?? "4"] ?? ["4"]));
    }
    if (word === "alt") {
      this.fifth = "#5";
      this.other.push("b9", "#9");
      return this.stack > 0 || this.takeStack(7, false);
    }
    return true;
  }

  /** @param {string} word @param {boolean} first */
  takeTriad(word, first) {
    if (word === "maj" && this.kind === "min") return this.takeStack(7, true); // CmMaj
    if (this.kind || !(first || (word === "aug" && this.stack > 0))) return false;
    this.kind = word;
    if (["min", "dim", "hdim"].includes(word)) this.third = "b3";
    this.fifth = FIFTHS[word] ?? "5";
    if (word === "hdim") {
      this.seventh = "b7";
      this.stack = 7;
    }
    return true;
  }

  /** @param {number} size @param {boolean} major */
  takeStack(size, major) {
    if (this.stack > 7 && major && size === 7 && this.seventh === "b7") {
      size = this.stack; // Cm9(maj7)
    } else if (this.stack) {
      return false;
    }
    this.stack = size;
    this.seventh = major ? "7" : this.kind === "dim" ? "bb7" : "b7";
    return true;
  }

  /** @param {number} number @param {boolean} first */
  takeNumber(number, first) {
    if ([7, 9, 11, 13].includes(number)) {
      if (!this.stack) return this.takeStack(number, this.kind === "maj");
      this.other.push(String(number)); // C7(13), C7/9
      return number > this.stack;
    }
    if (number === 6) {
      this.other.push("6");
    } else if ((number === 2 || number === 4) && (first || this.kind)) {
      this.other.push(number === 2 ? "9" : "4");
    } else if ((number === 5 || number === 1) && first && this.kind !== "aug") {
      this.third = "";
      this.fifth = number === 5 ? this.fifth : "";
    } else {
      return number === 5 && this.kind === "aug"; // C+5
    }
    return true;
  }

  /** @param {string} degree */
  takeAltered(degree) {
    if (degree === "b5" || degree === "#5") {
      if (this.fifth !== "5") this.added.push(degree); // C7(b5,#5)
      else this.fifth = degree;
    } else {
      this.added.push(degree);
    }
    return true;
  }

  /** By number, once each; those of the same number by height. */
  degrees() {
    const stacked = [9, 11, 13].filter((number) => number <= this.stack).map(String);
    const there = [this.third, this.fifth, this.seventh, ...stacked, ...this.other];
    const kept = there.filter((degree) => degree && !this.gone.includes(degree) && !this.gone.includes(degree.replace(/^[b#]+/, "")));
    const number = (/** @type {string} */ degree) => Number(degree.replace(/[b#]/g, ""));
    return [...new Set(["1", ...kept, ...this.added])].sort((one, other) => number(one) - number(other) || semitones(one) - semitones(other));
  }
}

/** @param {string} degree */
function plain(degree) {
  return degree.replaceAll("+", "#").replaceAll("-", "b");
}
