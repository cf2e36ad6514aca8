"""MIDI, scores on paper, typed text or recordings to note arrays on a clock.

In: a path, bytes or text. Out: a `symusic.Score`, structured note arrays (`Notes`) and the `BeatClock` that they are
placed on.

abc_around: Tunes in ABC within other text: mails that quote them, web pages, answers in Markdown, texts that an editor has made pretty.
abc_books: Tunes in ABC as text: files in any encoding, tune books, and the lines of one tune.
abc_directives: What a text in ABC holds beside music: blocks of text and PostScript, what ``%%MIDI`` says of a voice, macros (``m:``).
abc_fields: What the fields of ABC say: key, metre, tempo, unit of length, order of parts.
abc_lyrics: The words under a line of music in ABC (``w:``).
abc_notation: Tunes in ABC notation (abcnotation.com, version 2.1) to a `symusic.Score`.
abc_playing: A tune in ABC as it is played: repeats, endings and parts in order, ties joined, bars in their metre.
abc_segments: What is written between two bar lines of a voice in ABC.
abc_texts: Letters beyond ASCII as texts in ABC may write them: after a backslash, as TeX has them, or as HTML does.
abc_voices: The music of a tune in ABC, voice by voice and bar line by bar line, as it is written.
accompaniment_steps: What an accompaniment says at each sixteenth of where bars begin: its bass, how thick it is, its changes.
beat_choice: which of several series of beats a melody is played on.
beat_hearing: Where in a beat each note of a performance is, and how long that beat is, as a small network hears it.
chord_texts: Chord symbols that stand as text events in a MIDI file, as accompaniment programs write them.
clock: the beat clock: real milliseconds to clock milliseconds and back.
convolution: A convolution over time in NumPy, of which the small networks of this room are made.
difficulty: how hard a piece may be to play: what each of two hands is asked for at `easy` and `medium`.
directions: what MusicXML says over the staff and at bar lines: tempo, loudness, and where playing goes on.
downbeats: where the bars of a melody begin: every metre and every place of its first bar line, and how likely each is.
hands: which notes the right hand plays and which the left.
keys: keys: the 88 of a piano, the scale that a melody is in, and the key signatures that a score states.
kinds: what a file is, by its bytes, and for what isn't read, what to do about it.
metres: a score with other bar lines: a metre that is said beside the file, a pickup, or both.
midi: MIDI files in and out.
midi_events: The texts among a MIDI file's events, followed byte by byte.
midi_lines: Lines of a MIDI track that are one though its channels and programmes are several.
midi_repair: MIDI files put right before they are read: what players forgive, and the reader of MIDI doesn't.
midi_texts: Texts in MIDI files whose encoding nobody states: names of tracks, lyrics, markers.
musicxml: MusicXML scores, read as they are played: notes in ticks, words, chord symbols, bar lines.
notes: the note array that every stage passes on.
pedal: The sustain pedal: controller 64 of a track, and what it does to notes.
performance: written notes as they sound: measures in the order of playing, grace notes given time, ties joined.
phrases: where a melody returns: eight bars, or four, that were heard before, at the same pitch or moved.
reading: Melodies from files of any kind: MIDI, MusicXML lead sheets, tunes in ABC, recordings of one voice.
recordings: recordings of one voice as scores: the notes heard in them, on the beats that the singer kept.
regrid: a performance written on its own beats: every event keeps its time, and a tempo map says where the beats are.
repeats: the order in which bars are played: repeats, endings, D.C., D.S., Fine and Coda.
riff: MIDI files in a RIFF wrapper (.rmi), as Windows programs write them.
staff_voices: Voices that share a staff of a score, such as soprano and alto, told apart: each is a melody of its own.
tempo: Another tempo for a score.
timed: Notes and the beats that they are played on, whatever they come in: a file, a score, or an array with its beats.
tracking: the beats of a performance that was played without a click.
typed: typed melodies: note names to a `symusic.Score`, and notes back to names.
words: The words of a song in a MIDI file: lyric events, or the text events of karaoke files, and the syllables in them.
written_chords: the chord symbols of MusicXML as Harte et al. (2005) write them.
written_parts: A part of a MusicXML score, measure by measure, as it is written.
written_words: The words under the notes of a MusicXML score: what is sung to a note, verse by verse.
xmlfiles: MusicXML files, opened safely: plain (.musicxml, .xml) or compressed (.mxl), from someone one doesn't know.
"""
