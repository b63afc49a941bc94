"""Problems of the UCR and UEA archives of time series classification.

Sizes and classes differ by problem; the archive's own TRAIN and TEST files are
the split. No licence is stated by the archives; cite them. Missing values behind
the last sample of a series are how the archives write that it is shorter than
others. Series with other missing values are refused: published scores on them
are often artefacts of the filling.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import Text
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError, explained, fault, sha256
from seqbench.storage.recordings import Recordings

ARCHIVE = "https://www.timeseriesclassification.com/description.php"
UCR_CITATION = "Dau et al. (2019). The UCR time series archive. IEEE/CAA JAS 6:1293."
UEA_CITATION = "Bagnall et al. (2018). The UEA multivariate archive. arXiv:1811.00075."


@DATASETS.register("ucr", task="classification", sample="series", imports=("aeon.datasets",))
def ucr(cache: Path, *, problem: Text) -> Recordings:
    """A univariate problem of the UCR archive, by its name there.

    Parameters
    ----------
    problem
        Name in the archive, such as GunPoint.
    """
    return _load(cache / "ucr", problem, UCR_CITATION)


@DATASETS.register("uea", task="classification", sample="series", imports=("aeon.datasets",))
def uea(cache: Path, *, problem: Text) -> Recordings:
    """A multivariate problem of the UEA archive, by its name there.

    Parameters
    ----------
    problem
        Name in the archive, such as BasicMotions.
    """
    return _load(cache / "uea", problem, UEA_CITATION)


def _load(folder: Path, problem: str, citation: str) -> Recordings:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", problem):
        raise DataError(f"problem '{problem}': names in the archive hold letters, digits and '-'")
    files = _find(folder, problem)
    rows = [(split, *row) for split, path in files.items() for row in _series(path)]
    splits = [split for split, _, _ in rows]
    n_channels = rows[0][1].shape[1]
    return Recordings.one_label_each(
        [label for _, _, label in rows],
        [signal for _, signal, _ in rows],
        names=[f"{split}{i:05d}" for i, split in enumerate(splits)],
        splits=splits,
        channels=[f"ch{i}" for i in range(n_channels)],
        units=[""] * n_channels,
        source={
            "origin": f"{ARCHIVE}?Dataset={problem}",
            "licence": "not stated",
            "citation": citation,
            "files": {path.name: sha256(path) for path in files.values()},
        },
    )


def _find(folder: Path, problem: str) -> dict[str, Path]:
    """Return the TRAIN and TEST files: from the cache, else aeon's own, else downloaded."""
    from aeon import datasets

    def files(place: Path, suffix: str) -> dict[str, Path]:
        stem = place / problem / problem
        return {name: Path(f"{stem}_{name.upper()}{suffix}") for name in ("train", "test")}

    for place in (folder, Path(datasets.__file__).parent / "data"):
        for suffix in (".ts", ".tsv"):
            if all(path.exists() for path in files(place, suffix).values()):
                return files(place, suffix)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:  # a broken download leaves nothing
            datasets.load_classification(problem, extract_path=fresh)
            try:
                (Path(fresh) / problem).rename(folder / problem)
            except OSError:  # another dataset of the same problem was downloaded first
                if not (folder / problem).is_dir():
                    raise
    except (OSError, ValueError) as error:
        raise DataError(
            f"problem '{problem}' is neither in {folder} nor part of aeon, and its download failed"
            f" ({' '.join(str(error).split())}); check the name, or put {problem}_TRAIN.ts and"
            f" {problem}_TEST.ts into {folder / problem}"
        ) from None
    return files(folder, ".ts")


def _series(path: Path) -> Iterator[tuple[NDArray[np.float32], str]]:
    """Yield each series of a file, (T, C), and its label."""
    from aeon.datasets import load_from_ts_file, load_from_tsv_file

    read = load_from_tsv_file if path.suffix == ".tsv" else load_from_ts_file
    with explained(path, "delete it to fetch it anew"):
        found, labels = read(str(path))[:2]
    for number, (padded, label) in enumerate(zip(found, labels, strict=True), start=1):
        n_samples = np.flatnonzero(~np.isnan(padded).all(axis=0)).max(initial=-1) + 1
        series = padded[:, :n_samples]
        if not (n_samples and np.isfinite(series).all()):
            hint = "choose a problem without, or fill them in yourself and use `source: folder`"
            raise fault(path, f"series {number} has missing values", hint)
        yield np.ascontiguousarray(series.T, dtype=np.float32), str(label)
