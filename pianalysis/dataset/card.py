"""Dataset cards, filled from a build's report.

In: a `BuildReport` and the folder it is of. Out: the README.md of the dataset's repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from pianalysis.dataset import corpora
from pianalysis.dataset.report import BuildReport
from pianalysis.dataset.rows import FEATURES
from pianalysis.dataset.splitting import split_in_words
from pianalysis.files import DATA
from pianalysis.publishing.corpora_facts import CORPORA
from pianalysis.publishing.tables import markdown_table

NO_REPO: Final = "ORG/NAME"
"""What a card calls a dataset that isn't to be published."""
PLOTS_FILE: Final = "build_report.png"
TEMPLATE: Final = DATA / "dataset_card_template.md"
DEFAULT_CONFIG: Final = "notes"
"""What `load_dataset` gives without a config, and the Hub's viewer shows first: titles, keys and chords, not ids."""


_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_SHOWN_PROBLEMS: Final = 20
MILLION: Final = 1_000_000


def dataset_card(
    report: BuildReport, folder: Path, *, repo_id: str = NO_REPO, scale: str = "", plots: str = PLOTS_FILE
) -> str:
    """The card of a built dataset: YAML front matter (configs, features, licences), figures and tables.

    scale: what `scale_section` makes of a benchmark, if there's one; plots: the picture's path beside the card, or "".
    """
    from huggingface_hub import DatasetCard

    windows = sum(report.windows.values())
    every_bar = "In the training split a window starts at every bar; in validation and test they don't overlap."
    card = DatasetCard.from_template(
        _front_matter(report, folder),
        template_path=str(TEMPLATE),
        repo_id=repo_id,
        pieces=f"{sum(report.pieces.values()):,}",
        windows=f"{windows:,}",
        hours=f"{report.seconds / 3_600:.1f}",
        versions_note=", in the training split only" if _has_versions(report) else " (none in this build)",
        stride_note=every_bar if report.every_bar else "Windows don't overlap.",
        split_table=_split_table(report),
        split_words=_plain(split_in_words(folder)),
        chords_table=_chords_table(report),
        twice_table=_twice_table(report),
        figures_table=markdown_table(("figure", "value"), _spelled(report.figures())),
        problems_table=_problems_table(report),
        sources=_corpora_in(report),
        plots=plots,
        scale=scale,
    )
    return str(card)


def _corpora_in(report: BuildReport) -> set[str]:
    return {place.split("/")[0] for place in report.windows}


def _has_versions(report: BuildReport) -> bool:
    return sum(report.pieces.values()) > report.pieces_seen


def _front_matter(report: BuildReport, folder: Path) -> Any:
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    used = _corpora_in(report)
    licenses = sorted({CORPORA[name].license for name in used})
    windows = sum(report.windows.values())
    data = DatasetCardData(
        pretty_name="Pianalysis",
        license=licenses,
        size_categories=[next((word for limit, word in _SIZES if windows < limit), "n>1M")],
        source_datasets=["original"],
        tags=[
            "music",
            "midi",
            "piano",
            "symbolic-music",
            "accompaniment",
            *(CORPORA[name].tag for name in sorted(used)),
        ],
    )
    configs = {}
    for config in FEATURES:
        splits = [split for split in corpora.SPLITS if any((folder / config).glob(f"{split}-*.parquet"))]
        configs[config] = {
            "data_files": [{"split": split, "path": f"{config}/{split}-*.parquet"} for split in splits],
            **({"default": True} if config == DEFAULT_CONFIG else {}),
        }
    MetadataConfigs(configs).to_dataset_card_data(data)
    infos = {config: _info(config, folder) for config in FEATURES}
    DatasetInfosDict(infos).to_dataset_card_data(data)
    return data


def _info(config: str, folder: Path) -> Any:
    """Columns, and the rows and bytes of each split: `load_dataset` refuses a copy in which rows are missing."""
    from datasets import DatasetInfo, SplitDict, SplitInfo

    splits, on_disk = SplitDict(), 0
    for split in corpora.SPLITS:
        paths = sorted((folder / config).glob(f"{split}-*.parquet"))
        if not paths:
            continue
        tables = [pq.read_metadata(path) for path in paths]
        num_bytes = sum(table.row_group(n).total_byte_size for table in tables for n in range(table.num_row_groups))
        splits.add(SplitInfo(split, num_bytes, sum(table.num_rows for table in tables)))
        on_disk += sum(path.stat().st_size for path in paths)
    return DatasetInfo(
        features=FEATURES[config],
        config_name=config,
        splits=splits,
        download_size=on_disk,
        dataset_size=sum(info.num_bytes for info in splits.values()),
    )


def scale_section(benchmark: dict[str, Any]) -> str:
    """What a million files cost, on paper: from the figures that ``scripts/benchmark.py dataset --json`` writes."""
    build, memory = benchmark["build"], benchmark["memory"]
    hours = MILLION / build["files_per_second"] / 3_600
    gigabytes = MILLION * build["bytes_per_file"] / 1e9
    few, many = memory["runs"]
    rows = [
        ("files a second, MIDI to window tokens", f"{benchmark['windows']['files_per_second']:.0f}"),
        ("… of MidiTok's REMI, same files, same run", f"{benchmark['miditok']['files_per_second']:.0f}"),
        ("ratio", f"{benchmark['ratio']['windows']:.2f}"),
        ("files a second, MIDI to the finished dataset", f"{build['files_per_second']:.0f}"),
        (f"peak memory of one process, {few['files']:,} files", f"{few['peak_mb']:.0f} MB"),
        (f"… ten times as many, {many['files']:,} files", f"{many['peak_mb']:.0f} MB"),
        ("**a million files**", f"{hours:.0f} hours, {gigabytes:.0f} GB of parquet (twice that while it is built)"),
    ]
    measured = (
        f"`scripts/benchmark.py dataset`: {benchmark['songs']:,} POP909 songs of {benchmark['song_seconds']:.0f} s on"
        f" average, without versions, windows that don't overlap, {benchmark['processes']} processes on"
        f" {benchmark['cores']} cores. The last row is on paper."
    )
    return f"\n## What a million files cost\n\n{markdown_table(('what', 'measured'), rows)}\n\n{measured}\n"


def _split_table(report: BuildReport) -> str:
    rows = []
    for name in CORPORA:
        for split in corpora.SPLITS:
            place = f"{name}/{split}"
            if report.windows[place]:
                rows.append((CORPORA[name].title, split, f"{report.pieces[place]:,}", f"{report.windows[place]:,}"))
    return markdown_table(("corpus", "split", "pieces", "windows"), rows, left=2)


def _chords_table(report: BuildReport) -> str:
    """A row a corpus: what its chords are, and how many there are."""
    rows = []
    for name in CORPORA:
        if report.bars[name]:
            sources = {source: report.chord_sources[f"{name}/{source}"] for source in ("label", "written", "rule")}
            rows.append(
                (
                    CORPORA[name].title,
                    CORPORA[name].licensed,
                    ", ".join(f"{source} {count:,}" for source, count in sources.items() if count),
                    f"{report.chord_beats[name] / report.beats[name]:.1%}",
                    f"{report.chord_changes[name] / report.bars[name]:.2f}",
                )
            )
    return markdown_table(
        ("corpus", "licence", "chords of so many pieces", "beats with a chord", "changes a bar"), rows
    )


def _twice_table(report: BuildReport) -> str:
    if not report.twice:
        return "No piece stands twice."
    rows = [(_plain(piece), _plain(other)) for piece, other in report.twice[:_SHOWN_PROBLEMS]]
    more = len(report.twice) - len(rows)
    rest = f"\n\n… and {more} more, in `build_report.json`." if more else ""
    return markdown_table(("left out", "stands already as"), rows, left=2) + rest


def _problems_table(report: BuildReport) -> str:
    if not report.problems:
        return "Every file was read without a problem."
    rows = [
        (_plain(name), _plain(reason.removeprefix(f"{name}: "))) for name, reason in report.problems[:_SHOWN_PROBLEMS]
    ]
    more = len(report.problems) - len(rows)
    rest = f"\n\n… and {more} more, in `build_report.json`." if more else ""
    return "Files with problems:\n\n" + markdown_table(("file", "reason"), rows, left=2) + rest


def _spelled(figures: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, f"{value:,}" if isinstance(value, int) else str(value)) for name, value in figures.items()]


def _plain(text: str) -> str:
    """Text that can stand in a table's cell, whatever is in a file's name."""
    return " ".join(text.split()).replace("|", "\\|")
