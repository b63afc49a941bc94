"""Split, cut, normalise.

Needs recordings.h5; yields windows.h5 per dataset, and per fold of one.
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
        settings=lambda wc: SETTINGS.window(wc.dataset).to_json(),
        code=lambda wc: source_digest(*CODE.window(wc.dataset)),
    shell:
        "python -m seqbench.steps.window --settings {params.settings:q}"
        " --memory-limit {resources.memory_limit:q}"
        " --recordings {input.recordings:q} --windows {output.windows:q} > {log:q} 2>&1"
