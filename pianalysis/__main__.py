"""``python -m pianalysis``: the command line."""

from __future__ import annotations

from pianalysis.cli.main import main

raise SystemExit(main())
