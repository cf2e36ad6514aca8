"""The Hugging Face Hub: every write of the project, and reading back what was published.

In: a folder, and where it is to go (`Publication`). Out: one commit there, or a folder with a repository's files.
Large files are uploaded first and stay where they are when the connection breaks, so that the next run sends only what
is missing; the repository changes with the commit, which comes last and holds everything.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pianalysis.hub_errors import HubError, RepoType, patiently, readable_errors

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.hf_api import RepoFile

Patterns = list[str] | str | None
"""Shell patterns over paths in the repository, as everywhere in huggingface_hub: * stands for / too, data/ for data/*."""

FIRST_CONTACT_SECONDS: Final = 30.0
SPACE_SDK: Final = "gradio"
REPO_ID: Final = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9][\w.-]*/[A-Za-z0-9]([\w.-]{0,94}\w)?(?<!\.git)", re.ASCII)
NEVER_PUBLISHED: Final = ["*.tmp", ".git/*", "*/.git/*", ".cache/*", "*/.cache/*", "__pycache__/*", "*/__pycache__/*"]


@dataclass(frozen=True)
class Publication:
    """Where something is published, and how.

    The repository `repo_id` is created if there's none (`private`, or public). `message` is the commit's, and `tag` names it.
    Files there that match `delete_patterns` and aren't among the published ones are deleted (["*"] makes the repository
    the folder's mirror). token: the one that `hf auth login` keeps, where none is given.
    """

    repo_id: str
    repo_type: RepoType
    message: str
    private: bool = False
    tag: str | None = None
    delete_patterns: Patterns = None
    token: str | None = None


def publish_folder(
    folder: str | os.PathLike[str],
    to: Publication,
    *,
    allow_patterns: Patterns = None,
    ignore_patterns: Patterns = None,
) -> str:
    """Publish a folder in one commit on a repository's main branch; returns the commit's address.

    Files that are there unchanged aren't sent, and where nothing changed there's no new commit.

    Server errors, rate limits and dropped connections are waited out and tried again. Raises HubError; a repository
    is then as it was, and what has been uploaded isn't sent again by the next run.
    """
    return publish_files(_list_files(Path(folder), allow_patterns, ignore_patterns), to)


def publish_files(files: Mapping[str, Path], to: Publication) -> str:
    """`publish_folder` of files that lie in several places, by their paths in the repository. Raises HubError."""
    repo_id, repo_type, tag = to.repo_id, to.repo_type, to.tag
    with readable_errors(repo_id, repo_type):
        repo = _open_repo(repo_id, repo_type, to.token)
        if not _is_there(repo, private=to.private):
            sdk = SPACE_SDK if repo_type == "space" else None
            patiently(
                lambda: repo.api.create_repo(
                    repo_id, repo_type=repo_type, private=to.private, exist_ok=True, space_sdk=sdk
                )
            )
        plan = _make_plan(repo, files, to.delete_patterns)
        _check_tag(repo, tag, plan)
        commit = _commit(repo, plan, to.message) if plan.operations else plan.parent
        if commit is None:  # main has moved: by our own commit, whose answer was lost, or by somebody else's
            plan = _make_plan(repo, files, to.delete_patterns)
            if plan.operations:
                raise HubError(
                    f"{repo.url} was changed by somebody else while this was being published; look at it, then run again"
                )
            commit = plan.parent
        if tag is not None and tag not in _tags(repo):
            patiently(
                lambda: repo.api.create_tag(repo_id, tag=tag, revision=commit, repo_type=repo_type, exist_ok=True)
            )
    return f"{repo.url}/commit/{commit}"


def check_access(
    repo_id: str, *, repo_type: RepoType, private: bool = False, tag: str | None = None, token: str | None = None
) -> None:
    """Make sure that `publish_folder` will be let in, without changing anything: for use before hours of work.

    Raises HubError, also for a `tag` that is taken. (Whether a fine-grained token may create a repository, only creating it would tell.)
    """
    with readable_errors(repo_id, repo_type):
        repo = _open_repo(repo_id, repo_type, token)
        if _is_there(repo, private=private) and tag is not None and tag in _tags(repo):
            raise HubError(f"{repo.url} has a version {tag} already; choose another tag")


def fetch_folder(
    repo_id: str,
    *,
    repo_type: RepoType,
    revision: str | None = None,
    allow_patterns: Patterns = None,
    ignore_patterns: Patterns = None,
    token: str | None = None,
) -> Path:
    """A folder with the files of a repository, downloaded unless they are in the cache. Raises HubError."""
    from huggingface_hub import snapshot_download

    def download() -> str:
        return snapshot_download(
            repo_id,
            repo_type=repo_type,
            revision=revision,
            allow_patterns=allow_patterns,
            ignore_patterns=ignore_patterns,
            token=token,
        )

    with readable_errors(repo_id, repo_type, revision):
        return Path(patiently(download, connected=False))


@dataclass(frozen=True)
class _Repo:
    """A repository that need not exist yet, and the client that has a token for it."""

    api: HfApi
    repo_id: str
    repo_type: RepoType

    @property
    def url(self) -> str:
        prefix = "" if self.repo_type == "model" else f"{self.repo_type}s/"
        return f"{self.api.endpoint}/{prefix}{self.repo_id}"


@dataclass(frozen=True)
class _Plan:
    """The commit that main is at, and what has to be done there."""

    parent: str
    operations: list[CommitOperationAdd | CommitOperationDelete]


def _list_files(root: Path, allow: Patterns, ignore: Patterns) -> dict[str, Path]:
    """The files to publish, by their path in the repository, in the order of their names."""
    if not root.is_dir():
        raise HubError(f"{root}: expected a folder to publish, found {'a file' if root.exists() else 'nothing there'}")

    def unreadable(error: OSError) -> None:  # os.walk would go on without the folder
        raise HubError(f"{error.filename}: can't be read ({error.strerror}); nothing was published")

    paths = [Path(above, name) for above, _, names in os.walk(root, onerror=unreadable) for name in names]
    found = {path.relative_to(root).as_posix(): path for path in paths if path.is_file()}
    allowed = [name for name in sorted(found) if allow is None or _matches(name, allow)]
    names = [name for name in allowed if not (_matches(name, NEVER_PUBLISHED) or _matches(name, ignore))]
    if not names:
        raise HubError(f"{root}: there is no file to publish in this folder")
    return {name: found[name] for name in names}


def _matches(name: str, patterns: Patterns) -> bool:
    """Whether one of the patterns fits; without patterns none does.

    >>> [_matches("data/train-0.parquet", pattern) for pattern in ("*.parquet", "data/", ["train*", "test*"])]
    [True, True, False]
    """
    each = [patterns] if isinstance(patterns, str) else patterns or []
    return any(fnmatchcase(name, pattern + "*" if pattern.endswith("/") else pattern) for pattern in each)


def _open_repo(repo_id: str, repo_type: RepoType, token: str | None) -> _Repo:
    """Check name, token and rights, cheapest first; nothing is sent to the Hub before the first two are in order."""
    from huggingface_hub import HfApi, constants, get_session, get_token, hf_raise_for_status

    if not REPO_ID.fullmatch(repo_id):
        raise HubError(
            f"expected a repository like ORG/NAME in letters, digits, '-', '_' and '.', found {repo_id!r}; put your user name or an organization first"
        )
    if constants.is_offline_mode():
        raise HubError(f"can't publish to {repo_id} in offline mode; unset HF_HUB_OFFLINE")
    token = token or get_token()
    if not token:
        raise HubError("no token for the Hub was found; run `hf auth login`, or set HF_TOKEN, and try again")
    api = HfApi(token=token)

    def whoami() -> dict[str, Any]:  # HfApi's own waits for ever where nothing answers
        address = f"{api.endpoint}/api/whoami-v2"
        headers = {"authorization": f"Bearer {token}"}
        response = get_session().get(address, headers=headers, timeout=FIRST_CONTACT_SECONDS)
        hf_raise_for_status(response)
        answer: dict[str, Any] = response.json()
        return answer

    _check_rights(patiently(whoami, connected=False), repo_id)
    return _Repo(api, repo_id, repo_type)


def _check_rights(identity: dict[str, Any], repo_id: str) -> None:
    """Refuse a token that can only read, and a namespace that isn't the user's; the Hub judges what is finer."""
    namespace = repo_id.split("/")[0]
    match identity:
        case {"auth": {"accessToken": {"role": "read"}}}:
            raise HubError(
                f"this token can only read, so it can't publish to {repo_id}; make one that can write in the Hub's settings, and `hf auth login` with it"
            )
        case {"type": "user", "name": str(name), "orgs": [*orgs]}:
            mine = [name, *(org["name"] for org in orgs)]
            if namespace.casefold() not in [own.casefold() for own in mine]:
                raise HubError(
                    f"{name} has no right to publish under {namespace}, only under {', '.join(mine)}; choose one of these, or ask {namespace} to let you in"
                )


def _is_there(repo: _Repo, *, private: bool) -> bool:
    """Whether the repository exists; if it does, that it takes our files and is no less private than asked for."""
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info = patiently(lambda: repo.api.repo_info(repo.repo_id, repo_type=repo.repo_type))
    except RepositoryNotFoundError:
        return False
    if private and not info.private:
        raise HubError(f"{repo.url} is public; make it private in its settings, or choose another name")
    # asking how an empty file would be uploaded needs the right to write, and does nothing
    probe = CommitOperationAdd("README.md", b"")
    patiently(lambda: repo.api.preupload_lfs_files(repo.repo_id, [probe], repo_type=repo.repo_type))
    return True


def _make_plan(repo: _Repo, files: Mapping[str, Path], delete: Patterns) -> _Plan:
    """What makes main hold the files: those that differ are added, those that are too many are deleted."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.hf_api import RepoFile

    def read_main() -> tuple[str, dict[str, RepoFile]]:
        head = repo.api.repo_info(repo.repo_id, repo_type=repo.repo_type).sha or "main"
        rows = repo.api.list_repo_tree(repo.repo_id, recursive=True, revision=head, repo_type=repo.repo_type)
        return head, {row.path: row for row in rows if isinstance(row, RepoFile)}

    parent, there = patiently(read_main)
    changed = [name for name, path in files.items() if name not in there or _differs(path, there[name])]
    surplus = [name for name in there if name not in files and name != ".gitattributes"]
    deleted = [name for name in surplus if _matches(name, delete)]
    return _Plan(
        parent,
        [CommitOperationDelete(name, is_folder=False) for name in deleted]
        + [CommitOperationAdd(name, str(files[name])) for name in changed],
    )


def _differs(path: Path, there: RepoFile) -> bool:
    """Whether a file's content is another than that of the file on the Hub, by size and checksum."""
    if path.stat().st_size != there.size:
        return True
    with path.open("rb") as file:
        if there.lfs is not None:
            return hashlib.file_digest(file, "sha256").hexdigest() != there.lfs.sha256
        data = file.read()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() != there.blob_id  # git's own id of a file


def _tags(repo: _Repo) -> dict[str, str]:
    refs = patiently(lambda: repo.api.list_repo_refs(repo.repo_id, repo_type=repo.repo_type))
    return {tag.name: tag.target_commit for tag in refs.tags}


def _check_tag(repo: _Repo, tag: str | None, plan: _Plan) -> None:
    """Refuse a tag that names another version, before anything is sent."""
    if tag is None or (named := _tags(repo).get(tag)) is None:
        return
    if plan.operations or named != plan.parent:
        raise HubError(f"{repo.url} has a version {tag} already ({named[:8]}), and it is another; choose another tag")


def _commit(repo: _Repo, plan: _Plan, message: str) -> str | None:
    """Upload and commit what was planned; returns the commit, or None if main isn't any more where it was.

    Not `HfApi.upload_folder`: it makes several commits of a large folder.
    """
    from huggingface_hub.errors import HfHubHTTPError

    try:
        info = patiently(
            lambda: repo.api.create_commit(
                repo.repo_id,
                plan.operations,
                commit_message=message,
                repo_type=repo.repo_type,
                parent_commit=plan.parent,
            )
        )
    except HfHubHTTPError as error:
        if error.response.status_code in (409, 412):
            return None
        raise
    return info.oid
