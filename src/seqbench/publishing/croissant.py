"""Metadata of a dataset as Croissant 1.0, by which catalogs and loaders know what a file holds.

What is small stands in the metadata itself: recordings, channels and classes. Samples, labels and
targets are named by their place in `recordings.h5`; loaders of today read no HDF5.

References
----------
Akhtar et al. (2024). Croissant: a metadata format for ML-ready datasets. NeurIPS, datasets and
benchmarks. arXiv:2403.19546. The format: http://mlcommons.org/croissant/1.0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seqbench.config.datasets import DatasetEntry
from seqbench.config.registry import DATASETS
from seqbench.reporting.text.cards import NOTHING_TO_LICENSE
from seqbench.storage.model_card import sha256
from seqbench.storage.recordings import PATHS, Recordings, read_recordings

VERSION = "http://mlcommons.org/croissant/1.0"
HDF5 = "application/x-hdf5"
TEXT, INTEGER, NUMBER = "sc:Text", "sc:Integer", "sc:Float"
# As the format requires it, the same in every file.
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            *("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject"),
            *("fileProperty", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key"),
            *("md5", "parentField", "path", "recordSet", "references", "regex", "repeated"),
            *("replace", "samplingRate", "separator", "source", "subField", "transform"),
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
Field = tuple[str, str, str]  # its name, type and description


def croissant(name: str, entry: DatasetEntry, path: Path) -> dict[str, Any]:
    """Return the Croissant metadata of a dataset as JSON values.

    Parameters
    ----------
    name, entry
        Of the dataset, as the configuration has them.
    path
        Its `recordings.h5`, beside which the metadata are to lie.

    Returns
    -------
    dict
        Without `license`, `citeAs`, `version` or `url` where neither the source nor the
        configuration states it; nothing is guessed.

    Raises
    ------
    FormatError
        If the file is missing or damaged.
    """
    recordings = read_recordings(path, memory_limit_bytes=0)
    source = recordings.source
    origin = str(source.get("origin") or "")
    stated = {
        "license": entry.licence or source.get("licence"),
        "citeAs": entry.citation or source.get("citation"),
        "version": source.get("version"),
        "url": origin if origin.startswith(("https://", "http://")) else None,
    }
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": name,
        "description": _description(entry, recordings),
        **{key: str(value) for key, value in stated.items() if value},
        "distribution": _files(source.get("files") or {}, path),
        "recordSet": [
            _recordings(recordings),
            _channels(recordings),
            *([_classes(recordings)] if recordings.classes else []),
            _samples(recordings, path.name),
            *([_labels(recordings, path.name)] if len(recordings.label) else []),
        ],
    }


def missing(metadata: Mapping[str, Any]) -> list[str]:
    """Return the keys of a configuration that would state what metadata lack."""
    if metadata.get("license") == NOTHING_TO_LICENSE:  # a generator; nobody is to be cited
        return []
    pairs = (("license", "licence"), ("citeAs", "citation"))
    return [of_config for key, of_config in pairs if key not in metadata]


def _description(entry: DatasetEntry, recordings: Recordings) -> str:
    """Return what the source is, where no option of it may change that, and the sizes."""
    about = "" if entry.source_options else DATASETS.entry(entry.source).summary
    rate = recordings.sampling_rate_hz
    sizes = (
        f"Task {recordings.task}; {recordings.sample}: recordings {len(recordings.names)},"
        f" channels {len(recordings.channels)}, classes {len(recordings.classes)}, labels"
        f" {len(recordings.label)}, samples {int(recordings.lengths.sum())}"
        f"{'' if rate is None else f' at {rate:g} Hz'}."
    )
    return f"{about} {sizes}".strip()


def _files(sums: Mapping[str, str], path: Path) -> list[dict[str, Any]]:
    """Return the file of recordings, and those that it was read from."""
    own = {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "description": "All recordings, as seqbench reads them.",
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": HDF5,
        "sha256": sha256(path),
    }
    return [own] + [
        {
            "@type": "cr:FileObject",
            "@id": f"source/{name}",
            "name": name,
            "description": "A file of the source, from which the recordings were read.",
            "contentUrl": name,
            "encodingFormat": "application/octet-stream",
            "sha256": digest,
        }
        for name, digest in sorted(sums.items())
    ]


def _recordings(recordings: Recordings) -> dict[str, Any]:
    fields = [
        ("name", TEXT, "Name of the recording."),
        ("group", TEXT, "What no split cuts through, such as a subject."),
        ("split", TEXT, "The source's own split; empty without."),
        ("start", INTEGER, "First sample of the recording among those of all."),
        ("n_samples", INTEGER, "Samples of the recording."),
        ("sampling_rate_hz", NUMBER, "Samples per second; null where the source does not say."),
    ]
    lengths = recordings.lengths
    starts = np.cumsum(lengths) - lengths
    rate = recordings.sampling_rate_hz
    rows = zip(
        recordings.names,
        recordings.groups,
        recordings.splits,
        starts.tolist(),
        lengths.tolist(),
        [rate] * len(lengths),
        strict=True,
    )
    return _inline("recordings", "Recordings, in the order of their samples.", fields, rows)


def _channels(recordings: Recordings) -> dict[str, Any]:
    fields = [
        ("name", TEXT, "Name of the channel."),
        ("unit", TEXT, "Its unit; empty where unknown."),
    ]
    rows = zip(recordings.channels, recordings.units, strict=True)
    return _inline("channels", "Channels of a sample, in their order.", fields, rows)


def _classes(recordings: Recordings) -> dict[str, Any]:
    fields = [("name", TEXT, "Name of the class.")]
    rows = ((name,) for name in recordings.classes)
    return _inline("classes", "Classes, in the order of their indices from 0.", fields, rows)


def _samples(recordings: Recordings, file: str) -> dict[str, Any]:
    shape = " x ".join(map(str, recordings.signals[0].shape[1:]))
    words = f"Values of a sample, {shape}, channels first."
    if recordings.sample == "tokens":
        words = "Unicode code point of a sample, which is a character."
    found = [("signal", NUMBER, words, "signal")]
    if recordings.targets is not None:
        named = zip(recordings.target_names, recordings.target_units, strict=True)
        names = ", ".join(f"{name} ({unit})" if unit else name for name, unit in named)
        words = f"Values to predict of a sample, NaN where unknown: {names}."
        found.append(("targets", NUMBER, words, "targets/values"))
    fields = [_field("samples", field[:3], file, field[3]) for field in found]
    for field in fields:
        field["repeated"] = True
    return _record_set("samples", "Samples of all recordings, end to end.", fields)


def _labels(recordings: Recordings, file: str) -> dict[str, Any]:
    found = [
        ("recording", INTEGER, "Index of the recording, from 0.", PATHS["label_recording"]),
        ("class", INTEGER, "Index of the class, from 0.", PATHS["label"]),
        ("start", INTEGER, "First sample, from the start of the recording.", PATHS["label_start"]),
        ("stop", INTEGER, "Sample behind the last one.", PATHS["label_stop"]),
    ]
    fields = [_field("labels", field[:3], file, field[3]) for field in found]
    return _record_set("labels", "Labels, each of some samples of a recording.", fields)


def _inline(
    name: str, description: str, fields: Iterable[Field], rows: Iterable[tuple[Any, ...]]
) -> dict[str, Any]:
    """Return a set of records with its data."""
    described = [_field(name, field) for field in fields]
    keys = [field["@id"] for field in described]
    found = _record_set(name, description, described)
    return found | {"data": [dict(zip(keys, row, strict=True)) for row in rows]}


def _record_set(name: str, description: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "field": fields,
    }


def _field(records: str, field: Field, file: str = "", place: str = "") -> dict[str, Any]:
    """Return a field of a set of records, with its place in a file if there is one."""
    name, kind, description = field
    found: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{records}/{name}",
        "name": name,
        "description": description,
        "dataType": kind,
    }
    if file:
        found |= {"source": {"fileObject": {"@id": file}, "extract": {"column": place}}}
    return found
