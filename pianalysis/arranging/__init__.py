"""A melody to a piano piece, whole or while it is written.

In: a melody (path, bytes or score) and `Options`. Out: an `Arrangement`, a `Stream` of its notes, or several takes.

alternatives: How likely the chords of a piece are, and which others might stand there instead.
arranger: A melody to a whole piece: at once, bar by bar, or in several takes; and pieces from nothing.
charting: what is decided before the first note is written: the style, and the chart that the accompaniment is written
    from.
composing: A melody from nothing, written by the model as it writes accompaniments: some bars at a time, each with
    those before it.
easier: an accompaniment that is to be easy to play: what its hands may strike, and figures of the left hand made
    easier.
ending: The last chord of a piece, which stays.
figures: The figures of the left hand: a table of words that says which degree of a chord is played where in a bar.
form: A melody as the piece has it: after an introduction, in several verses, slowing down to its end.
form_options: what a user may ask of a piece's form: `FormOptions`, a part of `Options`.
introduction: The bars before a melody: a phrase of it, played by the piano alone, which leads into its first chord.
kept: What stays of the file that a melody comes from, beside its notes: words, markers, programme, bends, pedal,
    controllers.
left_hand: The notes of a left hand that plays figures: made by rule from a chart, the beats of a piece and the melody above.
metre_reading: the metre, the pickup and the beats of a melody, as somebody says they are, as its file has them, or as
    they are heard.
options: what a user may ask of the arranger: `Options`.
pedal: The sustain pedal of a piece: down with each chord, up where the next one begins.
pieces: A melody made ready to be accompanied, and the piece that comes of it.
planning: what is to be written next of an accompaniment, and from what: windows in turn, each with the history of the
    one before.
ranking: which of several takes is closest to what people play: in its chords and its key, without clashes, neither
    dull nor wild.
rewriting: some bars of a piece written anew, joined to what stands before and after them; all else stays as it is.
structure: what an accompaniment played the first time, played again where the melody returns.
transposing: A piece in another key than its melody's: the same piece, so many semitones higher or lower.
upbeat: where a melody begins with an upbeat.
writing: an accompaniment while it is written, given out bar by bar.
"""
