"""Fit the weights that choose among series of beats (`pianalysis.music.beat_choice.CHOICE_WEIGHTS`).

    python scripts/fit_beat_choice.py --dataset data/pianalysis
    python scripts/fit_beat_choice.py --dataset data/pianalysis --whole      # with accompaniments: WEIGHTS_WITH_OTHERS

Performances made from validation songs (as in scripts/measure_metre_reading.py; not of training songs, whose beats the network
knows too well): the beats of each band and division, and which of them are nearest to the true ones by F-measure. A conditional
logistic regression over their features is printed, to be copied into the module, with the F-measure that it reaches, fitted on
the other nine tenths of the songs, and that of the best choice.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from measure_metre_reading import f_measure, heard_beats, performed, songs  # its neighbour in scripts/
from scipy.optimize import minimize

from pianalysis.music.beat_choice import choice_features, others_of
from pianalysis.music.beat_hearing import bundled_beats
from pianalysis.music.notes import monophonic
from pianalysis.music.tracking import beat_candidates, distinct_onsets, heard_at

SHARPNESS, PENALTY = 12.0, 10.0
"""How much likelier a better candidate is to be the right one, per F-measure; the weight of squared weights."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR")
    parser.add_argument("--split", default="validation", metavar="NAME")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth song")
    parser.add_argument("--whole", action="store_true", help="melodies with their accompaniments")
    args = parser.parse_args(argv)
    found = []
    for number, song in enumerate(songs(args.dataset, args.split)):
        if number % args.every or (args.whole and not len(song.accompaniment)):
            continue
        played = performed(song, whole=args.whole)
        voice, others = monophonic(played.melody), others_of(played.melody, played.notes)
        onsets, true = distinct_onsets(played.notes), heard_beats(played.beats_ms, played.notes)
        if len(onsets) < 16 or len(true) < 8:
            continue
        heard = heard_at(bundled_beats().heard(played.notes), onsets)
        candidates = beat_candidates(onsets, heard=heard)
        values = np.array([f_measure(played, beats.times_ms) for beats in candidates])
        rows = np.stack([choice_features(onsets, voice, beats, heard, others) for beats in candidates])
        found.append((rows, values))
    chosen = []
    for part in range(10):
        weights = fitted([item for place, item in enumerate(found) if place % 10 != part])
        chosen += [values[(rows @ weights).argmax()] for rows, values in found[part::10]]
    print(
        f"{len(found)} songs, F-measure {np.mean(chosen):.3f} of {np.mean([values.max() for _, values in found]):.3f}"
    )
    print(tuple(fitted(found).round(2).tolist()))
    return 0


def fitted(found: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The weights of features, of (rows ``[candidates, features]``, F-measures) of each performance."""
    together = np.concatenate([rows for rows, _ in found])
    mean, spread = together.mean(axis=0), together.std(axis=0) + 1e-9
    wanted = [np.exp(SHARPNESS * (values - values.max())) for _, values in found]

    def cost(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = PENALTY / 2 * float(weights @ weights), PENALTY * weights
        for (rows, _), target in zip(found, wanted, strict=True):
            scaled = (rows - mean) / spread
            log = scaled @ weights
            chances = np.exp(log - log.max())
            chances /= chances.sum()
            share = target / target.sum()
            total -= float(share @ np.log(chances + 1e-12))
            slope = slope + scaled.T @ (chances - share)
        return total, slope

    best = minimize(cost, np.zeros(len(mean)), jac=True, method="L-BFGS-B").x
    return np.asarray(best / spread, np.float64)


if __name__ == "__main__":
    raise SystemExit(main())
