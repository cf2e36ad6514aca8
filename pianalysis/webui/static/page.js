// Small things that every part of the page uses: elements, errors beside their place, tabs, sheets, light and dark.

import { sentence } from "./choices.js";

/** An element of the page by its id; one that isn't there is a slip of ours. @param {string} id @returns {any} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/**
 * An element with attributes, names starting with "on" as listeners, and children.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {(Node | string | null)[]} children @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(.../** @type {(Node | string)[]} */ (children.filter((child) => child !== null)));
  return element;
}

/** Show a sentence in an error's place, in view, or take it away. @param {HTMLElement} place */
export function showError(place, message = "") {
  place.textContent = sentence(message);
  place.hidden = !message;
  if (message) place.scrollIntoView({ block: "nearest" });
}

export function clearErrors() {
  for (const place of document.querySelectorAll(".error")) showError(/** @type {HTMLElement} */ (place));
}

/** Tabs by the keyboard pattern: arrows move, and what is selected is shown. @param {HTMLElement} list @param {(name: string) => void} onChange */
export function setUpTabs(list, onChange = () => {}) {
  const tabs = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=tab]")]);
  /** @param {HTMLElement} chosen */
  const select = (chosen, focus = true) => {
    for (const tab of tabs()) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      byId(/** @type {string} */ (tab.getAttribute("aria-controls"))).hidden = !on;
    }
    if (focus) chosen.focus();
    onChange(chosen.id.replace("tab-", ""));
  };
  list.addEventListener("click", (event) => {
    const tab = /** @type {HTMLElement} */ (event.target).closest("[role=tab]");
    if (tab) select(/** @type {HTMLElement} */ (tab));
  });
  list.addEventListener("keydown", (event) => {
    const all = tabs();
    const here = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    select(/** @type {HTMLElement} */ (all[(to + all.length) % all.length]));
  });
  return (/** @type {string} */ name) => select(byId(`tab-${name}`), false);
}

/**
 * A button that opens a panel; Escape, a click outside and another one's opening close it.
 * @param {HTMLElement} button @param {HTMLElement} panel @param {{onOpen?: () => void, onClose?: () => void, stay?: () => boolean}} [told]
 */
export function setUpPopover(button, panel, { onOpen = () => {}, onClose = () => {}, stay = () => false } = {}) {
  const shown = () => !panel.hidden;
  const toggle = (on = !shown(), back = false) => {
    if (on === shown()) return;
    if (!on && stay()) return;
    panel.hidden = !on;
    button.setAttribute("aria-expanded", String(on));
    if (on) onOpen();
    else onClose();
    if (!on && back) button.focus();
  };
  button.setAttribute("aria-expanded", String(shown()));
  button.setAttribute("aria-controls", panel.id);
  button.addEventListener("click", () => toggle());
  document.addEventListener("pointerdown", (event) => {
    const where = /** @type {Node} */ (event.target);
    if (shown() && !panel.contains(where) && !button.contains(where)) toggle(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown()) toggle(false, panel.contains(document.activeElement) || document.activeElement === button);
  });
  return toggle;
}

/** The button that goes from the system's choice of light or dark to the other one, and remembers it. @param {HTMLElement} button @param {() => void} onChange */
export function setUpTheme(button, onChange) {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is closed to pages in frames of some browsers
    }
  };
  const show = (/** @type {string | null} */ theme) => {
    if (theme) root.dataset.theme = theme;
    onChange();
  };
  show(stored());
  dark.addEventListener("change", onChange);
  matchMedia("(forced-colors: active)").addEventListener("change", onChange);
  button.addEventListener("click", () => {
    const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    show(next);
    try {
      localStorage.setItem("theme", next);
    } catch {
      // then it lasts as long as the page
    }
  });
}

/** Whether what is typed now belongs to a field and not to the page. @param {Event} event */
export function typing(event) {
  const target = /** @type {Element} */ (event.target);
  return target.matches?.("input:not([type=range],[type=checkbox],[type=radio],[type=file]), textarea, select, [contenteditable]");
}

/** Offer bytes to be saved under a name. @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
