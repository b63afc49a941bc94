"""Typed configuration, wildcard constraints and input functions; no rules.

Needs `config`, merged by Snakemake; yields `PLAN`, the settings of jobs, and the
functions by which rules find their inputs.
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
from seqbench.config.arms import Arm
from seqbench.config.benchmark import Benchmark
from seqbench.errors import UserError
from seqbench.config.options import canonical_json
from seqbench.config.plugins import plugin_packages
from seqbench.config.registry import BASELINES
from seqbench.plan.job_code import JobCode
from seqbench.plan.baseline_fit import unused_baselines
from seqbench.plan.gpus import (
    check_gres,
    gres_of,
    most_gpus,
    nodes_from_here,
    nodes_of,
)
from seqbench.plan.packages import missing_packages
from seqbench.plan.plan import Plan
from seqbench.plan.searches import choice_files, promotion_files, trial_files
from seqbench.plan.source_files import from_folder, init_files, source_files
from seqbench.plan.workflow_jobs import (
    best_files,
    overlap_inputs,
    report_files,
)
from seqbench.process.code_copy import copy_code
from seqbench.process.code_digest import PARSED, read_copy
from seqbench.reporting.figures.catalog import (
    caption,
    figure_names,
    table_paths,
    title,
)
from seqbench.config.stages import STATES_STAY
from seqbench.storage.atomic import write_text
from seqbench.storage.trials import read_choice, read_promotion
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
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, path)))
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


def recorded_files(wildcards):
    """Return the user's files that a dataset is read from."""
    return source_files_of(wildcards.dataset)


def recordings(wildcards):
    """Return the recordings that windows are cut from; folds of a dataset share them."""
    return layout.RECORDINGS.format(dataset=BENCHMARK.base_dataset(wildcards.dataset))


def initial_weights(wildcards):
    """Return the file that a run starts from, if its arm has one: an encoder, or one of a user's."""
    arm = Arm.parse(wildcards.arm)
    if arm.from_file:
        return {"init": ancient(files_to_start_from()[wildcards.architecture].path)}
    if arm.objective is None:
        return {}
    names = dict(wildcards) | {"objective": arm.objective}
    names["dataset"] = arm.dataset or names["dataset"]
    return {"encoder": layout.ENCODER.format(**names)}


def init_digest(wildcards):
    """Return the digest of that file: a run is trained again when it changes, whatever its time."""
    if not Arm.parse(wildcards.arm).from_file:
        return ""
    return files_to_start_from()[wildcards.architecture].digest


def processes_of_pretraining(wildcards):
    """Return how many processes pretrain one encoder."""
    return BENCHMARK.pretraining(wildcards.architecture).gpus


def processes_of_finetuning(wildcards):
    """Return how many processes train one model of a run, or of a trial."""
    return BENCHMARK.finetuning(wildcards.architecture).gpus


def one_process(wildcards):
    """Return how many processes score a model."""
    return 1


def has_gpu(wildcards):
    """Return whether a job has GPUs: one of a baseline, known by its arm, has none."""
    return BENCHMARK.device != "cpu" and wildcards.get("arm") != "baseline"


def gpus(processes):
    """Return a function: GPUs of a job, one for each process, unless it requests them by `gres`."""

    def number(wildcards):
        return (
            processes(wildcards)
            if has_gpu(wildcards) and not gres(processes)(wildcards)
            else 0
        )

    return number


def gres(processes):
    """Return a function: the generic resource that a job of a cluster has GPUs as, if it does.

    Those of the members of a pack must be the same: a score requests as many as its training.
    """

    def name(wildcards):
        return (
            gres_of(processes(wildcards))
            if turn(wildcards) and has_gpu(wildcards)
            else None
        )

    return name


def nodes(processes):
    """Return a function: nodes that a training needs where it needs several, else none."""

    def number(wildcards):
        n = nodes_of(processes(wildcards)) if turn(wildcards) else 1
        return n if n > 1 else None

    return number


def by_itself(processes):
    """Return a function: 1 where a training starts its own processes on several nodes, else none.

    The plugin for SLURM starts all others, on one node. It takes any number: those of the members
    of a pack need not be the same, as words must.
    """
    return lambda wildcards: 1 if nodes(processes)(wildcards) else None


def refit_model(wildcards):
    """Return the model of a run after it has learned from val too, where that is requested."""
    is_trained = wildcards.arm != "baseline"
    is_refit = is_trained and BENCHMARK.finetuning(wildcards.architecture).refit
    return layout.REFIT.format(**wildcards) if is_refit else []


def model_of_test(wildcards):
    """Return the model of a run that predicts test."""
    return refit_model(wildcards) or layout.MODEL.format(**wildcards)


def choice(wildcards):
    """Return the file with the chosen options of a model, once all of its trials are done."""
    if (wildcards.dataset, wildcards.architecture) not in TUNED:
        return []
    names = {"dataset": wildcards.dataset, "architecture": wildcards.architecture}
    return checkpoints.choose.get(**names).output.choice


def chosen_point(wildcards):
    """Return the chosen options of a model; None where there was no search."""
    file = choice(wildcards)
    return read_choice(Path(file)).options if file else None


# Inputs that some jobs have; rules have them where there are such jobs, as each of thousands pays.
CHOICE = {"choice": ancient(choice)} if TUNED else {}
REFIT = (
    {"refit": refit_model}
    if any(BENCHMARK.finetuning(name).refit for name in BENCHMARK.all_architectures)
    else {}
)


def point_of_trial(wildcards):
    """Return the options of a trial."""
    return PLAN.trials(wildcards.architecture)[int(wildcards.trial)]


def rung_of_trial(wildcards):
    """Return the rung of a trial."""
    return PLAN.rungs(wildcards.architecture)[int(wildcards.rung)]


def last_rung(architecture):
    """Return the number of the rung whose trials have all epochs."""
    return len(PLAN.rungs(architecture)) - 1


def trials_of(dataset, architecture, rung):
    """Return the trials of a model in a rung, once those of the rung before are ranked."""
    if rung == 0:
        reached = range(len(PLAN.trials(architecture)))
    else:
        names = {"dataset": dataset, "architecture": architecture, "rung": rung - 1}
        file = checkpoints.promote.get(**names).output.promotion
        reached = read_promotion(Path(file)).trials
    return trial_files(dataset, architecture, rung, reached)


def missing_results(wildcards):
    """Return predictions and scores that a report does without.

    Where Snakemake has no records of what it was made from, it would pass for finished.
    """
    if not (FOLDER / layout.REPORT).exists():
        return []
    files = (
        run.fill(path)
        for run in PLAN.runs
        for path in (layout.PREDICTIONS, layout.METRICS)
    )
    return [path for path in files if not (FOLDER / path).exists()]


def in_folder(files, what):
    """Return what a step reads, unless it lies in a storage: the step finds it in one folder."""
    if (storage := workflow.storage_settings.default_storage_provider) is not None:
        raise WorkflowError(
            f"{what} reads results/ as a folder, which --default-storage-provider {storage} is not;"
            " name scores as targets (results/evaluate/.../metrics.json), fetch results/, and start"
            " again without the option"
        )
    return files


def reported_files(wildcards):
    """Return what the report reads, but for the trials that others decide on."""
    return in_folder(sorted(report_files(PLAN, promotions={})), "the report")


def later_trials(wildcards):
    """Return the trials of all rungs but the first ones, once it is known which there are."""
    return [
        path
        for dataset, architecture in PLAN.tuned
        for rung in range(1, last_rung(architecture) + 1)
        for path in trials_of(dataset, architecture, rung)
    ]


def place_label(place):
    """Return how figures of a dataset, or across the datasets of a task, are filed."""
    if place == layout.PUBLISHED:
        return "against published results"
    if place == layout.MARGINS:
        return "across datasets"
    return place.replace(layout.ACROSS.format(task=""), "across datasets: ")


def caption_file(figure):
    """Return a file with the caption of a figure, as Snakemake's own report reads it."""
    path = Path(".snakemake", "captions", f"{figure}.rst").resolve()
    text = f"**{title(figure)}.** {caption(figure)}\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
    return str(path)


def encoder_option(wildcards, input):
    """Return the option that names the encoder, empty where there is none."""
    given = input.get("encoder") or input.get("init")
    return f"--encoder {shlex.quote(str(given))}" if given else ""


def refit_option(wildcards, input):
    """Return the option that names the model after a refit, empty where there is none."""
    given = input.get("refit")
    return f"--refit {shlex.quote(str(given))}" if given else ""


def state_folder(step):
    """Return the pattern of the folder from which an interrupted training goes on."""
    return str(FOLDER / layout.state(step))


def tensorboard_option(*stage):
    """Return a function that names the TensorBoard folder of a job, if it writes logs.

    It takes the input too: Snakemake re-runs no job for a parameter made from its input.
    """
    folder = str(FOLDER.joinpath(layout.TENSORBOARD, *stage))

    def option(wildcards, input):
        if not BENCHMARK.tensorboard:
            return ""
        return f"--tensorboard {shlex.quote(folder.format(**wildcards))}"

    return option


def turn(wildcards):
    """Return 1 in a job of a cluster, whose members share one turn, and 0 on a workstation."""
    return int(workflow.remote_exec or not workflow.local_exec)


def packed_with_its_model(wildcards):
    """Return the group of an evaluation: where its model was made, on a GPU or without one."""
    return "baseline" if wildcards.arm == "baseline" else "training"


def crossed_with_its_kind(wildcards):
    """Return the group of an evaluation on another dataset: of models on a GPU, or baselines."""
    return "crossed_baselines" if wildcards.arm == "baseline" else "crossed_models"


if IS_MODULE and workflow.is_main_process:  # Snakemake leaves out its `onstart`
    write_text(FOLDER / layout.CONFIG, BENCHMARK.to_yaml())
