"""How many GPUs a plan needs at once."""

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.errors import UserError
from seqbench.plan.gpus import PER_NODE, most_gpus, nodes_from_here, nodes_of
from seqbench.plan.plan import Plan

SCRATCH = {"datasets": ["waves"], "architectures": ["lstm"]}
PRETRAINED = SCRATCH | {"arms": ["masked_finetune"]}


@pytest.mark.parametrize(
    ("run", "settings", "n"),
    [
        (SCRATCH, {}, 1),
        (SCRATCH, {"finetune": {"gpus": 4}}, 4),
        (SCRATCH, {"finetune": {"gpus": 4}, "device": "cpu"}, 0),
        (SCRATCH, {"pretrain": {"gpus": 4}}, 1),
        (PRETRAINED, {"pretrain": {"gpus": 4}}, 4),
        (SCRATCH, {"architectures": {"lstm": {"finetune": {"gpus": 2}}}}, 2),
        (SCRATCH, {"architectures": {"gru": {"finetune": {"gpus": 2}}}}, 1),
    ],
)
def test_only_trainings_of_the_plan_need_gpus(run, settings, n):
    assert most_gpus(Plan(Benchmark.load({"runs": [run]} | settings))) == n


@pytest.mark.parametrize(
    ("gpus", "per_node", "n"), [(8, "", 1), (8, "8", 1), (8, "4", 2), (1, "4", 1), (3, "4", 1)]
)
def test_a_training_takes_as_many_nodes_as_its_gpus_need(monkeypatch, gpus, per_node, n):
    monkeypatch.setenv(PER_NODE, per_node)

    assert nodes_of(gpus) == n


@pytest.mark.parametrize(("job", "n"), [("", 1), ("1", 2)])
def test_other_nodes_are_those_of_a_job_of_a_cluster(monkeypatch, job, n):
    monkeypatch.setenv(PER_NODE, "4")
    monkeypatch.setenv("SLURM_JOB_ID", job)

    assert nodes_from_here(8) == n


@pytest.mark.parametrize(
    ("per_node", "sentence"),
    [("4", "take a multiple of 4"), ("four", "write how many GPUs a node has"), ("0", "1 or more")],
)
def test_nodes_have_the_same_number_of_gpus(monkeypatch, per_node, sentence):
    monkeypatch.setenv(PER_NODE, per_node)

    with pytest.raises(UserError, match=sentence):
        nodes_of(6)
