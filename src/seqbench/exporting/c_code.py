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
from seqbench.exporting.c_program import Program
from seqbench.exporting.c_recording import STEP, harness, recording_code
from seqbench.exporting.graph import example, traced
from seqbench.exporting.parity import check_difference, in_units, test_windows
from seqbench.exporting.source import Source
from seqbench.models.recurrent import RecurrentEncoder
from seqbench.storage.atomic import replacing
from seqbench.storage.onnx_model import MAX_REASON, missing
from seqbench.training.model import Model

NAME = "seqbench_model"  # of the function in C
N_COMPARED = 64  # windows of test
N_TIMED = 20
# Reads windows; writes their scores, the seconds that one took, and the bytes that are kept: none.
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
  printf("%.9g 0", n ? (double)used / CLOCKS_PER_SEC / n : 0.0);
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
        Of variables, of what is kept along a recording, and of the stack, at most.
    window_s
        Seconds that a window takes here; of a causal model, a second of signal.
    signature
        Of the function.
    is_causal
        Whether it takes a recording sample by sample; else windows.
    """

    path: Path
    difference: float
    n_windows: int
    flash_bytes: int
    ram_bytes: int
    window_s: float
    signature: str
    is_causal: bool


def export_c(model: Path, out: Path) -> ExportedC:
    """Write a trained model as one C file that takes a window at a time.

    That of a causal detector takes a recording sample by sample.

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
    windows = example(header, N_TIMED, header.window_samples, seed=1)
    of_scores = parity.expected(windows[:1]).shape[1:]
    with tempfile.TemporaryDirectory() as folder, replacing(out) as temporary:
        work = Path(folder)
        code, signature, main = _translated(source, work, windows[:1], of_scores)
        (work / "model.c").write_text(code, encoding="utf-8")
        program = Program(compiler, work, main, of_scores)
        difference = parity.difference(windows, program.scores(windows))
        window_s = program.window_s
        found = test_windows(path, header)
        n_windows = 0
        for batch in in_units(found) if found is not None else ():
            if batch.shape[1] == header.window_samples and n_windows < N_COMPARED:
                difference = max(difference, parity.difference(batch, program.scores(batch)))
                n_windows += len(batch)
        check_difference(difference, path, "C file")
        flash, ram = program.sizes()
        temporary.write_text(code, encoding="utf-8")
    is_causal = source.causal is not None
    if is_causal:
        window_s *= (header.sampling_rate_hz or 1.0) / header.window_samples
    return ExportedC(out, difference, n_windows, flash, ram, window_s, signature, is_causal)


def _translated(
    source: Source, work: Path, window: NDArray[Any], of_scores: tuple[int, ...]
) -> tuple[str, str, str]:
    """Return the C file of a model, its signature, and a program that feeds it windows."""
    if source.causal is None:
        proto = traced(source.traceable, window, is_dynamic=False)
        code = _generated(proto, work, source.path, NAME)
        line = next(line for line in code.splitlines() if line.startswith(f"void {NAME}("))
        sizes = ["".join(f"[{n}]" for n in shape) for shape in (window.shape, (1, *of_scores))]
        main = HARNESS.format(input=sizes[0], output=sizes[1], name=NAME)
        return code, line.removesuffix(" {"), main
    if source.causal.record.n_together > 1:
        raise UserError(
            f"{source.path}: finds {source.causal.record.n_together} frames at a time, and a C file"
            " gives them one by one; export it to onnx, or train it with a look_ahead_ms below two"
            " frames"
        )
    code = _generated(source.causal.traced(is_dynamic=False), work, source.path, STEP)
    values = len(source.header.channels), len(source.header.classes), source.graph.n_values
    more, signature = recording_code(source.causal.record, *values)
    return code + more, signature, harness(window.shape[1], *values)


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


def _generated(proto: Any, work: Path, path: Path, name: str) -> str:
    """Return the C source of a graph of fixed shapes."""
    _in_single_precision(proto)
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
    command = [sys.executable, "-m", "emx_onnx_cgen", "compile", *options, "--model-name", name]
    files = [str(work / "model.onnx"), str(work / "model.c")]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    if "No module named emx_onnx_cgen" in done.stderr:
        raise missing("emx_onnx_cgen")
    if done.returncode:
        reason = one_line((done.stderr or done.stdout).strip())[-MAX_REASON:]
        raise UserError(f"{path}: emx-onnx-cgen cannot translate this model ({reason})")
    source = (work / "model.c").read_text(encoding="utf-8")
    if "malloc(" in source or "fopen(" in source:
        raise UserError(f"{path}: its C file would need a heap or files; nothing was written")
    return source
