// The score on paper: drawn again on pages, in a frame of its own, and handed to the browser's printing.

/** @import {Library} from "./engraver.js" */

const STYLE = `
  @page { size: A4; margin: 0; }
  body { margin: 0; background: #fff; color: #000; }
  #pages > * { break-after: page; }
  #pages > :last-child { break-after: auto; }
  svg { display: block; width: 210mm; height: auto; max-height: 296mm; }
`;
const PAGE_PX = 1_240; // an A4 page's width at 150 dots an inch

/**
 * @param {Library} library @param {Document} score @param {string} title
 * @returns {Promise<HTMLIFrameElement>} the frame that is printed; it goes when the dialog has closed
 */
export async function printScore({ OpenSheetMusicDisplay }, score, title) {
  const frame = document.createElement("iframe");
  frame.title = "Score to print";
  frame.setAttribute("aria-hidden", "true");
  frame.tabIndex = -1;
  frame.className = "score-print";
  document.body.append(frame);
  const pages = document.createElement("div"); // laid out in this page, which has the fonts; then moved
  pages.className = "score-block";
  pages.style.width = `${PAGE_PX}px`;
  document.body.append(pages);
  try {
    const options = { backend: "svg", autoResize: false, drawPartNames: false, pageFormat: "A4_P", pageBackgroundColor: "#ffffff", drawTitle: Boolean(title), drawMetronomeMarks: false };
    const sheet = new OpenSheetMusicDisplay(pages, options);
    await sheet.load(titled(score, title));
    sheet.render();
  } catch (error) {
    frame.remove();
    throw error;
  } finally {
    pages.remove();
  }
  const inner = /** @type {Document} */ (frame.contentDocument);
  inner.title = title || "Score"; // the file's name, where it's saved as PDF
  const style = inner.createElement("style");
  style.textContent = STYLE;
  inner.head.append(style);
  pages.id = "pages";
  pages.removeAttribute("style");
  inner.body.append(inner.adoptNode(pages));
  frame.contentWindow?.addEventListener("afterprint", () => setTimeout(() => frame.remove(), 0));
  frame.contentWindow?.print();
  return frame;
}

/** The score with another title. @param {Document} score @param {string} title @returns {Document} */
function titled(score, title) {
  const copy = /** @type {Document} */ (score.cloneNode(true));
  const name = copy.querySelector("work > work-title");
  if (name) name.textContent = title;
  return copy;
}
