"""The demo: a page in the browser that writes and plays a piece while one watches.

In: melodies as people hand them in. Out: a Gradio server with named endpoints, and the page in `static/`; the extra
`space`.

answers: What the endpoints answer: types that a program can rely on, as `/gradio_api/info` and MCP show them.
api: the named endpoints: `/arrange` and `/export` of one line each for scripts and MCP, the others for the page and
    programs.
clients: Who asks, as far as a server can know: by address, behind a proxy too.
examples: the example melodies, as cards: what they are called, how long they last, and how they begin.
fit: how well an accompaniment fits its melody, in three numbers that a musician can read.
gate: The gate before the server: which requests come in, how large, and how many of one client at a time.
heard: A piece as it is heard on the page: in another key, faster, one part of it, with a metronome; and files of that.
intake: A melody before anything is written: its lines to choose from, its key, metre, tempo and pickup, its chords.
kept: Pieces that are kept for a while: so many bytes of them, the ones asked for longest ago forgotten first.
limits: How much is taken from one person: a queue of strangers shares the machine.
melodies: what people hand in as a melody: a file of any kind, notes they played, notes or ABC they typed, an example's
    name.
refusals: Why something isn't done, as one sentence for people and a code for programs.
renders: Files of kept pieces: those that take seconds in a process of their own, one after the other, and never twice.
server: the page's server: Gradio's queue, API and MCP under a page of our own.
settings: what a user may set on the page, and what of it this version of the arranger knows.
studio: the work behind the page: melodies arranged bar by bar, pieces kept for a while, their chords, and files of them.
telling: What there is to say of a piece, as plain lists and dicts: its notes by hand, its chords, key, metre and tempo.
turns: Who writes next: several pieces are written at once, each a bar at a time, and nobody who listens is to wait.
uploads: The page's own folder of files: what people upload, and what is made for them; nobody else's.
wire: what the page is told: notes as plain lists.
workshop: Processes that do what mustn't be done in the server's own: read strangers' files, render sound.
"""

from __future__ import annotations
