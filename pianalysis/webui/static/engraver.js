// OpenSheetMusicDisplay, asked to draw some bars and to say where each note stands. Loaded when a score is first asked for.

import { msIn } from "./scoretime.js";

/** @import {BarBox, Anchor} from "./scoretime.js" */
/**
 * Of OpenSheetMusicDisplay, what is used here; lengths are in tenths of a px at zoom 1.
 * @typedef {{AbsolutePosition: {x: number, y: number}, Size: {width: number, height: number}, BorderTop: number, BorderBottom: number}} Shape
 * @typedef {{getSVGGElement: () => SVGGElement | null, sourceNote: {isRest: () => boolean}}} Note
 * @typedef {{relInMeasureTimestamp: {RealValue: number}, PositionAndShape: Shape, graphicalVoiceEntries: {notes: Note[]}[]}} Entry
 * @typedef {{PositionAndShape: Shape, staffEntries: Entry[], parentSourceMeasure: {measureListIndex: number}}} Measure
 * @typedef {{StaffLines: {PositionAndShape: Shape}[], GraphicalMeasures: Measure[][], PositionAndShape: Shape}} System
 * @typedef {{load: (score: Document) => Promise<unknown>, render: () => void, Zoom: number, clear: () => void,
 *   EngravingRules: Record<string, unknown>, GraphicSheet: {MusicPages: {MusicSystems: System[]}[]}}} Osmd
 * @typedef {{OpenSheetMusicDisplay: new (element: HTMLElement, options: Record<string, unknown>) => Osmd}} Library
 * @typedef {{first: number, last: boolean, lines: number[], quarters: number[], zoom: number}} Wanted
 * `first`: the excerpt's first bar; `last`: whether it ends the piece; all bars' lines in ms and lengths in quarters.
 * @typedef {{next: number, height: number, systems: number, took: number, bars: BarBox[], anchors: Anchor[]}} Engraved
 * `next`: the first bar that isn't drawn; px within the element, a height of 0 where no whole system was; `took` ms at a stretch.
 */

const UNIT_PX = 10;
const STAFF_HEIGHT = 4; // from the first line to the fifth
const LOST = "The score's drawing could not be loaded. Is the server still there? Try again.";
/** @type {Promise<Library> | null} */
let library = null;

/** The library, loaded once. @returns {Promise<Library>} Throws an Error with a sentence. */
export function loadLibrary() {
  library ??= new Promise((done, failed) => {
    const script = document.createElement("script"); // it's no module
    script.src = new URL("./vendor/opensheetmusicdisplay.min.js", import.meta.url).href;
    script.addEventListener("load", () => done(/** @type {{opensheetmusicdisplay: Library}} */ (/** @type {unknown} */ (globalThis)).opensheetmusicdisplay));
    script.addEventListener("error", () => {
      library = null; // asked for again, it's tried again
      script.remove();
      failed(new Error(LOST));
    });
    document.head.append(script);
  });
  return library;
}

const OPTIONS = {
  backend: "svg",
  autoResize: false,
  drawingParameters: "compact",
  drawTitle: false,
  drawPartNames: false,
  drawMetronomeMarks: false,
  drawMeasureNumbersOnlyAtSystemStart: true,
  useXMLMeasureNumbers: true,
  defaultFontFamily: '"Source Sans 3", system-ui, sans-serif',
  pageBackgroundColor: "transparent",
};

const RULES = { PageTopMargin: 2, PageTopMarginNarrow: 2, PageBottomMargin: 2, PageLeftMargin: 1, PageRightMargin: 1, MinSkyBottomDistBetweenSystems: 3.5 };

/**
 * Draw an excerpt into an element that has its width. Only whole systems are kept, but at the piece's end. `rest` is waited for
 * between reading and drawing, so that the page can do something else.
 * @param {Library} osmd @param {HTMLElement} element @param {Document} score @param {Wanted} wanted @param {() => Promise<void>} rest
 * @returns {Promise<Engraved>}
 */
export async function engrave({ OpenSheetMusicDisplay }, element, score, wanted, rest) {
  await rest();
  const sheet = new OpenSheetMusicDisplay(element, OPTIONS);
  Object.assign(sheet.EngravingRules, RULES);
  await sheet.load(score);
  await rest();
  const began = performance.now();
  sheet.Zoom = wanted.zoom;
  sheet.render();
  const systems = sheet.GraphicSheet.MusicPages.flatMap(({ MusicSystems }) => MusicSystems);
  const kept = wanted.last ? systems : systems.slice(0, -1);
  const scale = UNIT_PX * wanted.zoom;
  const bars = kept.flatMap((system, index) => boxesIn(system, index, wanted.first, scale));
  const anchors = kept.flatMap((system, index) => anchorsIn(system, index, wanted, scale));
  kept.forEach(mark);
  const svg = /** @type {SVGSVGElement} */ (element.querySelector("svg"));
  const height = !kept.length ? 0 : kept.length < systems.length ? cut(svg, kept[kept.length - 1], systems[kept.length], scale) : Number(svg.getAttribute("height"));
  const next = (bars[bars.length - 1]?.bar ?? wanted.first) + 1;
  return { next, height, systems: kept.length, took: Math.max(performance.now() - began, 1), bars, anchors };
}

/** @param {System} system @param {number} index @param {number} first @param {number} scale @returns {BarBox[]} */
function boxesIn(system, index, first, scale) {
  const top = system.StaffLines[0].PositionAndShape.AbsolutePosition.y * scale;
  const bottom = (system.StaffLines[system.StaffLines.length - 1].PositionAndShape.AbsolutePosition.y + STAFF_HEIGHT) * scale;
  return system.GraphicalMeasures.map(([measure]) => {
    const left = measure.PositionAndShape.AbsolutePosition.x * scale;
    return { bar: first + measure.parentSourceMeasure.measureListIndex, system: index, left, right: left + measure.PositionAndShape.Size.width * scale, top, bottom };
  });
}

/** @param {System} system @param {number} index @param {Wanted} wanted @param {number} scale @returns {Anchor[]} */
function anchorsIn(system, index, { first, lines, quarters }, scale) {
  return system.GraphicalMeasures.flatMap((staves) => {
    const bar = first + staves[0].parentSourceMeasure.measureListIndex;
    /** @type {Map<number, number>} */
    const places = new Map(); // by whole notes from the bar's beginning
    const entries = staves.flatMap(({ staffEntries }) => staffEntries);
    const sounding = entries.filter((entry) => notesOf(entry).some(({ sourceNote }) => !sourceNote.isRest()));
    for (const { relInMeasureTimestamp, PositionAndShape } of sounding.length ? sounding : entries) {
      const x = PositionAndShape.AbsolutePosition.x * scale;
      places.set(relInMeasureTimestamp.RealValue, Math.min(x, places.get(relInMeasureTimestamp.RealValue) ?? Infinity)); // a whole bar's rest stands in its middle
    }
    const found = [...places].map(([at, x]) => ({ bar, x, system: index, ms: msIn(lines, bar, (4 * at) / (quarters[bar] || 4)) }));
    return found.sort((one, other) => one.ms - other.ms);
  });
}

/** @param {Entry} entry */
function notesOf({ graphicalVoiceEntries }) {
  return graphicalVoiceEntries.flatMap(({ notes }) => notes);
}

/** Which staff a note is on, as a class: the last two are the piano's hands, others the melody. @param {System} system */
function mark({ GraphicalMeasures }) {
  for (const staves of GraphicalMeasures) {
    staves.forEach(({ staffEntries }, staff) => {
      const name = staves.length === 1 ? "melody" : ["left", "right"][staves.length - 1 - staff] ?? "melody";
      for (const note of staffEntries.flatMap(notesOf)) {
        if (!note.sourceNote.isRest()) note.getSVGGElement()?.classList.add(name);
      }
    });
  }
}

/** Leave out the system after the last one that is kept; gives the height that is left. @param {SVGSVGElement} svg @param {System} kept @param {System} system @param {number} scale */
function cut(svg, kept, system, scale) {
  const above = kept.PositionAndShape.AbsolutePosition.y + kept.PositionAndShape.BorderBottom;
  const below = system.PositionAndShape.AbsolutePosition.y + system.PositionAndShape.BorderTop;
  const height = ((above + below) / 2) * scale; // in the middle of what is between them
  const { x, y, width, height: tall } = svg.viewBox.baseVal;
  if (width) svg.setAttribute("viewBox", `${x} ${y} ${width} ${(tall * height) / Number(svg.getAttribute("height"))}`);
  svg.setAttribute("height", String(height));
  svg.style.overflow = "hidden";
  return height;
}
