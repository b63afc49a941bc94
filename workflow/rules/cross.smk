"""Scores on test of other datasets, of models as they are.

Needs recordings.h5 of the one, windows.h5 and models of the other; yields windows of test as these
models see them, predictions and scores.
"""


rule cross_window:
    input:
        windows=layout.WINDOWS,
        recordings=lambda wc: layout.RECORDINGS.format(dataset=wc.tested_on),
    output:
        windows=layout.CROSS_WINDOWS,
    log:
        layout.log("cross_window"),
    priority: 100  # datasets that do not fit are reported before anything is trained
    group:
        "crossed_windows"
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        turn=turn,
        memory_limit=MEMORY_LIMIT,
    params:
        settings=lambda wc: SETTINGS.text("cross_window", wc.dataset, wc.tested_on),
        code=lambda wc: CODE.digest("cross_window", wc.dataset),
    shell:
        "python -m seqbench.steps cross_window --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --tested-on {wildcards.tested_on}"
        " --memory-limit {resources.memory_limit:q}"
        " --windows {input.windows:q} --recordings {input.recordings:q}"
        " --cross-windows {output.windows:q} > {log:q} 2>&1"


rule cross_evaluate:
    input:
        windows=layout.CROSS_WINDOWS,
        model=model_of_test,
    output:
        predictions=layout.CROSS_PREDICTIONS,
        metrics=layout.CROSS_METRICS,
    log:
        layout.log("cross_evaluate"),
    group:
        crossed_with_its_kind
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        turn=turn,
        gpu=gpus(one_process),
        gres=gres(one_process),
        device=BENCHMARK.device,
        memory_limit=MEMORY_LIMIT,
    params:
        settings=lambda wc: SETTINGS.text("evaluate", wc.dataset),
        code=lambda wc: CODE.digest("evaluate", wc.dataset, wc.architecture),
    shell:
        "python -m seqbench.steps evaluate --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --architecture {wildcards.architecture}"
        " --arm {wildcards.arm} --labels {wildcards.labels} --seed {wildcards.seed}"
        " --tested-on {wildcards.tested_on}"
        " --windows {input.windows:q} --model {input.model:q}"
        " --memory-limit {resources.memory_limit:q}"
        " --device {resources.device} --threads {threads}"
        " --predictions {output.predictions:q} --metrics {output.metrics:q} > {log:q} 2>&1"
