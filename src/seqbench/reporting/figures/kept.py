"""Drawings of the last report: a figure is drawn again only if what it is drawn from has changed.

They lie in one file which is no output of a rule, since Snakemake removes those before it makes a
report again, and not among the results: who gives results to others must not be able to put a
drawing of his own into their page. A drawing is known by its key, a digest of everything that
decides its bytes: values, code, words and versions of packages. What was done to the files of a
figure since does not matter; they are written from here, and a file that is damaged here, or of
another version, counts as none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES, TASKS
from seqbench.errors import FormatError
from seqbench.process.code_digest import source_digest
from seqbench.reporting.evidence.across import Across
from seqbench.reporting.evidence.margins import Margins
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.evidence.published import Published
from seqbench.reporting.figures.catalog import caption, title
from seqbench.reporting.figures.drawing import Drawing
from seqbench.reporting.scores.metrics import ceiling_of, floor_of
from seqbench.storage.hdf5 import reading, writing
from seqbench.storage.mapping import read_record, write_record
from seqbench.storage.value_digest import NoDigest, ValueDigest

KIND, VERSION = "drawings", 1
RENDERING = "seqbench.reporting.figures.rendering"
PACKAGES = ("fonttools", "markupsafe", "matplotlib", "numpy", "pandas", "pillow", "scipy")

Shown = Material | Across | Margins | Published
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class _Record:
    """A drawing in the file; texts can be longer than an attribute of HDF5."""

    place: str
    figure: str
    left_out: str
    element: Bytes
    svg: Bytes
    pdf: Bytes
    csv: Bytes


def drawings_of(
    figures: Iterable[tuple[str, str]], shown: Mapping[str, Shown], kept: Mapping[str, Drawing]
) -> dict[tuple[str, str], Drawing]:
    """Return figures by place and name, each as it was kept, or drawn.

    Parameters
    ----------
    figures
        As `catalog.figure_names` returns them.
    shown
        What figures are drawn of, by place.
    kept
        As `read_drawings` returns them.
    """
    digest, found = ValueDigest(), {}
    for place, figure in figures:
        key = _key(figure, shown[place], digest)
        found[place, figure] = kept.get(key) or replace(_drawn(figure, shown[place]), key=key)
    return found


def read_drawings(path: Path) -> dict[str, Drawing]:
    """Return the drawings of the last report by key; none where their file is missing or damaged.

    A figure without a drawing is drawn, so that nothing is lost but time.
    """
    try:
        with reading(path, KIND, VERSION) as file:
            return {key: _drawing(key, read_record(file[key], _Record)) for key in file}
    except FormatError:
        return {}


def keep_drawings(path: Path, drawings: Iterable[Drawing]) -> None:
    """Keep the drawings of a report for the next one, but those without a key."""
    with writing(path, KIND, VERSION) as file:
        for one in drawings:
            if one.key:
                record = _Record(
                    place=one.place,
                    figure=one.figure,
                    left_out=one.left_out,
                    element=_bytes(one.element.encode()),
                    svg=_bytes(one.svg),
                    pdf=_bytes(one.pdf),
                    csv=_bytes(one.csv.encode()),
                )
                write_record(file.create_group(one.key), record)


def _key(figure: str, material: Shown, digest: ValueDigest) -> str:
    """Return the digest of all that a figure is drawn from; "" where a part of it has none."""
    code = source_digest(RENDERING, FIGURES.entry(figure).module)
    of_task = _of_task(material.board.task) if isinstance(material, Material) else ()
    with suppress(NoDigest):
        return digest(
            (figure, title(figure), caption(figure), code, _versions(), of_task, material)
        )
    return ""


def _of_task(task: str) -> tuple[str | None, ...]:
    """Return what a leaderboard looks up in registries when it is asked for it."""
    return TASKS[task]().tiebreak, floor_of(task), ceiling_of(task)


@cache
def _versions() -> tuple[str, ...]:
    return python_version(), *map(version, PACKAGES)


def _drawn(figure: str, material: Shown) -> Drawing:
    from seqbench.reporting.figures import rendering  # with matplotlib, which most reports spare

    return rendering.draw(figure, material)


def _drawing(key: str, record: _Record) -> Drawing:
    return Drawing(
        place=record.place,
        figure=record.figure,
        element=Markup(_text(record.element)),
        left_out=record.left_out,
        svg=record.svg.tobytes(),
        pdf=record.pdf.tobytes(),
        csv=_text(record.csv),
        key=key,
    )


def _bytes(content: bytes) -> Bytes:
    return np.frombuffer(content, dtype=np.uint8)


def _text(content: Bytes) -> str:
    return content.tobytes().decode()
