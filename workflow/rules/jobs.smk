"""Functions by which rules find the inputs, resources and options of their jobs; no rules.

Needs `PLAN` and what else common.smk yields.
"""

from seqbench.config.arms import Arm
from seqbench.plan.gpus import gres_of, nodes_of
from seqbench.plan.searches import choice_files, promotion_files, trial_files
from seqbench.plan.workflow_jobs import best_files, overlap_inputs, report_files
from seqbench.reporting.figures.catalog import (
    caption,
    figure_names,
    table_paths,
    title,
)
from seqbench.storage.trials import read_choice, read_promotion


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
