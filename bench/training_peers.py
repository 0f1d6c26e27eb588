"""The same work for other libraries -> a loss after training, for the clock and for a check."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from training_work import Work

__all__ = ["JAX_NETWORKS", "jax_trainer", "sklearn_trainer", "torch_trainer"]

Values = npt.NDArray[np.float64]
Trainer = Callable[[], float]  # trains from the start, gives the training loss afterwards

#: Equal networks that JAX trains at a time, which is what makes it fast.
JAX_NETWORKS = 32


def sklearn_trainer(work: Work, X: Values, y: Values) -> Trainer:
    """Its regressor on one thread."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor
    from threadpoolctl import threadpool_limits

    X32, y32 = X.astype(np.float32), y.astype(np.float32)

    def train() -> float:
        model = MLPRegressor(
            hidden_layer_sizes=work.hidden,
            alpha=0.0,
            batch_size=work.batch_size,
            learning_rate_init=work.learning_rate,
            max_iter=work.epochs,
            tol=0.0,
            n_iter_no_change=work.epochs,
            random_state=0,
        )
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X32, y32)
        return float(np.mean((model.predict(X32) - y32) ** 2))

    return train


def torch_trainer(work: Work, X: Values, y: Values) -> Trainer | None:
    """A plain loop with the fused Adam on one thread; None without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    torch.set_num_threads(1)
    rows = torch.tensor(X, dtype=torch.float32)
    target = torch.tensor(y, dtype=torch.float32)[:, None]

    def train() -> float:
        torch.manual_seed(0)
        layers: list[Any] = []
        fan_in = rows.shape[1]
        for width in work.hidden:
            layers += [torch.nn.Linear(fan_in, width), torch.nn.ReLU()]
            fan_in = width
        model = torch.nn.Sequential(*layers, torch.nn.Linear(fan_in, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=work.learning_rate, fused=True)
        for _ in range(work.epochs):
            order = torch.randperm(len(rows))
            for first in range(0, len(rows), work.batch_size):
                batch = order[first : first + work.batch_size]
                optimizer.zero_grad(set_to_none=True)
                loss = torch.nn.functional.mse_loss(model(rows[batch]), target[batch])
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            return float(torch.nn.functional.mse_loss(model(rows), target))

    return train


def jax_trainer(work: Work, X: Values, y: Values) -> Trainer | None:
    """`JAX_NETWORKS` equal networks under vmap, one compiled scan an epoch; None without JAX.

    The first call compiles; call it once before timing.
    """
    if importlib.util.find_spec("jax") is None:
        return None
    import jax
    import jax.numpy as jnp

    rows, target = jnp.asarray(X, jnp.float32), jnp.asarray(y, jnp.float32)
    n_steps = len(X) // work.batch_size  # whole batches only, as a scan needs equal shapes
    sizes = [X.shape[1], *work.hidden, 1]

    def epoch(state: Any, key: Any, number: Any) -> Any:
        order = jax.random.permutation(key, len(X))[: n_steps * work.batch_size]
        order = order.reshape(n_steps, work.batch_size)

        def step(state: Any, batch: Any) -> Any:
            at, picked = batch
            gradient = jax.grad(_jax_loss)(state[0], rows[picked], target[picked])
            return _jax_adam(state, gradient, number * n_steps + at + 1.0, work), None

        return jax.lax.scan(step, state, (jnp.arange(n_steps), order))[0]

    begin_all = jax.jit(jax.vmap(lambda key: _jax_begin(key, sizes)))
    epoch_all = jax.jit(jax.vmap(epoch, in_axes=(0, 0, None)), donate_argnums=0)
    loss_all = jax.jit(jax.vmap(lambda weights: _jax_loss(weights, rows, target)))

    def train() -> float:
        state = begin_all(jax.random.split(jax.random.key(0), JAX_NETWORKS))
        for number in range(work.epochs):
            keys = jax.random.split(jax.random.key(number + 1), JAX_NETWORKS)
            state = epoch_all(state, keys, float(number))
        jax.block_until_ready(state)
        return float(jnp.mean(loss_all(state[0])))

    return train


def _jax_begin(key: Any, sizes: list[int]) -> Any:
    """Give He's weights, and zeros for both moments."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(key, len(sizes) - 1)
    weights = [
        (jax.random.normal(k, (a, b)) * np.sqrt(2.0 / a), jnp.zeros(b))
        for k, a, b in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]
    first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    return weights, first, second


def _jax_loss(weights: Any, batch: Any, wanted: Any) -> Any:
    import jax
    import jax.numpy as jnp

    for W, b in weights[:-1]:
        batch = jax.nn.relu(batch @ W + b)
    W, b = weights[-1]
    return jnp.mean(((batch @ W + b)[:, 0] - wanted) ** 2)


def _jax_adam(state: Any, gradient: Any, t: Any, work: Work) -> Any:
    import jax
    import jax.numpy as jnp

    weights, first, second = state
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
    rate = work.learning_rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    weights = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8), weights, first, second
    )
    return weights, first, second
