"""Split, cut, normalise; and what two datasets share, of which one is pretrained on.

Needs recordings.h5; yields windows.h5 per dataset, and per fold of one, and a small file per
pair of datasets.
"""


rule window:
    input:
        recordings=recordings,
    output:
        windows=layout.WINDOWS,
    log:
        layout.log("window"),
    priority: 100  # bad data are reported before anything is trained
    group:
        "windows"  # apart from `data`, or all folds of a dataset would run at once within a job
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        turn=turn,
        memory_limit=MEMORY_LIMIT,
    params:
        settings=lambda wc: SETTINGS.text("window", wc.dataset),
        code=lambda wc: CODE.digest("window", wc.dataset),
    shell:
        "python -m seqbench.steps window --settings {params.settings:q}"
        " --memory-limit {resources.memory_limit:q}"
        " --recordings {input.recordings:q} --windows {output.windows:q} > {log:q} 2>&1"


rule overlap:
    input:
        unpack(lambda wc: overlap_inputs(PLAN, wc.dataset, wc.source)),
    output:
        overlap=layout.OVERLAP,
    log:
        layout.log("overlap"),
    priority: 100  # datasets that do not fit are reported before anything is trained
    group:
        "overlaps"
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        turn=turn,
        memory_limit=MEMORY_LIMIT,
    params:
        settings=lambda wc: SETTINGS.text("overlap", wc.dataset, wc.source),
        code=lambda wc: CODE.digest("overlap", wc.dataset, wc.source),
    shell:
        "python -m seqbench.steps overlap --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --source {wildcards.source}"
        " --memory-limit {resources.memory_limit:q}"
        " --windows {input.windows:q} --source-windows {input.source_windows:q}"
        " --recordings {input.recordings:q} --source-recordings {input.source_recordings:q}"
        " --overlap {output.overlap:q} > {log:q} 2>&1"
