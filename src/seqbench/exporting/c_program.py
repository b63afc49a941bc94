"""A C file, compiled here with what feeds it windows, and measured."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.errors import UserError, one_line
from seqbench.storage.onnx_model import MAX_REASON

COMPILE_S = 600  # that a compiler may take


class Program:
    """The file `model.c` of a folder and a program around it.

    Parameters
    ----------
    compiler
        The command.
    work
        The folder.
    main
        Source of a program that includes the file, reads windows from the file of its first
        argument and writes scores into that of its second; it prints the seconds of
        a window and the bytes that are kept between calls.
    of_scores
        Shape of the scores of one window.
    """

    def __init__(self, compiler: str, work: Path, main: str, of_scores: tuple[int, ...]) -> None:
        self._compiler, self._work, self._of_scores = compiler, work, of_scores
        self.window_s, self.kept_bytes = 0.0, 0
        (work / "main.c").write_text(main, encoding="utf-8")
        self._run("-O2", "main.c", "-o", "main", "-lm")

    def _run(self, *arguments: str) -> None:
        command = [self._compiler, *arguments]
        done = subprocess.run(
            command, cwd=self._work, capture_output=True, text=True, timeout=COMPILE_S, check=False
        )
        if done.returncode:
            raise UserError(f"cc cannot compile the file ({one_line(done.stderr)[:MAX_REASON]})")

    def scores(self, windows: NDArray[Any]) -> NDArray[Any]:
        """Return the scores of windows in units, (B, ...), and keep the seconds of one."""
        given, found = self._work / "windows.bin", self._work / "scores.bin"
        windows.astype(np.float32).tofile(given)
        done = subprocess.run(
            ["./main", given, found], cwd=self._work, capture_output=True, text=True, check=True
        )
        seconds, kept = done.stdout.split()
        self.window_s, self.kept_bytes = float(seconds), int(kept)
        scores = np.fromfile(found, dtype=np.float32)
        return scores.reshape(len(windows), *self._of_scores)

    def sizes(self) -> tuple[int, int]:
        """Return the bytes of code and constants, and those of variables and stack."""
        self._run("-O2", "-c", "model.c", "-o", "model.o", "-fstack-usage")
        done = subprocess.run(
            ["size", "model.o"], cwd=self._work, capture_output=True, text=True, check=True
        )
        text, data, bss = (int(one) for one in done.stdout.splitlines()[1].split()[:3])
        rows = (self._work / "model.su").read_text().splitlines()
        stack = sum(int(row.split("\t")[1]) for row in rows)
        return text + data, data + bss + self.kept_bytes + stack
