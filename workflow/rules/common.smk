"""The start: code that jobs import, typed configuration and wildcard constraints; no rules.

Needs `config`, merged by Snakemake; yields `PLAN`, the settings of jobs and the folder of results.
"""

import atexit
import json
import os
import shlex
import sys
import time
from functools import cache
from importlib.util import find_spec

from snakemake.logging import logger

IS_MODULE = not workflow.modifier.is_main_snakefile()  # `is_module` is true of any
STARTED = time.time()  # nothing of the package has been read before
ROOT = Path(str(workflow.current_basedir)).parent.parent
COPY = "SEQBENCH_CODE"


def source_folder():
    """Return the folder that holds the package: of this clone, this wheel, else the installed one.

    Jobs of a cluster have a copy of that. Snakemake reads a module that lies on GitHub file by
    file, and finds no package beside it.
    """
    if workflow.remote_exec and os.getenv(COPY):
        return Path(os.environ[COPY]).absolute()
    for folder in (ROOT / "src", ROOT.parent.parent):
        if (folder / "seqbench" / "__init__.py").is_file():
            return folder
    installed = find_spec("seqbench")
    if installed is None:
        raise WorkflowError(
            f"{sys.executable} has no package seqbench; install the version whose workflow this is"
        )
    return Path(installed.origin).parents[1]


SRC = source_folder()
START = SRC / "start.json"  # what a workflow started with, beside its copy of the code
# A wheel comes last: the folder that it is installed in holds other packages too.
is_alone = SRC == ROOT / "src" or START.is_file()
sys.path.insert(0 if is_alone else len(sys.path), str(SRC))

# Jobs find the Python that runs Snakemake.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.getenv('PATH', '')}"
)
if "{" in str(ROOT):
    raise WorkflowError(
        f"{ROOT}: Snakemake takes braces for wildcards; rename the folder"
    )

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.errors import UserError
from seqbench.config.options import canonical_json
from seqbench.config.plugins import plugin_packages
from seqbench.config.registry import BASELINES
from seqbench.plan.job_code import JobCode
from seqbench.plan.baseline_fit import unused_baselines
from seqbench.plan.gpus import check_gres, most_gpus, nodes_from_here
from seqbench.plan.packages import missing_packages
from seqbench.plan.plan import Plan
from seqbench.plan.source_files import from_folder, init_files, source_files
from seqbench.process.code_copy import copy_code
from seqbench.process.code_digest import PARSED, read_copy
from seqbench.config.stages import STATES_STAY
from seqbench.storage.atomic import write_text
from seqbench.process.fork_server import start as start_fork_server
from seqbench.process.origin import commit
from seqbench.config.yaml_files import read_yaml

if not Path(layout.__file__).samefile(SRC / "seqbench" / "layout.py"):
    raise WorkflowError(
        f"{Path(layout.__file__).parent} was imported before {SRC / 'seqbench'}, the package of this"
        " workflow; import none in the workflow that uses it, or use the Snakefile of the one imported"
    )

# A module with a prefix has `results/` there, and paths in its config are counted from there.
PLACED = workflow.modifier.path_modifier.replace_prefix(layout.CONFIG)
FOLDER = Path(PLACED.removesuffix(layout.CONFIG))
if str(FOLDER / layout.CONFIG) != PLACED:
    raise WorkflowError(
        f"the module has {layout.CONFIG} at {PLACED}, but steps look for results/ by its name; leave"
        " `replace_prefix` out, and give the folder that holds results/ as `prefix`, without ./"
    )


@cache
def source_files_of(dataset):
    """Return the user's files that a dataset of the plan is read from."""
    if dataset not in PLAN.ingested:
        raise KeyError(dataset)
    return source_files(PLAN.job_settings.ingest(dataset))


@cache
def files_to_start_from():
    """Return the user's files that runs start from, by architecture."""
    return init_files(PLAN)


try:
    if workflow.is_main_process:  # Snakemake itself takes the last of repeated keys
        for path in map(Path, workflow.configfiles):
            if path.suffix != ".json":
                read_yaml(path)
    if workflow.remote_exec and START.is_file():
        # Its files may have changed meanwhile.
        config = json.loads(START.read_text(encoding="utf-8"))["configs"][str(FOLDER)]
    # A workflow may have several modules, each with a config of its own.
    CONFIGS = vars(workflow).setdefault("configs_by_folder", {})
    CONFIGS[str(FOLDER)] = config
    PLAN = Plan(from_folder(Benchmark.load(config), FOLDER))
    if workflow.is_main_process:  # any other one looks at files of its own jobs alone
        for name in PLAN.ingested:
            source_files_of(name)
        files_to_start_from()
    settings = workflow.resource_settings
    for given in (settings.default_resources, *settings.overwrite_resources.values()):
        check_gres(PLAN, {name: str(one.raw) for name, one in (given or {}).items()})
except UserError as error:
    raise WorkflowError(str(error)) from None

BENCHMARK = PLAN.benchmark
if workflow.is_main_process:
    for sentence in (*unused_baselines(BENCHMARK), *missing_packages(PLAN)):
        logger.warning(sentence)
MEMORY_LIMIT = BENCHMARK.memory_limit
if MEMORY_LIMIT == "auto" and workflow.local_exec and not workflow.remote_exec:
    # Processes have one thread each, so as many run at once as there are cores; those of a
    # cluster have memory of their own.
    MEMORY_LIMIT = f"auto/{workflow.resource_settings.cores or 1}"
SETTINGS = PLAN.job_settings
CODE = JobCode(BENCHMARK)
PARSED_MODULES = Path(".snakemake", "seqbench", "modules.json")
PARSED.load(PARSED_MODULES)
if workflow.is_main_process:
    atexit.register(PARSED.save, PARSED_MODULES)


def import_from(folder):
    """Let jobs import this package from a folder, behind what another workflow has them do first.

    Their shell waits for the step when a cluster signals all processes of a job to end: the step
    has a state to write.
    """
    before = shell._process_prefix or "set -euo pipefail; "
    own = (
        f"export PYTHONPATH={shlex.quote(str(folder))}${{PYTHONPATH:+:$PYTHONPATH}};"
        " trap : TERM USR1; "
    )
    if own not in before:
        shell.prefix((before + own).replace("{", "{{").replace("}", "}}"))


def check_machine():
    """Refuse trainings with more GPUs than there are here; torch is loaded, which counts them."""
    if workflow.local_exec and (n_gpus := most_gpus(PLAN)) > 1:
        from seqbench.training.devices import check_gpus

        check_gpus(n_gpus // nodes_from_here(n_gpus))


@cache
def code_of_jobs():
    """Copy the code that jobs import, and return the folder: its source may change meanwhile.

    Jobs of a cluster have it in their environment too, as a workflow with a module imports the
    package by itself.
    """
    started_with = {"commit": commit(), "configs": CONFIGS}
    try:
        check_machine()
        copy = copy_code(
            [Path(layout.__file__).parent, *plugin_packages()],
            {START.name: json.dumps(started_with, sort_keys=True)},
            STARTED,
        )
    except UserError as error:
        raise WorkflowError(str(error)) from None
    read_copy(copy)
    import_from(copy)
    os.environ[COPY] = str(copy)
    path = [str(copy.absolute()), *os.getenv("PYTHONPATH", "").split(os.pathsep)]
    os.environ.update(PYTHONPATH=os.pathsep.join(dict.fromkeys(filter(None, path))))
    return copy


# A job of a cluster runs no `onstart`. Its first Snakemake starts the fork server, and the one that
# it starts on the node finds that.
if workflow.remote_exec:
    os.environ[STATES_STAY] = "1"
    import_from(os.path.relpath(SRC))
    atexit.register(start_fork_server())


# What a config may name: a typing error in a target is no other run.
TRAINED_ARM = "|".join({*BENCHMARK.arm_names(), *(run.arm for run in PLAN.trained)})

# The same of what is searched: a rule that matches nothing makes no job.
TUNED = set(PLAN.tuned)
SEARCHED = {architecture for _, architecture in TUNED}
SEARCHED_NETWORKS, SEARCHED_BASELINES = (
    "|".join(sorted(names)) or "none of them"
    for names in (SEARCHED - set(BASELINES), SEARCHED & set(BASELINES))
)


# Members of a packed job run one after another: each takes the one `turn` of its job.
workflow.register_resource("turn", 1)


resource_scopes:
    turn="local",


wildcard_constraints:
    dataset=r"[a-z0-9][a-z0-9_-]*",
    source=r"[a-z0-9][a-z0-9_-]*",
    tested_on=r"[a-z0-9][a-z0-9_-]*",
    architecture=r"[a-z0-9][a-z0-9_-]*",
    arm=f"{TRAINED_ARM}|baseline",
    objective=r"[a-z0-9][a-z0-9_-]*",
    labels=r"[0-9.e-]+",
    rung=r"\d+",
    trial=r"\d+",
    seed=r"\d+",


if IS_MODULE and workflow.is_main_process:  # Snakemake leaves out its `onstart`
    write_text(FOLDER / layout.CONFIG, BENCHMARK.to_yaml())
