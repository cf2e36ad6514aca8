"""What human accompaniments look like to `pianalysis.ranking`: the means and spreads that it measures distances with.

    python scripts/fit_ranking.py --dataset data/pianalysis

Whole validation songs (the first 90 s of each), their human accompaniments: how much more surprising the bundled model, or
another, finds them than it expects to, their pitch consonance score (PCS) and their clash rate. Prints the lines of
`pianalysis.ranking.HUMAN`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import astuple, replace

import numpy as np
from tqdm import tqdm

from pianalysis.arranger import Arranger, Options
from pianalysis.evaluation.run import read_songs
from pianalysis.evaluation.songs import Song
from pianalysis.notes import PianalysisError
from pianalysis.pieces import finish, prepare, to_the_models_key
from pianalysis.ranking import Look, look


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--model", metavar="DIR_OR_ID", help="default: the bundled checkpoint")
    parser.add_argument("--seconds", type=float, default=90.0, metavar="S", help="of each song, in whole bars")
    args = parser.parse_args(argv)
    try:
        arranger = Arranger.from_pretrained(args.model)
        for songs in read_songs(args.dataset, "validation", args.seconds).values():
            looks = [astuple(look_at(arranger, song)) for song in tqdm(songs, desc=songs[0].corpus)]
            mean, spread = (Look(*map(digits, of(looks, axis=0).tolist())) for of in (np.nanmean, np.nanstd))
            print(f'    "{songs[0].style}": ({as_written(mean)}, {as_written(spread)}),', flush=True)
    except (PianalysisError, OSError) as error:
        print(f"fit_ranking: error: {error}", file=sys.stderr)
        return 2
    return 0


def look_at(arranger: Arranger, song: Song) -> Look:
    """A song's human accompaniment, as one that the arranger had written."""
    source = prepare(song.score(), None, None)
    played = song.clock.notes_to_real(song.accompaniment)
    if arranger.normalises_key:
        source = to_the_models_key(source)
    return look(arranger.engine, replace(finish(source, played), options=Options(style=song.style)))


def digits(value: float) -> float:
    return round(value, 3)


def as_written(seen: Look) -> str:
    return f"Look({', '.join(map(str, astuple(seen)))})"


if __name__ == "__main__":
    raise SystemExit(main())
