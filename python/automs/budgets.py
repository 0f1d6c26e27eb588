"""Candidates, networks and encoders -> what a model of them takes: microseconds a row and bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from automs.candidates import Candidate, as_single
from automs.encoding import Encoder
from automs.outcomes import FoldNetwork

__all__ = ["Cost", "CostModel", "Limits", "encoder_cost", "narrowed", "network_cost"]

# The nominal latency of one row, in nanoseconds: a core that does 50 operations and reads 160 bytes
# of weights in one, which is about what the predictor reaches with AVX2 from its caches.
NS_PER_CALL = 200.0
NS_PER_NETWORK = 30.0
NS_PER_FEATURE = 1.2
NS_PER_UNIT = 0.5
NS_PER_PERIODIC = 0.3  # number of a periodic embedding
FLOPS_PER_NS = 50.0
BYTES_PER_NS = 160.0

#: Of a member's name in the file, and of a longer number in place of a short one.
_NAME_BYTES = 24
_SCORE_BYTES = 32
#: Narrower than this, or more often narrowed, a network is left for a smaller encoding.
_LEAST_UNITS = 4
_NARROWER = 0.75

# Bytes of a part beyond its kind and column, and of each of its knots or codes (FORMAT.md).
_PART_BYTES = {
    "scaled": (17, 0), "indicator": (0, 0), "piecewise": (4, 8), "interpolated": (4, 16),
    "one_hot": (8, 4), "ordinal": (4, 8), "calendar": (1, 0), "embedded": (8, 4),
}  # fmt: skip
_PART_LISTS = ("knots", "slots", "rows", "values")  # the first that a part has counts its entries


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model, or a piece of one, takes: microseconds a row, and bytes of its file."""

    latency_us: float
    n_bytes: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.latency_us + other.latency_us, self.n_bytes + other.n_bytes)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model may take; infinite where it may take anything.

    Examples
    --------
    >>> Limits(latency_us=2.0).hold(Cost(latency_us=1.5, n_bytes=1e6))
    True
    >>> Limits(latency_us=2.0, n_bytes=1000.0).share(Cost(latency_us=1.5, n_bytes=500.0))
    0.75
    """

    latency_us: float = math.inf
    n_bytes: float = math.inf

    @property
    def are_set(self) -> bool:
        """Whether there is any."""
        return self != Limits()

    def hold(self, cost: Cost) -> bool:
        """Whether a model of this cost is within all of them."""
        return self.share(cost) <= 1.0

    def share(self, cost: Cost) -> float:
        """Give the largest share of a limit that the cost takes."""
        return max(cost.latency_us / self.latency_us, cost.n_bytes / self.n_bytes)

    def said(self, cost: Cost) -> str:
        """Give the limits that a cost breaks, with what it takes."""
        said = []
        if cost.latency_us > self.latency_us:
            said.append(f"{cost.latency_us:.3g} us a row, latency_limit is {self.latency_us:.3g}")
        if cost.n_bytes > self.n_bytes:
            said.append(f"{cost.n_bytes:.0f} bytes, size_limit is {self.n_bytes:.0f}")
        return " and ".join(said)


def encoder_cost(encoder: Encoder) -> Cost:
    """Give what one encoder adds to a model: 1.2 ns for each feature and code, and its bytes."""
    n_bytes = 4
    for part in encoder.parts:
        fixed, each = _PART_BYTES[part["kind"]]
        entries = next((len(part[name]) for name in _PART_LISTS if name in part), 0)
        n_bytes += 5 + fixed + each * entries
    n_values = encoder.n_features + len(encoder.embedding_rows)
    return Cost(1e-3 * NS_PER_FEATURE * n_values, n_bytes)


def network_cost(candidate: Candidate, encoder: Encoder, n_logits: int) -> Cost:
    """Give what one network adds to a model.

    Parameters
    ----------
    candidate : Candidate
        The network's settings, one of its members.
    encoder : Encoder
        What its inputs come from.
    n_logits : int

    Returns
    -------
    Cost
        Nominal latency: 30 ns, 0.5 ns for each unit, 2 operations for each weight at 50 a ns, and
        4 bytes for each weight, bias and value of a looked-up vector at 160 a ns; for each number
        of a periodic embedding 0.3 ns. Bytes as the format's specification counts them, and those
        of a name.
    """
    candidate = as_single(candidate)
    rows = encoder.embedding_rows
    n_scaled = encoder.n_scaled
    shapes = candidate.layer_shapes(encoder.n_features, n_logits, rows, n_scaled)
    weights = sum(n_in * n_out for n_in, n_out in shapes)
    units = sum(n_out for _, n_out in shapes)
    read = 4.0 * (weights + units + sum(size for _, size in candidate.table_shapes(rows)))
    ns = NS_PER_NETWORK + NS_PER_UNIT * units + 2.0 * weights / FLOPS_PER_NS + read / BYTES_PER_NS
    periodic = candidate.periodic_shapes(n_scaled)
    ns += NS_PER_PERIODIC * sum(map(math.prod, periodic))
    parameters = candidate.n_parameters(encoder.n_features, n_logits, rows, n_scaled)
    n_bytes = (
        19
        + 4 * len(periodic)
        + 4 * len(rows)
        + 4 * (len(shapes) + 1)
        + 4 * parameters
        + 16 * n_logits
    )
    return Cost(1e-3 * ns, n_bytes + _NAME_BYTES)


class CostModel:
    """What models of some networks take, before there are any, and without a clock.

    Parameters
    ----------
    first_bytes : int
        Of the file of any model of this table ...
    first : sequence of FoldNetwork
        ... and the networks in it.
    encoder_of : callable
        Candidate -> the encoder of its networks.
    n_logits : int

    Attributes
    ----------
    pace : float
        Latency on this machine over the nominal one; 1 where no decision may read a clock.
    """

    def __init__(
        self,
        first_bytes: int,
        first: Iterable[FoldNetwork],
        encoder_of: Callable[[Candidate], Encoder],
        n_logits: int,
    ) -> None:
        self.pace = 1.0
        self._encoder_of = encoder_of
        self._n_logits = n_logits
        self._base = Cost(1e-3 * NS_PER_CALL, first_bytes + _SCORE_BYTES + _NAME_BYTES)
        self._encoders: dict[int, tuple[Encoder, Cost]] = {}  # holds them, as ids are used again
        self._networks: dict[tuple[int, Candidate], Cost] = {}
        self._base = replace(
            self._base,
            n_bytes=2 * self._base.n_bytes - self.of_networks(first).n_bytes,
        )

    def of_candidates(self, candidates: Iterable[Candidate]) -> Cost:
        """Give the cost of a model with one network of each candidate, and of all its members."""
        return self._of([(c, self._encoder_of(c)) for c in candidates for _ in range(c.n_members)])

    def of_networks(self, networks: Iterable[FoldNetwork]) -> Cost:
        """Give the cost of a model of these networks."""
        return self._of([(n.candidate, n.encoder) for n in networks])

    def _of(self, networks: list[tuple[Candidate, Encoder]]) -> Cost:
        total = self._base
        for encoder in {id(encoder): encoder for _, encoder in networks}.values():
            if id(encoder) not in self._encoders:
                self._encoders[id(encoder)] = (encoder, encoder_cost(encoder))
            total += self._encoders[id(encoder)][1]
        for candidate, encoder in networks:
            key = (id(encoder), candidate)
            if key not in self._networks:
                self._networks[key] = network_cost(candidate, encoder, self._n_logits)
            total += self._networks[key]
        return replace(total, latency_us=self.pace * total.latency_us)


def narrowed(candidate: Candidate, fits: Callable[[Candidate], bool]) -> Candidate:
    """Give the candidate, or the widest of its narrower forms that fits.

    Of several members one is left where they do not fit together. All layers are narrowed alike, by
    a quarter at a time, to 4 units at the least; then the same in the standard encoding, which has
    the fewest features, without embeddings; then comes the linear model of that encoding.

    Examples
    --------
    >>> narrowed(Candidate((64, 32)), lambda c: sum(c.hidden_layer_sizes) < 50).hidden_layer_sizes
    (24, 12)
    """
    if candidate.n_members > 1 and not fits(candidate):
        candidate = as_single(candidate)
    small = replace(as_single(candidate), encoding="standard", embedding_size=0)
    for start in (candidate, small):
        for sizes in _narrower(start.hidden_layer_sizes):
            narrow = replace(start, hidden_layer_sizes=sizes)
            if fits(narrow):
                return narrow
    return replace(small, hidden_layer_sizes=())


def _narrower(sizes: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
    yield sizes
    shrink = 1.0
    while max(sizes, default=0) * shrink > _LEAST_UNITS:
        shrink *= _NARROWER
        units = np.floor(shrink * np.array(sizes) / _LEAST_UNITS) * _LEAST_UNITS
        yield tuple(
            int(max(n, min(_LEAST_UNITS, own))) for n, own in zip(units, sizes, strict=True)
        )
