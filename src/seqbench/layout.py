"""Every path of the benchmark; the one place that knows `results/`.

Patterns are plain strings: Snakemake fills their wildcards, steps and tests
use `str.format`. Nothing is ever parsed back out of a path.
"""

RUN = "{dataset}/{architecture}/{arm}/labels{labels}/seed{seed}"
PRETRAINING = "{dataset}/{architecture}/{objective}/seed{seed}"

CONFIG = "results/config.yaml"

RECORDINGS = "results/ingest/{dataset}/recordings.h5"
WINDOWS = "results/window/{dataset}/windows.h5"
OVERLAP = "results/window/{dataset}/overlap/{source}.json"

ENCODER = f"results/pretrain/{PRETRAINING}/encoder.safetensors"
PRETRAIN_HISTORY = f"results/pretrain/{PRETRAINING}/history.csv"

# Trials of one rung train for the same part of their epochs; a search without halving has rung 0.
RUNG = "{dataset}/{architecture}/rung{rung}"
TRIAL = f"results/tune/{RUNG}/trial{{trial}}.json"
PROMOTION = f"results/tune/{RUNG}/promotion.json"  # which trials go on to the next rung
CHOICE = "results/tune/{dataset}/{architecture}/choice.json"

MODEL = f"results/finetune/{RUN}/model.safetensors"
HISTORY = f"results/finetune/{RUN}/history.csv"
TRANSFER = f"results/finetune/{RUN}/transfer.json"
REFIT = f"results/refit/{RUN}/model.safetensors"  # trained on train and val, where requested

PREDICTIONS = f"results/evaluate/{RUN}/predictions.h5"
METRICS = f"results/evaluate/{RUN}/metrics.json"

# Test of another dataset, as models of this one see it, and what they score there.
CROSS_WINDOWS = "results/cross/{dataset}/on/{tested_on}/windows.h5"
CROSS_PREDICTIONS = f"results/cross/{RUN}/on/{{tested_on}}/predictions.h5"
CROSS_METRICS = f"results/cross/{RUN}/on/{{tested_on}}/metrics.json"

BEST = "results/best/{dataset}"  # the model selected on val, ready for new recordings
CARD = f"{BEST}/model_card.json"
CARD_TEXT = f"{BEST}/MODEL_CARD.md"
BEST_BASELINE = f"{BEST}/baseline"

SUMMARY = "results/summary.csv"
REPORT = "results/report.html"
REPORT_SO_FAR = "results/report-so-far.html"  # made by hand, known to no rule
FIGURE = "results/figures/{dataset}/{figure}.svg"
FIGURE_PDF = "results/figures/{dataset}/{figure}.pdf"
FIGURE_TABLE = "results/figures/{dataset}/{figure}.csv"  # the numbers that the figure draws
# In place of the dataset of a figure across datasets; the name of none starts with an underscore.
ACROSS = "_across/{task}"
MARGINS = "_across"  # the margins of all of them; no dataset may be called so
PUBLISHED = "_published"  # in the same place; no dataset may be called so
TABLE = "results/tables/{dataset}.{form}"
OVERALL_TABLE = "results/tables/_overall.{form}"  # no dataset may be called so
TRIALS_TABLE = "results/tables/_trials.csv"  # nor so
CROSS_TABLE = "results/tables/_cross.csv"  # nor so
TABLE_FORMS = ("tex", "md", "csv")

TENSORBOARD = "results/tensorboard"

STATES = "results/.state"  # of trainings under way; empty when all are done
# Of the last report; no output of a rule. Not among the results, which one may have from others:
# a drawing goes into the page as it is, and its key says what it was drawn from, not by whom.
DRAWINGS = ".snakemake/seqbench/drawings.h5"

SCOPES = {
    "ingest": "{dataset}",
    "window": "{dataset}",
    "overlap": "{dataset}/{source}",
    "tune": f"{RUNG}/trial{{trial}}",
    "tune_baseline": f"{RUNG}/trial{{trial}}",
    "promote": RUNG,
    "choose": "{dataset}/{architecture}",
    "pretrain": PRETRAINING,
    "finetune": RUN,
    "refit": RUN,
    "fit_baseline": RUN,
    "evaluate": RUN,
    "cross_window": "{dataset}/on/{tested_on}",
    "cross_evaluate": f"{RUN}/on/{{tested_on}}",
    "best": "{dataset}",
    "report": "report",
}


def log(step: str) -> str:
    """Return the pattern of a step's log file."""
    return f"results/logs/{step}/{SCOPES[step]}.log"


def state(step: str) -> str:
    """Return the pattern of the folder from which an interrupted training goes on.

    It is no output of a rule: Snakemake removes those before it runs a job again.
    """
    return f"{STATES}/{step}/{SCOPES[step]}"
