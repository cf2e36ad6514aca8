// What a screen reader is told: one polite region, few words. What is seen elsewhere is not said again here.

const SAME_MS = 1_000;

/** @param {HTMLElement} region */
export function makeAnnouncer(region) {
  let last = "";
  let when = 0;
  return (/** @type {string} */ text) => {
    const now = performance.now();
    if (!text || (text === last && now - when < SAME_MS)) return;
    region.textContent = text === last ? `${text} ` : text;
    last = text;
    when = now;
  };
}
