"""The package asks for nothing that Windows doesn't have or allow. Read off the code: there is no such machine here."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest
from conftest import ROOT

FILES = sorted((ROOT / "pianalysis").rglob("*.py"))
NEVER = {
    "symlink_to": "links need rights there",
    "symlink": "links need rights there",
    "hardlink_to": "not every disk there has links",
    "link_to": "not every disk there has links",
    "fork": "there is none",
    "forkpty": "there is none",
    "mkfifo": "there is none",
    "killpg": "there is none",
    "getppid": "it stays the same there when the parent is gone",
    "SIGKILL": "there is none",
    "SIGHUP": "there is none",
    "SIGALRM": "there is none",
    "setrlimit": "there is none",
}
MODULES = {"resource", "fcntl", "pwd", "grp", "termios", "pty"}
TEXT = {"read_text", "write_text", "open"}


def done_without(tree):
    """Modules that a file does without where there are none: imported in a `try` that expects as much."""
    tries = [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
    expecting = [node for node in tries if any(getattr(item.type, "id", "") == "ImportError" for item in node.handlers)]
    return {
        alias.name for node in expecting for item in node.body if isinstance(item, ast.Import) for alias in item.names
    }


def faults(tree):
    """What in a file Windows hasn't, and texts that it would read in a code page of its own."""
    optional = done_without(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in optional:
            continue
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in NEVER:
            yield f"line {node.lineno}: {name}: {NEVER[name]}"
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (
                f"line {node.lineno}: {module}: there is none" for module in names if module in MODULES - optional
            )
        if isinstance(node, ast.Call):
            yield from call_faults(node)


def call_faults(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    texts = [item.value for item in node.args if isinstance(item, ast.Constant)]
    if name in {"get_context", "set_start_method"} and texts != ["spawn"]:
        yield f"line {node.lineno}: {name}: only spawn is everywhere"
    binary = any("b" in text for text in texts if isinstance(text, str))
    library = isinstance(node.func, ast.Attribute) and any(not isinstance(item, ast.Constant) for item in node.args[:1])
    if (
        name in TEXT
        and not binary
        and not (library and name == "open")
        and not any(item.arg == "encoding" for item in node.keywords)
    ):
        yield f"line {node.lineno}: {name}: no encoding, so that it is the machine's own"


@pytest.mark.parametrize(
    "code", ["a.symlink_to(b)", "os.fork()", "import resource", "get_context('fork')", "p.read_text()"]
)
def test_a_fault_is_found(code):
    assert list(faults(ast.parse(code)))


def test_what_is_done_without_is_no_fault():
    guarded = "try:\n    import resource\nexcept ImportError:\n    pass\nelse:\n    resource.setrlimit(1, 2)"
    assert not list(faults(ast.parse(guarded)))
    assert list(faults(ast.parse(guarded.replace("ImportError", "OSError"))))


def test_the_package_needs_nothing_that_windows_has_not():
    found = [
        f"{path.relative_to(ROOT)}, {fault}"
        for path in FILES
        for fault in faults(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("argv", [["train", "--help"], ["arrange", "--help"], ["vocab"]])
def test_help_can_be_written_in_a_code_page_of_windows(argv):
    code = "import sys; from pianalysis.cli.main import main; sys.exit(main(sys.argv[1:]))"
    env = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code, *argv], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode("cp1252")
