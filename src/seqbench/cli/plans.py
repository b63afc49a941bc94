"""The config or plan that a command reads."""

from argparse import ArgumentParser
from pathlib import Path

from seqbench import layout
from seqbench.cli.arguments import refuse_missing
from seqbench.config.benchmark import Benchmark
from seqbench.errors import UserError
from seqbench.pipeline import DEFAULT_CONFIG
from seqbench.plan.plan import Plan


def add_plan_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `read_plan`."""
    parser.add_argument(
        "--config", type=Path, nargs="+", metavar="FILE",
        help="YAML files, merged in turn into the default config; without any,"
        f" {layout.CONFIG} of the folder",
    )  # fmt: skip
    parser.add_argument(
        "--directory", type=Path, default=Path(), metavar="DIR",
        help="folder that holds results/; by default this one",
    )  # fmt: skip


def read_plan(config: list[Path] | None, directory: Path) -> Plan:
    """Return the plan of a config, or of the one that Snakemake saved beside the results.

    Raises
    ------
    UserError
        If there is neither, or no such folder, or if a config is invalid.
    """
    saved = directory / layout.CONFIG
    if config is None and not saved.is_file():
        refuse_missing(directory, "name the folder that holds results/")
        _refuse_results_folder(directory)
        raise UserError(
            f"{saved}: no such file, as Snakemake has not run here; name the folder with"
            " --directory, or the config with --config"
        )
    # What Snakemake saved is whole: another default config must not be merged into it.
    return Plan(read_config(*config) if config else Benchmark.read(saved))


def read_config(*paths: Path) -> Benchmark:
    """Return a config merged into the default one, as Snakemake does with its `--configfile`.

    Raises
    ------
    UserError
        If one is missing, a folder, or invalid.
    """
    for path in paths:
        refuse_missing(path, "`seqbench init FOLDER` writes a config")
        if path.is_dir():
            raise UserError(f"{path}: is a folder; `seqbench init {path}` writes a config for it")
    return Benchmark.read(DEFAULT_CONFIG, *paths)


def results_root(path: Path) -> Path:
    """Return the folder that holds `results/`, which is itself a way to name it."""
    saved = Path(layout.CONFIG)
    if not (path / saved.name).is_file():
        return path
    if path.name == saved.parts[0]:
        return path.parent  # a link to another disk is not followed: the name of its target is free
    return path.resolve().parent if path.resolve().name == saved.parts[0] else path


def _refuse_results_folder(directory: Path) -> None:
    """Refuse a folder of results in place of the one that holds it."""
    config, recordings = Path(layout.CONFIG), Path(layout.RECORDINGS)
    if (directory / config.name).is_file() and (directory / recordings.parts[1]).is_dir():
        results = config.parts[0]
        rename = "" if directory.resolve().name == results else f", and call it {results} there"
        raise UserError(
            f"{directory}: is itself a folder of results; give the folder that holds it as"
            f" --directory{rename}"
        )
