"""MusicXML read back plainly: what is written, as numbers."""

from __future__ import annotations

from xml.etree import ElementTree

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def midi_pitch(note):
    step, alter, octave = (note.findtext(f"pitch/{name}") for name in ("step", "alter", "octave"))
    return STEPS[step] + int(alter or 0) + 12 * (int(octave) + 1)


def read_back(data):
    """For each part its notes, as (onset, end, pitch) with ties joined, and each measure's length; each voice's sum is checked."""
    parts = {}
    for part in ElementTree.fromstring(data).iter("part"):
        start, notes, open_ties, lengths = 0, [], {}, []
        for measure in part.iter("measure"):
            place, onset, sums = 0, 0, {}
            for element in measure:
                if element.tag == "backup":
                    place -= int(element.findtext("duration"))
                    assert place == 0
                if element.tag != "note":
                    continue
                length, voice = int(element.findtext("duration")), element.findtext("voice")
                if element.find("chord") is None:
                    onset, place = place, place + length
                    sums[voice] = sums.get(voice, 0) + length
                if element.find("rest") is not None:
                    continue
                pitch, ties = midi_pitch(element), [tie.get("type") for tie in element.iter("tie")]
                begin = open_ties.pop((start + onset, pitch)) if "stop" in ties else start + onset
                if "start" in ties:
                    open_ties[start + onset + length, pitch] = begin
                else:
                    notes.append((begin, start + onset + length, pitch))
            assert len(set(sums.values())) == 1, (measure.get("number"), sums)
            lengths.append(next(iter(sums.values())))
            start += lengths[-1]
        assert not open_ties
        parts[part.get("id")] = (sorted(notes), lengths)
    return parts
