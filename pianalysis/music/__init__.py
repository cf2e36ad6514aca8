"""MIDI, scores on paper or typed text to note arrays on a clock.

In: a path, bytes or text. Out: a `symusic.Score`, structured note arrays (`Notes`) and the `BeatClock` that they are
placed on.

abc_chords: The chord symbols of a tune in ABC (`"Am"A2 "D7"d2`), and when each of them is played.
clock: the beat clock: real milliseconds to clock milliseconds and back.
directions: what MusicXML says over the staff and at bar lines: tempo, loudness, and where playing goes on.
downbeats: where the bars of a melody begin: every metre and every place of its first bar line, and how likely each is.
hands: which notes the right hand plays and which the left.
keys: keys: the 88 of a piano, and the scale that a melody is in.
metres: a score with other bar lines: a metre that is said beside the file, a pickup, or both.
midi: MIDI files in and out.
musicxml: MusicXML scores, read as they are played: notes in ticks, chord symbols, bar lines.
notes: the note array that every stage passes on.
performance: written notes as they sound: measures in the order of playing, grace notes given time, ties joined.
phrases: where a melody returns: eight bars, or four, that were heard before, at the same pitch or moved.
reading: Melodies from files of any kind: MIDI, MusicXML lead sheets, tunes in ABC.
regrid: a performance written on its own beats: every event keeps its time, and a tempo map says where the beats are.
repeats: the order in which bars are played: repeats, endings, D.C., D.S., Fine and Coda.
tracking: the beats of a performance that was played without a click.
typed: typed melodies: ABC and note names to a `symusic.Score`, and notes back to names.
written_chords: the chord symbols of MusicXML as Harte et al. (2005) write them.
written_parts: A part of a MusicXML score, measure by measure, as it is written.
xmlfiles: MusicXML files, opened safely: plain (.musicxml, .xml) or compressed (.mxl), from someone one doesn't know.
"""
