"""Dataset cards, filled from a build's report.

In: a `BuildReport` and the folder it is of. Out: the README.md of the dataset's repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pianalysis import corpora
from pianalysis.dataset import FEATURES
from pianalysis.report import BuildReport

TEMPLATE: Final = Path(__file__).with_name("data") / "dataset_card_template.md"
SOURCES: Final = {"pop909": "POP909", "openscore_lieder": "OpenScore Lieder", "folder": "your folder"}
_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_SHOWN_PROBLEMS: Final = 20


def dataset_card(
    report: BuildReport, folder: Path, *, repo_id: str = "ORG/NAME", every_bar: bool = False, scale: str = ""
) -> str:
    """The card of a built dataset: YAML front matter (configs, features, licences), figures and tables."""
    from huggingface_hub import DatasetCard

    windows = sum(report.windows.values())
    training = "one starts at every bar" if every_bar else "they don't overlap"
    card = DatasetCard.from_template(
        _front_matter(report, folder),
        template_path=str(TEMPLATE),
        repo_id=repo_id,
        pieces=f"{sum(report.pieces.values()):,}",
        windows=f"{windows:,}",
        hours=f"{report.seconds / 3_600:.1f}",
        versions_note=", in the training split only" if _has_versions(report) else " (none in this build)",
        stride_note=f"In the training split {training}; in validation and test they don't overlap.",
        split_table=_split_table(report),
        figures_table=_table(("figure", "value"), report.figures().items()),
        problems_table=_problems_table(report),
        scale=scale,
    )
    return str(card)


def _has_versions(report: BuildReport) -> bool:
    return sum(report.pieces.values()) > report.pieces_seen


def _front_matter(report: BuildReport, folder: Path) -> Any:
    from datasets import DatasetInfo
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    used = {place.split("/")[0] for place in report.windows}
    licenses = sorted({"pop909": "mit", "openscore_lieder": "cc0-1.0"}[name] for name in used if name != "folder")
    windows = sum(report.windows.values())
    data = DatasetCardData(
        pretty_name="Pianalysis",
        license=licenses or "unknown",
        size_categories=next((word for limit, word in _SIZES if windows < limit), "n>1M"),
        source_datasets=["original"],
        tags=["music", "midi", "piano", "symbolic-music", "accompaniment", "pop909", "openscore-lieder"],
    )
    configs = {}
    for config in ("windows", "notes"):
        splits = [split for split in corpora.SPLITS if any((folder / config).glob(f"{split}-*.parquet"))]
        configs[config] = {
            "data_files": [{"split": split, "path": f"{config}/{split}-*.parquet"} for split in splits],
            **({"default": True} if config == "windows" else {}),
        }
    MetadataConfigs(configs).to_dataset_card_data(data)
    infos = {config: DatasetInfo(features=features, config_name=config) for config, features in FEATURES.items()}
    DatasetInfosDict(infos).to_dataset_card_data(data)
    return data


def _split_table(report: BuildReport) -> str:
    rows = []
    for name, title in SOURCES.items():
        for split in corpora.SPLITS:
            place = f"{name}/{split}"
            if report.windows[place]:
                rows.append((title, split, f"{report.pieces[place]:,}", f"{report.windows[place]:,}"))
    return _table(("corpus", "split", "pieces", "windows"), rows)


def _problems_table(report: BuildReport) -> str:
    if not report.problems:
        return "Every file was read without a problem."
    rows = [(_plain(name), _plain(reason)) for name, reason in report.problems[:_SHOWN_PROBLEMS]]
    more = len(report.problems) - len(rows)
    rest = f"\n\n… and {more} more, in `build_report.json`." if more else ""
    return "Files with problems:\n\n" + _table(("file", "reason"), rows) + rest


def _plain(text: str) -> str:
    """Text that can stand in a table's cell, whatever is in a file's name."""
    return " ".join(text.split()).replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(map(str, row)) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)
