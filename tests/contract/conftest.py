"""What the contract suites share."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from seqbench.datasets.physionet import DS1

# Sample and code of the marks of each record.
BEATS = [(40, "N"), (140, "A"), (240, "V"), (340, "F"), (540, "L"), (640, "Q")]
WAVES = [(100, "("), (120, "p"), (140, ")"), (150, "("), (200, "N"), (250, ")"), (300, "t")]
LEADS = ["i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"]
# Beginnings of names, and their countries.
NAMES = [("O'Nei", "Irish"), ("Mü", "German"), ("De Vr", "Dutch")]


@pytest.fixture(scope="session")
def mirrors(
    tmp_path_factory, write_record, write_marks, write_trial, write_wrist, write_digits, write_rain
) -> Path:
    """A cache of tiny databases, named and laid out like the real ones."""
    cache = tmp_path_factory.mktemp("mirrors")
    for name in DS1:
        write_record(cache / "mitdb", name, ["MLII", "V1"])
        write_marks(cache / "mitdb", name, "atr", BEATS)
    for name in ("1", "2", "3"):
        write_record(cache / "ludb/data", name, LEADS, rate_hz=500, n_samples=500)
        write_marks(cache / "ludb/data", name, "ii", WAVES)
    for name in ("1-1", "1-2", "2-1", "3-1"):
        write_trial(cache, name)
    values = np.random.default_rng(0).uniform(1, 9, (60, 7)).round(3)
    for path, n_channels in {
        "jbrownlee/daily-min-temperatures.csv": 1,
        "ETT-small/ETTh1.csv": 7,
    }.items():
        file = cache / "forecasting" / path
        file.parent.mkdir(parents=True)
        rows = [",".join(["date", *(f"c{i}" for i in range(n_channels))])]
        rows += [",".join([f"d{i}", *map(str, row[:n_channels])]) for i, row in enumerate(values)]
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    write_wrist(cache, [f"S0{i}" for i in range(1, 7)])
    folder = cache / "names/pytorchzerotoall"
    folder.mkdir(parents=True)
    for part, ends in {"train": "abcdef", "test": "egh"}.items():
        rows = [f'"{name}{end}","{country}"' for end in ends for name, country in NAMES]
        path = folder / f"names_{part}.csv.gz"
        path.write_bytes(gzip.compress("\r\n".join([*rows, ""]).encode(), mtime=0))
    write_digits(cache)
    women = np.random.default_rng(1).uniform(-1, 1, (20, 8)).round(6)
    table = "".join(f"{','.join(map(str, row))},{i % 2}\n" for i, row in enumerate(women))
    (cache / "diabetes").mkdir()
    (cache / "diabetes/diabetes.csv.gz").write_bytes(gzip.compress(table.encode(), mtime=0))
    (cache / "diabetes/pima-indians-diabetes.csv").write_text(table, encoding="utf-8")
    write_rain(cache)
    return cache
