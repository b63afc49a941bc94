"""Finished benchmarks that were never run, each in a folder of its own."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.drawings import blank, write_quick_files
from fixtures.results import register_made_up_names, write_made_up_results, write_models
from seqbench import layout
from seqbench.plan.plan import Plan
from seqbench.reporting.figures import rendering
from seqbench.reporting.page.handover import hand_over
from seqbench.steps import report
from seqbench.storage.metrics import Score
from seqbench.storage.model_card import Ensemble

SCORES = {split: {"accuracy": Score(value=0.95, low=0.9, high=1.0)} for split in ("val", "test")}
MakeResults = Callable[..., Path]


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register made-up names, draw nothing and wait for no disk."""
    register_made_up_names(monkeypatch)
    write_quick_files(monkeypatch)
    monkeypatch.setattr(rendering, "draw", blank)


@pytest.fixture
def make_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeResults:
    """Return what leaves all that a finished benchmark does, and returns the folder that holds it.

    Runs of `cnn1d` and a baseline on `waves` with three seeds, but for changes of the grid.
    """

    def make(
        name: str,
        *,
        skill: Callable[[Any], float] = lambda run: 0.8 + 0.01 * run.seed,
        sources: dict[str, Any] | None = None,
        title: str = "Made up",
        edit: Callable[[Any, dict[str, Any]], None] | None = None,
        more: dict[str, Any] | None = None,
        classes: dict[str, list[str]] | None = None,
        **grid: Any,
    ) -> Path:
        root = tmp_path / name
        runs = {"datasets": ["waves"], "architectures": ["cnn1d"], "arms": ["scratch"]}
        raw = {
            "title": title,
            "baselines": ["majority"],
            "runs": [runs | {"seeds": [0, 1, 2]} | grid],
            "datasets": sources or {},
        } | (more or {})

        def edited(run: Any, content: dict[str, Any]) -> None:
            content["metric_code"] = "0" * 16
            if edit is not None:
                edit(run, content)

        plan = write_made_up_results(root, raw, skill=skill, classes=classes, edit=edited)
        with monkeypatch.context() as patch:
            patch.chdir(root)
            write_models(plan)
            for run in plan.runs:
                os.utime(run.fill(layout.METRICS))  # is made from the model
            finish(plan)
        return root

    return make


def finish(plan: Plan) -> None:
    """Do the last steps of a plan in the working directory."""
    Path(layout.CONFIG).write_text(plan.benchmark.to_yaml())
    for dataset in plan.base_datasets:
        folder = Path(layout.BEST.format(dataset=dataset))
        hand_over(plan, Path(), dataset, folder, lambda *_: Ensemble(scores=SCORES))
    report.run(Path(), Path(layout.SUMMARY), Path(layout.REPORT))
