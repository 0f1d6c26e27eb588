"""Instructions a needed flop of training, counted by valgrind: no clock, so no noise.

python bench/instructions.py --check

A process trains every case for an epoch; another trains one of them for more, and the difference
is divided by the work of those epochs. A multiply-add of eight lanes is 16 flops, so products
alone would need 1/16 = 0.0625. `--check` fails where a case needs more than its limit, which
is what GCC 12 gave and a seventh more: what costs speed shows, on whatever machine.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROWS, MORE_EPOCHS = 1_024, 2


@dataclass(frozen=True)
class Case:
    """A training with AVX2; `limit`: instructions a flop, the first layer counted as dense."""

    hidden: tuple[int, ...]
    batch_size: int
    encoding: str
    columns: int
    features: int
    limit: float

    def flops(self) -> float:
        sizes = [self.features, *self.hidden, 1]
        weights = sum(a * b for a, b in itertools.pairwise(sizes))
        return (6.0 * weights - 2.0 * sizes[0] * sizes[1]) * ROWS


CASES = (
    Case((64, 64), 256, "standard", 32, 32, limit=0.18),
    Case((16,), 32, "standard", 32, 32, limit=0.335),
    Case((128, 128), 128, "piecewise", 8, 8 * 17, limit=0.13),
)

TRAIN = """
import sys
from training_work import make_rows
from automs import Candidate, train_candidates
for hidden, batch_size, encoding, columns, rows, epochs in eval(sys.argv[1]):
    candidate = Candidate(hidden, batch_size=batch_size, encoding=encoding, epochs=epochs, seed=0)
    train_candidates([candidate], *make_rows(rows, columns), n_jobs=1)
"""


def count(longer: Case | None) -> int:
    """Instructions of a process that trains all cases, one of them for longer."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise FileNotFoundError("valgrind is needed to count instructions")
    work = [
        (c.hidden, c.batch_size, c.encoding, c.columns, ROWS, 1 + MORE_EPOCHS * (c is longer))
        for c in CASES
    ]
    command = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += [sys.executable, "-c", TRAIN, repr(work)]
    path = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    # The same order of every hash, and no thread that waits by turning round.
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "AUTOMS_CPU_LEVEL": "v3",
    }
    printed = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stderr
    found = re.search(r"I\s+refs:\s+([\d,]+)", printed)
    if found is None:
        raise RuntimeError(f"valgrind counted nothing: {printed}")
    return int(found.group(1).replace(",", ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail where a limit is passed")
    arguments = parser.parse_args()
    base = count(None)
    slow = []
    for case in CASES:
        share = (count(case) - base) / (MORE_EPOCHS * case.flops())
        print(f"{case}: {share:.4f} instructions a flop", flush=True)
        if share > case.limit:
            slow.append(case)
    if arguments.check and slow:
        raise SystemExit(f"more instructions than allowed: {slow}")


if __name__ == "__main__":
    main()
