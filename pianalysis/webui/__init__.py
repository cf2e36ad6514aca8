"""The demo: a page in the browser that writes and plays a piece while one watches.

In: melodies as people hand them in. Out: a Gradio server with named endpoints, and the page in `static/`; the extra
`space`.

api: the named endpoints: `/arrange` for programs and MCP, `/stream`, `/rewrite` and `/export` for the page and for
    programs.
examples: the example melodies, as cards: what they are called, how long they last, and how they begin.
fit: how well an accompaniment fits its melody, in three numbers that a musician can read.
melodies: what people hand in as a melody: a MIDI file, notes they played, notes or ABC they typed, an example's name.
server: the page's server: Gradio's queue, API and MCP under a page of our own.
settings: what a user may set on the page, and what of it this version of the arranger knows.
studio: the work behind the page: melodies arranged bar by bar, pieces kept for a while, and files made of them.
wire: what the page is told: notes and pieces as plain lists and dicts.
"""

from __future__ import annotations
