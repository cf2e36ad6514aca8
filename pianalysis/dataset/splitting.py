"""How a folder without a split file is split by song, and the split in words.

In: the hash of each file. Out: its split, the same wherever the files lie and whatever they are called; and, of a finished
dataset, a sentence that says which songs a run is measured on, where they are few.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

SPLIT_SHARES: Final = (("train", 0.9), ("validation", 0.95), ("test", 1.0))
"""A hash decides, so that copies stay together and a song keeps its place when others come."""
VALIDATION_SONGS: Final = 3
"""Fewer than these say more of one song than of the music; so many are set aside wherever as many again, twice, are left."""
FEW_SONGS: Final = 10
"""Up to so many songs to validate on are named."""
_SHOWN_NAME: Final = 40


def split_of(digest: str) -> str:
    """The split of a file by the hash of its bytes, in hexadecimal digits.

    >>> [split_of(digest * 64) for digest in "0ef"]
    ['train', 'validation', 'test']
    """
    share = int(digest[:8], 16) / 16**8
    return next(split for split, until in SPLIT_SHARES if share < until)


def fill_splits(ids: dict[str, list[str]], digests: dict[str, str]) -> None:
    """Move training pieces to a validation split of too few, then one to an empty test split, in place.

    Of ten files chance leaves validation empty six times in ten. It gets `VALIDATION_SONGS`, of fewer than nine files a
    third, of two files one; of one file there is nothing to give.
    """
    count = sum(map(len, ids.values()))
    wanted = {"validation": min(VALIDATION_SONGS, max(count // 3, 1)), "test": 1}
    for split, least in wanted.items():
        while len(ids[split]) < least and len(ids["train"]) > 1:
            moved = max(ids["train"], key=lambda piece_id: digests[piece_id])
            ids["train"].remove(moved)
            ids[split].append(moved)


def split_in_words(folder: Path) -> str:
    """What a finished dataset's songs of the user's own are for, where those to validate on are few; else empty."""
    songs = {split: _own_songs(folder, split) for split, _ in SPLIT_SHARES}
    held = songs["validation"]
    if not any(songs.values()) or len(held) > FEW_SONGS:
        return ""
    plural = "" if len(songs["train"]) == 1 else "s"
    counts = (
        f"{len(songs['train'])} song{plural} to train on, {len(held)} to validate on, {len(songs['test'])} to test on"
    )
    if not held:
        return f"{counts}: training needs some to validate on; bring more files, or a split file (--splits)"
    names = ", ".join(held)
    windows = sum(pq.read_metadata(path).num_rows for path in (folder / "windows").glob("validation-*.parquet"))
    left_out = "one song is left out of training" if len(held) == 1 else "these songs are left out of training, whole"
    return (
        f"{counts}. Validation is {windows:,} windows of {names}: {left_out}, and the best checkpoint is the one that "
        "foresees them best; of so few the figure tells checkpoints apart, not how good a model is on other music"
    )


def _own_songs(folder: Path, split: str) -> list[str]:
    """The names of a split's songs that come from a user's folder, shortened."""
    names = []
    for path in sorted((folder / "notes").glob(f"{split}-*.parquet")):
        table = pq.read_table(path, columns=["piece_id", "corpus"])
        rows = zip(table["piece_id"].to_pylist(), table["corpus"].to_pylist(), strict=True)
        names += [name for name, corpus in rows if corpus == "folder"]
    return [" ".join(name.split())[:_SHOWN_NAME] for name in sorted(set(names))]
