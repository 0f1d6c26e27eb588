"""What importing automs costs, what prediction needs, the public names, and the CPU level."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import automs
from automs._core import cpu_level
from automs._cpu_level import supported_levels
from automs.candidates import ACTIVATIONS, Candidate
from automs.experiment import train_candidates

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("sklearn", "pandas", "polars", "pyarrow", "scipy", "rich", "narwhals", "joblib")


def run_python(code, **environment):
    """Run a program in a new interpreter that sees the same packages as this one."""
    paths = os.pathsep.join(path for path in sys.path if path)
    plain = {k: v for k, v in os.environ.items() if k != "AUTOMS_CPU_LEVEL"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=plain | {"PYTHONPATH": paths} | environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def json_of(code, **environment):
    done = run_python(code, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TOP_LEVEL = "import json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved ensemble of one network for each activation, and rows with missing values for it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = 10.0 + np.nansum(X, axis=1)
    nets = [Candidate((16, 16), activation=a, residual=True, seed=1) for a in ACTIVATIONS]
    folder = tmp_path_factory.mktemp("model")
    for result in train_candidates(nets, X, y, epochs=3, random_state=0):
        result.predictor().save(folder / f"{result.candidate.activation}.automs")
    np.save(folder / "X.npy", X)
    return folder


def test_importing_the_package_imports_nothing_heavy():
    loaded = set(json_of(f"import automs; {TOP_LEVEL}"))
    assert "automs" in loaded
    assert not loaded & set(HEAVY)
    assert "numpy" not in loaded


def test_loading_and_predicting_imports_numpy_alone(model):
    code = (
        "import sys; before = {m.split('.')[0] for m in sys.modules}\n"
        "from automs import load_predictor\n"
        f"predictor = load_predictor({str(model / 'relu.automs')!r})\n"
        "predictor.predict([[1.0, None, 2.0, 3.0, 4.0, 5.0]])\n"
        "predictor.predict_one([1.0, 2.0, 2.0, 3.0, 4.0, 5.0])\n"
        "import json; now = {m.split('.')[0] for m in sys.modules} - before\n"
        "print(json.dumps(sorted(now - set(sys.stdlib_module_names))))"
    )
    assert json_of(code) == ["automs", "numpy"]


def test_every_public_name_resolves_and_is_listed():
    for name in automs.__all__:
        assert getattr(automs, name).__module__.startswith("automs.")
        assert getattr(automs, name).__name__ == name
        assert getattr(automs, name).__doc__
    assert set(automs.__all__) < set(dir(automs))
    assert automs.__all__ == sorted(automs.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'automs' has no attribute 'AutoEverything'"):
        _ = automs.AutoEverything


def test_the_version_is_that_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert automs.__version__ == project["version"]


def test_an_unknown_cpu_level_is_an_import_error_that_names_the_levels():
    done = run_python("from automs import load_predictor", AUTOMS_CPU_LEVEL="nonsense")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: AUTOMS_CPU_LEVEL must be one of ")
    assert cpu_level in last.split("got")[0]
    assert last.endswith("got 'nonsense'")


PREDICT = """
import json, sys
from pathlib import Path
import numpy as np
from automs import load_predictor
from automs._core import cpu_level
folder = Path({folder!r})
X = np.load(folder / "X.npy")
models = sorted(folder.glob("*.automs"))
print(json.dumps([cpu_level, [load_predictor(m).predict(X).tolist() for m in models]]))
"""


@pytest.mark.parametrize("level", supported_levels())
def test_every_cpu_level_predicts_the_same_but_for_rounding(model, level):
    if level not in built_levels():
        pytest.skip(f"no module for CPU level {level} was built")
    used, predictions = json_of(PREDICT.format(folder=str(model)), AUTOMS_CPU_LEVEL=level)
    assert used == level
    X = np.load(model / "X.npy")
    for path, got in zip(sorted(model.glob("*.automs")), predictions, strict=True):
        # Sums of float32 products in another order, and fused or not: far below 1e-4 of a value.
        np.testing.assert_allclose(got, automs.load_predictor(path).predict(X), rtol=1e-4)


def built_levels():
    return [path.name.split(".")[0][6:] for path in Path(automs.__file__).parent.glob("_core_*")]


def test_the_best_level_that_was_built_is_the_default():
    best = next(level for level in supported_levels() if level in built_levels())
    code = "import json; from automs._core import cpu_level; print(json.dumps(cpu_level))"
    assert json_of(code) == best
    assert json_of(code, AUTOMS_CPU_LEVEL="") == best
