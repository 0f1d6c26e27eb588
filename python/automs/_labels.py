"""Probabilities and factors of labels -> the label of each row: `LabelChoice`, a mixin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["LabelChoice"]

Values = npt.NDArray[np.float64]


class LabelChoice:
    """How a predictor chooses labels; `_factors` is what its model file says."""

    _factors: Values | None

    @property
    def label_factors(self) -> Values | None:
        """What multiplies each class's probability where a label is chosen; None: all alike."""
        return None if self._factors is None else self._factors.copy()

    def label_indices(self, probabilities: Values) -> npt.NDArray[np.intp]:
        """Choose the class of each row, as `predict` does.

        Parameters
        ----------
        probabilities : ndarray of shape (n_rows, n_classes), float64
            From `predict_proba`.

        Returns
        -------
        ndarray of shape (n_rows,)
            Places in `classes_`: of the greatest probability, where the model has `label_factors`
            times its label's factor. Those were chosen for the metric, on validation rows.
        """
        factors = self._factors
        weighed = probabilities if factors is None else probabilities * factors
        places: npt.NDArray[np.intp] = weighed.argmax(axis=1)
        return places
