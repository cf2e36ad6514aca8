// Small pictures of music: the notes of a card or of a take, as one SVG path a part.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** @import {Row} from "./types.js" */

/**
 * An SVG of parts, stretched to whatever box it gets; `endMs` where the axis ends at the earliest, `startMs` where it begins,
 * with the first note where that isn't given. A part's name is its class.
 * @param {{name: string, notes: Row[]}[]} parts
 */
export function contour(parts, { height = 100, width = 300, endMs = 0, startMs = /** @type {number | null} */ (null) } = {}) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const notes = parts.flatMap((part) => part.notes);
  if (!notes.length) return svg;
  const pitches = notes.map((note) => note[2]);
  const start = startMs ?? notes.reduce((first, [onset]) => Math.min(first, onset), Infinity);
  const end = notes.reduce((last, [onset, duration]) => Math.max(last, onset + duration), endMs);
  const low = pitches.reduce((a, b) => Math.min(a, b)) - 1;
  const high = pitches.reduce((a, b) => Math.max(a, b), low + 12) + 1;
  const row = height / (high - low + 1);
  const tall = Math.max(Math.min(row * 1.1, 7), 2.5);
  for (const { name, notes: own } of parts) {
    const path = document.createElementNS(NAMESPACE, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", own.map(([onset, duration, pitch]) => {
      const x = ((onset - start) / (end - start)) * width;
      const y = (high - pitch) * row + (row - tall) / 2;
      const long = Math.max((duration / (end - start)) * width - 1, 1.5);
      return `M${x.toFixed(1)} ${y.toFixed(1)}h${long.toFixed(1)}v${tall.toFixed(1)}h-${long.toFixed(1)}z`;
    }).join(""));
    svg.append(path);
  }
  return svg;
}
