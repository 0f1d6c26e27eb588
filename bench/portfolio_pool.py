"""Task and number of training rows -> candidates by name, from which a portfolio is chosen.

Names mean the same settings on every table, but for what the search itself derives from the task
and the number of rows: activation, batch size, epochs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from automs import Candidate
from automs.portfolio import hand_chosen
from automs.prior import automatic_batch_size, default_search_space, longest_epochs
from automs.recipes import realmlp_td, realmlp_td_s
from automs.search_space import SearchSpace

N_DRAWS = 64
SEED = 0
#: Draws are made for a table of so many rows; their batch sizes and epochs are shares of its own.
REFERENCE_ROWS = 4_000
LEAST_EPOCHS = 15  # of coslog4's cycles, the first takes a fifteenth

#: RealMLP's two forms: as they are, smaller, regularised, and with other learning rates.
RECIPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("s", {}),
    ("s", {"hidden_layer_sizes": (128, 128)}),
    ("s", {"hidden_layer_sizes": (128, 128), "encoding": "piecewise", "dropout": 0.15}),
    ("td", {}),
    ("td", {"hidden_layer_sizes": (128, 128)}),
    ("td", {"hidden_layer_sizes": (64, 64), "dropout": 0.3}),
    ("td", {"hidden_layer_sizes": (128, 128), "frequency_scale": 1.0}),
    ("td", {"hidden_layer_sizes": (128, 128), "dropout": 0.3, "weight_decay": 0.1}),
)


#: Networks that share a trunk: the hand-chosen ones and the recipes above with members.
MEMBERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("hand", {"hidden_layer_sizes": (128, 128), "encoding": "piecewise", "n_members": 8}),
    ("hand", {"hidden_layer_sizes": (128, 128), "encoding": "piecewise", "n_members": 4}),
    ("hand", {"hidden_layer_sizes": (128, 128, 128), "encoding": "quantile", "n_members": 8}),
    ("hand", {"hidden_layer_sizes": (128, 128), "learning_rate": 5e-3, "n_members": 8}),
    (
        "hand",
        {"encoding": "piecewise", "dropout": 0.3, "weight_decay": 0.1, "n_members": 8},
    ),
    ("hand", {"learning_rate": 5e-3, "dropout": 0.3, "weight_decay": 0.1, "n_members": 8}),
    ("hand", {"hidden_layer_sizes": (64,), "encoding": "piecewise", "n_members": 8}),
    ("s", {"hidden_layer_sizes": (128, 128), "encoding": "piecewise", "n_members": 8}),
    ("td", {"hidden_layer_sizes": (128, 128), "n_members": 8}),
    ("td", {"hidden_layer_sizes": (128, 128), "n_members": 4}),
    ("td", {"hidden_layer_sizes": (64, 64), "dropout": 0.3, "n_members": 8}),
)


def record_pool(scores: Path) -> None:
    """Write what the names mean beside a file of scores, and see that known ones still mean it.

    Without this, another default search space would give old scores to new candidates.
    """
    path = scores.with_suffix(".pool.json")
    now = pool_text()
    known = json.loads(path.read_text()) if path.exists() else {}
    if any(json.loads(now).get(name) != settings for name, settings in known.items()):
        raise SystemExit(f"{scores} was measured with other candidates, those of {path.name}")
    path.write_text(now)


def pool_text() -> str:
    """The pool as JSON, a line a candidate: what differs from the defaults of `Candidate`."""
    plain = Candidate().settings()
    lines = [
        f"{json.dumps(f'{kind} {name}')}: "
        + json.dumps({key: value for key, value in c.settings().items() if value != plain[key]})
        for kind, task in (("regression", "regression"), ("classification", "multiclass"))
        for name, c in pool(task, REFERENCE_ROWS).items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def default_epochs(n_rows: int) -> int:
    return max(longest_epochs(n_rows) // 2, LEAST_EPOCHS)


def pool(task: str, n_rows: int) -> dict[str, Candidate]:
    """The hand-chosen list (`hand00`), draws (`draw00`), recipes (`real00`), members (`tabm00`)."""
    named = {
        **_numbered("hand", _hand_chosen(task, n_rows)),
        **_numbered("draw", _draws(task, n_rows)),
        **_numbered("real", _recipes(task, n_rows)),
        **_numbered("tabm", _members(task, n_rows)),
    }
    return {name: replace(c, seed=seed) for seed, (name, c) in enumerate(named.items())}


def _numbered(family: str, candidates: list[Candidate]) -> dict[str, Candidate]:
    return {f"{family}{number:02d}": c for number, c in enumerate(candidates)}


def _hand_chosen(task: str, n_rows: int) -> list[Candidate]:
    own = {"batch_size": automatic_batch_size(n_rows), "epochs": default_epochs(n_rows)}
    return hand_chosen(task, REFERENCE_ROWS, **own)


def _draws(task: str, n_rows: int) -> list[Candidate]:
    from automs.draws import draw_candidates

    parts = default_search_space(task, REFERENCE_ROWS).parts
    # Variants of RealMLP-TD have names of their own.
    drawn = [part for part in parts if "scaling_layer" not in part[1]]
    space = SearchSpace.union(drawn).replace(n_members=1)
    batch = automatic_batch_size(n_rows) / automatic_batch_size(REFERENCE_ROWS)
    epochs = longest_epochs(n_rows) / longest_epochs(REFERENCE_ROWS)
    return [
        replace(
            drawn,
            batch_size=round(drawn.batch_size * batch),
            epochs=max(round(drawn.epochs * epochs), LEAST_EPOCHS),
        )
        for drawn in draw_candidates(space, N_DRAWS, SEED)
    ]


def _recipes(task: str, n_rows: int) -> list[Candidate]:
    return [_of_form(form, task, n_rows, settings) for form, settings in RECIPES]


def _members(task: str, n_rows: int) -> list[Candidate]:
    return [_of_form(form, task, n_rows, settings) for form, settings in MEMBERS]


def _of_form(form: str, task: str, n_rows: int, settings: dict[str, Any]) -> Candidate:
    """Without label smoothing, as probabilities are scored."""
    own = {
        "batch_size": automatic_batch_size(n_rows),
        "epochs": default_epochs(n_rows),
        "label_smoothing": 0.0,
    }
    if form != "hand":
        recipe = realmlp_td_s if form == "s" else realmlp_td
        return recipe(task, n_rows, **(own | settings))
    first = hand_chosen(task, REFERENCE_ROWS, **own)[0]
    plain = {"hidden_layer_sizes": (64, 64), "encoding": "robust", "scaling_lr_factor": 1.0}
    return replace(first, **(plain | settings))
