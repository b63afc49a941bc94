"""Packages that only some methods, formats and commands need, and the extra that installs each."""

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
    if package not in EXTRAS:
        return None
    return f"this needs the package {package}, which is missing; {install(package)}"
