// A link to a piece: copied, or shown to be copied; where the melody is too long for one, a file that the page opens again.

import { lengthen, makeLink, recipeOf, shorten } from "./link.js";
import { currentTake } from "./session.js";
import { byId, saveBlob, setUpPopover } from "./page.js";

/** @import {Recipe} from "./link.js" */
/** @import {Session} from "./types.js" */

const FORMAT = "pianalysis piece 1";

/** @param {() => Session} session */
export function setUpShare(session) {
  const status = byId("share-status");
  const field = byId("link");
  const file = byId("share-file");
  const recipe = () => {
    const take = currentTake(session());
    return take && recipeOf(session(), take);
  };
  const open = async () => {
    const wanted = recipe();
    field.hidden = file.hidden = true;
    field.value = "";
    if (!wanted) {
      status.textContent = "The piece can be shared when it is finished.";
      return;
    }
    const link = await makeLink(wanted, `${location.origin}${location.pathname}`);
    if (!link) {
      status.textContent = "This melody is too long for a link. A file brings the piece back: drop it on this page.";
      file.hidden = false;
      file.focus();
      return;
    }
    field.value = link;
    field.hidden = false;
    field.select();
    try {
      await navigator.clipboard.writeText(link);
      status.textContent = "Link copied. It brings back melody, chords, settings, changes and how it sounds.";
    } catch {
      status.textContent = "Copy this link: it brings back melody, chords, settings, changes and how it sounds.";
    }
  };
  file.addEventListener("click", () => {
    const wanted = recipe();
    if (!wanted) return;
    const text = JSON.stringify({ format: FORMAT, source: wanted.melody.source, ...shorten(wanted) });
    saveBlob(new Blob([text], { type: "application/json" }), `${wanted.melody.title.replace(/[^\p{L}\p{N}]+/gu, "_").toLowerCase() || "piece"}.pianalysis.json`);
    status.textContent = "Saved.";
  });
  return setUpPopover(byId("share"), byId("share-panel"), { onOpen: open });
}

/** What a saved file brings back, or null for another file. @param {string} text @returns {Recipe | null} */
export function readRecipeFile(text) {
  try {
    const parts = JSON.parse(text);
    return parts.format === FORMAT ? lengthen(parts, String(parts.source ?? "")) : null;
  } catch {
    return null;
  }
}
