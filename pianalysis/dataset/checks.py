"""What a sequence of ids is checked for, and the report of it in plain words.

In: event-view sequences (``<bos> melody <sep> full polyphony <eos>`` as TIME, NOTE_ON | NOTE_OFF, PITCH). Out: a
`ValidationReport`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pianalysis.tokens import vocab
from pianalysis.tokens.events import from_events
from pianalysis.tokens.tokenizer import TokenError

FEW_TIMES: Final = 20
"""A dataset whose sequences use fewer distinct times than this has lost its timestamps."""
FEW_TOKENS: Final = {1_000: 200, 20: 50}
"""With at least so many samples, fewer distinct tokens of 801 than this mean that most of the vocabulary is dead. The
seed's data had 15 in thousands; a few simple tunes, all in quarters, have some 80."""
SMALL_SAMPLES: Final = min(FEW_TOKENS)
"""With fewer samples than this the counts above say nothing, …"""
HANDFUL_TOKENS: Final = 20
SHORT_TOKENS: Final = 50
"""… but so few distinct tokens in at least so many are no music, however small the dataset."""
EXAMPLES: Final = 3

_NOTE_EVENTS: Final = (vocab.NOTE_ON, vocab.NOTE_OFF)
_EVENT_IDS: Final = frozenset((vocab.BOS, vocab.SEP, vocab.EOS, *_NOTE_EVENTS, *vocab.PITCH_IDS, *vocab.TIME_IDS))
NO_TIMES: Final = "no timestamps: raw milliseconds share ids with pitches and specials, or are missing"


@dataclass
class ValidationReport:
    """What was checked and what was found: `faults` maps a kind of fault to how often, `examples` to where."""

    source: str
    samples: int = 0
    tokens: int = 0
    distinct_tokens: int = 0
    distinct_times: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    explanations: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def fault(self, kind: str, where: str = "") -> None:
        """Note a fault, and where, for the first few."""
        self.faults[kind] += 1
        shown = self.examples.setdefault(kind, [])
        if where and len(shown) < EXAMPLES:
            shown.append(where)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        counts = {
            name: getattr(self, name) for name in ("samples", "tokens", "distinct_tokens", "distinct_times", "splits")
        }
        found = {"faults": dict(self.faults), "examples": self.examples, "explanations": self.explanations}
        return {"source": self.source, "ok": self.ok, **counts, **found}

    def table(self) -> str:
        """The report as people read it."""
        rows = [
            ("samples", f"{self.samples:,}" + "".join(f", {split} {count:,}" for split, count in self.splits.items())),
            ("tokens", f"{self.tokens:,}"),
            ("distinct tokens", f"{self.distinct_tokens} of {vocab.VOCAB_SIZE}"),
            ("distinct times", f"{self.distinct_times} of {len(vocab.TIME_IDS)}"),
        ]
        lines = [f"{name:<16} {value}" for name, value in rows]
        for kind, count in self.faults.most_common():
            lines.append(f"FAULT            {kind} ({count:,} times)")
            lines += [f"                   {example}" for example in self.examples[kind]]
        lines += [f"WHAT THIS MEANS  {text}" for text in self.explanations]
        return "\n".join([self.source, *lines, "valid" if self.ok else "NOT VALID"])


def validate_sequences(sequences: Iterable[list[int]], source: str) -> ValidationReport:
    """Check event-view sequences: ``<bos> melody <sep> full polyphony <eos>`` as TIME, NOTE_ON | NOTE_OFF, PITCH."""
    report = ValidationReport(source)
    tokens: Counter[int] = Counter()
    strays: Counter[int] = Counter()
    for index, ids in enumerate(sequences):
        report.samples += 1
        tokens.update(ids)
        known = report.faults[NO_TIMES]
        check_events(ids, report, f"sample {index}")
        if report.faults[NO_TIMES] > known:
            strays.update(_strays(ids))
    report.faults += Counter()  # without the zero that asking left
    check_coverage(report, tokens)
    explain(report, tokens, strays)
    return report


def check_events(ids: list[int], report: ValidationReport, where: str) -> None:
    """Note every kind of fault of one event-view sequence in a report."""
    start = f"{where}: {ids[:9]}{'…' if len(ids) > 9 else ''}"
    if any(not 0 <= token < vocab.VOCAB_SIZE for token in ids):
        report.fault("ids outside the vocabulary of 801", start)
    if ids[:1] != [vocab.BOS]:
        report.fault("no <bos> at the start", start)
    if ids[-1:] != [vocab.EOS]:
        report.fault("no <eos> at the end", f"{where}: … {ids[-3:]}")
    if ids.count(vocab.SEP) != 1:
        report.fault("not exactly one <sep>: melody and full polyphony can't be told apart", start)
    elif ids[-1] == vocab.SEP or ids[-2:] == [vocab.SEP, vocab.EOS]:
        report.fault("nothing after <sep>: the full polyphony is missing", f"{where}: … {ids[-3:]}")
    struck = [index for index, token in enumerate(ids) if token in _NOTE_EVENTS]
    if any(ids[index + 1 : index + 2] == [] or ids[index + 1] not in vocab.PITCH_IDS for index in struck):
        report.fault("a NOTE_ON or NOTE_OFF that no pitch follows", start)
    timed = sum(index > 0 and ids[index - 1] in vocab.TIME_IDS for index in struck)
    # Raw milliseconds from 109 to 748 look like times; those before and after them don't.
    if struck and (not timed or (timed < len(struck) and not _EVENT_IDS.issuperset(ids))):
        report.fault(NO_TIMES, start)
        return
    if ids.count(vocab.SEP) == 1:
        middle = ids.index(vocab.SEP)
        kinds = dict.fromkeys([*_faults_of_voice(ids[:middle]), *_faults_of_voice(ids[middle:])])
        for kind in kinds:
            report.fault(kind, start)
        if not kinds and ids[:1] == [vocab.BOS] and ids[-1:] == [vocab.EOS]:
            try:
                from_events(ids)
            except TokenError as error:
                report.fault("events that break the grammar", f"{where}: {error}")


def _faults_of_voice(ids: list[int]) -> Iterator[str]:
    """What is wrong with the events between two specials: times, and keys struck and let go."""
    now = vocab.TIME_IDS[0]
    sounding: set[int] = set()
    for before, token, pitch in zip(ids, ids[1:], ids[2:], strict=False):
        if token not in _NOTE_EVENTS:
            continue
        if before not in vocab.TIME_IDS:
            yield "an event without a timestamp before it"
        elif before < now:
            yield "times that fall"
        now = max(now, before) if before in vocab.TIME_IDS else now
        if token == vocab.NOTE_ON:
            if pitch in sounding:
                yield "a key struck again before it is let go"
            sounding.add(pitch)
        elif pitch not in sounding:
            yield "a NOTE_OFF without its NOTE_ON"
        else:
            sounding.remove(pitch)
    if sounding:
        yield "a NOTE_ON that no NOTE_OFF closes"


def _strays(ids: list[int]) -> list[int]:
    """The ids that stand where timestamps belong in a sequence that has none.

    >>> _strays([1, 0, 10, 60, 100, 11, 60, 500, 3])
    [0, 100, 500]
    """
    events = {place for index, token in enumerate(ids) if token in _NOTE_EVENTS for place in (index, index + 1)}
    rest = [token for index, token in enumerate(ids) if index not in events]
    return [token for token in rest if token not in (vocab.BOS, vocab.SEP, vocab.EOS)]


def check_coverage(report: ValidationReport, tokens: Counter[int]) -> None:
    """Count the tokens of a whole dataset and note whether they are too few kinds for music."""
    report.tokens = tokens.total()
    report.distinct_tokens = len(tokens)
    report.distinct_times = sum(token in vocab.TIME_IDS for token in tokens)
    dead = f"only {report.distinct_tokens} distinct tokens of {vocab.VOCAB_SIZE}: most of the vocabulary is dead"
    if not report.samples:
        report.fault("no samples")
    elif report.samples >= SMALL_SAMPLES:
        if report.distinct_times < FEW_TIMES:
            report.fault(f"only {report.distinct_times} distinct times: the timestamps are lost")
        if report.distinct_tokens < next(few for samples, few in FEW_TOKENS.items() if report.samples >= samples):
            report.fault(dead)
    elif report.distinct_tokens < HANDFUL_TOKENS and report.tokens >= SHORT_TOKENS:
        report.fault(dead)


def explain(report: ValidationReport, tokens: Counter[int], strays: Counter[int]) -> None:
    """Say in plain words what the seed's two faults mean, and the remedy."""
    remedy = "Build the dataset again from its MIDI files with `pianalysis prepare`."
    if NO_TIMES in report.faults:
        shown = sorted(strays)[:EXAMPLES]
        read = ", ".join(f"{token} reads as {_name(token)}" for token in shown)
        report.explanations.append(
            f"Times were written as raw milliseconds. The vocabulary has other meanings for these numbers ({read}) and"
            f" none for anything above {vocab.VOCAB_SIZE - 1}, so no reader finds the rhythm in them; each NOTE_ON and"
            f" NOTE_OFF needs a TIME_… id before it. {remedy}"
            if shown
            else f"The notes stand without any time: which keys are struck is known, when and how long is not. {remedy}"
        )
    if any("distinct tokens" in kind or "distinct times" in kind for kind in report.faults):
        pitches = sum(token in vocab.PITCH_IDS for token in tokens)
        report.explanations.append(
            f"All {report.tokens:,} tokens are of {report.distinct_tokens} kinds, {pitches} of them pitches and"
            f" {report.distinct_times} times; the other {vocab.VOCAB_SIZE - report.distinct_tokens} ids never occur."
            f" Real music needs hundreds. A model trained on this learns a few pitches and no rhythm, which is what"
            f" became of the seed's 15. {remedy}"
        )


def _name(token: int) -> str:
    return vocab.TOKENS[token] if 0 <= token < vocab.VOCAB_SIZE else "nothing at all"
