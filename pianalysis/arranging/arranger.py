"""A melody to a whole piece: at once, bar by bar, or in several takes; and pieces from nothing.

In: a MIDI melody (path, bytes or `symusic.Score`). Out: an `Arrangement`, or a `Stream` of its notes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

import numpy as np
import symusic

from pianalysis.arranging.charting import (
    FIRST_STYLE,
    changed_bars,
    changed_chart,
    chart_of,
    heard_chart,
    likeliest_style,
    typed_chart,
)
from pianalysis.arranging.composing import compose_melody
from pianalysis.arranging.form import check_chart, in_bars, lay_out
from pianalysis.arranging.form_options import unchanged_form
from pianalysis.arranging.options import OptionChanges, Options
from pianalysis.arranging.pieces import (
    Arrangement,
    Source,
    append_track,
    empty_score,
    in_its_own_key,
    prepare,
    to_the_models_key,
)
from pianalysis.arranging.planning import LONGEST_REST_MS
from pianalysis.arranging.ranking import distance, look
from pianalysis.arranging.rewriting import Hand, Rewrite, check_bars
from pianalysis.arranging.transposing import transposed
from pianalysis.arranging.writing import Fresh, Stream, Take, write_together
from pianalysis.errors import PianalysisError
from pianalysis.tokens import vocab

__all__ = ["LONGEST_REST_MS", "Arrangement", "Arranger", "Fresh", "Options", "Stream"]

if TYPE_CHECKING:
    from pianalysis.harmony.chart import Chart
    from pianalysis.model.engine import Engine
    from pianalysis.model.network import Precision
    from pianalysis.music.reading import ReadScore

    Melody: TypeAlias = str | os.PathLike[str] | bytes | symusic.Score | ReadScore
STATED = "the chords are those that the file states; they can be ignored, and found"
COMPOSED_BPM = 100.0
Progress = Callable[[int, int], None]
"""Called with the bars done and the bars in all."""


class TakeSettings(OptionChanges, total=False):
    """What `Arranger.takes` takes beside a melody and seeds."""

    track: int | None
    chart: Chart | str | None
    options: Options | None
    progress: Progress | None
    workers: int


class RewriteSettings(OptionChanges, total=False):
    """What `Arranger.regenerate` takes beside a piece and bars."""

    seed: int
    options: Options | None
    keep: Hand | None
    progress: Progress | None


class Arranger:
    """Writes accompaniments. ``Arranger.from_pretrained()("melody.mid", seed=0).save("full.mid")``.

    model: a `GPT2LMHeadModel`, or `Weights`. precision: int8 unless this build of torch hasn't got it, then float32.
    """

    def __init__(self, model: Any, *, precision: Precision | None = None) -> None:
        from pianalysis.model.engine import Engine
        from pianalysis.model.network import has_int8

        self.engine: Engine = Engine(model, precision=precision or ("int8" if has_int8() else "float32"))

    @classmethod
    def from_pretrained(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        precision: Precision | None = None,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> Arranger:
        """With a checkpoint from a folder or the Hub, or a bundled one by its size's name; the bundled default if None.

        revision: a branch, tag or commit on the Hub; token, cache_dir: as in `huggingface_hub`. Raises PianalysisError for
        what isn't a checkpoint of ours, or can't be fetched (HubError).
        """
        from pianalysis.model.weights import read_weights

        weights = read_weights(model, revision=revision, token=token, cache_dir=cache_dir)
        return cls(weights, precision=precision)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model and its tokenizer into a folder, as `from_pretrained` reads them (extra `train`)."""
        from pianalysis.model.gpt2 import model_of, save_model

        save_model(model_of(self.engine.weights), folder)
        return Path(folder)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = False,
        token: str | None = None,
        message: str = "Pianalysis",
        tag: str | None = None,
    ) -> str:
        """Publish the model and its tokenizer as one commit; its address. Raises HubError (extra `train`)."""
        from pianalysis.publishing.hub import publish_folder

        with TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return publish_folder(
                folder, repo_id, repo_type="model", message=message, private=private, token=token, tag=tag
            )

    def __call__(
        self,
        source: Melody,
        *,
        seed: int = 0,
        track: int | None = None,
        chart: Chart | str | None = None,
        options: Options | None = None,
        progress: Progress | None = None,
        **changes: Unpack[OptionChanges],
    ) -> Arrangement:
        """Arrange a melody. `changes` are fields of `Options`, on top of `options`.

        The same seed gives the same piece, on one machine and with one version and precision: an arranger in int8 writes
        another one than in float32 (`Arrangement.precision`). chart: chords to play, in the melody's key, in clock-ms
        (`Arrangement.chart` is one), or text with a bar for each of the melody's (`"C | Am F | ? | G7"`); gaps are filled.
        Without it they are those that the file states (markers; symbols of MusicXML and ABC), unless `ignore_chords` is among
        the changes; where it states none the harmoniser finds them all.

        Raises PianalysisError for unusable input or options, FileNotFoundError for a path that isn't there.
        """
        stream = self.stream(source, seed=seed, track=track, chart=chart, options=options, **changes)
        for fresh in stream:
            if progress is not None:
                progress(fresh.bars_done, fresh.bars)
        return stream.piece

    def stream(
        self,
        source: Melody,
        *,
        seed: int = 0,
        track: int | None = None,
        chart: Chart | str | None = None,
        options: Options | None = None,
        **changes: Unpack[OptionChanges],
    ) -> Stream:
        """The same piece, written while the stream is iterated over, bar by bar. Raises what a call raises, at once."""
        (take,) = self._takes(source, [seed], track, chart, options, changes)
        return Stream(self.engine, take)

    def takes(
        self,
        source: Melody,
        *,
        seeds: Sequence[int],
        track: int | None = None,
        chart: Chart | str | None = None,
        options: Options | None = None,
        progress: Progress | None = None,
        workers: int = 1,
        **changes: Unpack[OptionChanges],
    ) -> list[Arrangement]:
        """A piece of each seed, the same as by itself, in less time than one after the other.

        workers: threads, each of which writes its share of the takes side by side (more than one only pays on idle cores).
        """
        takes = self._takes(source, seeds, track, chart, options, changes)
        workers = min(workers, max(1, len(takes)))
        bars_done, stopped = [0] * workers, Event()

        def write(worker: int) -> None:
            for done in write_together(self.engine, takes[worker::workers]):
                bars_done[worker] = done
                if progress is not None and takes:
                    progress(min(bars_done), takes[0].source.bars)
                if stopped.is_set():
                    return

        if workers == 1:
            write(0)
        else:
            with ThreadPoolExecutor(workers) as pool:
                try:
                    list(pool.map(write, range(workers)))
                except BaseException:  # Ctrl-C too: the others needn't go on
                    stopped.set()
                    raise
        return [replace(take.piece, precision=self.engine.precision) for take in takes]

    def best(self, source: Melody, *, seeds: Sequence[int], **settings: Unpack[TakeSettings]) -> Arrangement:
        """Of a piece of each seed the one that is closest to what people play (`ranking`). settings: those of `takes`.

        Its own seed gives it again by itself. Raises PianalysisError without a seed, too.
        """
        if not len(seeds):
            raise PianalysisError("expected at least one seed to choose the best of, found none")
        return min(self.takes(source, seeds=seeds, **settings), key=self.distance)

    def distance(self, piece: Arrangement) -> float:
        """How far a piece of this model is from what people play, in standard deviations (`ranking.distance`)."""
        return distance(look(self.engine, piece), piece.style)

    def _takes(
        self,
        source: Melody,
        seeds: Sequence[int],
        track: int | None,
        chart: Chart | str | None,
        options: Options | None,
        changes: OptionChanges,
    ) -> list[Take]:
        chosen = replace(options or Options(), **changes)
        prepared = prepare(source, track, chosen.max_bars, chosen.metre_asked, tune=chosen.tune)
        if self.normalises_key:
            prepared = to_the_models_key(prepared)
        given = self._given(prepared, chart, chosen)
        if chart is None and given is not None:
            prepared = replace(prepared, remarks=(*prepared.remarks, STATED))
        chosen = self._resolved(chosen, prepared, given)
        room = self.engine.max_length
        moved = transposed(prepared, chosen)
        laid = [lay_out(moved, chosen, self._chart(prepared, chosen, seed, given)) for seed in seeds]
        return [
            Take(form.source, form.options, seed, room, form.chart, wanted=given is not None)
            for seed, form in zip(seeds, laid, strict=True)
        ]

    def _given(self, source: Source, chart: Chart | str | None, options: Options) -> Chart | None:
        """The chords that somebody wants, in the model's key: what is asked for, else what the file states."""
        if not self.engine.weights.plays_chords:
            if chart is not None:
                raise PianalysisError("this model knows no chords, found a chart; choose a model that plays chords")
            return None
        if chart is None:
            chart = None if options.ignore_chords else source.stated
        elif isinstance(chart, str):
            chart = typed_chart(chart, source)
        else:
            check_chart(chart, source, options)
        return chart.transposed(source.shift) if chart else None

    def _resolved(self, options: Options, source: Source | None = None, given: Chart | None = None) -> Options:
        """The options with the checkpoint's own numbers, and the style that fits a melody best where none was asked for.

        Raises PianalysisError for a style that the model never learned.
        """
        weights = self.engine.weights
        if options.style == "hymn" and not weights.plays_chords:  # these models are older than the hymns
            raise PianalysisError(
                "this model was trained without hymns; choose the style pop or classical, or a model that plays chords"
            )
        if options.plays_figures and not weights.plays_chords:
            raise PianalysisError(
                f"left hand {options.left_hand!r}: figures are made of chords, and this model knows none; choose a model that "
                "plays chords, or the left hand auto"
            )
        if options.plays_figures and options.style == "hymn":
            raise PianalysisError(
                f"left hand {options.left_hand!r}: a hymn's left hand sings tenor and bass; choose the style pop or "
                "classical, or the left hand auto"
            )
        if options.style == vocab.AUTO:
            options = replace(options, style=self._style(source, options, given) if source else FIRST_STYLE)
        return options.resolved(weights.sampling)

    def _style(self, source: Source, options: Options, given: Chart | None) -> str:
        known = [style for style in vocab.STYLES if style != "hymn" or self.engine.weights.plays_chords]
        asked = (options.density, options.difficulty) != (Options.density, Options.difficulty) or options.plays_figures
        if asked and "hymn" in known:
            known.remove("hymn")  # four parts are four parts: who wants more notes, or fewer, wants another style
        chart = self._chart(source, options, None, given)
        return likeliest_style(self.engine, source, known, chart, options.density_at(source.first_bar))

    def _chart(
        self, source: Source, options: Options, seed: int | None = None, given: Chart | None = None
    ) -> Chart | None:
        """What is played under a melody; None where the model knows no chords."""
        if not self.engine.weights.plays_chords:
            return None
        return chart_of(
            source, options.style, seed=seed, structure=options.structure, given=given, harmony=options.richness
        )

    def regenerate(
        self,
        piece: Arrangement,
        bars: tuple[int, int],
        *,
        seed: int = 0,
        options: Options | None = None,
        keep: Hand | None = None,
        progress: Progress | None = None,
        **changes: Unpack[OptionChanges],
    ) -> Arrangement:
        """The piece with some bars written anew: from the first to the last, counted from 1 as the file has them.

        All other notes stay as they are, to the tick. What stands before the bars is history; what stands after isn't known
        to the model, but no new note sounds over a key that is struck there. options: the piece's own where not given, but
        bars that return are written anew too, unless `structure` is among the changes. keep: the hand whose notes stay;
        the other hand's are written around them.
        Raises PianalysisError for bars that aren't the piece's, or options out of range.
        """
        stream = self.stream_regenerated(piece, bars, seed=seed, options=options, keep=keep, **changes)
        for fresh in stream:
            if progress is not None:
                progress(fresh.bars_done, fresh.bars)
        return stream.piece

    def continue_from(self, piece: Arrangement, bar: int, **settings: Unpack[RewriteSettings]) -> Arrangement:
        """The piece up to a bar, and all from there written anew; after a stream that was cancelled too.

        settings: those of `regenerate`.
        """
        settings.setdefault("structure", (settings.get("options") or piece.options or Options()).structure)
        return self.regenerate(piece, (bar, piece.source.last_bar), **settings)

    def stream_regenerated(
        self,
        piece: Arrangement,
        bars: tuple[int, int],
        *,
        seed: int = 0,
        options: Options | None = None,
        keep: Hand | None = None,
        **changes: Unpack[OptionChanges],
    ) -> Stream:
        """What `regenerate` writes, while it is written; cancelled, the bars that aren't rewritten yet stay as they were."""
        chosen = _of_a_piece(piece, options, changes)
        if keep == "left" and chosen.plays_figures and (options is not None or "left_hand" in changes):
            raise PianalysisError(
                f"expected either the left hand's notes kept or a figure for it, found both, {chosen.left_hand!r}; leave one out"
            )
        source = self._source_of(piece)
        given = piece.chart.transposed(source.shift) if piece.chart else None
        chosen = self._resolved(chosen, source, given)
        chart = self._chart(source, chosen, seed, given)
        room = self.engine.max_length
        return Stream(self.engine, Rewrite(piece, source, bars, chosen, seed, room, keep, chart))

    def _source_of(self, piece: Arrangement) -> Source:
        """A piece's source in the key that this model knows."""
        source = piece.source
        if source.shift and not self.normalises_key:  # another model's piece, or one that was transposed
            return in_its_own_key(source)
        return to_the_models_key(source) if self.normalises_key and not source.shift else source

    def reharmonise(
        self,
        piece: Arrangement,
        bars: tuple[int, int],
        *,
        chords: Chart | str | None = None,
        seed: int = 0,
        options: Options | None = None,
        keep: Hand | None = None,
        progress: Progress | None = None,
        **changes: Unpack[OptionChanges],
    ) -> Arrangement:
        """The piece with other chords in some bars: only those in which a chord is another are written anew.

        All other notes stay as they are, to the tick. bars: the first and the last, counted from 1 as the file has them.
        chords: text, a bar for each (`"Am | D7"`), a chart on the piece's clock, or None: found, by the seed; gaps are filled,
        all other chords of the piece known. A piece whose chart nobody knows has the chords that are heard in it. The rest is as
        in `regenerate`. Raises PianalysisError for bars that aren't the piece's, chords that don't fit them, and a model
        that knows no chords.
        """
        if not self.engine.weights.plays_chords:
            raise PianalysisError("this model knows no chords; choose a model that plays chords")
        check_bars(piece.source, bars)
        chosen = _of_a_piece(piece, options, changes)
        source = self._source_of(piece)
        old = piece.chart or heard_chart(piece)
        given = changed_chart(old, source, bars, chords).transposed(source.shift)
        chosen = self._resolved(chosen, source, given)
        new = self._chart(source, chosen, seed, given)
        for run in changed_bars(old.transposed(source.shift), new or given, source, bars):
            rewrite = Rewrite(piece, source, run, chosen, seed, self.engine.max_length, keep, new, wanted=True)
            stream = Stream(self.engine, rewrite)
            for fresh in stream:
                if progress is not None:
                    progress(fresh.bars_done, fresh.bars)
            piece = stream.piece
        return replace(piece, chart=(new or given).transposed(-source.shift))

    @property
    def normalises_key(self) -> bool:
        """Whether the model was trained on pieces transposed to C major or A minor."""
        return self.engine.weights.normalises_key

    def compose(
        self,
        *,
        seed: int = 0,
        bars: int = 16,
        options: Options | None = None,
        progress: Progress | None = None,
        **changes: Unpack[OptionChanges],
    ) -> Arrangement:
        """A piece from nothing, in 4/4: first a melody, four bars at a time after the first eight, then its accompaniment.

        Its tempo is `COMPOSED_BPM` where no bpm is asked for. Raises PianalysisError for options out of range.
        """
        if not 1 <= bars <= 1_000:
            raise PianalysisError(f"expected 1 to 1,000 bars, found {bars}")
        chosen = replace(replace(options or Options(), **changes), max_bars=bars, keep_metre=True)
        chosen = self._resolved(chosen)
        score = empty_score(COMPOSED_BPM if chosen.bpm is None else chosen.bpm)
        melody = compose_melody(self.engine, score, bars, chosen, np.random.default_rng([seed, 1]))
        if not len(melody):
            raise PianalysisError(
                f"the model wrote no melody with seed {seed}; choose another seed or a higher temperature"
            )
        append_track(score, "MELODY", melody)
        piece = self(score, seed=seed, progress=progress, options=chosen)
        return replace(piece, how_found="composed")


def _of_a_piece(piece: Arrangement, options: Options | None, changes: OptionChanges) -> Options:
    """The options for some bars of a piece, which keeps its form. Raises PianalysisError where another one is asked for."""
    changes.setdefault("structure", False)
    chosen = replace(options or piece.options or Options(), **changes)
    return in_bars(replace(chosen, **unchanged_form(chosen, piece.options)), piece.source)
