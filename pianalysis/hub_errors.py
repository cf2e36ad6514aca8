"""What goes wrong between us and the Hub: waiting for what may pass, and saying the rest in one readable sentence.

In: calls of huggingface_hub. Out: their results, or a `HubError`.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from pianalysis.errors import PianalysisError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

RepoType = Literal["model", "dataset", "space"]

ATTEMPTS: Final = 6
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS: Final = 60.0
LONGEST_ASKED_WAIT_SECONDS: Final = 300.0  # the Hub counts requests in windows of five minutes
BAD_CARD: Final = "Invalid metadata in README.md"  # how huggingface_hub begins its ValueError

logger = logging.getLogger(__name__)
T = TypeVar("T")


class HubError(PianalysisError):
    """What the Hub, the way to it or the rights there don't allow; the message says what to do."""


def patiently(call: Callable[[], T], *, connected: bool = True) -> T:
    """Call again, with longer and longer waits, while what goes wrong may pass.

    `connected`: there was an answer before, so a Hub that can't be reached is worth waiting for too.
    """
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except Exception as error:
            if attempt == ATTEMPTS - 1 or not _may_pass(error, connected=connected):
                raise
            wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt) * random.uniform(0.5, 1)
            wait = max(wait, _asked_wait_seconds(error))
            logger.warning("trouble with the Hub (%s); trying again in %.1f s", _reason(error), wait)
            time.sleep(wait)
    raise AssertionError("unreachable: the last attempt returns or raises")


def may_pass(error: HubError) -> bool:
    """Whether what is behind an error may be over in some minutes: no connection, or an error of the Hub's own."""
    cause = error.__cause__
    return isinstance(cause, Exception) and _may_pass(cause, connected=True)


def _may_pass(error: Exception, *, connected: bool) -> bool:
    answer = _answer_in(error)
    if answer is not None:
        return answer.response.status_code >= 500 or answer.response.status_code in (408, 429)
    trouble = _network_trouble_in(error)
    if trouble is None:  # validating a card, huggingface_hub reads a gateway's error page as JSON
        return any(isinstance(cause, json.JSONDecodeError) for cause in _causes(error))
    unreached = ("ConnectError", "ConnectTimeout", "ProxyError")
    never = ("UnsupportedProtocol", "LocalProtocolError", "TooManyRedirects", "OfflineModeIsEnabled")
    kind = type(trouble).__name__
    return kind not in never and (connected or kind not in unreached)


def _reason(error: Exception) -> str:
    if answer := _answer_in(error):
        return f"error {answer.response.status_code}"
    trouble = _network_trouble_in(error) or error
    return f"{type(trouble).__name__}: {_first_line(trouble)}"


def _asked_wait_seconds(error: Exception) -> float:
    """How long the Hub asked to be left alone: the header Retry-After, or the reset in `ratelimit: "api";r=0;t=55`."""
    answer = _answer_in(error)
    if answer is None:
        return 0.0
    headers = answer.response.headers
    limits = dict(part.strip().partition("=")[::2] for part in headers.get("ratelimit", "").split(";"))
    asked = headers.get("retry-after") or (limits.get("t") if limits.get("r") == "0" else None) or "0"
    return min(LONGEST_ASKED_WAIT_SECONDS, float(asked)) if asked.isdecimal() else 0.0


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _answer_in(error: Exception) -> HfHubHTTPError | None:
    """The Hub's answer that is behind an error."""
    from huggingface_hub.errors import HfHubHTTPError

    return next((cause for cause in _causes(error) if isinstance(cause, HfHubHTTPError)), None)


def _network_trouble_in(error: Exception) -> BaseException | None:
    """The network's failure that is behind an error: of huggingface_hub's own client, or of its storage client."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # httpx's or httpx2's, as the version has it

    kinds = (HTTPError, ConnectionError, TimeoutError)
    return next((cause for cause in _causes(error) if isinstance(cause, kinds)), None)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


@contextmanager
def readable_errors(repo_id: str, repo_type: RepoType, revision: str | None = None) -> Iterator[None]:
    """Turn what huggingface_hub raises into one sentence that names the remedy; errors of ours stay as they are."""
    try:
        yield
    except PianalysisError:
        raise
    except Exception as error:
        name, answer = f"the {repo_type} {repo_id}", _answer_in(error)
        if answer is not None and not str(error).startswith(BAD_CARD):
            message: str | None = _explain_answer(answer, name, revision)
        else:
            message = _explain_failure(error, repo_id, name)
        if message is None:  # a mistake of ours: better seen whole
            raise
        raise HubError(message) from error


def _explain_answer(error: HfHubHTTPError, name: str, revision: str | None) -> str:
    """What an error of the Hub means, and the remedy."""
    from huggingface_hub import errors

    status = error.response.status_code
    said = _first_line(Exception(error.server_message or error.response.reason_phrase or ""))
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{name} has no revision {revision!r}; its branches and tags are on its page on the Hub"
    if isinstance(error, errors.GatedRepoError):
        return f"{name} is given only to those who asked for it; ask on its page on the Hub, then `hf auth login`"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"there is no {name.removeprefix('the ')} on the Hub that you may see; check the name, and if it's private `hf auth login` with a token that may read it"
    if status == 401:
        return "the Hub doesn't accept the token (wrong, expired or withdrawn); make a new one in its settings, then run `hf auth login`, or set HF_TOKEN"
    if status == 403:
        return f"the token gives no right to change {name} ({said}); use one that can write there, or ask its owner"
    if status == 429:
        return f"the Hub takes no more requests for now ({said}); try again in some minutes"
    if status >= 500:
        return f"the Hub has an error of its own ({status}, {ATTEMPTS} times); {name} is as it was: try again later, and what was uploaded isn't sent again"
    return f"the Hub refused the request for {name} ({status}: {said})"


def _explain_failure(error: Exception, repo_id: str, name: str) -> str | None:
    """What went wrong before the Hub answered, and the remedy; None for what isn't known."""
    from huggingface_hub import constants, errors

    first = _first_line(error)
    if isinstance(error, errors.HFValidationError):
        return f"expected a repository like ORG/NAME in letters, digits, '-', '_' and '.', found {repo_id!r}"
    if first.startswith(BAD_CARD):
        detail = " ".join(str(error).split())
        return f"{detail}; correct the front matter between the two lines of ---, then try again"
    if constants.is_offline_mode():
        return f"{name} isn't in the cache, and offline mode is on; unset HF_HUB_OFFLINE to download it"
    if _network_trouble_in(error):
        return f"no connection to {constants.ENDPOINT} ({_reason(error)}); check the network and HF_ENDPOINT, then try again: what was uploaded isn't sent again"
    if isinstance(error, json.JSONDecodeError):
        return f"{constants.ENDPOINT} doesn't answer like the Hub (no JSON); check HF_ENDPOINT, or try again later"
    if isinstance(error, PermissionError) and not error.filename:  # of the storage client, not of a file
        return f"the token gives no right to change {name} ({first}); use one that can write there, or ask its owner"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: can't be read or written ({error.strerror})"
    return None
