"""Imports go downward only, libraries stay where they belong, and files and functions short."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python" / "automs"

# Top to bottom; a module imports only from rows below its own. `strategies` includes its files.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("cli_commands", "cli_export"),
    ("cli_tables",),
    ("estimators", "experiment"),
    ("classifier",),
    ("_auto_estimator",),
    ("selectable",),
    ("fitting",),
    ("searched",),
    ("comparison", "rehearsal", "baseline_runs", "keeping", "within_limits"),
    ("fit_settings", "workshop", "distillation"),
    ("decision", "refitting"),
    ("board_rows",),
    ("kept_models",),
    ("finish", "progress", "summary"),
    ("search", "averaging"),
    ("trained",),
    ("packing",),
    ("selection", "predictor", "baselines", "calibration", "thresholds"),
    ("affordable",),
    ("export",),
    ("export.c99", "export.c_array", "export.onnx_model", "export.sklearn_pipeline"),
    ("export.c99_network",),
    ("export.c99_encoder", "export.onnx_encoder"),
    ("export.c99_helpers", "export.c_text", "export.model", "export.onnx_nodes"),
    ("baseline_child",),
    ("baseline_models",),
    ("baseline_cost",),
    ("baseline_problem",),
    ("strategies", "trials"),
    ("strategies.halving", "strategies.random", "strategies.gibbs"),
    ("strategies.sweeps",),
    ("strategies.rungs", "strategies.population"),
    ("strategies.base", "strategies.jitter", "strategies.tempering"),
    ("schedule", "audience"),
    ("reports",),
    ("leaderboard",),
    ("first_models", "part_scores", "halves", "kept_states", "kept_members"),
    ("copied_states", "exact"),
    ("training",),
    ("held_jobs",),
    ("views",),
    ("scoring", "linear", "budgets"),
    ("metric_names",),
    ("label_metrics", "probability_metrics", "value_metrics"),
    ("columns", "cost", "outcomes", "own_scores", "setting_columns"),
    ("portfolio",),
    ("draws", "pupils", "recipes", "skewed_targets"),
    ("candidates", "encoding", "memory"),
    ("encoding_categories",),
    ("encoding_parts",),
    ("prior", "arguments", "class_weights", "target_scale"),
    ("validation_rows", "affordable_rows"),
    ("search_space", "setting_rules", "splits", "table", "target"),
    ("_careful", "_metadata", "_labels"),
    ("_rows",),
    ("categories", "frames", "table_values", "encoded_rows", "_cells"),
    ("raw_columns",),
    ("column_kinds",),
    ("dimensions",),
    ("interruption",),
    ("seeds", "clock", "_rules"),
    ("_threads",),
    ("_core",),
    ("errors", "collector", "early_end", "_cpu_level", "_files", "_include", "_version"),
)
ROW = {name: row for row, names in enumerate(LAYERS) for name in names}

CORE_USERS = {
    "_threads", "encoding", "outcomes", "views", "held_jobs", "training", "linear", "scoring",
    "selection", "predictor", "_careful", "packing", "probability_metrics",
}  # fmt: skip
LIBRARY_USERS = {
    "narwhals": {"frames"},
    "sklearn": {
        "_auto_estimator", "classifier", "estimators", "splits", "scoring", "baseline_models",
        "cli_commands", "export.sklearn_pipeline", "selectable",
    },
    "pandas": {"leaderboard"},
    "rich": {"progress", "summary"},
    "pyarrow": {"cli_tables"},
    "onnx": {"export.onnx_nodes"},
}  # fmt: skip
# The one library that need not wait for its first use, in the classes that inherit from it.
AT_THE_TOP = {("sklearn", name) for name in ("estimators", "classifier", "_auto_estimator")}
STANDARD = set(sys.stdlib_module_names)

MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), *sorted(ROOT.glob("bench/**/*.py"))]


def module_name(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree):
    """(imported name, whether at the top of the module) for each import statement."""
    inside = {
        id(node)
        for scope in ast.walk(tree)
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        or (isinstance(scope, ast.If) and "TYPE_CHECKING" in ast.unparse(scope.test))
        for node in ast.walk(scope)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            top = id(node) not in inside
            yield from ((f"{node.module}.{alias.name}", top) for alias in node.names)


def internal(name):
    """The module of the package that `automs.x.y` imports from: the longest known prefix."""
    rest = name.removeprefix("automs.")
    if rest.startswith("_core"):
        return "_core"
    while rest not in ROW and "." in rest:
        rest = rest.rpartition(".")[0]
    return rest


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_downward_only(path):
    name = module_name(path)
    if not name:  # the package root hands out names on first use, and may know every module
        return
    assert name in ROW, f"{name} is missing in the table of layers"
    for imported, _ in imports(ast.parse(path.read_text())):
        if imported.partition(".")[0] != "automs":
            continue
        target = internal(imported)
        assert target in ROW, f"{name} imports {imported}: the package root, or an unknown module"
        assert ROW[target] > ROW[name], f"{name} imports {target}, which is not below it"
        assert target != "_core" or name in CORE_USERS, f"{name} may not import _core"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_libraries_are_known_to_few_and_imported_on_first_use(path):
    name = module_name(path)
    for imported, at_the_top in imports(ast.parse(path.read_text())):
        library = imported.partition(".")[0]
        if library in STANDARD or library in {"automs", "numpy"}:
            continue
        assert library in LIBRARY_USERS, f"{name} imports {library}, which is no dependency"
        assert name in LIBRARY_USERS[library], f"{name} may not import {library}"
        assert not at_the_top or (library, name) in AT_THE_TOP, f"{name} imports {library} at once"


def test_the_table_has_no_module_that_left_and_no_twins():
    assert len(ROW) == sum(len(names) for names in LAYERS)
    assert CORE_USERS | set().union(*LIBRARY_USERS.values()) <= set(ROW)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path):
    text = path.read_text()
    limit = 400 if "tests" in path.relative_to(ROOT).parts else 300
    assert len(text.splitlines()) <= limit
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            n_lines = body[-1].end_lineno - body[0].lineno + 1
            assert n_lines <= 60, f"{path.name}: {node.name} has {n_lines} lines"


def test_a_module_starts_by_saying_what_it_takes_and_gives():
    for path in MODULES:
        first = path.read_text().splitlines()[0]
        assert first.startswith('"""'), path
        assert "->" in first, f"{path.name}: first line must say what it takes -> what it gives"


UPWARD = """
import sklearn
def f():
    from automs.search import g
    import pandas as pd
"""


def test_the_check_itself_sees_imports_inside_functions():
    found = dict(imports(ast.parse(UPWARD)))
    assert found == {"sklearn": True, "automs.search.g": False, "pandas": False}
    assert internal("automs.search.g") == "search"
    assert internal("automs.strategies.base.Strategy") == "strategies.base"
    assert internal("automs.strategies.make_strategy") == "strategies"
    assert internal("automs._core_v3.train") == "_core"
    assert internal("automs.Candidate") not in ROW
