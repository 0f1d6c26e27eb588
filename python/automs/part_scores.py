"""A training and some of its candidates -> their scores on small parts of the validation rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automs.outcomes import Progress
from automs.scoring import score_predictions
from automs.splits import Split
from automs.training import Training

__all__ = ["n_disjoint", "part_scores"]

#: Parts of the validation rows of all folds together, at least.
_N_PARTS = 8


def n_disjoint(splits: Sequence[Split]) -> int:
    """Give how many of the first splits share no validation row: folds of a single draw.

    Examples
    --------
    >>> from automs.splits import make_splits
    >>> splits = make_splits("auto", 100, None, seed=0)
    >>> len(splits), n_disjoint(splits)
    (15, 5)
    """
    seen: set[int] = set()
    for number, split in enumerate(splits):
        rows = set(split.validation_rows.tolist())
        if not seen.isdisjoint(rows):
            return number
        seen |= rows
    return len(splits)


def part_scores(
    training: Training, candidates: Sequence[int], outcomes: Sequence[Progress]
) -> dict[int, tuple[float, ...]]:
    """Score candidates on parts of the validation rows, which tells how noisy a score is.

    Parameters
    ----------
    training : Training
    candidates : sequence of int
        Numbers.
    outcomes : sequence of Progress
        Of these candidates; those without a finite score are left out.

    Returns
    -------
    dict of int to tuple of float
        By number one score a part, NaN where the metric is undefined. Every fold is cut
        into the same number of parts, at least 8 in all where it has rows enough: every k-th row,
        so that sorted rows are spread evenly. Of folds that are drawn several times, those of the
        first draw are cut.
    """
    n_folds = n_disjoint(training.splits)
    n_parts = -(-_N_PARTS // n_folds)
    scored = [
        number
        for number, outcome in zip(candidates, outcomes, strict=True)
        if outcome.epoch > 0 and np.isfinite(outcome.score)
    ]
    scores = {}
    predictions = training.validation_predictions(scored)
    for candidate, folds in zip(scored, predictions, strict=True):
        quantile = training.candidates[candidate].quantile
        own = []
        for split, predicted in zip(training.splits[:n_folds], folds[:n_folds], strict=True):
            for part in range(min(n_parts, split.validation_rows.size)):
                rows = split.validation_rows[part::n_parts]
                weights = training.sample_weight
                own.append(
                    score_predictions(
                        training.metric,
                        np.ascontiguousarray(predicted[part::n_parts]),
                        training.target.values[rows],
                        None if weights is None else weights[rows],
                        quantile,
                    )
                )
        scores[candidate] = tuple(own)
    return scores
