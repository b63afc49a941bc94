"""How many GPUs a plan needs at once."""

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.errors import UserError
from seqbench.plan.gpus import (
    GRES,
    PACK,
    PER_NODE,
    check_gres,
    gres_of,
    most_gpus,
    nodes_from_here,
    nodes_of,
)
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


@pytest.mark.parametrize(
    ("name", "gpus", "per_node", "requested"),
    [
        ("", 1, "", None),
        ("gpu", 0, "", None),
        ("gpu", 1, "", "gpu:1"),
        ("gpu:a100", 4, "", "gpu:a100:4"),
        ("gpu:h100.80gb", 8, "4", "gpu:h100.80gb:4"),
        ("gpu:2080ti", 1, "", "gpu:2080ti:1"),
    ],
)
def test_a_generic_resource_is_requested_for_each_node(
    monkeypatch, name, gpus, per_node, requested
):
    monkeypatch.setenv(GRES, name)
    monkeypatch.setenv(PER_NODE, per_node)

    assert gres_of(gpus) == requested


@pytest.mark.parametrize("name", ["gpu:2", "gpu:a100:1", "gpu a100", "--gres=gpu", "gpu:"])
def test_the_name_of_a_generic_resource_has_no_number(monkeypatch, name):
    monkeypatch.setenv(GRES, name)

    with pytest.raises(UserError, match=f"{GRES}={name}: write the name of the resource"):
        gres_of(1)


@pytest.mark.parametrize(
    ("name", "given", "is_refused"),
    [
        ("", {"gres": "gpu:1"}, True),
        ("", {"gres": "tmpdisk:10", "gpu_model": "a100"}, False),
        ("gpu", {"gpu_model": "a100"}, True),
        ("gpu", {"gres": "tmpdisk:10"}, True),
        ("gpu", {"mem_mb": "4000"}, False),
    ],
)
def test_gpus_are_requested_in_one_way(monkeypatch, name, given, is_refused):
    monkeypatch.setenv(GRES, name)
    plan = Plan(Benchmark.load({"runs": [SCRATCH]}))

    if not is_refused:
        check_gres(plan, given)
        return
    with pytest.raises(UserError, match=r"GPUs are requested twice, by .*leave it out and set"):
        check_gres(plan, given)


def test_members_of_a_pack_request_the_same(monkeypatch):
    monkeypatch.setenv(GRES, "gpu")
    runs = [{"datasets": ["waves"], "architectures": ["lstm", "gru"]}]
    plan = Plan(Benchmark.load({"runs": runs, "architectures": {"gru": {"finetune": {"gpus": 2}}}}))

    with pytest.raises(UserError, match=rf"trainings with 1, 2 GPUs cannot share.* set {PACK}=1"):
        check_gres(plan, {})
    monkeypatch.setenv(PACK, "1")
    check_gres(plan, {})
