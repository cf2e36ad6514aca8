"""What is known of each corpus: what it is called, here, there and by people, and under which licence it stands.

In: nothing. Out: `CORPORA`, by the name that a corpus has in the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class CorpusFacts:
    """Facts about a corpus.

    option: its name on the command line. title: as people call it. license: as the Hub names it ("other" for the public
    domain); licensed: as people call that. tag: on the Hub.
    """

    option: str
    title: str
    license: str
    licensed: str
    tag: str


CORPORA: Final = {
    "pop909": CorpusFacts("pop909", "POP909", "mit", "MIT", "pop909"),
    "openscore_lieder": CorpusFacts("lieder", "OpenScore Lieder", "cc0-1.0", "CC0 1.0", "openscore-lieder"),
    "polish_scores": CorpusFacts(
        "polish", "Heritage of Polish music", "cc-by-4.0", "CC BY 4.0", "heritage-of-polish-music"
    ),
    "hymns": CorpusFacts("hymns", "hymns, songs and carols", "other", "public domain", "hymns"),
    "openewld": CorpusFacts("openewld", "OpenEWLD", "other", "public domain", "openewld"),
    "folder": CorpusFacts("folder", "the user's folder", "unknown", "unknown", "own-corpus"),
}
OPTIONS: Final = tuple(facts.option for facts in CORPORA.values())
"""The names on the command line, in the order in which a piece that stands twice is kept."""


def title_of(corpus: str) -> str:
    """What people call a corpus; its own name where it isn't one of ours."""
    return CORPORA[corpus].title if corpus in CORPORA else corpus
