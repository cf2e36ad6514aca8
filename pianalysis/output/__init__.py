"""Notes, or a score, to what people keep.

In: note arrays in real milliseconds, or a score in ticks. Out: audio, a piano roll, MusicXML.

audio: notes to sound: a sampled piano.
chord_symbols: Chord symbols as MusicXML writes them, and where in a score's measures they stand.
grids: notes as played to notes as written: every onset and end on the grid of its beat.
marks: Marks in a score: of the sustain pedal, and of a ritardando.
measures: measures and voices: played notes as a score would write them.
musicxml: A piece as a score to read: MusicXML, the melody on a staff of its own, the piano on two.
picture: notes to a picture: a piano roll.
slowing: Where a piece slows down to its end, as a score says it.
spelling: how a score spells what sounds: note values, tuplets and beams, and pitches.
swing: Swing: whether a melody's eighths are long and short in turn, and such beats as they are written, in even eighths.
xml_notes: Notes and rests as MusicXML writes them, each spelled in the key and the chord that hold where it begins.
"""
