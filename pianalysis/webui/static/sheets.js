// On a phone the settings and the mix are sheets, opened from the transport.

import { byId } from "./page.js";

export function setUpSheets() {
  const sheet = (/** @type {string} */ name, /** @type {boolean} */ on) => {
    document.body.dataset.sheet = on ? name : "";
    for (const own of ["mix", "settings"]) byId(`open-${own}`).setAttribute("aria-expanded", String(on && own === name));
  };
  for (const name of ["mix", "settings"]) {
    byId(`open-${name}`).setAttribute("aria-expanded", "false");
    byId(`open-${name}`).addEventListener("click", () => sheet(name, document.body.dataset.sheet !== name));
  }
  const close = () => {
    const { sheet: name } = document.body.dataset;
    sheet("", false);
    if (name) byId(`open-${name}`).focus();
  };
  byId("close-settings").addEventListener("click", close);
  byId("write-these").addEventListener("click", () => sheet("", false));
  addEventListener("keydown", (event) => event.key === "Escape" && document.body.dataset.sheet && close());
  document.addEventListener("pointerdown", (event) => {
    const { sheet: name } = document.body.dataset;
    const where = /** @type {Element} */ (event.target);
    if (name && !byId(name).contains(where) && !where.closest(`#open-${name}`)) sheet("", false);
  });
}
