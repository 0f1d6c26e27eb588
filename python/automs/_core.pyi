from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Parts = list[npt.NDArray[np.float32]]
_Binned = tuple[npt.NDArray[np.uint16], npt.NDArray[Any], Sequence[tuple[int, int, bool]]]

cpu_level: str
vector_bytes: int

class _Bound(type): ...

class Encoder(metaclass=_Bound):
    def __init__(self, n_columns: int, parts: Sequence[dict[str, Any]]) -> None: ...
    @property
    def n_columns(self) -> int: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_scaled(self) -> int: ...
    @property
    def n_embedded(self) -> int: ...
    @property
    def embedding_rows(self) -> list[int]: ...
    @property
    def parts(self) -> list[dict[str, Any]]: ...
    def encode(
        self, X: _Floats, n_threads: int = 1
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]: ...
    @property
    def binned(self) -> list[tuple[int, int, bool]]: ...
    def encode_compact(
        self, X: _Floats, n_threads: int = 1
    ) -> tuple[
        npt.NDArray[np.float32],
        npt.NDArray[np.int32],
        npt.NDArray[np.uint16],
        npt.NDArray[np.float32],
    ]: ...

class Predictor(metaclass=_Bound):
    def __init__(self, data: bytes) -> None: ...
    @property
    def n_columns(self) -> int: ...
    @property
    def n_outputs(self) -> int: ...
    @property
    def n_networks(self) -> int: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def task(self) -> str: ...
    @property
    def column_names(self) -> list[str] | None: ...
    @property
    def columns(self) -> list[dict[str, Any]]: ...
    @property
    def target_names(self) -> list[str] | None: ...
    @property
    def classes(self) -> Any: ...
    @property
    def label_factors(self) -> _Floats | None: ...
    @property
    def metadata(self) -> str: ...
    def predict_rows(self, X: npt.NDArray[Any], n_threads: int = 1) -> _Floats: ...
    def predict_one(self, row: Any) -> _Floats: ...
    def predict_value(self, row: Any) -> float: ...
    def predict_class(self, row: Any) -> int: ...
    def fast_calls(
        self,
        labels: tuple[Any, ...] | None,
        one: Callable[[Any], Any],
        rows: Callable[..., Any],
        into: Callable[..., None],
    ) -> tuple[Callable[[Any], Any], Callable[..., Any], Callable[..., None]]: ...
    def to_bytes(self) -> bytes: ...

class TrainJobs(metaclass=_Bound):
    def __init__(self) -> None: ...
    def add_view(
        self,
        task: str,
        n_logits: int,
        X: npt.NDArray[np.float32],
        y: _Floats,
        row_weights: _Floats | None,
        train_rows: npt.NDArray[np.int32],
        validation_rows: npt.NDArray[np.int32],
        output_centre: _Floats,
        output_scale: _Floats,
        codes: npt.NDArray[np.int32] | None = None,
        embedding_rows: Sequence[int] = (),
        bins: npt.NDArray[np.uint16] | None = None,
        fractions: npt.NDArray[np.float32] | None = None,
        binned: Sequence[tuple[int, int, bool]] = (),
        n_periodic: int = 0,
        logs: tuple[npt.NDArray[np.float32], _Floats, _Floats, _Floats] | None = None,
    ) -> int: ...
    def put_away(self, view: int) -> None: ...
    def bring_back(
        self,
        view: int,
        X: npt.NDArray[np.float32],
        codes: npt.NDArray[np.int32] | None = None,
        bins: npt.NDArray[np.uint16] | None = None,
        fractions: npt.NDArray[np.float32] | None = None,
    ) -> None: ...
    def add_candidates(self, columns: dict[str, npt.NDArray[Any]]) -> int: ...
    def add_jobs(self, candidates: npt.NDArray[np.int64], views: npt.NDArray[np.int64]) -> int: ...
    def run(
        self,
        jobs: npt.NDArray[np.int64],
        until_epochs: npt.NDArray[np.int32],
        n_threads: int,
        metric: str | None = None,
        time_limit: float | None = None,
        look: Callable[[], bool] | None = None,
    ) -> None: ...
    def summary(self, jobs: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]: ...
    def curves(self, job: int) -> dict[str, _Floats]: ...
    def weights(self, job: int, member: int = 0) -> tuple[_Parts, _Parts, _Parts, _Parts]: ...
    def periodic(self, job: int) -> dict[str, npt.NDArray[np.float32]] | None: ...
    def validation_predictions(
        self, jobs: npt.NDArray[np.int64], n_threads: int
    ) -> list[_Floats]: ...
    def export_state(self, job: int) -> dict[str, Any]: ...
    def import_state(self, job: int, state: dict[str, Any]) -> None: ...
    def set_weights(
        self,
        job: int,
        weights: npt.NDArray[np.float32],
        seconds: float,
        metric: str | None = None,
    ) -> None: ...
    def n_values(self, job: int) -> int: ...
    def settle(self, jobs: npt.NDArray[np.int64]) -> None: ...
    def release(self, jobs: npt.NDArray[np.int64]) -> None: ...
    def restart(self, jobs: npt.NDArray[np.int64]) -> None: ...

def score(
    metric: str,
    predictions: _Floats,
    y: _Floats,
    weights: _Floats | None = None,
    quantile: float = 0.5,
) -> float: ...
def greedy_ensemble(
    predictions: Sequence[_Floats],
    y: _Floats,
    weights: _Floats | None,
    metric: str,
    max_steps: int,
    n_threads: int,
    quantile: float = 0.5,
    deadline_seconds: float | None = None,
    look: Callable[[], bool] | None = None,
) -> tuple[_Floats, float, int]: ...
def ridge_path(
    X: npt.NDArray[Any],
    y: _Floats,
    alphas: _Floats,
    weights: _Floats | None = None,
    time_limit: float | None = None,
    look: Callable[[], bool] | None = None,
    numbers: npt.NDArray[np.int32] | None = None,
    binned: _Binned | None = None,
) -> tuple[_Floats, _Floats]: ...
def logistic_path(
    X: npt.NDArray[Any],
    classes: npt.NDArray[np.int32],
    n_classes: int,
    penalties: _Floats,
    l1_penalties: _Floats,
    weights: _Floats | None = None,
    max_iterations: int = 1000,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
    look: Callable[[], bool] | None = None,
    numbers: npt.NDArray[np.int32] | None = None,
    binned: _Binned | None = None,
) -> tuple[_Floats, _Floats, npt.NDArray[np.bool_], npt.NDArray[np.int32], bool]: ...
def elastic_net_path(
    X: npt.NDArray[Any],
    y: _Floats,
    penalties: _Floats,
    l1_penalties: _Floats,
    weights: _Floats | None = None,
    max_iterations: int = 1000,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
    look: Callable[[], bool] | None = None,
    numbers: npt.NDArray[np.int32] | None = None,
    binned: _Binned | None = None,
) -> tuple[_Floats, _Floats, npt.NDArray[np.bool_], npt.NDArray[np.int32], bool]: ...
def write_model(model: dict[str, Any]) -> bytes: ...
