"""Publishing to a Hub and reading back, over HTTP, with unmodified clients; and all that goes wrong on the way."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from local_hub import READ_TOKEN, STRANGER_TOKEN

from pianalysis import hub_errors
from pianalysis.model.gpt2 import save_model
from pianalysis.publishing.hub import HubError, Publication, check_access, fetch_folder, publish_folder

pytest_plugins = ["hub_fixtures"]

CARD = """---
configs:
- config_name: notes
  data_files: [{split: train, path: notes/train-*.parquet}]
- config_name: windows
  data_files: [{split: train, path: windows/train-*.parquet}, {split: test, path: windows/test-*.parquet}]
---
"""
READ = """
import json, sys
from datasets import load_dataset
from transformers import AutoTokenizer, GPT2LMHeadModel
data, model = "pianalysis/data", "pianalysis/model"
loaded = GPT2LMHeadModel.from_pretrained(model)
print(json.dumps({
    "all": list(load_dataset(data, "windows")["train"]["input_ids"]),
    "split": list(load_dataset(data, "windows", split="test")["input_ids"]),
    "notes": list(load_dataset(data, "notes", split="train")["piece_id"]),
    "stream": [row["input_ids"] for row in load_dataset(data, "windows", split="test", streaming=True)],
    "tag": list(load_dataset(data, "windows", split="test", revision="v1")["input_ids"]),
    "commit": list(load_dataset(data, "windows", split="test", revision=sys.argv[1])["input_ids"]),
    "token": AutoTokenizer.from_pretrained(model).convert_tokens_to_ids("PITCH_60"),
    "weights": sum(weight.double().sum().item() for weight in loaded.parameters()),
    "ours": "pianalysis" in sys.modules,
}))
"""
PUBLISH = """
import sys
from pianalysis.publishing.hub import Publication, publish_folder
print(publish_folder(sys.argv[1], Publication("me/data", "dataset", "whole")))
"""
COMMIT = "POST .*/commit/"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(hub_errors, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture
def folder(tmp_path):
    columns = {"notes/train": {"piece_id": ["001"]}, "windows/train": {"input_ids": [[1, 2], [1, 3, 2]]}}
    for name, column in (columns | {"windows/test": {"input_ids": [[1, 4, 2]]}}).items():
        path = tmp_path / "folder" / f"{name}-0.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(column), path)
    (tmp_path / "folder" / "README.md").write_text(CARD)
    return tmp_path / "folder"


def contents(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ".gitattributes"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def publish(folder, repo_id="me/data", *, repo_type="dataset", message="again", files=None, **options) -> str:
    return publish_folder(folder, Publication(repo_id, repo_type, message, **options), **files or {})


def test_published_is_what_unmodified_clients_load(hub_client, folder, tmp_path, tiny_model):
    first = publish(folder, "pianalysis/data", message="one", tag="v1").rsplit("/", 1)[1]
    pq.write_table(pa.table({"input_ids": [[1, 5, 2]]}), folder / "windows" / "test-0.parquet")
    publish(folder, "pianalysis/data", message="two", tag="v2")
    save_model(tiny_model, tmp_path / "model")
    publish(tmp_path / "model", "pianalysis/model", repo_type="model", message="model")
    assert hub_client.history("datasets", "pianalysis/data") == ["initial commit", "one", "two"]
    assert hub_client.history("models", "pianalysis/model") == ["initial commit", "model"]
    got = json.loads(hub_client.run(READ, first))
    assert got.pop("weights") == pytest.approx(sum(weight.double().sum().item() for weight in tiny_model.parameters()))
    new, old = [[1, 5, 2]], [[1, 4, 2]]
    rows = {"all": [[1, 2], [1, 3, 2]], "split": new, "stream": new, "tag": old, "commit": old, "notes": ["001"]}
    assert got == rows | {"token": 60, "ours": False}


def test_what_is_unchanged_makes_no_commit_and_a_mirror_deletes(hub_client, folder):
    first = publish(folder)
    uploads = len(hub_client.seen("^PUT"))
    assert publish(folder, tag="v1") == first
    (folder / "windows" / "train-0.parquet").rename(folder / "notes" / ".half.tmp")
    (folder / "README.md").write_text(CARD + "more\n")
    publish(folder)
    assert "windows/train-0.parquet" in hub_client.files("datasets", "me/data")
    publish(folder, delete_patterns="*")
    (folder / "notes" / ".half.tmp").unlink()
    assert hub_client.files("datasets", "me/data") == contents(folder)
    assert len(hub_client.history("datasets", "me/data")) == 4
    assert len(hub_client.seen("^PUT")) == uploads
    with pytest.raises(HubError, match="has a version v1 already"):
        publish(folder, tag="v1")


def test_a_space_private_and_never_silently_public(hub_client, folder, monkeypatch):
    files = {"allow_patterns": ["*.md", "notes/"], "ignore_patterns": "*.parquet"}
    wanted = {"repo_type": "space", "files": files}
    publish(folder, "me/space", private=True, **wanted)
    assert hub_client.hub.repos["spaces", "me/space"].sdk == "gradio"
    publish(folder, "me/open", **wanted)
    with pytest.raises(HubError, match="is public; make it private"):
        publish(folder, "me/open", private=True, **wanted)
    # strangers first: what is in the cache of this machine is not asked for again
    with monkeypatch.context() as without:
        without.delenv("HF_TOKEN")
        for token in (STRANGER_TOKEN, None):
            with pytest.raises(HubError, match="no space me/space on the Hub that you may see"):
                fetch_folder("me/space", repo_type="space", token=token)
    assert contents(fetch_folder("me/space", repo_type="space")) == {"README.md": CARD.encode()}


@pytest.mark.parametrize(
    ("repo_id", "token", "expected"),
    [
        ("me/data", "", "no token for the Hub was found; run `hf auth login`"),
        ("me/data", "hf_wrong", "doesn't accept the token"),
        ("me/data", READ_TOKEN, "this token can only read"),
        ("me/data", STRANGER_TOKEN, "stranger has no right to publish under me, only under stranger"),
        ("data", READ_TOKEN, "expected a repository like ORG/NAME"),
        ("me/da ta", READ_TOKEN, "expected a repository like ORG/NAME"),
    ],
)
def test_no_access(hub_client, folder, monkeypatch, repo_id, token, expected):
    monkeypatch.setenv("HF_TOKEN", token)
    for attempt in (lambda: publish(folder, repo_id), lambda: check_access(repo_id, repo_type="dataset")):
        with pytest.raises(HubError, match=expected) as caught:
            attempt()
        assert not re.search(r"\n|hf_", str(caught.value))
    assert not hub_client.seen("POST")


def test_other_errors_name_the_remedy(hub_client, folder, monkeypatch, tmp_path):
    from huggingface_hub import constants

    def fails(expected, make, *args, **options):
        with pytest.raises(HubError, match=expected):
            make(*args, **options)

    publish(folder)
    fails("no model me/none on the Hub", fetch_folder, "me/none", repo_type="model")
    fails("no revision 'v9'", fetch_folder, "me/data", repo_type="dataset", revision="v9")
    fails("expected a folder to publish, found nothing", publish, tmp_path / "none")
    (folder / "README.md").write_text("---\nconfigs: [\n---\n")
    fails(r"Invalid metadata in README\.md.* correct the front matter", publish, folder)
    hub_client.fail("preupload", status=403)
    fails("no right to change the dataset me/data", check_access, "me/data", repo_type="dataset")
    (folder / "README.md").write_text("new")
    hub_client.fail(COMMIT, status=413)
    fails("refused the request for the dataset me/data", publish, folder)
    hub_client.meanwhile(COMMIT, lambda: hub_client.commit_file("datasets", "me/data", "README.md", b"theirs"))
    fails("changed by somebody else", publish, folder)
    assert hub_client.files("datasets", "me/data")["README.md"] == b"theirs"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
    fails(r"no connection to http://127\.0\.0\.1:.*check the network", publish, folder)
    fails("no connection to", fetch_folder, "me/other", repo_type="dataset")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    fails("offline mode; unset HF_HUB_OFFLINE", publish, folder)
    fails("offline mode is on; unset HF_HUB_OFFLINE", fetch_folder, "me/other", repo_type="dataset")


def test_server_errors_are_waited_out_up_to_a_limit(hub_client, folder, caplog):
    for step in ("whoami", "repos/create", "validate-yaml", COMMIT, "/tag/"):
        hub_client.fail(step, times=2)
    hub_client.fail("repos/create", status=429)
    publish(folder, message="one", tag="v1")
    assert hub_client.hub.repos["datasets", "me/data"].tags
    assert caplog.text.count("trying again") == 11
    hub_client.fail(COMMIT, times=99)
    (folder / "README.md").write_text("new")
    with pytest.raises(HubError, match=r"an error of its own .* is as it was: try again later"):
        publish(folder)
    assert len(hub_client.seen(COMMIT)) == 3 + hub_errors.ATTEMPTS
    assert hub_client.history("datasets", "me/data") == ["initial commit", "one"]


def test_dropped_connections(hub_client, folder):
    (folder / "windows" / "large.parquet").write_bytes(os.urandom(3_000_000))
    hub_client.drop("^PUT", after_bytes=1_000_000)
    hub_client.drop(COMMIT)
    publish(folder, message="one")
    assert hub_client.files("datasets", "me/data") == contents(folder)
    (folder / "README.md").write_text("new")
    hub_client.lose_answer(COMMIT)
    publish(folder, message="two")  # the commit was made, only the answer was lost: not made twice
    assert hub_client.history("datasets", "me/data") == ["initial commit", "one", "two"]


def test_killed_in_the_middle_of_an_upload(hub, folder):
    paths = [folder / "windows" / f"{split}-0.parquet" for split in ("train", "test")]
    done, held = (f"PUT /_lfs/{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths)
    hub.hold(held, seconds=60)
    process = subprocess.Popen([sys.executable, "-c", PUBLISH, str(folder)], env=hub.env)
    hub.wait(lambda: hub.seen(held) and any(seen.status for seen in hub.seen(done)))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert hub.history("datasets", "me/data") == ["initial commit"]
    assert hub.run(PUBLISH, str(folder)).startswith(f"{hub.endpoint}/datasets/me/data/commit/")
    assert hub.history("datasets", "me/data") == ["initial commit", "whole"]
    assert hub.files("datasets", "me/data") == contents(folder)
    assert len(hub.seen(done)) == 1
