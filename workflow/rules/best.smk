"""The model of each dataset that val selects, ready for new recordings.

Needs windows, models and scores of every run on a dataset; yields a folder with the
models of all seeds, the best baseline and a card.
"""


rule best:
    input:
        lambda wc: in_folder(best_files(PLAN, wc.dataset), "best"),
        choices=ancient(lambda wc: choice_files(PLAN, PLAN.runs_on(wc.dataset))),
    output:
        folder=directory(layout.BEST),
    log:
        layout.log("best"),
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        gpu=gpus(one_process),
        gres=gres(one_process),
        device=BENCHMARK.device,
        memory_limit=MEMORY_LIMIT,
    params:
        settings=lambda wc: PLAN.best_settings(wc.dataset).to_json(),
        code=lambda wc: CODE.digest(
            "best", wc.dataset, tuple(PLAN.architectures_on(wc.dataset))
        ),
        root=str(FOLDER),
    shell:
        "python -m seqbench.steps best --root {params.root:q}"
        " --dataset {wildcards.dataset} --device {resources.device} --threads {threads}"
        " --memory-limit {resources.memory_limit:q}"
        " --folder {output.folder:q} > {log:q} 2>&1"
