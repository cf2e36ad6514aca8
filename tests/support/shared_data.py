"""The corpora's archives, where they lie beside the repository; tests that need them skip without."""

from __future__ import annotations

import pytest
from conftest import ROOT

DATA = ROOT.parent / "shared" / "data"
POP909, LIEDER = DATA / "pop909.tar.xz", DATA / "openscore_lieder.tar.xz"
SPLIT_FILES = (DATA / "pop909_splits.json", DATA / "openscore_lieder_splits.json")
OTHERS = {"polish": "polish_scores", "hymns": "hymns", "openewld": "openewld"}
"""The corpora whose pieces are one file each, and what their archives are called."""
ARCHIVES = {"pop909": "pop909", "lieder": "openscore_lieder", **OTHERS}
needs_data = pytest.mark.skipif(
    not all((DATA / f"{name}{end}").exists() for name in ARCHIVES.values() for end in (".tar.xz", "_splits.json")),
    reason=f"the corpora are not in {DATA.parent.name}/{DATA.name} beside the repository",
)
