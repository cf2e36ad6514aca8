// The keys that hold everywhere on the page: undo, redo, and a number for each take.

/** @typedef {{undo: () => void, redo: () => void, free: () => boolean, chooseAt: (index: number) => void}} Told */

/** `free()` says whether nothing else has the keys now. @param {Told} told */
export function setUpKeys({ undo, redo, free, chooseAt }) {
  addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.matches?.("input:not([type=range],[type=checkbox],[type=radio]), textarea, select")) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && ["z", "y"].includes(event.key.toLowerCase())) {
      event.preventDefault();
      if (event.key.toLowerCase() === "y" || event.shiftKey) redo();
      else undo();
    } else if (/^[1-8]$/.test(event.key) && !command && !event.altKey && free()) chooseAt(Number(event.key) - 1);
  });
}
