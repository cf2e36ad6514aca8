"""An arranger's model: loaded from the Hub at a revision, saved, published; and options that a type checker knows."""

from __future__ import annotations

from dataclasses import fields
from typing import get_type_hints

import pytest
from conftest import EXAMPLES

from pianalysis import Arranger, Options
from pianalysis.arranging.options import OptionChanges
from pianalysis.errors import MissingPackageError, PianalysisError, needs

pytest_plugins = ["hub_fixtures"]


def test_every_option_can_be_changed_by_its_name():
    assert set(get_type_hints(OptionChanges)) == {field.name for field in fields(Options)}
    types = get_type_hints(Options)
    assert {name: types[name] for name in types} == get_type_hints(OptionChanges)


def test_what_is_saved_writes_the_same(tiny_arranger, tmp_path):
    saved = tiny_arranger.save_pretrained(tmp_path / "model")
    again = Arranger.from_pretrained(saved)
    assert again.engine.weights.digest() == tiny_arranger.engine.weights.digest()
    assert (saved / "tokenizer.json").exists()


def test_what_is_published_is_loaded_at_its_revision(hub_client, tiny_arranger, tmp_path):
    tiny_arranger.push_to_hub("me/tiny", tag="v1", message="First")
    loaded = Arranger.from_pretrained("me/tiny", revision="v1", cache_dir=tmp_path / "cache")
    assert loaded.engine.weights.digest() == tiny_arranger.engine.weights.digest()
    assert any((tmp_path / "cache").iterdir())
    one, other = (item(EXAMPLES / "sakura.mid", seed=1, max_bars=2) for item in (loaded, tiny_arranger))
    assert one.score.dumps_midi() == other.score.dumps_midi()
    assert hub_client.history("models", "me/tiny")[-1] == "First"


def test_a_missing_package_names_its_extra():
    needs("train", "json")
    with pytest.raises(MissingPackageError, match=r"no_such_package.*pianalysis\[train\]") as found:
        needs("train", "json", "no_such_package")
    assert isinstance(found.value, PianalysisError)
    assert isinstance(found.value, ImportError)
