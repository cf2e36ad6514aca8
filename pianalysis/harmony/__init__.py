"""Harmony: a melody, or notes, to a chord chart. Imports music, melody and the clock; torch only where the network is run.

symbols: a chord, read and printed as people and as Harte et al. (2005) write it. qualities: what its suffix stands for.
beats: the beats of a piece in any metre, on which chords stand. chart: chords on those beats, as text and from it.
recognise: the chords that sound in notes. features: what the harmoniser hears of a melody. net: the network that scores
chords for it. decoding: exact inference in a chain of chords. harmoniser: chords for a melody, and what else they might be.
"""
