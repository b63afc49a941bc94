"""Predictions and scores; the stage that opens test.

Needs windows.h5 and a model; yields predictions.h5 and metrics.json per run.
"""


rule evaluate:
    input:
        **REFIT,
        windows=layout.WINDOWS,
        model=layout.MODEL,
    output:
        predictions=layout.PREDICTIONS,
        metrics=layout.METRICS,
    log:
        layout.log("evaluate"),
    group:
        packed_with_its_model
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        turn=turn,
        gpu=gpus(one_process),
        gres=gres(processes_of_finetuning),
        device=BENCHMARK.device,
        memory_limit=MEMORY_LIMIT,
    params:
        settings=lambda wc: SETTINGS.text("evaluate", wc.dataset),
        code=lambda wc: CODE.digest("evaluate", wc.dataset, wc.architecture),
        refit=refit_option,
    shell:
        "python -m seqbench.steps evaluate --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --architecture {wildcards.architecture}"
        " --arm {wildcards.arm} --labels {wildcards.labels} --seed {wildcards.seed}"
        " --windows {input.windows:q} --model {input.model:q} {params.refit}"
        " --memory-limit {resources.memory_limit:q}"
        " --device {resources.device} --threads {threads}"
        " --predictions {output.predictions:q} --metrics {output.metrics:q} > {log:q} 2>&1"
