"""How good a piece is, in plain numbers by the field's names.

In: note arrays in clock-ms, where a beat is 500 (`BeatClock.notes_to_clock`), and chord spans, unless a function says
otherwise. Out: numbers, NaN where one isn't defined; NumPy alone.

chords: do the notes play the chords: those that the song has, or those that are heard in the notes themselves.
distributions: how alike two sets of music are in the distribution of their pitches, lengths, inter-onset intervals
    and velocities.
excerpts: four bars of a piece in numbers: what a classifier goes by that is to tell people's accompaniments from a
    model's.
harmony: does the accompaniment fit the melody: consonance, clashes, and how much of it is owed to this very melody.
keys: the key of a song: its scale, and which of the scale's two tonics is home.
metre: whether an accompaniment keeps the metre: where in a bar its bass is struck.
names: what metrics are called, in tables and in JSON.
playability: can two hands play it?.
progressions: how the chords of a piece go on: how often they change, how many there are, where they lead, how like
    people's.
recall: is the melody in the piece, note for note?.
repetition: how much of an accompaniment is copied from the training set, and how alike its own returns are.
rolls: piano rolls: how many notes sound when, by key or by pitch class.
seams: does one hear where the windows of a piece are joined?.
statistics: what a piece is like in itself: groove, entropy, scale, polyphony, gaps and density.
two_sample: can a classifier tell two sets of music apart? A classifier two-sample test (Lopez-Paz & Oquab 2017).
"""
