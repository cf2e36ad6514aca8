"""Music: scores on paper to scores in ticks and note arrays. Imports nothing but NumPy, symusic and the standard library.

musicxml: a MusicXML file as it is played, notes, chord symbols and bar lines. xmlfiles: opens such files safely. written_parts:
a part, measure by measure, as written. directions: what stands over the staff and at bar lines. written_chords: a chord symbol as
Harte writes it. repeats: the order in which bars are played. performance: written notes as they sound.
"""
