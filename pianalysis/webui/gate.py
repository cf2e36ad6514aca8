"""The gate before the server: which requests come in, how large, and how many of one client at a time.

In: requests, before Gradio or the page reads them. Out: the same, or a refusal as JSON: a sentence and a code.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from pianalysis.webui import limits
from pianalysis.webui.clients import client_of, is_behind_proxy
from pianalysis.webui.refusals import HTTP_STATUS, Code
from pianalysis.webui.uploads import MOST_BYTES, folder_of_uploads, tidy

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CLIENT: Final = "pianalysis.client"
"""Where a request's scope says who sent it."""
PLACES: Final = int(os.environ.get("PIANALYSIS_PLACES", "6"))
"""Of one client, in the queue and at work; a browser needs two or three."""
MOST_OPEN: Final = 48
"""Requests of one client that are being answered, streams of events among them."""
BODY_S: Final = 60.0
"""In which a request's body must have come."""
IN_FLIGHT_BYTES: Final = 96 * 2**20
"""Of all bodies that are being worked on."""
READS: Final = re.compile(
    r"/|/config/?|/favicon\.ico|/(ui|piano|piece)/.*|/gradio_api/(info/?|openapi\.json|app_id/?|startup-events|heartbeat/.*"
    r"|queue/data|call/.*|file=.*|mcp(/.*)?)"
)
"""What may be got. Gradio has more, which nobody needs here."""
WRITES: Final = re.compile(r"/gradio_api/(call/.*|queue/join|cancel|reset/?|upload/?|mcp(/.*)?)")
"""… and posted."""
QUEUES: Final = re.compile(r"/gradio_api/(call/.*|queue/join)")
UPLOADS: Final = re.compile(r"/gradio_api/upload/?")
NO_SUCH: Final = "There is nothing here."
TOO_LARGE: Final = f"That is too large. Files up to {limits.FILE_BYTES >> 20} MB are taken here."
TOO_SLOW: Final = "That took too long to arrive. Check the connection and try again."
TOO_MANY: Final = "Too much is being worked on just now. Try again in a minute."
NO_PLACE: Final = (
    f"You have {PLACES} pieces under way already, as many as one may have here. Wait for one of them, or stop it."
)


class _RefusedError(Exception):
    def __init__(self, sentence: str, code: Code) -> None:
        super().__init__(sentence)
        self.sentence, self.code = sentence, code


class Gate:
    """ASGI middleware. events: the queue's events, waiting or at work, each with the `request` that brought it."""

    def __init__(
        self, app: App, *, events: Callable[[], Iterable[Any]] = tuple, behind_proxy: bool | None = None
    ) -> None:
        self.app, self._events = app, events
        self._behind_proxy = is_behind_proxy() if behind_proxy is None else behind_proxy
        self._open: Counter[str] = Counter()
        self._joining: Counter[str] = Counter()
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        client = client_of(scope, behind_proxy=self._behind_proxy)
        scope[CLIENT] = client
        self._open[client] += 1
        try:
            await self._answer(client, scope, receive, send)
        except _RefusedError as error:
            await _refuse(send, error)
        finally:
            self._open[client] -= 1
            if self._open[client] <= 0:
                del self._open[client]

    async def _answer(self, client: str, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        known = READS if method in ("GET", "HEAD") else WRITES if method in ("POST", "DELETE", "OPTIONS") else None
        if known is None or not known.fullmatch(path):
            raise _RefusedError(NO_SUCH, "forgotten")
        if self._open[client] > MOST_OPEN:
            raise _RefusedError(TOO_MANY, "busy")
        if method != "POST":
            await self.app(scope, receive, send)
            return
        body = await self._body(scope, receive)
        self._bytes += len(body)
        try:
            if QUEUES.fullmatch(path):
                await self._join(client, scope, _again(body, receive), send)
                return  # its events come by a request of their own
            if UPLOADS.fullmatch(path) is not None and await asyncio.to_thread(_is_full):
                raise _RefusedError(TOO_MANY, "busy")
            await self.app(scope, _again(body, receive), send)
        finally:
            self._bytes -= len(body)

    async def _join(self, client: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call into the queue, if its sender has a place left there."""
        taken = sum(event.request.scope.get(CLIENT) == client for event in [*self._events()])
        if taken + self._joining[client] >= PLACES:
            raise _RefusedError(NO_PLACE, "busy")
        self._joining[client] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._joining[client] -= 1
            if self._joining[client] <= 0:
                del self._joining[client]

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """A request's body, whole."""
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not said.isdigit() or int(said) > limits.BODY_BYTES:
            raise _RefusedError(TOO_LARGE, "too_large")
        if self._bytes + int(said) > IN_FLIGHT_BYTES:
            raise _RefusedError(TOO_MANY, "busy")
        try:
            async with asyncio.timeout(BODY_S):
                return await self._read(receive)
        except TimeoutError:
            raise _RefusedError(TOO_SLOW, "timeout") from None

    async def _read(self, receive: Receive) -> bytes:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _RefusedError(TOO_SLOW, "timeout")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limits.BODY_BYTES:
                raise _RefusedError(TOO_LARGE, "too_large")
            if self._bytes + size > IN_FLIGHT_BYTES:
                raise _RefusedError(TOO_MANY, "busy")
            if not message.get("more_body"):
                return b"".join(parts)


def _is_full() -> bool:
    """Whether the folder of uploads has no room, even without what is some minutes old."""
    folder = folder_of_uploads()
    return tidy(folder) > MOST_BYTES - 4 * limits.FILE_BYTES and tidy(folder, older_than_s=300) > MOST_BYTES // 2


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more."""
    given = False

    async def read() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read


async def _refuse(send: Send, error: _RefusedError) -> None:
    said = {"error": error.sentence, "detail": error.sentence, "code": error.code}
    body = json.dumps(said, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": HTTP_STATUS[error.code], "headers": headers})
    await send({"type": "http.response.body", "body": body})
