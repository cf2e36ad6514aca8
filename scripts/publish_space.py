"""Publish the demo as a Space: the app, the examples, the package itself, and a README that says what it needs.

    python scripts/publish_space.py ORG/NAME
    python scripts/publish_space.py ORG/NAME --model ORG/MODEL --dataset ORG/DATASET --private
    python scripts/publish_space.py --output space_folder     # only put the folder together

With `--model` the Space loads that model and shows it; the bundled checkpoint stands in where it can't. Requirements are
pinned to the versions installed here. On Linux, plain `torch` from the default index comes with 2 GB of GPU libraries that a CPU
Space doesn't need: `--torch-index URL` names an index with CPU builds (PyTorch's own page of installation has its address), and torch
is then pinned to the CPU build.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path

from pianalysis.errors import PianalysisError
from pianalysis.publishing.hub import publish_folder
from pianalysis.webui.studio import MODEL_VARIABLE

ROOT = Path(__file__).parents[1]
PYTHON_VERSION = "3.11"
SHORT = "Drop in a melody, hear a piano."
"""Shown on the Space's card; the Hub takes 60 characters."""
SOURCES = {"space/app.py": "app.py", "space/examples": "examples", "pianalysis": "pianalysis", "LICENSE": "LICENSE"}
README = """---
title: {title}
emoji: 🎹
colorFrom: blue
colorTo: yellow
sdk: gradio
sdk_version: {gradio}
python_version: "{python}"
app_file: app.py
pinned: false
license: mit
short_description: {short}
suggested_hardware: cpu-basic
tags:
- music
- midi
- piano
- symbolic-music
- accompaniment
- mcp-server
{links}---

# {title}

Drop in a melody, hear a piano: the melody stays note for note, and a small GPT-2 writes two hands of piano around it
while you listen. Examples, files (MIDI, MusicXML, ABC, recordings of one voice), or what you hum, play or type on the page. See its chords,
change them, read the score, take it away.

For programs (`/arrange` also answers over MCP, at `/gradio_api/mcp/`):

```python
from gradio_client import Client, handle_file

client = Client("{repo}")
client.predict(file=handle_file("melody.mid"), seed=7, api_name="/arrange")  # the path of a MIDI file
client.predict(melody="ode_to_joy", format="mp3", api_name="/arrange")
for event in client.submit(melody="sakura", settings={{"density": "high"}}, api_name="/stream"):
    print(event["event"])  # start, then notes bar by bar, then done
```

One may have six pieces under way at a time. Nothing that is uploaded is kept for longer than an hour.

The piano is Alexander Holm's Salamander Grand Piano (CC BY 3.0). The code is MIT.
"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo", nargs="?", metavar="ORG/NAME")
    parser.add_argument("--model", metavar="ID", help="a model on the Hub (default: the bundled checkpoint)")
    parser.add_argument(
        "--dataset", action="append", default=[], metavar="ID", help="what it was trained on; repeatable"
    )
    parser.add_argument("--title", default="Pianalysis")
    parser.add_argument("--torch-index", metavar="URL", help="an index with CPU builds of torch")
    parser.add_argument("--private", action="store_true")
    parser.add_argument("--output", type=Path, metavar="DIR", help="put the folder here and publish nothing")
    args = parser.parse_args(argv)
    if (args.repo is None) == (args.output is None):
        parser.error("expected either ORG/NAME or --output DIR")
    try:
        if args.output:
            print(assemble(args.output, args, repo="ORG/NAME"))
            return 0
        with tempfile.TemporaryDirectory() as folder:
            whole = assemble(Path(folder, "space"), args, repo=args.repo)
            message = f"Pianalysis {version('pianalysis')}"
            # what was published before and is here no more goes, so that no old module lies beside new ones
            stale = ["pianalysis/*", "examples/*"]
            options = {"repo_type": "space", "message": message, "private": args.private, "delete_patterns": stale}
            print(publish_folder(whole, args.repo, **options))
    except PianalysisError as error:
        print(f"publish_space: error: {error}", file=sys.stderr)
        return 2
    return 0


def assemble(folder: Path, args: argparse.Namespace, *, repo: str) -> Path:
    """Put the Space's files into a new folder."""
    if folder.exists():
        raise PianalysisError(f"{folder}: expected a folder that isn't there yet")
    folder.mkdir(parents=True)
    for source, target in SOURCES.items():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copyfile(ROOT / source, folder / target)
    (folder / "README.md").write_text(readme(args, repo), encoding="utf-8")
    (folder / "requirements.txt").write_text("\n".join(requirements(args.torch_index)) + "\n", encoding="utf-8")
    if args.model:
        app = folder / "app.py"
        place = 'if __name__ == "__main__":\n'
        default = f'{place}    os.environ.setdefault("{MODEL_VARIABLE}", {args.model!r})\n'
        text = app.read_text(encoding="utf-8").replace("import sys\n", "import os\nimport sys\n", 1)
        app.write_text(text.replace(place, default), encoding="utf-8")
    return folder


def readme(args: argparse.Namespace, repo: str) -> str:
    """The Space's card."""
    models = [args.model] if args.model else []
    lists = {"models": models, "datasets": args.dataset, "preload_from_hub": models}
    links = "".join(f"{name}:\n" + "".join(f"- {item}\n" for item in items) for name, items in lists.items() if items)
    return README.format(
        title=args.title, short=SHORT, gradio=version("gradio"), python=PYTHON_VERSION, links=links, repo=repo
    )


def requirements(torch_index: str | None = None) -> list[str]:
    """What the demo needs, pinned to what is installed; torch to its CPU build where an index has one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [f"--extra-index-url {torch_index}"] if torch_index else []
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["space"]]:
        name, inner = re.match(r"([\w.-]+)(\[[\w,]+\])?", requirement).groups("")
        local = "+cpu" if name == "torch" and torch_index else ""
        lines.append(f"{name}{inner}=={version(name).split('+')[0]}{local}")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
