"""Corpora to a checked dataset of parquet files.

In: folders and archives of MIDI, **kern's MIDI and MusicXML. Out: a folder that `datasets` loads, with its report and
card; the extra `data`.

building: building the dataset: corpora to a folder of parquet files that `datasets` loads.
card: dataset cards, filled from a build's report.
checks: what a sequence of ids is checked for, and the report of it in plain words.
corpora: the corpora, read as pieces: POP909, OpenScore Lieder, Polish scores, hymns, OpenEWLD, and files of a user's
    own.
download: POP909 from its public repository, cached and checked.
duplicates: finding pieces that stand twice, by their melody: in other keys, at other tempi, in other corpora.
piece_chords: A piece's chords on its beats: its labels or what its score has written, else what the rule hears in its
    notes.
report: what a build of the dataset read, kept, dropped and lost: counted per part, merged, and drawn.
rows: the dataset's rows: one a piece (config `notes`), one a window (config `windows`).
sources: opening corpora: archives unpacked, pieces listed by split, a folder's duplicates found.
splitting: how a folder without a split file is split by song, and the split in words.
validation: is a dataset what it says? The checks that would have caught the seed's fault.
"""

from pianalysis.errors import needs

needs("data", "datasets")
