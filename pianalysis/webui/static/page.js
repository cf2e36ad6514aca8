// Small things that every part of the page uses: elements, errors beside their place, tabs, light and dark.

export const byId = (id) => document.getElementById(id);

/** An element with attributes, properties starting with "on" as listeners, and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Show a sentence in an error's place, in view, or take it away. */
export function showError(place, message = "") {
  place.textContent = message && message[0].toUpperCase() + message.slice(1);
  place.hidden = !message;
  if (message) place.scrollIntoView({ block: "center" });
}

export function clearErrors() {
  for (const place of document.querySelectorAll(".error")) showError(place);
}

/** Tabs by the keyboard pattern: arrows move, and what is selected is shown. */
export function setUpTabs(list, onChange = () => {}) {
  const tabs = () => [...list.querySelectorAll("[role=tab]")].filter((tab) => !tab.hidden);
  const select = (chosen, focus = true) => {
    for (const tab of list.querySelectorAll("[role=tab]")) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = !on;
    }
    if (focus) chosen.focus();
    onChange(chosen.id.replace("tab-", ""));
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) select(tab);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = tabs();
    select(all[(all.indexOf(document.activeElement) + step + all.length) % all.length]);
  });
  return (name) => select(byId(`tab-${name}`), false);
}

/** The button that goes from the system's choice of light or dark to the other one, and remembers it. */
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
  const show = (theme) => {
    if (theme) root.dataset.theme = theme;
    onChange();
  };
  show(stored());
  dark.addEventListener("change", onChange);
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

/** Whether what is typed now belongs to a field and not to the page. */
export function typing(event) {
  const { target } = event;
  return target.matches?.("input:not([type=range],[type=checkbox],[type=radio],[type=file]), textarea, select, [contenteditable]");
}
