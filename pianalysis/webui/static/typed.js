// What is typed as notes, as people type it: "c d e" is heard as C4 D4 E4. Pure; the server reads the rest.

const ABC_FIELD = /^\s*[XTMLKQ]:/m;
const WORD = /^(?:([A-Ha-h])(##?|♯|bb?|♭|is|es)?(-?\d)?|([Rr]))(?:\/(\d{1,2})(\.{0,2}))?$/;
const STEPS = /** @type {Record<string, number>} */ ({ C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11, H: 11 });
const FIRST_OCTAVE = 4;

/** @typedef {{text: string, notes: number, bars: number, slip: string}} Typed */

export function isAbc(/** @type {string} */ text) {
  return ABC_FIELD.test(text);
}

/**
 * The text as the server takes it, and what is in it. A note without an octave is in that of the note before it. slip: a sentence
 * about the first word that isn't understood, or "".
 * @param {string} text @returns {Typed}
 */
export function readTyped(text) {
  if (isAbc(text)) return { text, notes: 0, bars: 0, slip: "" };
  let octave = FIRST_OCTAVE;
  let notes = 0;
  let number = 0;
  let bars = 0;
  let open = false;
  const words = [];
  for (const [word] of text.matchAll(/[^\s|]+|\|+/g)) {
    if (word.startsWith("|")) {
      if (open) bars += 1;
      open = false;
      words.push("|");
      continue;
    }
    number += 1;
    open = true;
    const found = WORD.exec(word);
    if (!found || (found[5] && Number(found[5]) === 0)) return { text, notes, bars, slip: slip(word, number) };
    const [, letter, sign = "", stated, rest, part, dots = ""] = found;
    const length = part ? `/${part}${dots}` : "";
    if (rest) {
      words.push(`R${length}`);
      continue;
    }
    octave = stated === undefined ? octave : Number(stated);
    notes += 1;
    words.push(`${letter?.toUpperCase() === "H" ? "B" : letter?.toUpperCase()}${sign.replace("is", "#").replace("es", "b").replace("♯", "#").replace("♭", "b")}${octave}${length}`);
  }
  if (!notes) return { text: "", notes, bars, slip: "Type a melody first: its notes, such as c d e, or a tune in ABC notation" };
  return { text: words.join(" "), notes, bars: bars + Number(open), slip: "" };
}

/** @param {string} word @param {number} number */
function slip(word, number) {
  const letter = word[0]?.toUpperCase() ?? "";
  const hint = letter in STEPS || letter === "R" ? "a length is written as a part of a whole note, such as /4 for a quarter or /8. for a dotted eighth" : "notes are called A to G, with # or b, a rest is R";
  return `“${word}”, the ${ordinal(number)} word, isn't a note: ${hint}`;
}

/** @param {number} number */
function ordinal(number) {
  const last = number % 100 > 10 && number % 100 < 14 ? 0 : number % 10;
  return `${number}${["th", "st", "nd", "rd"][last] ?? "th"}`;
}
