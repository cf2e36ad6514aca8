"""A window of notes and chords as token ids and back, and what may follow what."""
