"""The script that measures a GPU: here without one, so that it runs at once where there is one."""

import importlib
import subprocess
import sys

import pytest
import torch

from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import ARCHITECTURES
from seqbench.plan.plan import Plan


@pytest.fixture
def page(pytestconfig, tmp_path):
    """Return a function that runs the script and returns the page it writes."""

    def run(*arguments):
        out = tmp_path / "gpu.md"
        script = pytestconfig.rootpath / "benchmarks/gpu.py"
        subprocess.run([sys.executable, script, "--out", out, *arguments], check=True)
        return out.read_text()

    return run


def test_it_trains_every_architecture(pytestconfig):
    plan = Plan(Benchmark.read(pytestconfig.rootpath / "benchmarks/gpu.yaml"))

    assert {run.architecture for run in plan.trained} == set(ARCHITECTURES)


def test_parts_that_need_a_card_say_so(page):
    assert "## CUDA graphs\n\nSkipped: needs a card." in page("--device", "cpu", "graphs")


def test_a_part_that_fails_costs_no_other(page):
    text = page("--device", "cuda:99", "machine", "machine")

    assert text.count("**Failed with code 1.**") == text.count(", torch ") == 2


@pytest.mark.parametrize("found", [(float("nan"), 1, 1), (1, float("nan"), 1), (1, 1, 2)])
def test_a_step_with_a_part_that_is_no_number_does_not_agree(found, pytestconfig, monkeypatch):
    monkeypatch.syspath_prepend(pytestconfig.rootpath / "benchmarks")
    agreement = importlib.import_module("gpu_agreement")
    [case] = agreement.cases(only=("softmax",))
    steps = iter([(1, 1, 1), found, (1, 1, 1), (1, 1, 1)])
    monkeypatch.setattr(agreement, "cases", lambda: [case, case])
    monkeypatch.setattr(agreement, "one_step", lambda *_: torch.tensor(next(steps)).double())

    first, second = [*agreement.lines("cpu", agreement.Clock(60))][-2:]

    assert first.endswith("| **no** |")
    assert second.endswith("| yes |")
