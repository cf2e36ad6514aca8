// A MusicXML score in parts: a few bars of it as a score of their own, so that a long piece is drawn piece by piece.

const UNREADABLE = "The score can't be read.";
const KEPT = ["divisions", "key", "time", "staves", "clef", "transpose"]; // in the order in which MusicXML wants them

/** @param {string} text @returns {Document} Throws an Error with a sentence. */
export function parseScore(text) {
  const score = new DOMParser().parseFromString(text, "application/xml");
  if (score.querySelector("parsererror") || !score.querySelector("score-partwise > part > measure")) throw new Error(UNREADABLE);
  return score;
}

/** @param {Document} score @returns {Element[][]} each part's bars */
export function barsOf(score) {
  return [...score.querySelectorAll("score-partwise > part")].map((part) => [...part.children].filter(({ tagName }) => tagName === "measure"));
}

/** How long each bar is, in quarters: what its notes and rests fill. @param {Document} score @returns {number[]} */
export function barLengths(score) {
  const parts = barsOf(score);
  const lengths = new Array(parts[0].length).fill(0);
  for (const bars of parts) {
    let divisions = 1;
    bars.forEach((bar, index) => {
      let at = 0;
      let reached = 0;
      for (const element of bar.children) {
        divisions = Number(element.querySelector(":scope > divisions")?.textContent ?? divisions);
        at += stepOf(element) / divisions;
        reached = Math.max(reached, at);
      }
      if (index < lengths.length) lengths[index] = Math.max(lengths[index], reached);
    });
  }
  return lengths;
}

/** Whether a score begins with an upbeat. @param {Document} score */
export function hasPickup(score) {
  return barsOf(score)[0][0].getAttribute("implicit") === "yes";
}

/** How far an element moves the place in its bar, in divisions. @param {Element} element */
function stepOf(element) {
  const duration = Number(element.querySelector(":scope > duration")?.textContent ?? 0);
  if (element.tagName === "backup") return -duration;
  if (element.tagName === "forward") return duration;
  return element.tagName === "note" && !element.querySelector(":scope > chord") ? duration : 0;
}

/**
 * Bars `first` to `last` (from 0, both included) as a score of its own: clefs, key, metre and divisions are stated at its beginning,
 * the metre not to be seen unless it changes there. Titles are left out; the whole piece's first bar has the number `from`.
 * @param {Document} score @param {number} first @param {number} last @param {number} [from] @returns {Document}
 */
export function excerpt(score, first, last, from = 1) {
  const copy = document.implementation.createDocument(null, "score-partwise");
  const root = copy.documentElement;
  root.setAttribute("version", score.documentElement.getAttribute("version") ?? "4.0");
  const list = score.querySelector("part-list");
  const title = score.querySelector("work-title")?.textContent ?? "";
  if (list) root.append(copy.importNode(list, true));
  for (const bars of barsOf(score)) {
    const part = copy.importNode(/** @type {Element} */ (bars[0].parentElement), false);
    root.append(part);
    bars.slice(first, last + 1).forEach((bar, index) => {
      const own = copy.importNode(bar, true);
      own.setAttribute("number", String(from + first + index));
      for (const mark of own.querySelectorAll("direction:has(rehearsal)")) if (saysAgain(mark, title)) mark.remove();
      part.append(own);
      if (index === 0) state(own, bars.slice(0, first));
    });
  }
  return copy;
}

/** Whether a mark is the title once more, as files' markers are. @param {Element} mark @param {string} title */
function saysAgain(mark, title) {
  const [one, other] = [mark.textContent ?? "", title].map((text) => text.trim().toLowerCase());
  return one.length > 3 && other.length > 3 && (one.includes(other) || other.includes(one));
}

/** Say at a bar's beginning what the bars before it left in force. @param {Element} bar @param {Element[]} before */
function state(bar, before) {
  /** @type {Map<string, Element>} */
  const held = new Map();
  const hold = (/** @type {Element} */ attributes) => {
    for (const child of attributes.children) {
      if (KEPT.includes(child.tagName)) held.set(`${child.tagName} ${child.getAttribute("number") ?? "1"}`, child);
    }
  };
  for (const earlier of before) earlier.querySelectorAll(":scope > attributes").forEach(hold);
  const former = held.get("time 1");
  const own = leading(bar);
  own.forEach(hold);
  const attributes = bar.ownerDocument.createElementNS(null, "attributes");
  for (const name of KEPT) {
    for (const [key, element] of [...held].sort()) {
      if (key.startsWith(`${name} `)) attributes.append(bar.ownerDocument.importNode(element, true));
    }
  }
  if (before.length && held.get("time 1") === former) attributes.querySelector("time")?.setAttribute("print-object", "no");
  for (const element of own) element.remove();
  bar.prepend(attributes);
}

/** The attributes that a bar states before its first note. @param {Element} bar */
function leading(bar) {
  const found = [];
  for (const element of bar.children) {
    if (element.tagName === "note" || element.tagName === "backup" || element.tagName === "forward") break;
    if (element.tagName === "attributes") found.push(element);
  }
  return found;
}
