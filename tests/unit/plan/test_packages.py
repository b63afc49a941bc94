import sys

from seqbench.cli.init.proposals import models
from seqbench.config.benchmark import Benchmark
from seqbench.plan.packages import missing_packages
from seqbench.plan.plan import Plan

NEEDS_AEON = {
    "runs": [{"datasets": ["basic_motions"], "architectures": ["cnn1d"], "seeds": [0]}],
    "baselines": ["majority", "minirocket"],
}
SENTENCE = (
    "this needs the package aeon, which is missing; install it with pip install"
    " 'seqbench[archives]'"
)


def test_what_cannot_run_without_an_extra_is_named(monkeypatch):
    plan = Plan(Benchmark.load(NEEDS_AEON))
    assert list(missing_packages(plan)) == []

    monkeypatch.setitem(sys.modules, "aeon", None)

    assert list(missing_packages(plan)) == [
        f"dataset source 'uea': {SENTENCE}",
        f"baseline 'minirocket': {SENTENCE}",
    ]


def test_a_new_config_has_no_baseline_that_cannot_run(monkeypatch):
    assert "minirocket" in models("classification", {}).baselines

    monkeypatch.setitem(sys.modules, "aeon", None)
    proposed = models("classification", {})

    assert proposed.baselines == ["majority", "logistic_regression"]
    assert proposed.reason.endswith(f"but for minirocket: {SENTENCE}")
