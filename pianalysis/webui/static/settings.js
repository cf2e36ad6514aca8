// What the user set: from the controls, into a link, and back.

const CHOICES = ["style", "density"];
const NUMBERS = ["temperature", "top_k", "top_p", "dynamics", "max_bars"];
const KEYS = ["lowest", "highest"];
const ADVENTURE = [[0.75, "tame"], [0.95, "balanced"], [1.1, "bold"], [9, "wild"]];
const LOUDNESS = [[-0.6, "much softer"], [-0.1, "softer"], [0.1, "as written"], [0.6, "louder"], [9, "much louder"]];
const LONGEST_IN_LINK = 6_000; // characters of a melody

const control = (name) => document.getElementById(name);

/** The settings as the server takes them. */
export function readSettings() {
  const settings = {};
  for (const name of CHOICES) settings[name] = document.querySelector(`input[name=${name}]:checked`)?.value;
  for (const name of NUMBERS) {
    const { value, defaultValue } = control(name);
    if (value !== "" && value !== defaultValue) settings[name] = Number(value); // what isn't touched is the model's own
  }
  const keys = document.querySelector("input[name=register]:checked")?.value;
  if (keys) KEYS.forEach((name, index) => (settings[name] = Number(keys.split("-")[index])));
  return settings;
}

export function readSeed() {
  return Math.floor(Math.min(Math.max(Number(control("seed").value) || 0, 0), 4294967295));
}

/** Put settings into the controls; what isn't a possible value is left as it is. */
export function showSettings(settings) {
  for (const name of CHOICES) {
    for (const radio of document.querySelectorAll(`input[name=${name}]`)) {
      if (radio.value === settings[name]) radio.checked = true;
    }
  }
  for (const name of [...NUMBERS, "seed"]) {
    const given = settings[name] !== undefined && Number.isFinite(Number(settings[name]));
    if (given) control(name).value = settings[name];
    else if (name !== "seed") control(name).value = control(name).defaultValue;
  }
  const keys = settings.lowest === undefined ? "" : `${settings.lowest}-${settings.highest}`;
  for (const radio of document.querySelectorAll("input[name=register]")) radio.checked = radio.value === keys;
  showWords();
}

/** The words beside the sliders. */
export function showWords() {
  for (const [name, words] of [["temperature", ADVENTURE], ["dynamics", LOUDNESS]]) {
    const value = Number(control(name).value);
    control(`${name}-shown`).value = words.find(([limit]) => value <= limit)[1];
  }
}

/** Take away the controls of what the server doesn't know. */
export function keepKnown(known) {
  for (const part of document.querySelectorAll("[data-needs]")) part.hidden = !known.includes(part.dataset.needs);
}

/** A link that brings back melody, settings and seed, or null if the melody is too long for one. */
export function makeLink({ melody, settings, seed, track, title, bpm, edits }) {
  if (melody.length > LONGEST_IN_LINK) return null;
  const query = new URLSearchParams({ ...settings, seed });
  if (track) query.set("track", track);
  if (edits.length) query.set("edits", edits.map(({ first, last, seed: own }) => `${first}-${last}.${own}`).join(" "));
  if (bpm) query.set("bpm", bpm);
  if (/^[a-z_]*$/.test(melody)) query.set("example", melody); // empty: from nothing
  else query.set("title", title);
  const link = new URL(location.pathname, location.origin);
  link.search = query.toString();
  // A melody of one's own stays behind the #, which browsers keep to themselves.
  if (!query.has("example")) link.hash = new URLSearchParams({ melody }).toString();
  return link.toString();
}

/** What a link asks for, or null: {melody, settings, track, title, bpm, edits}. */
export function readLink(href) {
  const link = new URL(href);
  const query = link.searchParams;
  const melody = query.get("example") ?? new URLSearchParams(link.hash.slice(1)).get("melody");
  if (melody === null) return null;
  const settings = {};
  for (const name of [...CHOICES, ...NUMBERS, ...KEYS, "seed"]) if (query.has(name)) settings[name] = query.get(name);
  return {
    melody,
    settings,
    track: Number(query.get("track")) || 0,
    title: query.get("title") ?? "",
    bpm: Number(query.get("bpm")) || undefined,
    edits: [...(query.get("edits") ?? "").matchAll(/(\d+)-(\d+)\.(\d+)/g)].map(([, first, last, seed]) => ({ first: Number(first), last: Number(last), seed: Number(seed) })),
  };
}
