import assert from "node:assert/strict";
import { test } from "node:test";

import { DEFAULTS, readSettings } from "../../../pianalysis/webui/static/choices.js";
import { LONGEST, makeLink, pack, readLink, toBase64, unpack } from "../../../pianalysis/webui/static/link.js";
import { AS_WRITTEN } from "../../../pianalysis/webui/static/session.js";

const PAGE = "http://here/";
const melody = { source: "sakura", kind: "example", title: "Sakura", track: 0, bpm: 100, given: {}, chords: "", compose: null };
const settings = readSettings({ style: "pop", density: "high", left_hand: "alberti", pedal: true, intro: 2 });
const edits = [{ first: 3, last: 4, seed: 7, settings: { ...settings, left_hand: "waltz" }, chords: "Am | F G" }];
const recipe = { melody, settings, seed: 12, edits, heard: { rate: 0.8, transpose: -2, melody: 1, accompaniment: 0.5 } };

test("a link brings back what it was made of", async () => {
  const cases = [
    recipe,
    { ...recipe, melody: { ...melody, source: "C4/4 D4 E4", kind: "notes", bpm: 90, title: "Ä tune – „mine“" } },
    { ...recipe, melody: { ...melody, given: { time_signature: "3/4", pickup: 1 }, chords: "C | G", track: 2 }, edits: [], heard: AS_WRITTEN },
    { ...recipe, melody: { ...melody, source: "", kind: "composed", compose: 0 }, seed: 0, settings: { ...DEFAULTS } },
    { ...recipe, melody: { ...melody, source: `data:audio/midi;base64,${toBase64(new Uint8Array([0, 1, 2, 0, 255, 77]))}`, kind: "midi" } },
  ];
  for (const one of cases) {
    const link = await makeLink(one, PAGE);
    assert.deepEqual(await readLink(link), one);
  }
});

test("a link to an example is short, and a melody that is too long has none", async () => {
  const short = await makeLink({ ...recipe, edits: [], settings: { ...DEFAULTS }, heard: AS_WRITTEN }, PAGE);
  assert.ok(short.length < 120, short);
  const random = crypto.getRandomValues(new Uint8Array(LONGEST));
  assert.equal(await makeLink({ ...recipe, melody: { ...melody, source: `data:audio/midi;base64,${toBase64(random)}` } }, PAGE), null);
});

test("links of the page's first version are read", async () => {
  const found = await readLink(`${PAGE}?style=hymn&density=low&temperature=1.1&seed=5&example=sakura&edits=2-3.9`);
  assert.deepEqual([found.melody.source, found.melody.kind, found.seed, found.settings.style, found.settings.temperature], ["sakura", "example", 5, "hymn", 1.1]);
  assert.deepEqual(found.edits.map(({ first, last, seed }) => [first, last, seed]), [[2, 3, 9]]);
  assert.equal((await readLink(`${PAGE}?example=&seed=4`)).melody.compose, 4);
  assert.equal((await readLink(`${PAGE}?style=pop&bpm=80&title=My+tune#melody=C4%2F4`)).melody.source, "C4/4");
});

test("an address that asks for nothing, and one that is broken", async () => {
  assert.equal(await readLink(PAGE), null);
  await assert.rejects(readLink(`${PAGE}#p=AAAA`));
  const packed = await pack(recipe);
  await assert.rejects(unpack(packed.slice(0, 20)));
});
