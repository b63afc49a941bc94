"""Export a trained model for machines without torch: one ONNX file that predicts the same."""

from argparse import ArgumentParser
from pathlib import Path

from seqbench.cli.arguments import refuse_overwriting
from seqbench.errors import UserError


def add_arguments(parser: ArgumentParser) -> None:
    """Add the model and what it becomes."""
    parser.add_argument(
        "model", type=Path, metavar="MODEL", help="a model.safetensors, or a folder that holds one"
    )
    parser.add_argument("--to", choices=("onnx",), default="onnx", help="onnx, the default")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write; by default model.onnx beside MODEL"
    )


def run(model: Path, to: str, out: Path | None) -> None:
    """Write the model, and print how far its scores are from those of the trained one."""
    from seqbench.exporting.onnx import export_onnx
    from seqbench.storage.onnx_model import SUFFIX

    if out is None:
        out = (model if model.is_dir() else model.parent) / f"model{SUFFIX}"
    if out.suffix.lower() != SUFFIX:
        raise UserError(f"{out}: an exported model is known by its name; end it in {SUFFIX}")
    refuse_overwriting(out, ("MODEL", model))
    made = export_onnx(model, out)
    compared = f"{made.n_windows} windows of test" if made.n_windows else "random windows alone"
    length = made.graph.window_samples
    lengths = "of any length" if length is None else f"of {length} samples"
    print(f"{made.path}: {made.n_bytes} bytes, for windows {lengths}")
    print(f"largest difference from the trained model: {made.difference:.2g}, on {compared}")
    print(f"{made.speed_ratio:.1f} times as fast as torch on one core")
