// What the user set: from the controls, into a link, and back.

const CHOICES = ["style", "density"];
const NUMBERS = ["temperature", "top_k", "top_p", "max_bars"];
const WORDS = [[0.75, "tame"], [0.95, "balanced"], [1.1, "bold"], [9, "wild"]];
const LONGEST_IN_LINK = 6_000; // characters of a melody

const control = (name) => document.getElementById(name);

/** The settings as the server takes them; numbers left empty are left out. */
export function readSettings() {
  const settings = {};
  for (const name of CHOICES) settings[name] = document.querySelector(`input[name=${name}]:checked`)?.value;
  for (const name of NUMBERS) if (control(name).value !== "") settings[name] = Number(control(name).value);
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
    if (settings[name] !== undefined && Number.isFinite(Number(settings[name]))) control(name).value = settings[name];
  }
  showTemperature();
}

/** The word for how adventurous it is. */
export function showTemperature() {
  const value = Number(control("temperature").value);
  control("temperature-shown").value = WORDS.find(([limit]) => value <= limit)[1];
}

/** A link that brings back melody, settings and seed, or null if the melody is too long for one. */
export function makeLink({ melody, settings, seed, track, title, bpm }) {
  if (melody.length > LONGEST_IN_LINK) return null;
  const query = new URLSearchParams({ ...settings, seed });
  if (track) query.set("track", track);
  if (bpm) query.set("bpm", bpm);
  if (/^[a-z_]*$/.test(melody)) query.set("example", melody); // empty: from nothing
  else query.set("title", title);
  const link = new URL(location.pathname, location.origin);
  link.search = query.toString();
  // A melody of one's own stays behind the #, which browsers keep to themselves.
  if (!query.has("example")) link.hash = new URLSearchParams({ melody }).toString();
  return link.toString();
}

/** What a link asks for, or null: {melody, settings, seed, track, title, bpm}. */
export function readLink(href) {
  const link = new URL(href);
  const query = link.searchParams;
  const melody = query.get("example") ?? new URLSearchParams(link.hash.slice(1)).get("melody");
  if (melody === null) return null;
  const settings = {};
  for (const name of [...CHOICES, ...NUMBERS, "seed"]) if (query.has(name)) settings[name] = query.get(name);
  return {
    melody,
    settings,
    track: Number(query.get("track")) || 0,
    title: query.get("title") ?? "",
    bpm: Number(query.get("bpm")) || undefined,
  };
}
