"""Check a config as `seqbench run` would run it, and every file of the folders that it reads.

Every file at fault is named, with the fix. The last line is the verdict.
"""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from seqbench.cli.exit_codes import FAILED
from seqbench.cli.plans import read_config
from seqbench.config.rungs import in_words
from seqbench.plan.baseline_fit import unused_baselines
from seqbench.plan.packages import missing_packages
from seqbench.plan.plan import Plan
from seqbench.plan.source_files import init_files

EXAMPLES = {
    "seqbench check doors.yaml": "the config, and every file of its folders",
    "seqbench check doors.yaml --no-data": "the config alone",
    "seqbench check shared.yaml mine.yaml": "mine.yaml merged into shared.yaml",
}
EXIT_CODES = {
    0: "the config is valid, and every file can be read",
    FAILED: "the config is invalid, or a file is at fault",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the config files."""
    parser.add_argument(
        "configs",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="YAML files, merged in turn into the default config, as by `seqbench run`",
    )
    parser.add_argument(
        "--no-data", action="store_true", help="check the config alone; a folder may be missing"
    )


def run(configs: list[Path], no_data: bool) -> None:
    """Print the number of runs by dataset, unused baselines, faulty files, and a verdict."""
    from seqbench.datasets.base import counted

    config, plan = configs[-1], Plan(read_config(*configs))
    print(
        f"{config}: {counted(len(plan.trained), 'model')} to train,"
        f" {counted(len(plan.baselines), 'baseline')} to fit"
    )
    for dataset, n in Counter(
        plan.benchmark.base_dataset(run.dataset) for run in plan.runs
    ).items():
        print(f"  {dataset:<24} {n:>5} runs")
    if plan.tuned:
        rungs = {name: plan.rungs(name) for _, name in plan.tuned}
        named = ", ".join(f"{name} {in_words(found)}" for name, found in rungs.items())
        n_trials = sum(rungs[name][0].n_trials for _, name in plan.tuned)
        print(f"  {n_trials} trials of options; of each dataset or fold: {named}")
    for sentence in (*unused_baselines(plan.benchmark), *missing_packages(plan)):
        print(f"  {sentence}")
    init_files(plan)
    if no_data:
        for name, folder in _missing_folders(plan):
            print(f"{name}: {folder} does not exist on this machine")
        print(f"{config}: valid; no folder was opened")
        return
    # All of them are opened, whatever is wrong with the first one.
    faulty = [name for name in plan.ingested if not _is_sound(plan, name)]
    if faulty:
        print(f"{config}: not ready to run; see above for {', '.join(faulty)}")
        sys.exit(FAILED)
    print(f"{config}: valid")


def _missing_folders(plan: Plan) -> Iterator[tuple[str, Path]]:
    """Yield datasets whose folder does not exist, with the folder."""
    from seqbench.config.registry import DATASETS

    for name in plan.ingested:
        settings = plan.job_settings.ingest(name)
        option = DATASETS.entry(settings.source).tags.get("reads")
        if option is not None:
            folder = Path(settings.options[option])
            if not folder.expanduser().is_dir():
                yield name, folder


def _is_sound(plan: Plan, name: str) -> bool:
    """Print what the user's files of a dataset hold, or all that is wrong with them."""
    from seqbench.config.registry import DATASETS
    from seqbench.datasets.base import DataErrors, cache_folder, counted, unstored
    from seqbench.errors import UserError, printable
    from seqbench.plan.source_files import source_files
    from seqbench.storage.lazy_array import LazyArray

    settings = plan.job_settings.ingest(name)
    source = DATASETS.entry(settings.source)
    if "reads" not in source.tags:
        return True
    options = source.options.model_validate(settings.options)
    try:
        source_files(settings)  # refuses what Snakemake cannot name
        with unstored():
            found = DATASETS[settings.source](cache_folder(), **dict(options))
    except UserError as error:
        faults = error.faults if isinstance(error, DataErrors) else [error]
        print(f"{name}: {counted(len(faults), 'fault')}")
        for one in faults:
            print(f"  {printable(str(one))}")
        return False
    held = [counted(len(found.names), "recording"), counted(len(found.channels), "channel")]
    if found.sampling_rate_hz is not None:
        held.append(f"{found.sampling_rate_hz:.6g} Hz")
    if found.classes:
        what = "event" if found.task == "detection" else "label"
        held += [counted(len(found.label), what), counted(len(found.classes), "type")]
    are_unread = any(isinstance(signal, LazyArray) for signal in found.signals)
    print(f"{name}: every file can be read: {', '.join(held)}")
    if are_unread:
        print("  the folder is large: samples behind the first ones of a file were not looked at")
    return True
