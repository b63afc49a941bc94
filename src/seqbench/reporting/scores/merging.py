"""Results of several people or machines joined, where they can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from seqbench.config.arms import Arm
from seqbench.config.registry import DATASETS
from seqbench.errors import UserError
from seqbench.plan.plan import Run
from seqbench.reporting.read.results import Result
from seqbench.reporting.read.settings import step_settings
from seqbench.reporting.read.sources import Source
from seqbench.reporting.scores.differences import flat
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores, leaderboards
from seqbench.storage.windows import Split

IN_ORDER: tuple[Split, ...] = ("test", "train", "val")  # of what is compared
DIRTY = "uncommitted"


@dataclass(frozen=True)
class Merged:
    """What several results are together.

    Parameters
    ----------
    sources
        As they were given.
    results
        One of each run, that of the first source which has it.
    names
        By run, the sources that have it.
    boards
        Of each dataset its leaderboards, that with most labels first.
    """

    sources: Sequence[Source]
    results: list[Result]
    names: dict[Run, list[str]]
    boards: list[list[Leaderboard]]

    @property
    def n_shared(self) -> int:
        """Number of runs that several sources have, with the same scores."""
        return sum(len(names) > 1 for names in self.names.values())

    def sources_of(self, row: ModelScores) -> list[str]:
        """Return the sources that have runs of a model, in their order."""
        found = {name for result in row.results for name in self.names[result.run]}
        return [source.name for source in self.sources if source.name in found]


def merge(sources: Sequence[Source]) -> Merged:
    """Join results; what several have is counted once.

    Raises
    ------
    UserError
        If two of them cannot be compared, as their windows, protocol, metrics or settings of a
        model differ, or the scores of a run do; the sentence names both and what differs.
    """
    for a, b in combinations(sources, 2):
        refuse_incomparable(a, b)
    results: dict[Run, Result] = {}
    names: dict[Run, list[str]] = {}
    for source in sources:
        for run, result in source.by_run.items():
            results.setdefault(run, result)
            names.setdefault(run, []).append(source.name)
    datasets = dict.fromkeys(name for source in sources for name in source.plan.base_datasets)
    in_order = [results[run] for run in sorted(results)]
    boards = [leaderboards(in_order, dataset, _n_trials(sources)) for dataset in datasets]
    return Merged(sources, in_order, names, boards)


def refuse_incomparable(a: Source, b: Source) -> None:
    """Refuse two results of which some scores do not belong side by side.

    Raises
    ------
    UserError
        With what differs.
    """
    # Folds together: that the two have other ones must not hide that they were made otherwise.
    common = {one.dataset for one in a.results} & {one.dataset for one in b.results}
    # On others a model may have been pretrained.
    for dataset in sorted(common | (_base_datasets(a) & _base_datasets(b))):
        _refuse_other_data(a, b, dataset)
    for name in sorted(a.windows.keys() & b.windows.keys()):
        _refuse_other_windows(a, b, name)
    for dataset in sorted(common):
        _refuse_other_metrics(a, b, dataset)
    _refuse_other_models(a, b)
    _refuse_other_files(a, b)
    for run in sorted(a.by_run.keys() & b.by_run.keys()):
        _refuse_other_scores(a, b, run)


def _refuse_other_data(a: Source, b: Source, dataset: str) -> None:
    ours, theirs = (_of_data(one, dataset) for one in (a, b))
    if (key := _first_unequal(ours, theirs)) is not None:
        raise UserError(
            f"{_both(a, b)}: `{key}` of {dataset} is {_shown(ours, key)} in the one and"
            f" {_shown(theirs, key)} in the other, so their scores are not comparable; give one of"
            " the datasets another name, or run it as the other is"
        )


def _refuse_other_windows(a: Source, b: Source, name: str) -> None:
    for split in IN_ORDER:
        if a.windows[name][split] != b.windows[name][split]:
            raise UserError(
                f"{_both(a, b)}: windows, labels or source files of {split} of {name} differ, so"
                " their scores are not comparable; give one of the datasets another name, or run"
                " it on the data of the other"
            )


def _of_data(source: Source, dataset: str) -> dict[str, str]:
    """Return the settings that make the windows of a dataset and their score, by dotted key.

    Where the data lie is left out: their checksums are compared. The first fold stands for all.
    """
    plan = source.plan
    ingest = plan.job_settings.ingest(dataset).model_dump(mode="json")
    ingest["options"].pop(DATASETS.entry(ingest["source"]).tags.get("reads"), None)
    window = plan.job_settings.window(plan.benchmark.folds_of(dataset)[0]).model_dump(mode="json")
    return dict(flat({"source": ingest["source"], **ingest["options"], **window}))


def _refuse_other_metrics(a: Source, b: Source, dataset: str) -> None:
    ours, theirs = ([r for r in one.results if r.dataset == dataset] for one in (a, b))
    for what, of in (("task", "task"), ("metric that ranks models", "headline")):
        found = [sorted({getattr(r, of) for r in results}) for results in (ours, theirs)]
        if found[0] != found[1]:
            raise UserError(
                f"{_both(a, b)}: the {what} of {dataset} is {', '.join(found[0])} in the one and"
                f" {', '.join(found[1])} in the other"
            )
    codes = {_code(source, r) for source, results in ((a, ours), (b, theirs)) for r in results}
    if len(codes) > 1:
        raise UserError(
            f"{_both(a, b)}: {dataset} was scored by different code of the metrics; evaluate one of"
            " them with the version of the other"
        )


def _code(source: Source, result: Result) -> str:
    """Return what the metrics of a run were computed by: a digest, else a commit."""
    metrics = result.metrics
    if metrics.metric_code is not None:
        return metrics.metric_code
    commit = metrics.provenance.evaluated_at_commit or "unknown"
    if commit == "unknown" or DIRTY in commit:
        raise UserError(
            f"{source.name}: {result.run.fill('{dataset}/{architecture}/{arm}')} does not name the"
            " code of its metrics; evaluate it anew with this version"
        )
    return f"commit {commit}"


def _refuse_other_models(a: Source, b: Source) -> None:
    """Refuse a model that was made in another way under the same name.

    A search chooses for each fold, so options that were chosen are compared on the same fold.
    """
    for of in (_on_fold, _on_dataset):
        models = {of(b, run): run for run in sorted(b.by_run)}
        for run in sorted(a.by_run):
            if (other := models.get(of(a, run))) is None:
                continue
            is_same_fold = run.dataset == other.dataset
            pairs = ((a, run), (b, other))
            ours, theirs = (_of_model(source, one, is_same_fold) for source, one in pairs)
            if (key := _first_unequal(ours, theirs)) is not None:
                raise UserError(
                    f"{_both(a, b)}: `{key}` of {run.model.name} on {run.dataset} is"
                    f" {_shown(ours, key)} in the one and {_shown(theirs, key)} in the other; call"
                    " one of them a variant (`of:`) and run it under that name"
                )


def _refuse_other_files(a: Source, b: Source) -> None:
    """Refuse models that start from files, unless both have the same runs of them."""
    models = {_on_dataset(a, run) for run in a.by_run} & {_on_dataset(b, run) for run in b.by_run}
    for run in sorted(a.by_run.keys() ^ b.by_run.keys()):
        source = a if run in a.by_run else b
        if run.is_baseline or not Arm.parse(run.arm).from_file:
            continue
        if _on_dataset(source, run) in models:
            raise UserError(
                f"{_both(a, b)}: {run.model.name} on {run.dataset} starts from a file, and whether"
                " from the same one is not recorded; leave it out of one of them"
            )


def _of_model(source: Source, run: Run, is_chosen: bool) -> dict[str, str]:
    """Return the settings that made a model, by dotted key: as chosen, or as configured."""
    steps = step_settings(source.plan, run, source.choices if is_chosen else {})
    made_by = {s: job.model_dump(mode="json") for s, job in steps.items()}
    of_model: dict[str, object] = {s: made_by[s] for s in made_by if s not in ("ingest", "window")}
    if not is_chosen and (run.dataset, run.architecture) in source.choices:
        of_model["trials"] = len(source.plan.trials(run.architecture))
    return dict(flat(of_model))


def _refuse_other_scores(a: Source, b: Source, run: Run) -> None:
    ours, theirs = (dict(_scores(source.by_run[run])) for source in (a, b))
    if (key := _first_unequal(ours, theirs)) is not None:
        raise UserError(
            f"{_both(a, b)}: {run.fill('{dataset}, {architecture}, {arm}, labels {labels}')}, seed"
            f" {run.seed} has {key} {_shown(ours, key)} in the one and {_shown(theirs, key)} in the"
            " other; leave the run out of one of them, or find out which is right"
        )


def _scores(result: Result) -> Iterator[tuple[str, str]]:
    for split, scores in result.metrics.scores.items():
        for name, one in scores.items():
            yield f"{name} on {split}", json.dumps(one.value)


def _on_fold(source: Source, run: Run) -> tuple[str, str, str, str]:
    return run.dataset, run.architecture, run.arm, run.labels


def _on_dataset(source: Source, run: Run) -> tuple[str, str, str, str]:
    return source.by_run[run].dataset, run.architecture, run.arm, run.labels


def _base_datasets(source: Source) -> set[str]:
    return {source.plan.benchmark.base_dataset(name) for name in source.windows}


def _first_unequal(one: dict[str, str], other: dict[str, str]) -> str | None:
    keys = dict.fromkeys([*one, *other])
    return next((key for key in keys if one.get(key) != other.get(key)), None)


def _shown(values: dict[str, str], key: str) -> str:
    return values.get(key, "absent")


def _both(a: Source, b: Source) -> str:
    return f"{a.name} and {b.name} cannot be joined"


def _n_trials(sources: Iterable[Source]) -> dict[str, int]:
    return {name: len(source.plan.trials(name)) for source in sources for _, name in source.choices}
