"""Results as a folder to give away: page, numbers, models with their cards, and checksums.

Under `results/` files lie where they lie in results, so that commands and links hold in either, and
what reads results reads this. Left at home are recordings and windows, which are others' to give;
predictions; and logs, which name paths of the machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from seqbench import __version__, layout
from seqbench.plan.plan import Plan, Run
from seqbench.plan.searches import choice_files
from seqbench.plan.workflow_jobs import overlap_files
from seqbench.publishing.private import public, refuse_private
from seqbench.reporting.page.assembly import Report, assemble, write_figures_and_tables
from seqbench.reporting.page.escapes import markdown
from seqbench.reporting.read.results import collect, origin_of
from seqbench.reporting.read.sources import leakchecks_of, window_digests
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.reporting.scores.metrics import metric_label
from seqbench.reporting.text.beside import Beside
from seqbench.reporting.text.cards import NOT_STATED
from seqbench.storage.atomic import copy_file, write_text
from seqbench.storage.kinds import read_text
from seqbench.storage.metrics import Metrics, write_metrics
from seqbench.storage.model_card import ModelCard, read_card, sha256
from seqbench.storage.publication import (
    Publication,
    PublishedDataset,
    PublishedModel,
    PublishedScore,
)
from seqbench.storage.records import RunIdentity
from seqbench.storage.static_folder import INDEX, PAGE, PUBLISHED, SUMS, static_folder

README = "README.md"
TEMPLATES = Path(__file__).parent / "templates"
Models = Literal["best", "all"]


@dataclass(frozen=True)
class Published:
    """What a folder holds: numbers of runs and of model files, and all bytes."""

    n_runs: int
    n_models: int
    n_bytes: int


def publish(plan: Plan, root: Path, out: Path, models: Models = "best") -> Published:
    """Write the results of a plan as a folder to give away, whole or not at all.

    The same results give the same bytes.

    Parameters
    ----------
    plan
        Its runs have finished. Where others are left out, no model is selected yet, and those of
        all its runs are published.
    root
        Folder that holds `results/`.
    out
        Folder to write, see `static_folder`.
    models
        Those in `results/best`, or of every run as well.

    Raises
    ------
    UserError
        If a file of the results is missing or damaged, or would publish a path of this machine.
    """
    of_public, names = public(plan.benchmark)
    shown = Plan(of_public, plan.unfinished)
    of_runs = shown.runs if models == "all" or plan.unfinished else []
    copied = dict.fromkeys(path for run in of_runs for path in _models_of(shown, run))
    results = collect(shown, root)
    with static_folder(out, PUBLISHED) as folder:
        cards = {} if plan.unfinished else dict(_hand_over(shown, root, folder, names))
        read = [*choice_files(shown, shown.runs), *overlap_files(shown, shown.runs)]
        for path in [*copied, *read]:
            copy_file(root / path, folder / path)
        for one in results:
            content = _without(one.metrics.model_dump(mode="json"), names)
            write_metrics(folder / one.run.fill(layout.METRICS), Metrics.of_json(content))
        metrics = [run.fill(layout.METRICS) for run in shown.runs]
        beside = Beside("results/", {layout.SUMMARY, *metrics, *copied})
        report = assemble(shown, root, beside)
        write_text(folder / layout.SUMMARY, report.summary)
        write_figures_and_tables(report, folder)
        write_text(folder / layout.CONFIG, of_public.to_yaml())
        write_text(folder / PAGE, report.page)
        index = Publication(
            seqbench=__version__,
            title=of_public.heading,
            n_runs=len(shown.runs),
            n_runs_unfinished=len(plan.unfinished),
            page=PAGE,
            summary=layout.SUMMARY,
            config=layout.CONFIG,
            windows=window_digests(shown, root),
            leakchecks=leakchecks_of(shown, root),
            datasets=tuple(_dataset(one, cards.get(one.dataset)) for one in report.boards),
            models=(*_cards(cards), *_files(folder, copied, of_runs, shown)),
            origin=origin_of(one.metrics.provenance for one in results),
        )
        write_text(folder / INDEX, index.model_dump_json(indent=1) + "\n")
        write_text(folder / README, _readme(index, report))
        refuse_private(folder, root, names)
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Published(len(shown.runs), len(index.models), sum(sizes))


def _hand_over(
    plan: Plan, root: Path, folder: Path, names: dict[str, str]
) -> Iterator[tuple[str, ModelCard]]:
    """Copy the folder of the best models of each dataset, and yield the cards that there are."""
    for dataset in plan.base_datasets:
        best = Path(layout.BEST.format(dataset=dataset))
        text = read_text(root / layout.CARD_TEXT.format(dataset=dataset), "model card")
        write_text(folder / layout.CARD_TEXT.format(dataset=dataset), _replaced(text, names))
        if not (root / layout.CARD.format(dataset=dataset)).exists():
            continue  # no trained model has a score on test, as the text says
        card = ModelCard.of_json(_without(read_card(root / best).model_dump(mode="json"), names))
        for one in card.files:
            copy_file(root / best / one.file, folder / best / one.file)
        write_text(
            folder / layout.CARD.format(dataset=dataset), card.model_dump_json(indent=1) + "\n"
        )
        yield dataset, card


def _models_of(plan: Plan, run: Run) -> list[str]:
    return [run.fill(layout.MODEL), plan.model_file(run)]


def _dataset(board: Leaderboard, card: ModelCard | None) -> PublishedDataset:
    source = card.data.get("Source", {}) if card else {}
    return PublishedDataset(
        dataset=board.dataset,
        task=board.task,
        metric=board.headline,
        licence=source.get("licence", NOT_STATED),
        citation=source.get("citation", NOT_STATED),
        selected=_score(board.selected),
        best_baseline=_score(board.best_baseline),
    )


def _score(row: ModelScores | None) -> PublishedScore | None:
    if row is None:
        return None
    low, high = row.score.interval or (None, None)
    return PublishedScore(
        architecture=row.architecture,
        arm=row.arm,
        n_runs=row.score.n,
        mean=row.score.mean,
        low=low,
        high=high,
        train_s=row.cost("train_s"),
        predict_s=row.cost("predict_s"),
    )


def _cards(cards: Mapping[str, ModelCard]) -> Iterator[PublishedModel]:
    """Yield the models of `results/best`, which have a card."""
    for dataset, card in cards.items():
        for one in card.files:
            yield PublishedModel(
                file=f"{layout.BEST.format(dataset=dataset)}/{one.file}",
                card=layout.CARD_TEXT.format(dataset=dataset),
                sha256=one.sha256,
                run=one.run,
            )


def _files(
    folder: Path, copied: Iterable[str], runs: Sequence[Run], plan: Plan
) -> Iterator[PublishedModel]:
    """Yield the models of single runs, whose card is their `metrics.json`."""
    run_of = {path: run for run in runs for path in _models_of(plan, run)}
    for path in copied:
        run = run_of[path]
        yield PublishedModel(
            file=path,
            card=run.fill(layout.METRICS),
            sha256=sha256(folder / path),
            run=RunIdentity(**vars(run) | {"labels": float(run.labels)}),
        )


def _without(content: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return JSON values in which names stand for the paths of a machine."""
    return json.loads(_replaced(json.dumps(content, ensure_ascii=False), names))


def _replaced(text: str, names: dict[str, str]) -> str:
    """Return a text, of JSON or Markdown, in which names stand for paths."""
    for path in sorted(names, key=len, reverse=True):
        for write in (str, markdown, lambda one: json.dumps(one, ensure_ascii=False)[1:-1]):
            # Not as a part of another path.
            whole = rf"(?<![\w./-]){re.escape(write(path))}(?![\w-])"
            text = write(names[path]).join(re.split(whole, text))
    return text


def _readme(index: Publication, report: Report) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=False,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["md"] = markdown
    rows = [
        (board, metric_label(board.headline), formats.score(best.score.mean),
         formats.interval(best.score.interval, formats.score))
        for board in report.boards if (best := board.selected) is not None
    ]  # fmt: skip
    licences = {one.dataset: one.licence for one in index.datasets}
    return environment.get_template("README.md.j2").render(
        index=index, rows=rows, licences=licences, sums=SUMS, best=layout.BEST
    )
