"""A digest of our own code: what was computed by other code is computed again.

In: names of modules. Out: 16 hexadecimal digits, over the bytes of these modules, of all of the package that they import,
wherever in it that stands, and of the packaged data files that they name. For the keys under which results are kept
between runs.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent
NAME: Final = "pianalysis"


@cache
def code_digest(*modules: str, without: Collection[str] = ()) -> str:
    """The digest of some modules, named as in ``"arranger"`` or ``"metrics.chords"``; files of a package as its own name.

    without: modules that are imported but decide nothing of the result, left out with what only they import. An import
    counts wherever it stands, inside functions too. Raises FileNotFoundError for a module that isn't there.
    """
    files: set[Path] = set()
    waiting = [_file_of(name) for name in modules]
    if None in waiting:
        raise FileNotFoundError(f"expected modules of {NAME}, found {[*modules]}")
    left_out = {_file_of(name) for name in without}
    while waiting:
        file = waiting.pop()
        if file is None or file in files or file in left_out:
            continue
        files.add(file)
        if file.suffix == ".py":
            waiting += _uses(file)
    digest = hashlib.sha256()
    for file in sorted(files):
        data = file.read_bytes()
        digest.update(f"{file.relative_to(PACKAGE)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:16]


def _file_of(name: str) -> Path | None:
    """The file of a module, by its dotted name below the package; None if it is none of ours."""
    path = PACKAGE.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _uses(file: Path) -> Iterator[Path | None]:
    """The files of the modules that a module imports, and of the data that it names."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _module_of(alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield _module_of(f"{_absolute(node, file)}.{alias.name}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            data = PACKAGE / "data" / Path(node.value[:100]).name
            yield data if node.value and data.is_file() else None


def _module_of(name: str) -> Path | None:
    """The module that an imported name is, or else the one that it is taken from; not the package's own `__init__`."""
    first, *rest = name.split(".")
    if first != NAME or not rest:
        return None
    return _file_of(".".join(rest)) or (_file_of(".".join(rest[:-1])) if len(rest) > 1 else None)


def _absolute(node: ast.ImportFrom, file: Path) -> str:
    """The dotted name of what is imported from, relative imports resolved."""
    if not node.level:
        return node.module or ""
    around = (NAME, *file.relative_to(PACKAGE).parent.parts)
    return ".".join([*around[: len(around) - node.level + 1], *([node.module] if node.module else [])])
