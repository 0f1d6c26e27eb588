"""Programs that embed a model, built from what is installed, predict what the package predicts."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import automs
from automs._core import Predictor as CorePredictor
from automs.predictor import load_predictor

ROOT = Path(__file__).resolve().parents[1]
PREDICTOR = ROOT / "cpp" / "predictor"
PROGRAM = ROOT / "tests" / "embed" / "cpp" / "main.cpp"
MODELS = sorted((ROOT / "tests" / "data" / "models").glob("v*/*.model"))
STRICT = ("-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti")
COMPILERS = [name for name in ("g++", "clang++") if shutil.which(name)]
CROSS_COMPILER = "aarch64-linux-gnu-g++"
EMULATOR = "qemu-aarch64-static"

pytestmark = [
    pytest.mark.skipif(not COMPILERS, reason="needs g++ or clang++"),
    pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake"),
]


def run(*command, stdin=None):
    """Run a program to its end and give what it printed; what it complains of fails the test."""
    # The package's own CMake settings (of a build of a wheel, for example) are not a consumer's.
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("CMAKE_", "SKBUILD"))}
    done = subprocess.run(
        [str(word) for word in command], input=stdin,
        env=plain, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cmake_build(source, build, *settings):
    run(
        "cmake",
        "-S",
        source,
        "-B",
        build,
        "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS=-Werror",
        *settings,
    )
    run("cmake", "--build", build)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """An installed predictor: headers, C library and CMake package, without Python or Eigen."""
    folder = tmp_path_factory.mktemp("installed")
    settings = ("-DAUTOMS_CORE=OFF", f"-DCMAKE_INSTALL_PREFIX={folder / 'prefix'}")
    cmake_build(ROOT, folder / "build", *settings)
    run("cmake", "--install", folder / "build")
    return folder / "prefix"


def expected_values(model):
    """The golden file's rows, and what the package predicts for them."""
    X = np.load(model.with_suffix(".npz"))["X"]
    predictor = load_predictor(model)
    values = predictor.predict if predictor.task == "regression" else predictor.predict_proba
    return X, values(X).reshape(len(X), -1)


def as_lines(X):
    return "".join(" ".join(float(x).hex() for x in row) + "\n" for row in X)


def read_values(lines):
    return np.array([[float.fromhex(word) for word in line.split()] for line in lines])


def assert_predicts(program, model):
    X, expected = expected_values(model)
    lines = run(*program, model, stdin=as_lines(X)).splitlines()
    values = read_values(lines[: len(X)])
    # Other instructions round float32 sums differently.
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
    return lines[len(X) :]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Compile the program against headers in a folder, once for each folder and compiler."""

    @functools.cache
    def compile_program(compiler, include, *flags):
        program = tmp_path_factory.mktemp("compiled") / "program"
        run(compiler, *STRICT, *flags, f"-I{include}", PROGRAM, "-o", program)
        return program

    return compile_program


def test_a_cpp_project_finds_the_package(prefix, tmp_path):
    cmake_build(ROOT / "tests" / "embed" / "cpp", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")
    for model in MODELS:
        assert_predicts([tmp_path / "consumer"], model)


def model_lines(model):
    """What the C consumer says of a model after the predictions."""
    core = CorePredictor(model.read_bytes())
    yield f"version {project_version()}"
    yield f"task {['regression', 'binary', 'multiclass'].index(core.task)}"
    names = core.column_names or [""] * core.n_columns
    for name, column in zip(names, core.columns, strict=True):
        yield f"kind {['numeric', 'categorical', 'date'].index(column['kind'])}"
        yield f"column {name}"
        yield from (f"category {text}" for text in column["categories"])
    kinds = {int: 1, float: 2, bool: 3, str: 4}
    classes = [] if core.classes is None else np.asarray(core.classes).tolist()
    yield f"classes {kinds[type(classes[0])] if classes else 0}"
    yield from (f"class {label}" for label in classes)
    if not classes:
        yield from (f"target {name}" for name in core.target_names or [""] * core.n_outputs)


def project_version():
    (line,) = [
        line for line in (ROOT / "pyproject.toml").read_text().splitlines()
        if line.startswith("version = ")
    ]  # fmt: skip
    return line.split('"')[1]


@pytest.mark.parametrize("library", ["shared", "static"])
def test_a_c_project_finds_the_package(prefix, tmp_path, library):
    if library == "static":
        settings = ("-DBUILD_SHARED_LIBS=OFF", f"-DCMAKE_INSTALL_PREFIX={tmp_path / 'prefix'}")
        cmake_build(PREDICTOR, tmp_path / "library", *settings)
        run("cmake", "--install", tmp_path / "library")
        prefix = tmp_path / "prefix"
    cmake_build(ROOT / "tests" / "embed" / "c", tmp_path / "c", f"-DCMAKE_PREFIX_PATH={prefix}")
    for model in MODELS:
        said = assert_predicts([tmp_path / "c" / "consumer"], model)
        assert said == list(model_lines(model))


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_single_header_stands_alone_and_gives_the_bits_of_the_many(prefix, compiled, compiler):
    single = prefix / "include" / "automs" / "predictor.hpp"
    assert '#include "automs/' not in single.read_text()
    one = compiled(compiler, prefix / "include")
    many = compiled(compiler, PREDICTOR)
    for model in MODELS:
        X, _ = expected_values(model)
        assert run(one, model, stdin=as_lines(X)) == run(many, model, stdin=as_lines(X))
        assert_predicts([one], model)


def test_the_package_gives_its_headers(compiled):
    include, package = Path(automs.get_include()), Path(automs.__file__).parent
    # A checkout has the many headers, and an installed package the single one.
    if not package.is_relative_to(ROOT / "python"):
        assert include == package / "include"
    for model in MODELS:
        assert_predicts([compiled(COMPILERS[0], include)], model)


def test_a_text_is_its_code_and_a_bad_file_a_message(prefix, compiled, tmp_path):
    program = compiled(COMPILERS[0], prefix / "include")
    (model,) = [m for m in MODELS if m.parent.name == "v2" and m.stem == "multiclass"]
    lines = run(program, model, stdin="0.5 red 1 1e9\n0.5 0 1 1e9\n0.5 größe 1 1e9\n").splitlines()
    assert lines[0] == lines[1] != lines[2]
    bad = tmp_path / "bad.model"
    bad.write_bytes(model.read_bytes()[:-1] + b"x")
    done = subprocess.run([program, bad], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "checksum" in done.stderr


@pytest.mark.skipif(
    not (shutil.which(CROSS_COMPILER) and shutil.which(EMULATOR)),
    reason=f"needs {CROSS_COMPILER} and {EMULATOR}",
)
def test_another_processor_predicts_the_same(prefix, compiled):
    program = compiled(CROSS_COMPILER, prefix / "include", "-static")
    for model in MODELS:
        assert_predicts([EMULATOR, program], model)


def test_the_python_build_installs_headers_and_no_library(tmp_path):
    settings = ("-DSKBUILD=ON", f"-DCMAKE_INSTALL_PREFIX={tmp_path / 'wheel'}")
    cmake_build(PREDICTOR, tmp_path / "build", *settings)
    run("cmake", "--install", tmp_path / "build")
    installed = {p.relative_to(tmp_path / "wheel") for p in (tmp_path / "wheel").rglob("*.*")}
    folder = Path("automs/include/automs")
    names = ("predictor.hpp", "mapped_file.hpp", "shared_predictor.hpp")
    assert installed == {folder / name for name in names}
