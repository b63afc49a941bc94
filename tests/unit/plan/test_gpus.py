"""How many GPUs a plan needs at once."""

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.plan.gpus import most_gpus
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
