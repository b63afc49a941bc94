"""Print F1 by type over the test recordings of all folds together, with intervals by recording.

``python benchmarks/folds.py --dataset mitdb_folds --methods beat_types/baseline event_rnn/scratch``
reads ``results/evaluate``. The report has the mean over folds; a type that few recordings
hold, most of them in one fold, shows in the pooled counts. ``--recordings`` adds a row for each.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.statistics.bootstrap import cluster_weights, interval
from seqbench.storage.detections import Detections
from seqbench.storage.predictions import read_predictions
from seqbench.tasks.detection.comparison import decoded, ratio

N_RESAMPLES = 2000


def counts(
    files: list[Path], tolerance_ms: float
) -> tuple[list[str], list[str], list[str], NDArray[np.float64]]:
    """Return recordings, types and those that rank, and counts (3, n_recordings, K).

    Counted are hits, events and detections.
    """
    names: list[str] = []
    tables, ranked = [], list[str]()
    for file in files:
        found = read_predictions(file, "test")
        if not isinstance(found, Detections):
            raise SystemExit(f"{file}: holds no detections; name a dataset with events")
        ranked = found.ranked_types or found.classes
        compared = decoded(found)
        hits = compared.count(compared.found[compared.pairs(tolerance_ms)[1]])
        tables.append(np.stack([hits, compared.n_reference, compared.n_found]))
        names += found.recording
    return names, found.classes, ranked, np.concatenate(tables, axis=1)


def f1(table: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F1 by type in each resample of recordings, (R, K); NaN where there is nothing."""
    hits, reference, found = (weights @ one for one in table)
    return ratio(2 * hits, reference + found)


def main() -> None:
    """Print the table of one dataset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="with folds, or one split")
    parser.add_argument("--methods", nargs="+", required=True, help="as ARCHITECTURE/ARM")
    parser.add_argument("--tolerance-ms", type=float, default=150.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recordings", action="store_true", help="a row for each recording too")
    arguments = parser.parse_args()
    once: NDArray[np.float64] = np.ones((1, 0))
    for method in arguments.methods:
        run = f"{method}/labels1/seed{arguments.seed}/predictions.h5"
        root = Path("results/evaluate")
        files = sorted(root.glob(f"{arguments.dataset}-repeat*/{run}"))
        files = files or [root / arguments.dataset / run]
        names, types, ranked, table = counts(files, arguments.tolerance_ms)
        weights = cluster_weights(names, N_RESAMPLES, np.random.default_rng(0))
        once = np.ones((1, len(names)))
        value, resampled = f1(table, once)[0], f1(table, weights)
        print(
            f"{method}, {len(files)} folds, {len(names)} recordings, {arguments.tolerance_ms:g} ms"
        )
        columns = [*zip(types, value, resampled.T, strict=True)]
        own = [types.index(name) for name in ranked]
        mean = f"mean of {' '.join(ranked)}"
        columns.append((mean, value[own].mean(), resampled[:, own].mean(axis=1)))
        for name, one, many in columns:
            bounds = interval(many)
            text = f"{bounds[0]:.4f} to {bounds[1]:.4f}" if bounds else "none"
            print(f"  {name}: {one:.4f} ({text})")
        for i in np.argsort(names) if arguments.recordings else []:
            cells = [
                f"{types[k]} {2 * h / (e + d):.4f} ({h:.0f} of {e:.0f}, {d:.0f} found)"
                for k, (h, e, d) in enumerate(table[:, i].T)
                if e + d
            ]
            print(f"    {names[i]}: {'; '.join(cells)}")


if __name__ == "__main__":
    main()
