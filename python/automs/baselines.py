"""The same rows and folds -> scikit-learn's predictions for them, from a child process."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from automs.baseline_problem import (
    BASELINES,
    BaselineProblem,
    BaselineResult,
    baseline_label,
    receive,
    send,
)

__all__ = ["BASELINES", "BaselineProblem", "BaselineProcess", "BaselineResult", "resolve_baselines"]

#: Share of its time limit that the child plans with; the rest is for its start.
_PLANNED_SHARE = 0.9
#: Seconds: in less than these not even scikit-learn is imported, so no process is started.
_SHORTEST = 0.3

#: scikit-learn's own threads would fight with those of the search.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


def resolve_baselines(baselines: Any) -> tuple[str, ...]:
    """Give the names of the baselines that a `baselines` argument asks for.

    Parameters
    ----------
    baselines : "auto", None, False, or a sequence of names

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        When a name is unknown.
    TypeError
        When it is none of the above.

    Examples
    --------
    >>> resolve_baselines(["mlp", "linear"])
    ('linear', 'mlp')
    """
    if baselines is None or baselines is False:
        return ()
    if isinstance(baselines, str):
        if baselines == "auto":
            return tuple(BASELINES)
        baselines = (baselines,)
    if not isinstance(baselines, Iterable):
        raise TypeError(f"baselines must be 'auto', None or a sequence of names, got {baselines}")
    baselines = list(baselines)
    for name in baselines:
        if not isinstance(name, str) or name not in BASELINES:
            raise ValueError(
                f"baselines must be 'auto', None or names of {', '.join(BASELINES)}, got {name!r}"
            )
    return tuple(name for name in BASELINES if name in baselines)


class BaselineProcess:
    """Trains baselines in a process of its own, which cannot hold up its parent.

    The process is started fresh, so no thread or lock of the parent is in it; results come back
    as they are finished. At its deadline it is ended, and it ends itself when its parent does.

    Parameters
    ----------
    names : sequence of str
        Of `BASELINES`.
    problem : BaselineProblem
    time_limit : float, optional, seconds
        For the process as a whole, from now on; it plans for a little less.
    """

    def __init__(
        self, names: Sequence[str], problem: BaselineProblem, time_limit: float | None = None
    ) -> None:
        self._labels = {n: baseline_label(n, problem.n_classes, problem.loss) for n in names}
        self._results: dict[str, BaselineResult] = {}
        self._late = False
        self._failure = "its process failed"
        self._process: subprocess.Popen[bytes] | None = None
        self._exchange: threading.Thread | None = None
        self._deadline: threading.Timer | None = None
        if time_limit is not None and time_limit < _SHORTEST:
            self._failure = f"its time, {time_limit:.2g} s, is too short to start"
            return
        try:
            self._process = _start()
        except OSError as error:
            self._failure = f"its process could not be started: {error}"
            return
        planned = None if time_limit is None else _PLANNED_SHARE * time_limit
        self._exchange = threading.Thread(
            target=self._talk, args=(self._process, (list(names), problem, planned)), daemon=True
        )
        self._exchange.start()
        if time_limit is not None:
            self._deadline = threading.Timer(time_limit, self._end_late)
            self._deadline.daemon = True
            self._deadline.start()

    def _talk(self, process: subprocess.Popen[bytes], message: Any) -> None:
        """Send the problem, then take in results until all are there or the process ends."""
        if process.stdin is None or process.stdout is None:
            return
        # Its input stays open: the end of it tells the process that its parent has ended.
        with contextlib.suppress(OSError, EOFError, ValueError, pickle.UnpicklingError):
            send(message, process.stdin)
            while len(self._results) < len(self._labels):
                name, result = receive(process.stdout)
                self._results[name] = result

    def _end_late(self) -> None:
        self._late = True
        if self._process is not None:
            self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; True once every result is there or the process has ended."""
        if self._exchange is not None:
            self._exchange.join(seconds)
        return self._exchange is None or not self._exchange.is_alive()

    def finish(self, timeout: float | None = None) -> list[BaselineResult]:
        """Wait at most `timeout` seconds (None: to the end), and give a result for every name.

        The process has ended when this returns.
        """
        late = False
        if self._exchange is not None:
            self._exchange.join(timeout)
            late = self._late or self._exchange.is_alive()
        self.close()
        reason = "not finished at its deadline" if late else self._failure
        missing = {
            name: BaselineResult(label, None, reason=reason, late=late)
            for name, label in self._labels.items()
        }
        return list((missing | self._results).values())

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._deadline is not None:
            self._deadline.cancel()
        if self._process is None or self._exchange is None:
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._exchange.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _start() -> subprocess.Popen[bytes]:
    """Start the child: a Python of its own, with the modules that this one finds."""
    environment = os.environ | _ONE_THREAD
    environment["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    code = "from automs.baseline_child import serve; serve()"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the parent
    )
