"""Where huggingface_hub asks: it reads its environment when it's imported, and what has imported it already is told so."""

from __future__ import annotations

from pathlib import Path


def constants_at(endpoint: str, home: Path) -> dict[str, object]:
    """The names in `huggingface_hub.constants` and their values for a Hub at an address, with a cache of one's own."""
    from huggingface_hub import constants

    return {
        "HUGGINGFACE_CO_URL_TEMPLATE": constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, endpoint),
        "ENDPOINT": endpoint,
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_CACHE": str(home / "hub"),
        "HF_TOKEN_PATH": str(home / "token"),
    }
