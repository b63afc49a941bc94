"""Export a trained model for machines without torch, as ONNX or as one C file."""

from argparse import ArgumentParser
from pathlib import Path

from seqbench.cli.arguments import refuse_missing, refuse_overwriting
from seqbench.errors import UserError

EXAMPLES = {
    "seqbench export results/best/doors/seed0": "writes model.onnx there",
    "seqbench export model.safetensors --to c --out detector.c": "a C file for a microcontroller",
    "seqbench export model.safetensors --quantize int8": "weights of one byte each",
}
SUFFIXES = {"onnx": ".onnx", "c": ".c"}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the model and what it becomes."""
    parser.add_argument(
        "model", type=Path, metavar="MODEL", help="a model.safetensors, or a folder that holds one"
    )
    parser.add_argument(
        "--to", choices=SUFFIXES, default="onnx",
        help="onnx (the default), which `seqbench predict` reads as well; or c, one file without"
        " heap, for models that read forwards",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE",
        help="file to write; by default model.onnx or model.c beside MODEL",
    )  # fmt: skip
    parser.add_argument(
        "--quantize", choices=("int8",),
        help="round the weights of an ONNX file, and print what the headline loses on test",
    )  # fmt: skip


def run(model: Path, to: str, out: Path | None, quantize: str | None) -> None:
    """Write the model, and print how far its scores are from those of the trained one."""
    refuse_missing(model, "name a model, or the folder of a run")
    if out is None:
        out = (model if model.is_dir() else model.parent) / f"model{SUFFIXES[to]}"
    if out.suffix.lower() != SUFFIXES[to]:
        raise UserError(f"{out}: an exported model is known by its name; end it in {SUFFIXES[to]}")
    if quantize and to != "onnx":
        raise UserError("--quantize is for ONNX; leave it out, or --to c")
    refuse_overwriting(out, ("MODEL", model))
    (_to_c if to == "c" else _to_onnx)(model, out)
    if quantize:
        from seqbench.exporting.quantized import quantize as rounded

        made = rounded(out, model)
        print(f"int8: {made.n_bytes} bytes; {made.metric} on test {made.before:.4g} before and")
        print(f"{made.after:.4g} after, a loss of {made.before - made.after:.2g}")


def _to_onnx(model: Path, out: Path) -> None:
    from seqbench.exporting.onnx import export_onnx

    made = export_onnx(model, out)
    length = made.graph.window_samples
    lengths = "of any length" if length is None else f"of {length} samples"
    of = f"windows {lengths}" if made.graph.stream is None else "recordings as they come"
    print(f"{made.path}: {made.n_bytes} bytes, for {of}")
    _print_difference(made.difference, made.n_windows)
    print(f"{made.speed_ratio:.1f} times as fast as torch on one core")


def _to_c(model: Path, out: Path) -> None:
    from seqbench.exporting.c_code import export_c

    made = export_c(model, out)
    print(f"{made.path}: {made.signature};")
    _print_difference(made.difference, made.n_windows)
    print(f"flash {made.flash_bytes} bytes, RAM {made.ram_bytes} bytes, as cc -O2 compiles it here")
    taken = "a second of signal" if made.is_causal else "a window"
    print(f"{1e6 * made.window_s:.3g} us for {taken} here")


def _print_difference(difference: float, n_windows: int) -> None:
    compared = f"{n_windows} windows of test" if n_windows else "random windows alone"
    print(f"largest difference from the trained model: {difference:.2g}, on {compared}")
