"""A trained model as one C file without heap, compiled and compared before it is written."""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.errors import UserError, one_line
from seqbench.exporting.graph import example, traced
from seqbench.exporting.parity import check_difference, in_units, test_windows
from seqbench.exporting.source import Source
from seqbench.models.recurrent import RecurrentEncoder
from seqbench.storage.atomic import replacing
from seqbench.storage.onnx_model import MAX_REASON, missing
from seqbench.training.model import Model

NAME = "seqbench_model"  # of the function in C
COMPILE_S = 600  # that a compiler may take
N_COMPARED = 64  # windows of test
N_TIMED = 20
# Reads windows, and writes their scores and the seconds that one took.
HARNESS = """\
#include <stdio.h>
#include <time.h>
#include "model.c"
static float windows{input}, scores{output};
int main(int n_arguments, char **arguments) {{
  FILE *in = fopen(arguments[1], "rb"), *out = fopen(arguments[2], "wb");
  clock_t begin, used = 0;
  long n = 0;
  while (fread(windows, sizeof windows, 1, in) == 1) {{
    begin = clock();
    {name}(windows, scores);
    used += clock() - begin;
    n++;
    fwrite(scores, sizeof scores, 1, out);
  }}
  fclose(out);
  printf("%.9g", n ? (double)used / CLOCKS_PER_SEC / n : 0.0);
  return 0;
}}
"""


@dataclass(frozen=True)
class ExportedC:
    """What was written.

    Parameters
    ----------
    path
        The file.
    difference
        Largest difference of a score from that of the trained model; see `Parity`.
    n_windows
        Windows of test that were compared; 0: random ones alone.
    flash_bytes
        Of code and weights, as compiled here.
    ram_bytes
        Of variables and of the stack of the function, at most.
    window_s
        Seconds that a window takes here.
    signature
        Of the function.
    """

    path: Path
    difference: float
    n_windows: int
    flash_bytes: int
    ram_bytes: int
    window_s: float
    signature: str


def export_c(model: Path, out: Path) -> ExportedC:
    """Write a trained model as one C file that takes a window at a time.

    Parameters
    ----------
    model
        A `model.safetensors`, or a folder that holds one.
    out
        The file to write.

    Raises
    ------
    UserError
        If the model reads windows backwards, there is no compiler, or scores of the compiled
        file differ by more than 1e-4 from those of the model; nothing is written then.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise UserError(
            "no C compiler `cc` was found, without which the file cannot be compared with the"
            " model; install one"
        )
    source = Source.read(model)
    path, header, parity = source.path, source.header, source.parity
    _refuse_backward(source.traceable.model, path)
    windows = example(header, 1, header.window_samples)
    proto = traced(source.traceable, windows, is_dynamic=False)
    _in_single_precision(proto)
    with tempfile.TemporaryDirectory() as folder, replacing(out) as temporary:
        work = Path(folder)
        code = _generated(proto, work, path)
        program = _Program(compiler, work, windows.shape, parity.expected(windows).shape)
        batches = [example(header, N_TIMED, header.window_samples, seed=1)]
        found = test_windows(path, header)
        n_windows = 0
        for batch in in_units(found) if found is not None else ():
            if batch.shape[1] == header.window_samples and n_windows < N_COMPARED:
                batches.append(batch)
                n_windows += len(batch)
        difference = max(parity.difference(one, program.scores(one)) for one in batches)
        check_difference(difference, path, "C file")
        flash, ram = program.sizes()
        temporary.write_text(code, encoding="utf-8")
    line = next(line for line in code.splitlines() if line.startswith(f"void {NAME}("))
    signature = line.removesuffix(" {")
    return ExportedC(out, difference, n_windows, flash, ram, program.window_s, signature)


def _refuse_backward(model: Model, path: Path) -> None:
    """Refuse a model that a small machine cannot run while samples come."""
    for module in model.modules():
        if isinstance(module, RecurrentEncoder) and module.back:
            raise UserError(
                f"{path}: reads windows from their end to their start as well, and C is for models"
                " that read forwards; train it with bidirectional: false, or export it to onnx"
            )


def _in_single_precision(proto: Any) -> None:
    """Replace double precision, which small machines have to emulate."""
    from onnx import TensorProto, numpy_helper

    def narrow(tensor: Any) -> None:
        if tensor.data_type == TensorProto.DOUBLE:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    for tensor in proto.graph.initializer:
        narrow(tensor)
    for node in proto.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                narrow(attribute.t)
            if node.op_type == "Cast" and attribute.i == TensorProto.DOUBLE:
                attribute.i = TensorProto.FLOAT
    del proto.graph.value_info[:]
    for one in proto.graph.output:
        one.type.tensor_type.elem_type = TensorProto.FLOAT


def _generated(proto: Any, work: Path, path: Path) -> str:
    """Return the C source of a graph of fixed shapes."""
    import onnx
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    # Sizes that are computed from those of the window become constants.
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    settings.optimized_model_filepath = str(work / "model.onnx")
    settings.log_severity_level = 4
    onnxruntime.InferenceSession(
        proto.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    simpler = onnx.load(work / "model.onnx")
    for node in simpler.graph.node:
        for attribute in list(node.attribute):
            if attribute.name == "direction" and attribute.s == b"forward":
                node.attribute.remove(attribute)  # the default, which emx-onnx-cgen cannot read
    onnx.save(simpler, work / "model.onnx")
    options = ["--large-temp-threshold", "0", "--large-weight-threshold", "0"]
    command = [sys.executable, "-m", "emx_onnx_cgen", "compile", *options, "--model-name", NAME]
    files = [str(work / "model.onnx"), str(work / "model.c")]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    if "No module named emx_onnx_cgen" in done.stderr:
        raise missing("emx-onnx-cgen")
    if done.returncode:
        reason = one_line((done.stderr or done.stdout).strip())[-MAX_REASON:]
        raise UserError(f"{path}: emx-onnx-cgen cannot translate this model ({reason})")
    source = (work / "model.c").read_text(encoding="utf-8")
    if "malloc(" in source or "fopen(" in source:
        raise UserError(f"{path}: its C file would need a heap or files; nothing was written")
    return source


class _Program:
    """The C file, compiled with what feeds it windows."""

    def __init__(
        self, compiler: str, work: Path, of_window: tuple[int, ...], of_scores: tuple[int, ...]
    ) -> None:
        self._work, self._of_scores = work, of_scores
        self.window_s = 0.0
        sizes = ["".join(f"[{n}]" for n in shape) for shape in (of_window, of_scores)]
        source = HARNESS.format(input=sizes[0], output=sizes[1], name=NAME)
        (work / "main.c").write_text(source, encoding="utf-8")
        self._compiler = compiler
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
        self.window_s = float(done.stdout)
        scores = np.fromfile(found, dtype=np.float32)
        return scores.reshape(len(windows), *self._of_scores[1:])

    def sizes(self) -> tuple[int, int]:
        """Return the bytes of code and constants, and those of variables and stack."""
        self._run("-O2", "-c", "model.c", "-o", "model.o", "-fstack-usage")
        done = subprocess.run(
            ["size", "model.o"], cwd=self._work, capture_output=True, text=True, check=True
        )
        text, data, bss = (int(one) for one in done.stdout.splitlines()[1].split()[:3])
        rows = (self._work / "model.su").read_text().splitlines()
        stack = sum(int(row.split("\t")[1]) for row in rows)
        return text + data, data + bss + stack
