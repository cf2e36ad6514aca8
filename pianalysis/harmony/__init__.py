"""A melody, or any notes, to a chord chart.

In: notes in clock-ms and the beats that they stand on. Out: a `Chart`, its alternatives, and chords as people and as
Harte et al. (2005) write them.

beats: the beat grid: the beats of every bar in any metre, on which chords stand.
chart: A chord chart: chords on the beats of a piece, and the text that people type and read.
decoding: exact inference in a chain of states: the likeliest path, the surest states, samples, probabilities, with or
    without some states fixed.
features: what the harmoniser hears: a melody on the beat grid, in one key.
harmoniser: chords for a melody: the surest, the likeliest, or drawn by chance; alternatives with their probabilities;
    gaps of a chart filled.
key_areas: where a piece's key changes, and the melody and its chords as they would be in one key.
net: the network that scores chords for a melody: dilated convolutions over its beats, in one key.
qualities: the qualities of chords: degrees of the major scale, by Harte's shorthand and as people write them after
    the root.
recognise: chords from notes: which chord sounds in each beat, whatever the texture.
richness: how many chords a melody gets, and of which kinds: `simple`, `balanced` (as the network has learned) or
    `rich`.
stated: The chords that a file states in its markers, and the markers that state a chart.
symbols: chord symbols: as people write them (`Am7`, `F/C`) and as Harte et al. (2005) write them (`A:min7`,
    `F:maj/5`).
"""
