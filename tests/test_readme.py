"""Code blocks of the README that are marked as runnable run, and say what they should."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"
MARKED = re.compile(r"^<!-- runnable -->\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

RUNNABLE = MARKED.findall(README.read_text())


@pytest.mark.parametrize("number", range(len(RUNNABLE)))
def test_a_block_that_is_marked_runs(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(RUNNABLE[number], f"{README.name}, runnable block {number}", "exec"), {})


def test_every_mark_stands_before_a_block_of_python():
    assert RUNNABLE
    assert README.read_text().count("<!-- runnable -->") == len(RUNNABLE)


@pytest.mark.parametrize("code", BLOCK.findall(README.read_text()), ids=lambda code: code[:30])
def test_every_block_is_python(code):
    compile(code, README.name, "exec")


def test_a_strategy_of_your_own_takes_twenty_lines_at_most():
    (code,) = [code for code in RUNNABLE if "(Strategy)" in code]
    lines = code[code.index("class ") : code.index("X, y =")].strip().splitlines()
    assert len(lines) <= 20
    assert all(len(line) <= 100 for line in lines)
