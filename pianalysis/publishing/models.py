"""A model's folder to a repository: the files that belong there, under the name that it has there.

In: a folder with a checkpoint. Out: a commit on the Hub.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Final

from pianalysis.errors import PianalysisError
from pianalysis.publishing import hub

MODEL_FILES: Final = [
    *("config.json", "generation_config.json", "model*.safetensors", "model.safetensors.index.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("README.md", "trainer_state.json", "training.json", "training_curves.png", "overfitting.png"),
]
"""Of a checkpoint's files those that a model repository holds: nothing pickled."""
CARD: Final = "README.md"
_LOADED: Final = re.compile(r'(?:from_pretrained\(|^name = )"([^"\n]+)"', re.MULTILINE)


def model_files(folder: Path) -> dict[str, Path]:
    """The files of a checkpoint that a model repository holds, by their names there."""
    return {file.name: file for pattern in MODEL_FILES for file in sorted(folder.glob(pattern)) if file.is_file()}


def publish_model(
    folder: Path, repo_id: str, *, private: bool = False, tag: str | None = None, message: str | None = None
) -> str:
    """Publish a checkpoint, a run's `best` for one, in one commit; its address. Its card names the repository.

    Raises PianalysisError for a folder that holds no model, HubError for what the Hub doesn't allow.
    """
    check_model(folder)
    files = model_files(folder)
    with tempfile.TemporaryDirectory() as place:
        if CARD in files:
            card = Path(place, CARD)
            text = files[CARD].read_bytes().decode("utf-8")
            card.write_bytes(named_in_card(text, repo_id).encode())
            files[CARD] = card
        message = message or f"Model: {folder.resolve().name}"
        return hub.publish_files(files, hub.Publication(repo_id, "model", message, private=private, tag=tag))


def check_model(folder: Path) -> None:
    """Raise PianalysisError where a folder isn't a model's."""
    if not folder.is_dir():
        raise PianalysisError(
            f"{folder}: expected a model's folder, found {'a file' if folder.exists() else 'nothing'}"
        )
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if not any(folder.glob("model*.safetensors")):
        missing.append("model.safetensors")
    if missing:
        inside = sorted(
            item for item in (folder / "best", *folder.glob("checkpoint-*")) if (item / "config.json").is_file()
        )
        hint = f"; this is a run's folder: publish {inside[0]}" if inside else ""
        raise PianalysisError(f"{folder}: expected a model's folder, found none of {', '.join(missing)}{hint}")


def named_in_card(text: str, repo_id: str) -> str:
    """A card whose examples load the model from a repository, where they loaded it from a folder.

    >>> named_in_card('Arranger.from_pretrained("runs/x/best")', "me/waltz")
    'Arranger.from_pretrained("me/waltz")'
    """
    for source in dict.fromkeys(_LOADED.findall(text)):
        text = text.replace(f'"{source}"', f'"{repo_id}"')
    return text.replace("Arranger.from_pretrained()", f'Arranger.from_pretrained("{repo_id}")')  # the bundled default's
