"""Packages that only some methods, formats and commands need, and the extra that installs each."""

from collections.abc import Iterable
from importlib.util import find_spec

EXTRAS = {
    "aeon": "archives",
    "pooch": "archives",
    "soundfile": "audio",
    "crengine": "bells",
    "neurokit2": "ecg",
    "wfdb": "ecg",
    "pympi": "elan",
    "spikeinterface": "experts",
    "emx_onnx_cgen": "export",
    "onnx": "export",
    "onnxruntime": "export",
    "obspy": "miniseed",
    "pyarrow": "parquet",
    "nptdms": "tdms",
    "tensorboard": "tensorboard",
    "pyxdf": "xdf",
}


def install(package: str) -> str:
    """Return how to install a package of an extra, to end a sentence with."""
    return f"install it with pip install 'seqbench[{EXTRAS[package]}]'"


def missing(error: ModuleNotFoundError) -> str | None:
    """Return the sentence of a package that is not installed; None if no extra has it."""
    package = (error.name or "").partition(".")[0]
    return _sentence(package) if package in EXTRAS else None


def absent(modules: Iterable[str]) -> str | None:
    """Return the sentence of the first module whose extra is not installed; None if all are."""
    for package in (name.partition(".")[0] for name in modules):
        if package in EXTRAS and find_spec(package) is None:
            return _sentence(package)
    return None


def _sentence(package: str) -> str:
    return f"this needs the package {package}, which is missing; {install(package)}"
