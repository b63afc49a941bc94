"""Describe a dataset as Croissant: files with checksums, recordings, channels, labels, licence.

The dataset has been read by a run. Its metadata belong beside its recordings.h5. What is not
known is left out: the format wants a url, creator and datePublished as well, which only who
publishes the dataset knows.
"""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path

from seqbench import layout
from seqbench.cli.arguments import refuse_overwriting
from seqbench.cli.plans import read_plan
from seqbench.errors import UserError

EXAMPLES = {
    "seqbench croissant doors": "on the screen",
    "seqbench croissant doors --out results/ingest/doors/croissant.json": "beside its recordings",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the dataset, the folder of results and the file to write."""
    parser.add_argument("dataset", metavar="DATASET", help="its name in the config")
    parser.add_argument(
        "--directory", type=Path, default=Path(), metavar="DIR",
        help="folder that holds results/; by default this one",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write; without, they are printed"
    )


def run(dataset: str, directory: Path, out: Path | None) -> None:
    """Print or write the metadata, and name what a user of the data will miss in them."""
    from seqbench.config.registry import suggestion
    from seqbench.publishing.croissant import croissant, missing
    from seqbench.storage.atomic import write_text

    plan = read_plan(None, directory)
    if dataset not in plan.ingested:
        raise UserError(
            f"'{dataset}': no dataset of the config; {suggestion(dataset, plan.ingested)}"
        )
    path = directory / layout.RECORDINGS.format(dataset=dataset)
    if out is not None:
        refuse_overwriting(out, ("recordings of DATASET", path))
    found = croissant(dataset, plan.benchmark.all_datasets[dataset], path)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    for key in missing(found):
        note = f"no {key} is known; set datasets.{dataset}.{key} in the config"
        print(note, file=sys.stderr)
    if out is None:
        sys.stdout.write(text)
        return
    write_text(out, text)
    print(out)
