"""Models trained with labels, and baselines fitted with them.

Needs windows.h5, of which it reads train and val, the encoder of a pretrained arm or the file that
its architecture names, and the options that a search has chosen; yields a model per run, its history
and transfer manifest, and where requested the model after it has learned from val too.
"""


rule finetune:
    input:
        unpack(initial_weights),
        **CHOICE,
        windows=layout.WINDOWS,
    output:
        model=layout.MODEL,
        history=layout.HISTORY,
        transfer=layout.TRANSFER,
    log:
        layout.log("finetune"),
    wildcard_constraints:
        arm=TRAINED_ARM,
    group:
        "training"
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
            "finetune",
            wc.dataset,
            wc.architecture,
            wc.arm,
            float(wc.labels),
            chosen_point(wc),
        ),
        code=lambda wc: CODE.digest("finetune", wc.dataset, wc.architecture),
        encoder=encoder_option,
        init=init_digest,
        state=state_folder("finetune"),
        tensorboard=tensorboard_option("finetune", layout.RUN),
    shell:
        "python -m seqbench.steps finetune --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --architecture {wildcards.architecture}"
        " --arm {wildcards.arm} --labels {wildcards.labels} --seed {wildcards.seed}"
        " --windows {input.windows:q} {params.encoder}"
        " --memory-limit {resources.memory_limit:q}"
        " --device {resources.device} --threads {threads} {params.tensorboard}"
        " --out-of-memory {resources.out_of_memory}"
        " --state {params.state:q} --state-every-s {resources.state_every_s}"
        " --code {params.code}"
        " --model {output.model:q} --history {output.history:q}"
        " --transfer {output.transfer:q} > {log:q} 2>&1"


rule refit:
    input:
        unpack(initial_weights),
        **CHOICE,
        windows=layout.WINDOWS,
        first=layout.MODEL,
        history=layout.HISTORY,
    output:
        model=layout.REFIT,
    log:
        layout.log("refit"),
    wildcard_constraints:
        arm=TRAINED_ARM,
    group:
        "training"
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
            "refit",
            wc.dataset,
            wc.architecture,
            wc.arm,
            float(wc.labels),
            chosen_point(wc),
        ),
        code=lambda wc: CODE.digest("refit", wc.dataset, wc.architecture),
        encoder=encoder_option,
        init=init_digest,
        state=state_folder("refit"),
    shell:
        "python -m seqbench.steps refit --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --architecture {wildcards.architecture}"
        " --arm {wildcards.arm} --labels {wildcards.labels} --seed {wildcards.seed}"
        " --windows {input.windows:q} --first {input.first:q}"
        " --history {input.history:q} {params.encoder}"
        " --memory-limit {resources.memory_limit:q}"
        " --device {resources.device} --threads {threads}"
        " --out-of-memory {resources.out_of_memory}"
        " --state {params.state:q} --state-every-s {resources.state_every_s}"
        " --code {params.code}"
        " --model {output.model:q} > {log:q} 2>&1"


rule fit_baseline:
    input:
        **CHOICE,
        windows=layout.WINDOWS,
    output:
        model=layout.MODEL,
    log:
        layout.log("fit_baseline"),
    wildcard_constraints:
        arm="baseline",
    group:
        "baseline"
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    resources:
        turn=turn,
        memory_limit=MEMORY_LIMIT,
    params:
        settings=lambda wc: SETTINGS.text(
            "fit_baseline", wc.dataset, wc.architecture, chosen_point(wc)
        ),
        code=lambda wc: CODE.digest("fit_baseline", wc.dataset, wc.architecture),
    shell:
        "python -m seqbench.steps fit_baseline --settings {params.settings:q}"
        " --dataset {wildcards.dataset} --architecture {wildcards.architecture}"
        " --arm {wildcards.arm} --labels {wildcards.labels} --seed {wildcards.seed}"
        " --memory-limit {resources.memory_limit:q}"
        " --windows {input.windows:q} --model {output.model:q} > {log:q} 2>&1"
