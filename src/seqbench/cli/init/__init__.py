"""Write a starter config from what lies in a folder of recordings, without overwriting a file.

The recordings lie in FOLDER/recordings, labels beside that: events.csv, labels.csv, or label
files of another program. What the files leave open is refused with the option that decides;
give it as `--set KEY=VALUE`, such as `--set time_unit=ms`.
"""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from shlex import quote
from typing import Any

import yaml

from seqbench.cli.plans import read_config
from seqbench.errors import UserError
from seqbench.storage.atomic import replacing

EXAMPLES = {
    "seqbench init doors": "writes doors.yaml",
    "seqbench init doors --set time_unit=ms 'channels=[x, y]'": "with keys that the files leave"
    " open",
    "seqbench init /data/doors --out bells.yaml": "under another name",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the folder, the config and what the user decides."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder that holds recordings/")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="config to write; FOLDER.yaml in this folder by default",
    )
    parser.add_argument(
        "--set", type=_key_and_value, nargs="+", action="extend", default=[], dest="given",
        metavar="KEY=VALUE", help="keys of the dataset, with values as YAML writes them",
    )  # fmt: skip


def _key_and_value(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise ArgumentTypeError(f"'{text}' is no KEY=VALUE")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise ArgumentTypeError(f"'{value}' is no value of YAML") from None


def run(folder: Path, out: Path | None, given: list[tuple[str, Any]]) -> None:
    """Read the folder, and write a config that passes `seqbench check`.

    Raises
    ------
    UserError
        If the config is there already, or the folder cannot be read as it stands.
    """
    from seqbench.cli.init.from_folder import config_text

    out = out or Path(f"{folder.resolve().name}.yaml")
    if out.exists():
        raise UserError(f"{out}: is there already; name another file with --out, or remove it")
    text = config_text(folder, dict(given))
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
        read_config(temporary)
    print(f"{out}: written; read its comments, then `seqbench run {quote(str(out))}`")
