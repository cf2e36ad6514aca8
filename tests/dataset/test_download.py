from __future__ import annotations

import pytest
from corpus import make_pop909
from shared_data import POP909, needs_data

from pianalysis.cli.main import main
from pianalysis.dataset.corpora import open_files
from pianalysis.dataset.download import POP909_SHA256, pop909_archive, pop909_digest
from pianalysis.errors import PianalysisError


@needs_data
def test_the_checksum_is_that_of_the_corpus_wherever_its_folder_lies():
    files = open_files(POP909)
    assert pop909_digest(files) == POP909_SHA256
    moved = {f"POP909-Dataset-master/{name}": read for name, read in files.items()}
    assert pop909_digest(moved) == POP909_SHA256
    changed = next(name for name in files if name.endswith("002/002.mid"))
    assert pop909_digest({**files, changed: lambda: b"other"}) != POP909_SHA256


def test_another_archive_is_refused_and_not_kept(tmp_path, monkeypatch):
    import tarfile

    make_pop909(tmp_path / "corpus")
    archive = tmp_path / "POP909.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "corpus" / "POP909", arcname="POP909")
    monkeypatch.setattr("pooch.retrieve", lambda *_, **__: str(archive))
    with pytest.raises(PianalysisError, match="not the corpus of the bundled split; give a copy with --root"):
        pop909_archive()
    assert not archive.exists()


@pytest.mark.parametrize("root", [[], ["--root", "-"]])
def test_without_a_network_the_command_says_so(root, tmp_path, monkeypatch, capsys):
    def fail(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr("pooch.retrieve", fail)
    assert main(["prepare", "--corpus", "pop909", *root, "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "POP909 can't be downloaded (ConnectionError); give a copy with --root" in said
    assert not (tmp_path / "out").exists()


def test_what_is_downloaded_is_what_is_built(tmp_path, monkeypatch):
    root, splits = make_pop909(tmp_path / "corpus")
    monkeypatch.setattr("pianalysis.dataset.download.pop909_archive", lambda: root)
    out = tmp_path / "out"
    assert main(["prepare", "--corpus", "pop909", "--splits", splits, "--output", str(out)]) == 0
    assert (out / "windows" / "test-00000-of-00001.parquet").exists()
