"""Which notes of a score are its melody.

In: a score in ticks. Out: a `Melody`: the file's own notes, and how they were found.

features: what surrounds each note of polyphonic music, in numbers: what melody extraction looks at.
find: finding the melody of a MIDI file: by name, as one voice, or as the likeliest line.
line: melody extraction: which notes of polyphonic music are its melody.
net: the network that scores how likely each note is melody: dilated convolutions over the notes, and sums over
    neighbours.
"""
