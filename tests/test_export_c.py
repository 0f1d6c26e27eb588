"""C99 and C arrays of models: the compiler takes them without a warning, and they predict alike."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from random_models import ACTIVATIONS, TEXTS, a_column, a_model, some_rows, tolerance

from automs._core import Encoder, write_model
from automs.export.c99 import c99_source
from automs.export.c_text import array, check_identifier, comment_text, text_literal
from automs.export.model import read_model
from automs.predictor import Predictor

COMPILER = shutil.which("gcc") or shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")

ROOT = Path(__file__).resolve().parents[1]
MAIN_CPP = """
#include <cstdio>
#include <cstdlib>
#include "automs/predictor.hpp"
#include "model.h"
int main(int, char** arguments) {
  automs::Predictor predictor;
  if (automs::Predictor::load(automs_model, automs_model_size, predictor) != automs::Status::ok)
    return 1;
  automs::Predictor::Workspace workspace(predictor);
  double row[64], value;
  for (std::size_t j = 0; j < predictor.n_columns(); ++j) row[j] = std::atof(arguments[j + 1]);
  predictor.predict(row, &value, workspace);
  std::printf("%.17g", value);
}
"""

MODELS = [
    a_model(seed, task, n_outputs, ACTIVATIONS[seed % 10], link)
    for seed, (task, n_outputs, link) in enumerate(
        [
            ("regression", 1, "identity"),
            ("binary", 1, None),
            ("multiclass", 3, None),
            ("regression", 3, "exp"),
            ("regression", 1, "sigmoid"),
            ("multiclass", 2, None),
        ]
        * 3
    )
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """All models in one file, which shows that no two of them share a name."""
    folder = tmp_path_factory.mktemp("c99")
    sources = []
    for i, model in enumerate(MODELS):
        path = folder / f"model_{i}.c"
        Predictor(write_model(model)).export_c(path, f"model_{i}")
        sources.append(path.read_text("ascii"))
    (folder / "all.c").write_text("\n".join(sources))
    return compiled(folder / "all.c")


def compiled(source):
    library = source.with_suffix(".so")
    command = [COMPILER, *STRICT, "-Wmissing-prototypes", "-O1", "-shared", "-fPIC"]
    subprocess.run([*command, str(source), "-o", str(library), "-lm"], check=True)
    return ctypes.CDLL(str(library))


def predict_by(function, X, n_outputs):
    out = np.full((len(X), n_outputs), np.nan)
    for row, values in zip(X, out, strict=True):
        function(ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(values.ctypes.data))
    return out


def expected(model, X):
    predictor = Predictor(write_model(model))
    values = predictor.predict(X) if model["task"] == "regression" else predictor.predict_proba(X)
    return values.reshape(len(X), -1)


@needs_compiler
@pytest.mark.parametrize("i", range(len(MODELS)))
def test_the_function_equals_the_predictor(library, i):
    model = MODELS[i]
    X = some_rows(model, 600, seed=i)
    wanted = expected(model, X)
    found = predict_by(library[f"model_{i}"], X, wanted.shape[1])
    assert np.all(np.abs(found - wanted) <= tolerance(model, X, wanted))


@needs_compiler
def test_every_day_of_400_years_has_its_share(tmp_path):
    model = a_model(0)
    source = c99_source(read_model(write_model(model)))
    path = tmp_path / "days.c"
    probe = "void share(double day, double *out);\nvoid share(double day, double *out) {\n"
    path.write_text(f"{source}\n{probe}  *out = automs_model_share_of_year(day, 0.0);\n}}\n")
    share = compiled(path).share
    share.argtypes = [ctypes.c_double, ctypes.c_void_p]
    out = ctypes.c_double()
    for day in range(-719528, 719528, 173):
        share(float(day), ctypes.addressof(out))
        date = np.datetime64(day, "D")
        year = date.astype("datetime64[Y]")
        start, end = year.astype("datetime64[D]"), (year + 1).astype("datetime64[D]")
        assert out.value == (date - start) / (end - start)


@needs_compiler
def test_texts_of_categories_have_their_codes(library):
    for i, model in enumerate(MODELS):
        code_of = library[f"model_{i}_category_code"]
        code_of.restype, code_of.argtypes = ctypes.c_double, [ctypes.c_ulong, ctypes.c_char_p]
        for j, column in enumerate(model["columns"]):
            categories = column["categories"]
            for text in (*TEXTS, "nothing", "cafe"):
                code = categories.index(text) if text in categories else -1
                assert code_of(j, text.encode()) == code
        assert code_of(len(model["columns"]), b"1") == -1.0


@needs_compiler
def test_odd_texts_and_names_cannot_break_the_file(tmp_path):
    odd = ["a\0b", "x" * 5000, "*/", "§", "NAME", "??/", "\\", "line\r\nline", "é1", "%s"]
    model = {
        "task": "multiclass", "n_columns": 2, "column_names": ["*/ §", "NAME ??/\\"],
        "columns": [a_column(np.random.default_rng(0), "numeric"),
                    {"kind": "categorical", "ordered": False, "categories": odd}],
        "class_kind": "string", "classes": odd[2:5], "metadata": "{}",
        "encoders": [Encoder(2, [{"kind": "indicator", "column": 1}])],
        "networks": [{
            "encoder": 0, "weight": 1.0, "layer_sizes": [1, 3], "activation": "identity",
            "residual": False, "link": "softmax", "weights": [np.ones((1, 3))],
            "biases": [np.zeros(3)], "output_centre": np.zeros(3), "output_scale": np.ones(3),
        }],
    }  # fmt: skip
    path = tmp_path / "odd.c"
    Predictor(write_model(model)).export_c(path)
    code_of = compiled(path).automs_model_category_code
    code_of.restype, code_of.argtypes = ctypes.c_double, [ctypes.c_ulong, ctypes.c_char_p]
    for code, text in enumerate(odd):
        known = -1.0 if text == "x" * 5000 or "\0" in text else code
        assert code_of(1, text.encode()) == known
    assert code_of(1, b"a") == -1.0


@pytest.mark.parametrize(
    "name", ["", "1a", "a-b", "é", "int", "_a", "a\n", "a" * 101, None, "class"]
)
def test_a_name_that_c_does_not_take_is_refused(tmp_path, name):
    predictor = Predictor(write_model(MODELS[0]))
    for export in (predictor.export_c, predictor.export_array):
        with pytest.raises(ValueError, match="name must be a C identifier"):
            export(tmp_path / "file", name)
    assert not list(tmp_path.iterdir())


def test_numbers_stand_in_the_source_exactly():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, size=2000, dtype=np.uint64).astype(np.uint32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)]
    body = array("float", "x", values).partition("{")[2].partition("}")[0]
    literals = [literal.strip() for literal in body.split(",")]
    assert all(literal.endswith("f") for literal in literals)
    back = np.array([np.float32(literal[:-1]) for literal in literals])
    np.testing.assert_array_equal(back.view(np.uint32), values.view(np.uint32))


def test_texts_are_escaped():
    assert text_literal('a"?\\é1') == '"a\\042\\077\\134\\303\\2511"'
    assert text_literal("a\0b") is None
    assert "*" not in comment_text("*/")
    assert check_identifier("a_1") == "a_1"


@needs_compiler
def test_the_array_holds_the_bytes_of_the_file(tmp_path):
    data = write_model(MODELS[0])
    Predictor(data).export_array(tmp_path / "model.h", "model_x")
    source = tmp_path / "main.c"
    source.write_text(
        '#include <stdio.h>\n#include "model.h"\n'
        "int main(void) { return fwrite(model_x, 1, model_x_size, stdout) != model_x_size; }\n"
    )
    program = tmp_path / "main"
    subprocess.run([COMPILER, *STRICT, str(source), "-o", str(program)], check=True)
    assert subprocess.run([program], check=True, capture_output=True).stdout == data


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler")
def test_the_predictor_for_cpp_loads_the_array(tmp_path):
    model = MODELS[0]
    predictor = Predictor(write_model(model))
    predictor.export_array(tmp_path / "model.h")
    source = tmp_path / "main.cpp"
    source.write_text(MAIN_CPP)
    program = tmp_path / "main"
    command = ["g++", "-std=c++17", "-I", str(ROOT / "cpp" / "predictor"), str(source)]
    subprocess.run([*command, "-o", str(program)], check=True)
    row = [f"{value!r}" for value in some_rows(model, 1)[0].tolist()]
    printed = subprocess.run([program, *row], check=True, capture_output=True).stdout
    wanted = predictor.predict(some_rows(model, 1))[0]
    assert float(printed) == pytest.approx(wanted, rel=1e-5)
