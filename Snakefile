"""seqbench: every architecture x dataset x pretraining under one protocol, and one report.

Needs a configuration (`config.yaml`, or any file after `--configfile`); yields
`results/report.html`, `results/summary.csv` and all they were made from.
"""

from snakemake.utils import min_version

min_version("9.20")


configfile: Path(workflow.current_basedir) / "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/window.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/cross.smk"
include: "workflow/rules/best.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/hooks.smk"
include: "workflow/rules/snakemake.smk"


localrules:
    all,
    promote,
    choose,


rule all:
    default_target: True
    input:
        layout.SUMMARY,
        layout.REPORT,
        missing_results,


onstart:
    begin()


onsuccess:
    end_well()


onerror:
    end()
