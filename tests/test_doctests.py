"""The examples of every module's docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import automs

#: Compiled modules, which have no docstrings of ours, and the one that runs when it is imported.
WITHOUT_EXAMPLES = ("automs._core_", "automs._cpu_level", "automs.__main__")

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(automs.__path__, "automs.")
    if not module.name.startswith(WITHOUT_EXAMPLES)
)


@pytest.mark.parametrize("name", ["automs", *MODULES])
def test_the_examples_of_a_module_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples failed"


def test_no_module_was_left_out():
    files = {"automs.cli", "automs.estimators", "automs.strategies.halving", "automs.target"}
    assert files < set(MODULES)


#: Exceptions are shown where they are raised, results by the function that makes them.
SHOWN_ELSEWHERE = {
    "AutomsWarning", "BaselineWarning", "MemoryLimitError", "ModelFileError", "SearchWarning",
    "TrainedCandidate", "TrainedColumns",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(automs.__all__) - SHOWN_ELSEWHERE))
def test_every_public_class_and_function_has_an_example(name):
    thing = getattr(automs, name)
    assert doctest.DocTestFinder(recurse=False).find(thing, name)[0].examples
