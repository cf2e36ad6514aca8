"""A melody to a piano piece, whole or while it is written.

In: a melody (path, bytes or score) and `Options`. Out: an `Arrangement`, a `Stream` of its notes, or several takes.

arranger: A melody to a whole piece: at once, bar by bar, or in several takes; and pieces from nothing.
charting: what is decided before the first note is written: the style, and the chart that the accompaniment is written
    from.
composing: A melody from nothing, written by the model as it writes accompaniments: some bars at a time, each with
    those before it.
figures: The figures of the left hand: a table of words that says which degree of a chord is played where in a bar.
left_hand: The notes of a left hand that plays figures: made by rule from a chart, the beats of a piece and the melody above.
metre_reading: the metre, the pickup and the beats of a melody, as somebody says they are, as its file has them, or as
    they are heard.
options: what a user may ask of the arranger: `Options`.
pieces: A melody made ready to be accompanied, and the piece that comes of it.
ranking: which of several takes is closest to what people play: in its chords and its key, without clashes, neither
    dull nor wild.
rewriting: some bars of a piece written anew, joined to what stands before and after them; all else stays as it is.
structure: what an accompaniment played the first time, played again where the melody returns.
writing: an accompaniment while it is written: windows in turn, each with the history of the one before, given out bar
    by bar.
"""
