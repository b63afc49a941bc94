"""Recordings from their source.

Needs source files, a cache or a generator; yields recordings.h5 per dataset.
"""


rule ingest:
    input:
        recorded_files,
    output:
        recordings=layout.RECORDINGS,
    log:
        layout.log("ingest"),
    priority: 100  # bad data are reported before anything is trained
    group:
        "data"
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        turn=turn,
    params:
        settings=lambda wc: SETTINGS.text("ingest", wc.dataset),
        code=lambda wc: CODE.digest("ingest", wc.dataset),
    shell:
        "python -m seqbench.steps ingest --settings {params.settings:q}"
        " --recordings {output.recordings:q} > {log:q} 2>&1"
