"""Model cards: how a checkpoint was trained and how good it is, as its README says it.

In: the records of the runs that made a checkpoint, and figures of its evaluation. Out: a checkpoint's `training.json`, curves and a
README.md with `model-index`, filled from them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pianalysis.files import DATA, write_atomically
from pianalysis.model.gpt2 import PRESETS
from pianalysis.publishing.commands import BUNDLED_FOLDER, commands, on_the_hub, places
from pianalysis.publishing.corpora_facts import CORPORA, title_of
from pianalysis.publishing.examples import PROMPT, PROMPT_TITLE, with_transformers_alone
from pianalysis.publishing.records import RECORDS_FILE, RunRecord, draw_curves
from pianalysis.publishing.tables import likelihood_table, runs_table, search_table, speed_table

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard

TEMPLATE: Final = DATA / "model_card_template.md"
HOME: Final = "https://github.com/pianalysis/pianalysis"
DEFAULT_PLACE: Final = f"{BUNDLED_FOLDER}checkpoint"
"""Of the bundled default, which `Arranger.from_pretrained()` loads without being told."""
CREDITED: Final = frozenset({"pop909", "openscore_lieder"})
"""The corpora whose papers a card names."""
OVERFITTING_FILE: Final = "overfitting.png"
OVERFITTING: Final = f"""
What overfitting looks like, and what keeps it away (`scripts/show_overfitting.py`: the same model on few songs; early
stopping ended both runs):

![training loss falls on while validation rises, without augmentation and dropout]({OVERFITTING_FILE})
"""
SEARCH: Final = """
What matters, from short runs that differ from a base in one thing each (`scripts/search_settings.py`; `{model}`, {how},
the rate falling to 0 by the end, AdamW at half of Muon's; nats per accompaniment note on {windows} validation windows). So few
steps tell how fast a setting learns, not where it ends:

{table}
"""
SPEED: Final = """
A training step beside a plain loop on batches of the same shape, in turn (`scripts/benchmark.py training`; {device}, {how};
ours keeps the memory that it frees, `pianalysis.processes`, the loop has the C library's own settings):

{table}
"""
IN_THE_INDEX: Final = {
    "melody_recall": "melody recall, whole songs",
    "chord_tones": "share of chord tones, of the song's chords, whole songs",
    "chord_root": "root agreement with the song's chords, whole songs",
    "two_sample": "classifier two-sample test against human accompaniments, AUC",
    "pcs": "pitch consonance score, whole songs",
    "pcs_coupling": "pitch consonance score minus that with another song's accompaniment",
    "clash_rate": "clash rate, whole songs",
}
"""Metrics of arrangements in a card's `model-index`, beside likelihood."""


def model_card(
    model: Any,
    records: Sequence[RunRecord],
    *,
    figures: dict[str, Any] | None = None,
    dtype: str = "float32",
    overfitting: bool = False,
    search: dict[str, Any] | None = None,
    speed: dict[str, Any] | None = None,
    note: str = "",
    repo_id: str | None = None,
    folder: str | None = None,
) -> ModelCard:
    """The card of a checkpoint. figures: what `scripts/evaluate_model.py --json` wrote; without them the runs' own.

    With `figures` it is the bundled checkpoint's card, which says what it was trained on; without, that of a user's run.
    overfitting: whether the picture `OVERFITTING_FILE` lies beside it. search, speed: what `scripts/search_settings.py`
    and `scripts/benchmark.py training` wrote. note: what else must be known of the data. repo_id: where it will be, or
    folder: where it lies; without both, where the last run's commands leave it.
    """
    from huggingface_hub import ModelCard, ModelCardData

    config, last = model.config, records[-1]
    data = ModelCardData(
        license="mit" if figures else None,  # of a user's own model the user says it
        base_model=on_the_hub(last.options["model"]),
        datasets=_datasets(last, figures),
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["music", "midi", "piano", "symbolic-music", "accompaniment"],
        model_name=repo_id.split("/")[-1] if repo_id else "pianalysis",
        eval_results=_eval_results(figures) if figures else [_own_result(last)],
        widget=[{"text": PROMPT, "example_title": PROMPT_TITLE}],
    )
    place = repo_id or folder or places(records)[-1]
    parameters = model.num_parameters()
    card: ModelCard = ModelCard.from_template(
        data,
        template_path=str(TEMPLATE),
        bundled=bool(figures),
        source="" if place == DEFAULT_PLACE else f'"{place.removeprefix(BUNDLED_FOLDER)}"',
        alone=with_transformers_alone(place),
        url=f"https://huggingface.co/{repo_id}" if repo_id else HOME,
        home=HOME,
        dataset=last.options["dataset"],
        parameters=f"{parameters / 1e6:.2f} M",
        megabytes=f"{parameters * (2 if dtype == 'float16' else 4) / 1e6:.1f}",
        dtype=dtype,
        preset=_preset(config),
        layers=config.n_layer,
        width=config.n_embd,
        heads=config.n_head,
        positions=config.n_positions,
        tokens_seen=_tokens_seen(records),
        minutes=f"{sum(record.minutes for record in records):,.0f}",
        train_windows=f"{last.windows:,}",
        transposition=_transposition(config),
        runs_table=runs_table(records),
        note=f" {note}" if note else "",
        averaged=_averaged(last),
        overfitting=OVERFITTING if overfitting else "",
        search=SEARCH.format(**search, table=search_table(search["runs"])) if search else "",
        speed=_speed(speed["training"]) if speed else "",
        commands="\n".join(commands(records)),
        credited=figures or any(not record.corpora or CREDITED & set(record.corpora) for record in records),
        table=likelihood_table(figures) if figures else _own_table(last),
        arrangements=_arrangements(figures) if figures else "",
    )
    return card


def _arrangements(figures: dict[str, Any]) -> str:
    from pianalysis.publishing.tables import arrangement_tables

    return arrangement_tables(figures)


def save_records(folder: Path, records: Sequence[RunRecord], model: Any, repo_id: str | None = None) -> None:
    """Write `training.json`, the curves and the card beside a checkpoint's weights; `repo_id`: where it will be."""
    data = json.dumps([asdict(record) for record in records], indent=1) + "\n"
    write_atomically(folder / RECORDS_FILE, data.encode())
    draw_curves(records, folder / "training_curves.png")
    write_atomically(folder / "README.md", str(model_card(model, records, repo_id=repo_id)).encode())


def _preset(config: Any) -> str | None:
    return next((name for name, shape in PRESETS.items() if all(config.to_dict()[k] == shape[k] for k in shape)), None)


def _datasets(record: RunRecord, figures: dict[str, Any] | None) -> list[str] | None:
    """What a card's front matter lists: the dataset if it is on the Hub, else the corpora that everybody knows."""
    known = record.dataset_id or on_the_hub(record.options["dataset"])
    if known:
        return [known]
    names = record.corpora or sorted({name.split("/")[0] for name in figures or {}})
    return [CORPORA[name].tag for name in names if name in CORPORA and name != "folder"] or None


def _tokens_seen(records: Sequence[RunRecord]) -> str:
    """The tokens of all runs; of how many only the last was, and what isn't known of a model begun with."""
    counts = [record.tokens for record in records]
    words = _count(sum(counts))
    if len(counts) > 1:
        words += f" ({_count(counts[-1]).removesuffix(' tokens')} of them in its last run)"
    began = str(records[0].options.get("model"))
    return words if began in PRESETS else f"{words}, and before them those of `{began}`, of which there is no record,"


def _count(tokens: int) -> str:
    """A number of tokens.

    >>> _count(123_912_345), _count(14_200)
    ('123.9 million tokens', '14,200 tokens')
    """
    return f"{tokens / 1e6:.1f} million tokens" if tokens >= 100_000 else f"{tokens:,} tokens"


def _transposition(config: Any) -> str:
    chords = "The chords stand between melody and accompaniment. " if getattr(config, "plays_chords", False) else ""
    if getattr(config, "normalises_key", False):
        return chords + (
            "Each piece is transposed to C major or A minor, by the melody's key (`pianalysis.music.keys.key_shift`); "
            "`Arranger` does the same with what it is given, and undoes it."
        )
    return f"{chords}Each window is transposed by −6…+5 semitones on the fly."


def _eval_results(figures: dict[str, Any]) -> list[EvalResult]:
    results = []
    for name, row in figures.items():
        corpus, split = name.split("/")
        results.append(_result(corpus, split, round(row["model"]["nats_per_note"], 3)))
        systems = row.get("arrangements", {}).get("systems", {})
        ours = systems.get(row.get("label"), {})
        for metric, words in IN_THE_INDEX.items():
            if ours.get(metric, {}).get("mean") is not None:
                results.append(_result(corpus, split, round(ours[metric]["mean"], 3), metric, words))
    return results


def _own_result(record: RunRecord) -> EvalResult:
    return _result(str(record.options["dataset"]), "validation", round(record.nats_per_note, 3))


def _result(
    dataset: str,
    split: str,
    value: float,
    metric: str = "nats_per_note",
    words: str = "nats per accompaniment note",
) -> EvalResult:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type="text-generation",
        task_name="piano accompaniment",
        dataset_type=dataset,
        dataset_name=title_of(dataset),
        dataset_split=split,
        metric_type=metric,
        metric_name=words,
        metric_value=value,
    )


def _speed(steps: Sequence[dict[str, Any]]) -> str:
    first = steps[0]
    how = f"{first['threads']} threads, {'bf16' if first['bf16'] else 'float32'}, not compiled"
    return SPEED.format(device=first["device"], how=how, table=speed_table(steps))


def _averaged(record: RunRecord) -> str:
    if record.after_nats_per_note is None:
        return ""
    return (
        f"{record.after_nats_per_note:.3f} nats per note instead of {record.best_nats_per_note:.3f} on the validation windows "
        "that training saw, on which the shares were chosen too"
    )


def _own_table(record: RunRecord) -> str:
    return (
        f"On validation windows, on which the best was chosen: {record.nats_per_note:.3f} nats per accompaniment note."
    )
