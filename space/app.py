"""The Space: `python space/app.py`, or on the Hub, where this file stands beside `pianalysis/` and `examples/`.

`PIANALYSIS_MODEL` names the model, a Hub id or a folder; without it, or without a network, it is the bundled one.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = next(place for place in (HERE, HERE.parent) if (place / "pianalysis").is_dir())
sys.path.insert(0, str(ROOT))

from pianalysis.webui.server import serve  # noqa: E402

if __name__ == "__main__":
    serve(examples=HERE / "examples")
