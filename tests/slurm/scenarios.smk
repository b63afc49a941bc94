"""What can happen to a job of a cluster, one rule each; every rule runs through the profile of SLURM."""


localrules:
    all,


rule all:
    input:
        "device.txt",
        "failed_once.txt",
        "too_large.txt",
        "too_slow.txt",
        "cancelled.txt",
        "requeued.txt",
        "impossible.txt",


rule device:
    output:
        "device.txt",
    resources:
        slurm_partition="gpu",
        gpu=1,
    shell:
        "echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES > {output}"


rule failed_once:
    output:
        "failed_once.txt",
    params:
        mark="failed_once.mark",
    shell:
        "if [ ! -e {params.mark} ]; then touch {params.mark}; exit 7; fi; touch {output}"


# SLURM looks at memory once a second.
rule too_large:
    output:
        "too_large.txt",
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    shell:
        "python -c 'import time; held = b\"x\" * (900 << 20); time.sleep(5)'; touch {output}"


rule too_slow:
    output:
        "too_slow.txt",
    retries: 0
    resources:
        runtime=1,
    shell:
        "sleep 600; touch {output}"


rule cancelled:
    output:
        "cancelled.txt",
    retries: 0
    shell:
        "sleep 600; touch {output}"


rule requeued:
    output:
        "requeued.txt",
    retries: 0
    params:
        mark="requeued.mark",
    shell:
        "if [ ! -e {params.mark} ]; then touch {params.mark}; sleep 600; fi; touch {output}"


rule impossible:
    output:
        "impossible.txt",
    retries: 0
    resources:
        slurm_partition="gpu",
        gpu=99,
    shell:
        "touch {output}"
