"""A Hub on this machine: as much of the Hub's HTTP protocol as huggingface_hub, datasets and transformers speak.

They work against it unmodified, in a process with HF_ENDPOINT set to its address and HF_HUB_DISABLE_XET=1: public and
private repositories, commits, tags, LFS uploads, downloads with ranges. Contents lie in a folder; which repositories
there are is kept in memory. `hub_fixtures.py` starts it for tests and makes things go wrong.
By hand: `python tests/local_hub.py FOLDER 8765`, then HF_ENDPOINT=http://127.0.0.1:8765 HF_TOKEN=hf_localtesttoken.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

TOKEN: Final = "hf_localtesttoken"
READ_TOKEN: Final = "hf_localreadtoken"
STRANGER_TOKEN: Final = "hf_localstrangertoken"
TOKENS: Final = {TOKEN: ("me", "write"), READ_TOKEN: ("me", "read"), STRANGER_TOKEN: ("stranger", "write")}
NAMESPACES: Final = {"me": ["me", "pianalysis"], "stranger": ["stranger"]}
LFS_SUFFIXES: Final = (".safetensors", ".bin", ".parquet", ".arrow", ".wav", ".mp3", ".npz", ".zip", ".png", ".mid")


class RefusalError(Exception):
    """An answer that is an error: its status, a sentence, and what the Hub puts in X-Error-Code."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


def refuse(_: Request, error: Exception) -> Response:
    """An error as the Hub gives it: JSON, and headers that its client reads."""
    assert isinstance(error, RefusalError)
    headers = {"X-Error-Message": str(error)} | ({"X-Error-Code": error.code} if error.code else {})
    return JSONResponse({"error": str(error)}, error.status, headers)


@dataclass(frozen=True)
class File:
    """A file of a commit: its git id and size; `sha256` for one in large file storage."""

    oid: str
    size: int
    sha256: str = ""


@dataclass(frozen=True)
class Commit:
    """A commit: what it follows, its whole tree, its title and when it was made."""

    parent: str | None
    tree: dict[str, File]
    title: str
    date: str


@dataclass
class Repo:
    """A repository: its kind is models, datasets or spaces."""

    kind: str
    id: str
    private: bool
    sdk: str | None
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

    def find(self, revision: str) -> str:
        """The commit that a branch, a tag or the beginning of a commit's id names."""
        known = self.branches.get(revision) or self.tags.get(revision)
        begins = [oid for oid in self.commits if len(revision) >= 7 and oid.startswith(revision)]
        if known is None and len(begins) != 1:
            raise RefusalError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return known or begins[0]

    def commit(self, branch: str, tree: dict[str, File], title: str) -> str:
        """Add a commit to a branch; returns its id."""
        parent, date = self.branches.get(branch), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        oid = hashlib.sha1(repr((tree, title, parent, time.time_ns())).encode()).hexdigest()
        self.commits[oid] = Commit(parent, tree, title, date)
        self.branches[branch] = oid
        return oid


class LocalHub:
    """The Hub as an ASGI application, its contents in a folder."""

    def __init__(self, folder: Path) -> None:
        self.blobs, self.lfs = folder / "blobs", folder / "lfs"
        self.blobs.mkdir(parents=True, exist_ok=True)
        self.lfs.mkdir(exist_ok=True)
        self.repos: dict[tuple[str, str], Repo] = {}
        nowhere = RefusalError(404, "Repository not found", "RepoNotFound")
        handlers = {RefusalError: refuse, 404: lambda request, _: refuse(request, nowhere)}
        self.app = Starlette(routes=ROUTES, exception_handlers=handlers)
        self.app.state.hub = self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # routes match the quoted path: the slash in a revision like refs%2Fpr%2F1 isn't one between segments
        scope["path"] = scope["raw_path"].decode()
        await self.app(scope, receive, send)

    def put_blob(self, data: bytes) -> File:
        """Keep a small file, under the id that git gives it."""
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        (self.blobs / oid).write_bytes(data)
        return File(oid, len(data))

    def lfs_file(self, sha256: str) -> File:
        """The entry of a large file that was uploaded before; git sees a pointer to it."""
        if not (self.lfs / sha256).exists():
            raise RefusalError(400, f"LFS object {sha256} missing")
        size = (self.lfs / sha256).stat().st_size
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
        return File(self.put_blob(pointer).oid, size, sha256)


def hub_of(request: Request) -> LocalHub:
    """The Hub that a request came to."""
    hub: LocalHub = request.app.state.hub
    return hub


def param(request: Request, name: str) -> str:
    """A parameter of the path, unquoted; empty where the path has none."""
    return unquote(request.path_params.get(name, ""))


def user_of(request: Request, *, needed: bool = False) -> tuple[str, str]:
    """The name and the role of who asks; empty for anonymous."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and token not in TOKENS:
        raise RefusalError(401, "Invalid credentials in Authorization header")
    if needed and not token:
        raise RefusalError(401, "Invalid username or password.")
    return TOKENS.get(token, ("", ""))


def repo_of(request: Request, *, write: bool = False) -> Repo:
    """The repository that a path names, if who asks may see it and, with `write`, change it."""
    owner, name = param(request, "owner"), param(request, "name").removesuffix(".git")
    user, role = user_of(request)
    repo = hub_of(request).repos.get((param(request, "kind") or "models", f"{owner}/{name}"))
    member = owner in NAMESPACES.get(user, [])
    if repo is None or (repo.private and not member):  # the Hub doesn't tell strangers which
        raise RefusalError(404 if user else 401, "Repository not found", "RepoNotFound")
    if write and not (member and role == "write"):
        raise RefusalError(403 if user else 401, f"You don't have the rights to push to {repo.id}")
    return repo


async def whoami(request: Request) -> Response:
    """Who a token belongs to, and what it may do."""
    user, role = user_of(request, needed=True)
    orgs = [{"type": "org", "name": org, "roleInOrg": "admin"} for org in NAMESPACES[user] if org != user]
    auth = {"type": "access_token", "accessToken": {"displayName": "local", "role": role}}
    return JSONResponse({"type": "user", "id": user, "name": user, "fullname": user, "orgs": orgs, "auth": auth})


def page_of(request: Request, repo: Repo) -> str:
    """The address of a repository's page."""
    return f"{request.base_url}{'' if repo.kind == 'models' else repo.kind + '/'}{repo.id}"


async def create_repo(request: Request) -> Response:
    """A new repository, with the first commit that the Hub makes."""
    hub, body, (user, role) = hub_of(request), await request.json(), user_of(request, needed=True)
    owner, kind = body.get("organization") or user, body.get("type", "model") + "s"
    if owner not in NAMESPACES[user] or role != "write":
        raise RefusalError(403, f'You don\'t have the rights to create a {kind[:-1]} under the namespace "{owner}"')
    repo = Repo(kind, f"{owner}/{body['name']}", body.get("visibility") == "private", body.get("sdk"))
    answer = {"url": page_of(request, repo), "name": repo.id, "id": repo.id, "type": kind[:-1]}
    if (kind, repo.id) in hub.repos:
        return JSONResponse(answer | {"error": f"You already created this {kind[:-1]} repo"}, 409)
    tree = {".gitattributes": hub.put_blob(b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n")}
    if kind == "spaces":
        tree["README.md"] = hub.put_blob(f"---\ntitle: {body['name']}\nsdk: {repo.sdk}\n---\n".encode())
    repo.commit("main", tree, "initial commit")
    hub.repos[kind, repo.id] = repo
    return JSONResponse(answer)


async def repo_info(request: Request) -> Response:
    """What there is to know of a repository at a revision."""
    repo = repo_of(request)
    oid = repo.find(param(request, "revision") or "main")
    siblings = [{"rfilename": path} for path in sorted(repo.commits[oid].tree)]
    facts = {"id": repo.id, "author": repo.id.split("/")[0], "sha": oid, "private": repo.private, "siblings": siblings}
    facts |= {"createdAt": next(iter(repo.commits.values())).date, "lastModified": repo.commits[oid].date}
    return JSONResponse(facts | {"sdk": repo.sdk, "tags": [], "downloads": 0, "likes": 0, "disabled": False})


async def list_refs(request: Request) -> Response:
    """Branches and tags."""
    repo = repo_of(request)
    branches = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": oid} for n, oid in repo.branches.items()]
    tags = [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": oid} for n, oid in repo.tags.items()]
    return JSONResponse({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})


async def add_tag(request: Request) -> Response:
    """A name for a revision."""
    repo, name = repo_of(request, write=True), (await request.json())["tag"]
    if name in repo.tags:
        raise RefusalError(409, f"Reference already exists: {name}")
    repo.tags[name] = repo.find(param(request, "revision"))
    return JSONResponse({})


def tree_rows(repo: Repo, oid: str, folder: str, *, recursive: bool) -> list[dict[str, Any]]:
    """The files and folders below a folder, as the Hub lists them."""
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    rows: dict[str, dict[str, Any]] = {}
    for path, file in repo.commits[oid].tree.items():
        if not path.startswith(prefix):
            continue
        *above, _ = path[len(prefix) :].split("/")
        for depth in range(1, len(above) + 1 if recursive else min(len(above), 1) + 1):
            name = prefix + "/".join(above[:depth])
            rows[name] = {"type": "directory", "path": name, "oid": file.oid, "size": 0}
        if recursive or not above:
            lfs = {"lfs": {"oid": file.sha256, "size": file.size, "pointerSize": 134}} if file.sha256 else {}
            rows[path] = {"type": "file", "path": path, "oid": file.oid, "size": file.size} | lfs
    return [rows[path] for path in sorted(rows)]


async def list_tree(request: Request) -> Response:
    """The files and folders below a folder of a revision."""
    repo, folder = repo_of(request), param(request, "path")
    recursive = request.query_params.get("recursive", "").lower() in ("1", "true")
    rows = tree_rows(repo, repo.find(param(request, "revision")), folder, recursive=recursive)
    if folder and not rows:
        raise RefusalError(404, f"{folder} does not exist", "EntryNotFound")
    return JSONResponse(rows)


async def paths_info(request: Request) -> Response:
    """Some files and folders of a revision by their paths; those that aren't there are left out."""
    repo, form = repo_of(request), parse_qs((await request.body()).decode())
    paths = {path.strip("/") for path in form.get("paths", [])}
    rows = tree_rows(repo, repo.find(param(request, "revision")), "", recursive=True)
    return JSONResponse([row for row in rows if row["path"] in paths])


async def resolve(request: Request) -> Response:
    """The content of a file, whole or a range of it."""
    repo, hub = repo_of(request), hub_of(request)
    oid = repo.find(param(request, "revision"))
    file = repo.commits[oid].tree.get(param(request, "path"))
    if file is None:
        raise RefusalError(404, "Entry not found", "EntryNotFound")
    headers = {"X-Repo-Commit": oid, "ETag": f'"{file.sha256 or file.oid}"', "Accept-Ranges": "bytes"}
    if file.sha256:
        headers |= {"X-Linked-Size": str(file.size), "X-Linked-Etag": headers["ETag"]}
    place = hub.lfs / file.sha256 if file.sha256 else hub.blobs / file.oid
    return FileResponse(place, headers=headers, media_type="application/octet-stream")


async def validate_yaml(request: Request) -> Response:
    """Whether the front matter of a card is YAML."""
    found = re.match(r"---\r?\n(.*?)\n---", (await request.json())["content"], re.DOTALL)
    try:
        yaml.safe_load(found[1] if found else "")
    except yaml.YAMLError as error:
        return JSONResponse({"errors": [{"message": str(error).splitlines()[0]}], "warnings": []}, 400)
    return JSONResponse({"errors": [], "warnings": []})


async def preupload(request: Request) -> Response:
    """Which of the files to come are to be uploaded as large files."""
    repo = repo_of(request, write=True)
    tree = repo.commits[repo.find(param(request, "revision"))].tree
    answer = []
    for file in (await request.json())["files"]:
        large = file["path"].endswith(LFS_SUFFIXES) or b"\0" in base64.b64decode(file.get("sample", ""))
        there = tree.get(file["path"])
        row = {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
        answer.append(row | {"oid": (there.sha256 or there.oid) if there else None})
    return JSONResponse({"files": answer})


async def lfs_batch(request: Request) -> Response:
    """Where to upload large files; nothing for those that are there already."""
    repo_of(request, write=True)
    answer = []
    for wanted in (await request.json())["objects"]:
        actions = {"actions": {"upload": {"href": f"{request.base_url}_lfs/{wanted['oid']}"}}}
        there = (hub_of(request).lfs / wanted["oid"]).exists()
        answer.append({"oid": wanted["oid"], "size": wanted["size"]} | ({} if there else actions))
    return JSONResponse({"transfer": "basic", "objects": answer}, media_type="application/vnd.git-lfs+json")


async def lfs_upload(request: Request) -> Response:
    """Take in a large file: whole and with the right checksum, or not at all."""
    place = hub_of(request).lfs / param(request, "oid")
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=place.parent.parent) as part:
        async for chunk in request.stream():
            digest.update(chunk)
            part.write(chunk)
        if digest.hexdigest() != place.name:
            raise RefusalError(400, "sha256 mismatch")
        part.flush()
        if not place.exists():
            os.link(part.name, place)
    return Response()


async def commit(request: Request) -> Response:
    """Files added, replaced and deleted, all at once, if the branch still is where the client saw it."""
    repo, hub, branch = repo_of(request, write=True), hub_of(request), param(request, "revision")
    lines = [json.loads(line) for line in (await request.body()).splitlines() if line.strip()]
    parent = repo.find(branch)
    tree, title = dict(repo.commits[parent].tree), ""
    for key, value in ((line["key"], line["value"]) for line in lines):
        if key == "header":
            title = value["summary"]
            if value.get("parentCommit", parent) != parent:
                raise RefusalError(412, "A commit has happened since. Please refresh and try again.")
        elif key == "file":
            tree[value["path"]] = hub.put_blob(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            tree[value["path"]] = hub.lfs_file(value["oid"])
        elif key == "deletedFile" and value["path"] in tree:
            del tree[value["path"]]
        else:
            raise RefusalError(400, f"{key} {value['path']}: no such file, or no such operation here")
    oid = repo.commit(branch, tree, title)
    return JSONResponse({"success": True, "commitOid": oid, "commitUrl": f"{page_of(request, repo)}/commit/{oid}"})


REPO: Final = "/api/{kind}/{owner}/{name}"
ROUTES: Final = [
    Route("/api/whoami-v2", whoami),
    Route("/api/validate-yaml", validate_yaml, methods=["POST"]),
    Route("/api/repos/create", create_repo, methods=["POST"]),
    Route(REPO, repo_info),
    Route(REPO + "/refs", list_refs),
    Route(REPO + "/revision/{revision}", repo_info),
    Route(REPO + "/tree/{revision}", list_tree),
    Route(REPO + "/tree/{revision}/{path:path}", list_tree),
    Route(REPO + "/paths-info/{revision}", paths_info, methods=["POST"]),
    Route(REPO + "/preupload/{revision}", preupload, methods=["POST"]),
    Route(REPO + "/commit/{revision}", commit, methods=["POST"]),
    Route(REPO + "/tag/{revision}", add_tag, methods=["POST"]),
    Route("/_lfs/{oid}", lfs_upload, methods=["PUT"]),
    *(
        Route(f"{kind}/{{owner}}/{{name}}/info/lfs/objects/batch", lfs_batch, methods=["POST"])
        for kind in ("", "/{kind}")
    ),
    *(Route(f"{kind}/{{owner}}/{{name}}/resolve/{{revision}}/{{path:path}}", resolve) for kind in ("", "/{kind}")),
]

if __name__ == "__main__":
    uvicorn.run(LocalHub(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
