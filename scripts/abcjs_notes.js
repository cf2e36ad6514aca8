// The notes that abcjs plays of tunes in ABC, for scripts/measure_abc.py.
// In: the path of the package abcjs, and on the standard input a JSON array of tunes. Out: a JSON array; for each tune
// [[onset in whole notes, MIDI pitch], …] over all voices, or {error}. Grace notes and ornaments are taken off and
// changes of tempo too, since abcjs plays those its own way: what is compared is what is written.
const abcjs = require(process.argv[2]);

function written(tune) {
  delete tune.formatting.midi;
  delete tune.formatting.bagpipes;
  for (const line of tune.lines) {
    for (const staff of line.staff || []) {
      staff.voices = staff.voices.map((voice) => voice.filter((one) => one.el_type !== "tempo" && one.el_type !== "midi"));
      for (const voice of staff.voices) {
        for (const one of voice) {
          delete one.gracenotes;
          delete one.decoration;
        }
      }
    }
  }
  return tune;
}

function notes(text) {
  const [tune] = abcjs.parseOnly(text);
  const played = written(tune).setUpAudio({ chordsOff: true });
  const found = [];
  for (const track of played.tracks) {
    for (const event of track) if (event.cmd === "note") found.push([event.start, event.pitch]);
  }
  return found;
}

console.log = () => {};
const tunes = JSON.parse(require("fs").readFileSync(0, "utf8"));
const all = tunes.map((text) => {
  try {
    return notes(text);
  } catch (error) {
    return { error: String(error) };
  }
});
process.stdout.write(JSON.stringify(all));
