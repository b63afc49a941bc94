"""Trials of options, which of them go on with more epochs, and the choice among the last.

Needs windows.h5, of which it reads train and val; yields a small file per trial and per rung of
trials, and per model and dataset, or fold of one, the options that trainings and fits take.
"""


rule tune:
    input:
        windows=layout.WINDOWS,
    output:
        trial=layout.TRIAL,
    log:
        layout.log("tune"),
    wildcard_constraints:
        architecture=SEARCHED_NETWORKS,
    group:
        "tuning"
    conda:
        "../../envs/seqbench.yaml"
    threads: processes_of_finetuning
    resources:
        turn=turn,
        gpu=gpus(processes_of_finetuning),
        gres=gres(processes_of_finetuning),
        nodes=nodes(processes_of_finetuning),
        tasks=nodes(processes_of_finetuning),
        mpi=by_itself(processes_of_finetuning),
        device=BENCHMARK.device,
        memory_limit=MEMORY_LIMIT,
        state_every_s=str(BENCHMARK.state_every_s),
        out_of_memory=BENCHMARK.out_of_memory,
    params:
        settings=lambda wc: SETTINGS.text(
            "tune",
            wc.dataset,
            wc.architecture,
            point_of_trial(wc),
            rung_of_trial(wc).divisor,
        ),
        code=lambda wc: CODE.digest("tune", wc.dataset, wc.architecture),
        state=state_folder("tune"),
    shell:
        "python -m seqbench.steps tune --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --architecture {wildcards.architecture}"
        " --number {wildcards.trial} --rung {wildcards.rung}"
        " --windows {input.windows:q} --memory-limit {resources.memory_limit:q}"
        " --device {resources.device} --threads {threads}"
        " --out-of-memory {resources.out_of_memory}"
        " --state {params.state:q} --state-every-s {resources.state_every_s}"
        " --code {params.code} --trial {output.trial:q} > {log:q} 2>&1"


rule tune_baseline:
    input:
        windows=layout.WINDOWS,
    output:
        trial=layout.TRIAL,
    log:
        layout.log("tune_baseline"),
    wildcard_constraints:
        architecture=SEARCHED_BASELINES,
        rung="0",
    group:
        "baseline_tuning"
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        turn=turn,
        memory_limit=MEMORY_LIMIT,
    params:
        settings=lambda wc: SETTINGS.text(
            "tune_baseline", wc.dataset, wc.architecture, point_of_trial(wc)
        ),
        code=lambda wc: CODE.digest("tune_baseline", wc.dataset, wc.architecture),
    shell:
        "python -m seqbench.steps tune_baseline --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --architecture {wildcards.architecture}"
        " --number {wildcards.trial} --windows {input.windows:q}"
        " --memory-limit {resources.memory_limit:q}"
        " --trial {output.trial:q} > {log:q} 2>&1"


# A checkpoint, since it decides which trials the next rung has. These do not read its file: a
# trial that goes on again does not run again.
checkpoint promote:
    input:
        trials=lambda wc: trials_of(wc.dataset, wc.architecture, int(wc.rung)),
        before=ancient(
            lambda wc: promotion_files(wc.dataset, wc.architecture, int(wc.rung))
        ),
    output:
        promotion=layout.PROMOTION,
    log:
        layout.log("promote"),
    localrule: True
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    params:
        n_promoted=lambda wc: PLAN.rungs(wc.architecture)[int(wc.rung) + 1].n_trials,
        code=lambda wc: CODE.digest("promote"),
    shell:
        "python -m seqbench.steps promote --trials {input.trials:q}"
        " --n-promoted {params.n_promoted} --promotion {output.promotion:q} > {log:q} 2>&1"


# A checkpoint, since settings of later jobs hold what it chooses: a job whose options are
# chosen again does not run again.
checkpoint choose:
    input:
        trials=lambda wc: trials_of(
            wc.dataset, wc.architecture, last_rung(wc.architecture)
        ),
        before=ancient(
            lambda wc: promotion_files(
                wc.dataset, wc.architecture, last_rung(wc.architecture)
            )
        ),
    output:
        choice=layout.CHOICE,
    log:
        layout.log("choose"),
    localrule: True
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    params:
        code=lambda wc: CODE.digest("choose"),
    shell:
        "python -m seqbench.steps choose --trials {input.trials:q}"
        " --choice {output.choice:q} > {log:q} 2>&1"
