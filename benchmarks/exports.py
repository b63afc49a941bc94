"""Export every architecture on every task and every baseline: the table of docs/how-to/export.md.

``python benchmarks/exports.py`` prints it, ``--write`` puts it into the page. Networks have
the default options and random weights; windows have 256 samples, of video 8 frames.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from common import ROOT, paired

sys.path.insert(0, str(ROOT / "tests"))

PAGE = ROOT / "docs" / "how-to" / "export.md"
BEGIN, END = "<!-- table: benchmarks/exports.py --write -->\n", "<!-- end of table -->\n"
COLUMNS = ("model", "sample", "task", "predict", "ONNX", "parity", "times torch, one core")
HEAD = f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|\n"
TESTED = "equal"  # tests/workflow/test_predictions.py, over every registered name


def network_row(architecture: str, sample: str, task: str, folder: Path) -> list[str]:
    """Export a network and return its row."""
    from fixtures import networks  # type: ignore[import-not-found]
    from seqbench.exporting.onnx import export_onnx

    networks.TINY[architecture] = {}
    n_samples = 8 if sample == "video" else 256
    header = networks.network_header(architecture, sample, task, window_samples=n_samples)
    model = networks.stored_network(folder / "model.safetensors", header, noise=0.02)
    made = export_onnx(model, folder / "model.onnx")
    length = made.graph.window_samples
    lengths = "any length" if length is None else "length of training"
    return [TESTED, lengths, f"{made.difference:.0e}", f"{made.speed_ratio:.1f}"]


def rows() -> list[list[str]]:
    """Return the rows of the table."""
    from fixtures import networks
    from seqbench.config.registry import BASELINES

    found = []
    with tempfile.TemporaryDirectory() as folder:
        for case in networks.CASES:
            architecture, sample, task = case
            found.append([*case, *network_row(architecture, sample, task, Path(folder))])
            print(*found[-1], file=sys.stderr, flush=True)
    for name in BASELINES:
        tags = BASELINES.entry(name).tags
        reason = "no: a method of numpy or a library, not a network"
        for task in tags["tasks"]:
            sample = ", ".join(tags["accepts"])
            found.append([name, sample, task, TESTED, reason, "none", "none"])
    return found


def event_rnn_ratios() -> list[tuple[int, float]]:
    """Return windows at a time, and how many times faster than torch `event_rnn` is on one core."""
    import numpy as np
    import torch

    from fixtures import networks
    from seqbench.exporting.graph import WholeModel
    from seqbench.exporting.onnx import export_onnx
    from seqbench.exporting.source import one_model
    from seqbench.prediction.onnx_model import OnnxNetwork
    from seqbench.storage.onnx_model import read_onnx
    from seqbench.training.model import load_model

    networks.TINY["event_rnn"], networks.CHANNELS["series"] = {}, "uvwxyz"
    header = networks.network_header("event_rnn", "series", "detection", window_samples=1024)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        model = networks.stored_network(Path(folder) / "model.safetensors", header, noise=0.02)
        path = export_onnx(model, Path(folder) / "model.onnx").path
        exported = OnnxNetwork(read_onnx(path), path)
        trained = WholeModel(load_model(one_model(model)[1], model), header)
        torch.set_num_threads(1)
        for n_windows in (1, 8, 32):
            x = np.stack(networks.drawn_recordings(header, *[1024] * n_windows))

            in_torch = partial(seconds, partial(trained, torch.from_numpy(x)))
            in_runtime = partial(seconds, partial(exported, x))
            with torch.no_grad():
                found.append((n_windows, paired(in_torch, in_runtime, 20).median))
    return found


def seconds(predict: Callable[[], object]) -> float:
    """Return the processor seconds of a call."""
    begin = time.process_time()
    predict()
    return time.process_time() - begin


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    write = parser.parse_args().write
    table = HEAD + "".join("| " + " | ".join(row) + " |\n" for row in rows())
    if not write:
        print(table)
        return
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + BEGIN + table + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
