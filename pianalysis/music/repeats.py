"""The order in which bars are played: repeats, endings, D.C., D.S., Fine and Coda.

In: what stands at each written bar, and the endings. Out: the bars' numbers as they sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from pianalysis.errors import PianalysisError

MAX_PLAYED_BARS: Final = 20_000
MAX_TIMES: Final = 16
"""How often a passage is played at most, whatever its repeat sign says."""


@dataclass(frozen=True)
class Bar:
    """What a written bar says about where playing goes on.

    forward: a repeat begins here. times: the passage that ends here is played so often, 0 without a repeat sign. jump:
    after this bar to the start (`capo`) or to the `segno`. fine, to_coda: after the jump playing ends after this bar, or
    goes on at the `coda`.
    """

    forward: bool = False
    times: int = 0
    segno: bool = False
    coda: bool = False
    to_coda: bool = False
    fine: bool = False
    jump: Literal["", "capo", "segno"] = ""


@dataclass(frozen=True)
class Ending:
    """Bars, first to last, that are played only in some passes (1, 2, …) through the passage."""

    first: int
    last: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class _Place:
    """A bar within an ending: the passes that play it, how many there are, which one is taken after a jump."""

    passes: tuple[int, ...]
    count: int
    after_jump: int
    returns: bool
    """A passage ends with it that is played again, though no sign says so."""
    leaves: bool
    """The bar after it is in no ending."""


def play_order(bars: Sequence[Bar], endings: Sequence[Ending] = ()) -> list[int]:
    """The numbers of the bars, from 0, in the order in which they sound.

    As players do it: after D.C. or D.S. repeats aren't taken, and of endings the one with the Fine is played, or else the
    last. A jump is taken once. Raises PianalysisError for more than `MAX_PLAYED_BARS`.

    >>> play_order([Bar(), Bar(times=2), Bar()], [Ending(1, 1, (1,)), Ending(2, 2, (2,))])
    [0, 1, 0, 2]
    >>> play_order([Bar(), Bar(fine=True), Bar(jump="capo")])
    [0, 1, 2, 0, 1]
    """
    places = _places(bars, endings)
    codas = [at for at, bar in enumerate(bars) if bar.coda]
    order: list[int] = []
    at, start, turn, jumped = 0, 0, 1, False
    while at < len(bars):
        bar, place = bars[at], places.get(at)
        if bar.forward and at != start:
            start, turn = at, 1
        if place and (place.after_jump if jumped else turn) not in place.passes:
            at += 1
            continue
        if len(order) >= MAX_PLAYED_BARS:
            raise PianalysisError(f"with its repeats the score has more than {MAX_PLAYED_BARS:,} bars")
        order.append(at)
        if jumped and bar.fine:
            break
        if jumped and bar.to_coda and codas and codas[-1] > at:
            at = next(coda for coda in codas if coda > at)
        elif not jumped and _returns(bar, place) and turn < min(place.count if place else bar.times, MAX_TIMES):
            at, turn = start, turn + 1
        elif not jumped and bar.jump:
            at, jumped = _target(bars, at), True
        else:
            at += 1
            if place.leaves if place else bar.times:
                start, turn = at, 1
    return order


def _returns(bar: Bar, place: _Place | None) -> bool:
    return bool(bar.times or (place and place.returns))


def _target(bars: Sequence[Bar], at: int) -> int:
    """Where a jump leads: the start, or the nearest segno before it."""
    if bars[at].jump == "segno":
        return next((place for place in range(at, -1, -1) if bars[place].segno), 0)
    return 0


def _places(bars: Sequence[Bar], endings: Sequence[Ending]) -> dict[int, _Place]:
    """The bars that are in endings. All but the last go back even without a sign; one alone, without a sign, is none."""
    places: dict[int, _Place] = {}
    for group in _groups(bars, endings):
        inside = [at for ending in group for at in range(ending.first, ending.last + 1)]
        signs = any(bars[at].times or bars[at].jump for at in inside)
        if not signs and len(group) == 1:
            continue
        numbers = _plain(ending.numbers for ending in group)
        count = max(max(passes) for passes in numbers)
        if len(group) == 1:
            count = max(count, *(bars[at].times for at in inside))
        fine = [passes[0] for ending, passes in zip(group, numbers, strict=True) if _has_fine(bars, ending)]
        for ending, passes in zip(group, numbers, strict=True):
            for at in range(ending.first, ending.last + 1):
                returns = at == ending.last and ending is not group[-1] and not bars[at].jump
                places[at] = _Place(passes, count, fine[0] if fine else count, returns, at == inside[-1])
    return places


def _has_fine(bars: Sequence[Bar], ending: Ending) -> bool:
    return any(bars[at].fine for at in range(ending.first, ending.last + 1))


def _groups(bars: Sequence[Bar], endings: Sequence[Ending]) -> list[list[Ending]]:
    """Endings that follow one another. One that is closed before the repeat sign it ends with is carried on to it."""
    rows = sorted(endings, key=lambda ending: ending.first)
    carried = []
    for ending, following in pairwise([*rows, Ending(len(bars) + 1, len(bars) + 1, ())]):
        between = range(ending.last, following.first - 1)
        to_sign = (
            following.first <= len(bars)
            and bars[following.first - 1].times
            and not set(ending.numbers) & set(following.numbers)
        )
        if to_sign and not any(bars[at].times or bars[at + 1].forward for at in between):
            ending = Ending(ending.first, following.first - 1, ending.numbers)
        carried.append(ending)
    groups: list[list[Ending]] = []
    for ending in carried:
        if groups and groups[-1][-1].last + 1 >= ending.first:
            groups[-1].append(ending)
        else:
            groups.append([ending])
    return groups


def _plain(numbers: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Endings' numbers as 1, 2, …, which people write carelessly: 1 and 3 where there are two, or 2 and 2.

    >>> _plain([(1,), (3,)]), _plain([(2,), (2,)]), _plain([(1, 3), (2, 4)])
    ([(1,), (2,)], [(1,), (2,)], [(1, 3), (2, 4)])
    """
    rows = list(numbers)
    stated = [number for row in rows for number in row]
    if len(set(stated)) < len(stated) or not all(rows):
        return [(index,) for index in range(1, len(rows) + 1)]
    rank = {number: index for index, number in enumerate(sorted(stated), start=1)}
    return [tuple(sorted(rank[number] for number in row)) for row in rows]
