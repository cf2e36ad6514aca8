"""The demo's page: a melody in the browser, its accompaniment written and played there while one watches.

`server.py` joins the package to Gradio's queue and API, `static/` is the page itself. Gradio is the extra `space`; it
is imported by `serve` and nowhere else.
"""

from __future__ import annotations
