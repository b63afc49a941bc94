"""Encoders trained without labels.

Needs windows.h5, of which it reads train, and the options that a search has chosen; yields an encoder and its history per
dataset, architecture, objective and seed, shared by all arms and label fractions.
"""


rule pretrain:
    input:
        **CHOICE,
        windows=layout.WINDOWS,
    output:
        encoder=layout.ENCODER,
        history=layout.PRETRAIN_HISTORY,
    log:
        layout.log("pretrain"),
    group:
        "pretraining"
    conda:
        "../../envs/seqbench.yaml"
    threads: processes_of_pretraining
    resources:
        turn=turn,
        gpu=gpus(processes_of_pretraining),
        gres=gres(processes_of_pretraining),
        nodes=nodes(processes_of_pretraining),
        tasks=nodes(processes_of_pretraining),
        mpi=by_itself(processes_of_pretraining),
        device=BENCHMARK.device,
        memory_limit=MEMORY_LIMIT,
        state_every_s=str(BENCHMARK.state_every_s),
        out_of_memory=BENCHMARK.out_of_memory,
    params:
        settings=lambda wc: SETTINGS.text(
            "pretrain", wc.architecture, wc.objective, chosen_point(wc)
        ),
        code=lambda wc: CODE.digest("pretrain", wc.architecture, wc.objective),
        state=state_folder("pretrain"),
        tensorboard=tensorboard_option("pretrain", layout.PRETRAINING),
    shell:
        "python -m seqbench.steps pretrain --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --seed {wildcards.seed} --windows {input.windows:q}"
        " --memory-limit {resources.memory_limit:q}"
        " --device {resources.device} --threads {threads} {params.tensorboard}"
        " --out-of-memory {resources.out_of_memory}"
        " --state {params.state:q} --state-every-s {resources.state_every_s}"
        " --code {params.code}"
        " --encoder {output.encoder:q} --history {output.history:q} > {log:q} 2>&1"
