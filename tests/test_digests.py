"""What a digest of code covers: everything that is used, in sub-packages too, and the data that is named."""

from __future__ import annotations

import pytest

from pianalysis import digests
from pianalysis.digests import code_digest

FILES = {
    "arranger.py": "def f():\n    from pianalysis.sampler import g\n",
    "sampler.py": "from pianalysis import render\nfrom pianalysis.metrics import rolls\nWEIGHTS = 'net.safetensors'\n",
    "render.py": "from pianalysis.colours import red\n",
    "colours.py": "",
    "metrics/__init__.py": "from pianalysis.metrics.other import x\n",
    "metrics/other.py": "",
    "metrics/rolls.py": "import pianalysis.harmony.net\nfrom . import keys\n",
    "metrics/keys.py": "from ..music import clock\n",
    "harmony/net.py": "",
    "music/__init__.py": "from pianalysis.music.clock import clock\n",
    "music/clock.py": "",
    "data/net.safetensors": "",
    "data/other.safetensors": "",
    "alone.py": "",
}
UNUSED = {"render.py", "colours.py", "metrics/__init__.py", "metrics/other.py", "data/other.safetensors", "alone.py"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "PACKAGE", tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    code_digest.cache_clear()
    yield tmp_path
    code_digest.cache_clear()


def digest(**options):
    code_digest.cache_clear()
    return code_digest("arranger", **options)


@pytest.mark.parametrize("name", FILES)
def test_a_change_counts_where_the_module_is_used(package, name):
    before = digest(without=("render",))
    # music is a package from which a submodule is taken: its own __init__ gives nothing
    used = name not in UNUSED | {"music/__init__.py"}
    with (package / name).open("a") as file:
        file.write("# changed\n")
    assert (digest(without=("render",)) != before) == used


def test_what_is_taken_from_a_room_itself_counts_with_all_behind_it(package):
    (package / "alone.py").write_text("from pianalysis.metrics import x\n")
    first = code_digest("alone")
    code_digest.cache_clear()
    (package / "metrics" / "other.py").write_text("x = 1\n")
    assert code_digest("alone") != first


def test_a_moved_module_is_another(package):
    before = digest()
    (package / "sampler.py").write_text(FILES["sampler.py"].replace("render", "renders"))
    (package / "render.py").rename(package / "renders.py")
    assert digest() != before


def test_a_module_that_is_not_there_is_an_error(package):
    with pytest.raises(FileNotFoundError, match="no_such"):
        code_digest("no_such")


def test_the_real_package_is_covered_through_its_rooms():
    """A changed chord metric must not keep old distances."""
    source = (digests.PACKAGE / "arranging" / "ranking.py").read_text()
    assert "metrics.harmony" in source  # what the next line rests on
    assert digests.PACKAGE / "metrics" / "harmony.py" in set(
        digests._uses(digests.PACKAGE / "arranging" / "ranking.py")
    )
