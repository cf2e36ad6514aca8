// Small pictures of music: the notes of a card or of a take, as one SVG path a part.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** An SVG of parts ({class, notes}) of [onset, duration, pitch] notes, stretched to whatever box it gets. */
export function contour(parts, { height = 100, width = 300, endMs = 0 } = {}) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const notes = parts.flatMap((part) => part.notes);
  if (!notes.length) return svg;
  const start = Math.min(...notes.map(([onset]) => onset));
  const end = Math.max(endMs, ...notes.map(([onset, duration]) => onset + duration));
  const low = Math.min(...notes.map((note) => note[2])) - 1;
  const high = Math.max(...notes.map((note) => note[2]), low + 12) + 1;
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
