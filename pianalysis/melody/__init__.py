"""Which notes of a score are its melody.

In: a score in ticks. Out: a `Melody`: the file's own notes, and how they were found.

candidates: the lines of a score that may be its melody, listed: who, how high, how much of the time.
features: what surrounds each note of polyphonic music, in numbers: what melody extraction looks at.
find: finding the melody of a score: its likeliest track, and the line of that.
line: melody extraction: which notes of polyphonic music are its melody.
names: what the name of a track says: a melody, perhaps one, or something else.
net: the network that scores how likely each note is melody: dilated convolutions over the notes, and sums over
    neighbours.
programme_names: names that programs give tracks by themselves: those of General MIDI's programmes, which nobody typed.
track_features: what tells the melody's track from the others, in numbers.
track_scores: how likely each track of a score is to have its melody.
turns: a melody that several tracks sing in turn: a duet, or verses and choruses on tracks of their own.
voices: one voice or several: how far a track is one voice, and the top line of one that is not.
"""
