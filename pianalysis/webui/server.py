"""The page's server: Gradio's queue, API and MCP under a page of our own.

`make_server` gives a `gradio.Server`, which `serve` starts. The page speaks Gradio's own protocol
(`static/client.js`), so whatever it can do, `gradio_client` and MCP clients can.
"""

from __future__ import annotations

import asyncio
import atexit
import io
import json
import os
import signal
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pianalysis.errors import PianalysisError
from pianalysis.output.audio import SAMPLE_FOLDER
from pianalysis.output.picture import ACCOMPANIMENT_COLOUR, MELODY_COLOUR
from pianalysis.processes import give_back_freed_memory
from pianalysis.version import __version__
from pianalysis.webui import limits
from pianalysis.webui.examples import find_examples_folder, load_examples
from pianalysis.webui.gate import CLIENT, Gate
from pianalysis.webui.heard import MEDIA_TYPES, RENDERED, Heard
from pianalysis.webui.refusals import HTTP_STATUS, RefusedError, code_of, for_people
from pianalysis.webui.settings import NUMBERS, choices, ranges, switches
from pianalysis.webui.studio import Studio, load_studio
from pianalysis.webui.uploads import PageFolder

STATIC: Final = Path(__file__).parent / "static"
SAMPLES_LAST_S: Final = 7 * 24 * 3600
MOST_WAITING: Final = 30
"""More are told to come back: the last of these waits some minutes."""
WARM_UP: Final = "sakura.mid"
THREADS: Final = 64
"""Of Gradio: a piece that waits for its turn has one."""
SESSIONS: Final = 200
"""What Gradio keeps of clients; each call of the page is one."""
QUIET: Final = {"GRADIO_ANALYTICS_MAX_EVENTS": "50", "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000"}
"""Otherwise a table of the last ten thousand calls is made anew after each."""
NO_ADDRESSES: Final = "A file is to be uploaded, not named by its address."
INSTALL: Final = "pip install 'pianalysis[space]'"


def serve(
    *,
    model: str | None = None,
    examples: Path | None = None,
    port: int | None = None,
    host: str | None = None,
    browser: bool = False,
    block: bool = True,
) -> str:
    """Start the demo; returns its address. With `block`, only when it's stopped. Raises PianalysisError."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio  # noqa: F401
    except ImportError:
        raise PianalysisError(f"the demo needs Gradio, which isn't installed; run: {INSTALL}") from None
    give_back_freed_memory()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    studio, folder = load_studio(model), PageFolder()
    folder.start()
    atexit.register(folder.end)
    atexit.register(studio.end)
    server = make_server(studio, examples)
    import matplotlib.pyplot  # noqa: F401  # Gradio does this in the first call, and answers nobody for seconds meanwhile

    studio.warm_up(find_examples_folder(examples) / WARM_UP)
    _, address, _ = server.launch(
        server_name=host,
        server_port=port,
        inbrowser=browser,
        quiet=not block,
        mcp_server=has_mcp(),
        prevent_thread_lock=True,
        max_file_size=limits.FILE_BYTES,
        max_threads=THREADS,
        state_session_capacity=SESSIONS,
        footer_links=[],
        run_history=False,
    )
    _bound(server.get_blocks())
    melodies = sorted(find_examples_folder(examples).glob("*.mid"))
    threading.Thread(target=studio.warm_helpers, args=(melodies,), daemon=True).start()
    if block:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service that is stopped tidies up as for Ctrl-C
        server.get_blocks().block_thread()
    return str(address)


def _bound(blocks: Any) -> None:
    """Bound what Gradio keeps and fetches; a `Server` has no other way to say it."""
    import gradio
    from gradio_client import utils as client_utils

    queue = blocks._queue
    queue.max_size = MOST_WAITING
    queue.pending_messages_per_session.max_size = SESSIONS  # of clients that went away, with all that they didn't hear
    for block in blocks.blocks.values():
        kept = block.async_move_resource_to_block_cache

        async def local(url_or_file_path: Any, kept: Any = kept) -> Any:
            if client_utils.is_http_url_like(str(url_or_file_path)):
                raise gradio.Error(NO_ADDRESSES, title="not_readable", print_exception=False)
            return await kept(url_or_file_path)

        block.async_move_resource_to_block_cache = local


def has_mcp() -> bool:
    """Whether an MCP library is there that Gradio can use."""
    try:
        from mcp.server import Server
    except ImportError:
        return False
    return hasattr(Server, "call_tool")  # mcp 2 has it no more, and Gradio needs it


def make_server(studio: Studio, examples_folder: Path | None = None) -> Any:
    """A `gradio.Server` with the page, the piano's samples, the pieces' files and the named endpoints."""
    import gradio

    from pianalysis.webui.api import add_endpoints

    folder = find_examples_folder(examples_folder)
    server = gradio.Server(title="Pianalysis", version=__version__, docs_url=None, redoc_url=None)
    server.add_middleware(Gate, events=lambda: _events(server))
    _add_page(server, studio, folder)
    _add_files(server, studio)
    add_endpoints(server, studio, {path.stem: path for path in sorted(folder.glob("*.mid"))})
    return server


def _events(server: Any) -> list[Any]:
    """The queue's events, waiting or at work."""
    return list(server.get_blocks()._queue.event_ids_to_events.values())


def _add_page(server: Any, studio: Studio, folder: Path) -> None:
    from starlette.responses import HTMLResponse
    from starlette.staticfiles import StaticFiles

    boot = {
        "version": __version__,
        "model": studio.model_name,
        "examples": [example.as_dict() for example in load_examples(folder)],
        "colours": {"melody": MELODY_COLOUR, "accompaniment": ACCOMPANIMENT_COLOUR},
        "formats": list(MEDIA_TYPES),
        "settings": [*NUMBERS],
        "options": choices(),
        "numbers": ranges(),
        "switches": switches(),
        "limits": limits.for_page(),
    }
    page = (
        STATIC.joinpath("index.html")
        .read_text(encoding="utf-8")
        .replace("{{melody}}", MELODY_COLOUR)
        .replace("{{accompaniment}}", ACCOMPANIMENT_COLOUR)
    )

    def index() -> HTMLResponse:
        numbers = {fn.api_name: number for number, fn in server.get_blocks().fns.items()}
        text = json.dumps(boot | {"endpoints": numbers}, ensure_ascii=False).replace("</", "<\\/")
        return HTMLResponse(page.replace("{{boot}}", text))

    server.add_api_route("/", index, include_in_schema=False, response_model=None)
    server.mount("/ui", StaticFiles(directory=STATIC), name="ui")


def _add_files(server: Any, studio: Studio) -> None:
    from starlette.requests import Request
    from starlette.responses import FileResponse, JSONResponse, Response

    lasting = {"Cache-Control": f"public, max-age={SAMPLES_LAST_S}, immutable"}

    def sample(name: str) -> Response:
        path = SAMPLE_FOLDER / name
        if path.parent == SAMPLE_FOLDER and path.is_file():
            kind = "audio/ogg" if path.suffix == ".ogg" else "application/json"
            return FileResponse(path, media_type=kind, headers=lasting)
        if path.with_suffix(".ogg").is_file() and path.suffix == ".mp3" and path.parent == SAMPLE_FOLDER:
            return Response(_as_mp3(path.stem), media_type="audio/mpeg", headers=lasting)
        return JSONResponse({"error": "no such sample"}, 404)

    async def piece_file(
        request: Request,
        name: str,
        suffix: str,
        transpose: int = 0,
        rate: float = 1.0,
        parts: str = "both",
        metronome: bool = False,
        melody_gain: float = 1.0,
        accompaniment_gain: float = 1.0,
    ) -> Response:
        try:
            if suffix not in MEDIA_TYPES:
                raise RefusedError(f"There is no {suffix} of a piece, but {', '.join(MEDIA_TYPES)}.", "forgotten")
            heard = Heard(transpose, rate, parts, melody_gain, accompaniment_gain, metronome)
            client = str(request.scope.get(CLIENT, ""))
            if suffix in RENDERED:
                coming = studio.renders.file(name, suffix, heard, client=client)
                called, data = await asyncio.shield(asyncio.wrap_future(coming))
            else:
                called, data = await asyncio.to_thread(studio.file, name, suffix, heard)
        except PianalysisError as error:
            code = code_of(error)
            return JSONResponse({"error": for_people(str(error)), "code": code}, HTTP_STATUS[code])
        headers = {"Content-Disposition": f'attachment; filename="{called.encode("ascii", "ignore").decode()}"'}
        return Response(data, media_type=MEDIA_TYPES[suffix], headers=headers)

    piece_file.__annotations__["request"] = Request  # not as text: FastAPI would look it up in the module
    server.add_api_route("/piano/{name}", sample, include_in_schema=False, response_model=None)
    server.add_api_route("/piece/{name}.{suffix}", piece_file, include_in_schema=False, response_model=None)


@lru_cache(maxsize=128)
def _as_mp3(stem: str) -> bytes:
    """A sample for browsers that can't read Ogg Vorbis (Safari before 18.4)."""
    import soundfile

    sound, rate = soundfile.read(SAMPLE_FOLDER / f"{stem}.ogg", dtype="float32")
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="MP3")
    return file.getvalue()
