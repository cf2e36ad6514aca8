"""A recording of one voice to its notes and beats.

In: the bytes of a sound file. Out: notes in seconds, how they are tuned, and the times of beats; the extra `audio`.

beats: the beats under a melody that was sung or played without a click.
listening: a recording of one voice to its notes.
pitch: what is heard at each moment: pitch, how surely, loudness, and how likely a note begins there.
segments: frames to notes: the likeliest way to cut a recording into notes of one pitch and rests.
sound: recordings, opened: as one channel at one rate.
"""
