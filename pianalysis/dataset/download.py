"""POP909 from its public repository, cached and checked.

In: nothing but a network. Out: the archive's path. The check is on the songs' contents, not on the archive: a host may
pack the same files anew.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pianalysis.dataset.corpora import Files, open_files, read_splits
from pianalysis.dataset.sources import SPLITS_FOLDER
from pianalysis.errors import PianalysisError

POP909_URL: Final = "https://github.com/music-x-lab/POP909-Dataset/archive/refs/heads/master.tar.gz"
POP909_SHA256: Final = "53669aae4a854e08284dbb702ab8fff3a78230aad07dda48a3fe5175eae0a1ea"
"""Of the names and bytes of each song's main MIDI file and beats, over the songs of the bundled split."""


def pop909_archive() -> Path:
    """The POP909 archive, downloaded once into the user's cache. Raises PianalysisError when it can't be had."""
    import pooch

    try:
        archive = pooch.retrieve(
            POP909_URL, known_hash=None, fname="POP909.tar.gz", path=pooch.os_cache("pianalysis"), progressbar=True
        )
    except Exception as error:  # requests, urllib3 and pooch each raise errors of their own
        raise PianalysisError(f"POP909 can't be downloaded ({type(error).__name__}); give a copy with --root") from None
    path = Path(archive)
    if pop909_digest(open_files(path)) != POP909_SHA256:
        path.unlink()
        raise PianalysisError(
            "POP909: what was downloaded is not the corpus of the bundled split; give a copy with --root"
        )
    return path


def pop909_digest(files: Files) -> str:
    """One hash of the main MIDI file and the beats of every song of the bundled split, wherever the folder lies."""
    by_end = {"/".join(name.split("/")[-2:]): name for name in files}
    digest = hashlib.sha256()
    for piece_id in sorted(read_splits(SPLITS_FOLDER / "pop909.json")):
        for end in (f"{piece_id}/{piece_id}.mid", f"{piece_id}/beat_midi.txt"):
            data = files[by_end[end]]() if end in by_end else b""
            digest.update(f"{end}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()
