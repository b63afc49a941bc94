"""The search of each model: its settings, its space, its points, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seqbench.config.messages import faults, option_problems
from seqbench.config.registry import ARCHITECTURES, BASELINES, Registry, suggestion
from seqbench.config.rungs import Rung, least_epochs
from seqbench.config.stages import FinetuneSettings
from seqbench.config.tuning import (
    NOT_TUNED,
    SPACE_OF_TRAINING,
    Dimension,
    ModelTuneSettings,
    Point,
    Space,
    points,
)
from seqbench.config.variants import ArchitectureEntry, BaselineEntry, changed

if TYPE_CHECKING:
    from seqbench.config.benchmark import Benchmark

    AnyEntry = ArchitectureEntry | BaselineEntry

OF_EPOCHS = ("method", "factor")  # settings of a search that no baseline has


def search_of(benchmark: Benchmark, name: str) -> ModelTuneSettings:
    """Return the settings of the search of an architecture or baseline, its space filled in."""
    found = ModelTuneSettings.model_validate(_settings(benchmark, name))
    return (
        found
        if found.space is not None
        else found.model_copy(update={"space": _shipped(benchmark, name)})
    )


def points_of(benchmark: Benchmark, name: str) -> list[Point]:
    """Return the options of each trial of an architecture or baseline; none where none is run."""
    search = search_of(benchmark, name)
    if not search.trials or not search.space:
        return []
    untuned = _values(benchmark, name)
    space = {key: _as_options(benchmark, name, key, one) for key, one in search.space.items()}
    whole = {
        key
        for key, one in space.items()
        if one.values is None and isinstance(_value(benchmark, name, key, one.high), int)
    }
    return list(points(space, untuned, whole, search.trials))


def trainings_of(benchmark: Benchmark, name: str) -> list[FinetuneSettings]:
    """Return how an architecture is trained: as configured, or with the options of each trial."""
    entry = benchmark.all_architectures[name]
    return [
        changed(benchmark.finetune, entry.at(point).finetune)
        for point in points_of(benchmark, name) or [{}]
    ]


def rungs_of(benchmark: Benchmark, name: str) -> list[Rung]:
    """Return the rungs of the search of an architecture or baseline."""
    n_trials = len(points_of(benchmark, name))
    trainings = [] if name in BASELINES else trainings_of(benchmark, name)
    return search_of(benchmark, name).rungs(n_trials, trainings)


def options_of_encoder(benchmark: Benchmark, name: str) -> list[str]:
    """Return the options of an architecture itself, not of its training, that are searched."""
    points = points_of(benchmark, name)
    own = {*_registry(name).entry(_of(benchmark, name)).options.model_fields, "embedding_size"}
    return [option for option in (points[0] if points else ()) if option in own]


def tune_problems(benchmark: Benchmark) -> Iterator[str]:
    """Yield a sentence for each fault of a search; the rest of the configuration has none."""
    named = {
        name for grid in benchmark.runs for name in (*grid.architectures, *(grid.baselines or ()))
    }
    for name in (*benchmark.all_architectures, *BASELINES):
        own, place = _entry(benchmark, name).tune, _place(benchmark, name)
        if found := list(faults(ModelTuneSettings, _settings(benchmark, name), place)):
            yield from found
        elif name in BASELINES and (halved := [key for key in OF_EPOCHS if key in own]):
            yield (
                f"{place}.{halved[0]}: a baseline has no epochs of which halving could take a part;"
                " leave it out"
            )
        elif own or name in named or name in benchmark.baselines:
            hint = "" if "space" in own else "; give a `space` that fits, or `trials: 0`"
            found = [f"{found}{hint}" for found in _space_problems(benchmark, name, place)]
            yield from found or _rung_problems(benchmark, name, place)


def _space_problems(benchmark: Benchmark, name: str, place: str) -> Iterator[str]:
    search, own = search_of(benchmark, name), _entry(benchmark, name).tune
    if not search.trials:
        if "space" in own and "trials" not in own:
            yield f"{place}.space: is searched in no trial; give `trials`, here or under `tune`"
        return
    if not search.space:
        if own:
            yield f"{place}: no space is registered for '{name}'"
        return
    found = [
        problem
        for option, dimension in search.space.items()
        for problem in _option_problems(benchmark, name, f"{place}.space", option, dimension)
    ]
    yield from found
    if found:
        return
    for trial, point in enumerate(points_of(benchmark, name)):
        entry = _entry(benchmark, name).at(point)
        if found := list(_entry_problems(benchmark, name, entry, f"{place}, trial {trial}")):
            yield f"{found[0]}; change `space`"
            return


def _rung_problems(benchmark: Benchmark, name: str, place: str) -> Iterator[str]:
    """Yield a sentence where halving would leave all trials in one rung."""
    search, found = search_of(benchmark, name), rungs_of(benchmark, name)
    n_trials = found[0].n_trials
    if search.method == "random" or len(found) > 1 or not n_trials:
        return
    if n_trials < search.factor:
        yield (
            f"{place}.space: has {n_trials} of the {search.factor} points that halving takes at"
            " least; list more values, or give a smaller factor, or `method: random`"
        )
        return
    short = next(
        one
        for one in trainings_of(benchmark, name)
        if one.epochs < least_epochs(one, search.factor)
    )
    yield (
        f"{place}: with `epochs: {short.epochs}` and `warmup_epochs: {short.warmup_epochs}`, one in"
        f" {search.factor} is too few for halving; give {least_epochs(short, search.factor)}"
        " `epochs` or more, or `method: random`"
    )


def _option_problems(
    benchmark: Benchmark, name: str, place: str, option: str, dimension: Dimension
) -> Iterator[str]:
    """Yield what is wrong with the values of one option."""
    registered = _registry(name).entry(_of(benchmark, name))
    known = _values(benchmark, name)
    if option not in known:
        yield f"{place}.{option}: '{name}' has no such option; {suggestion(option, list(known))}"
        return
    tags = registered.tags
    if option in tags.get("causal_with", {}) or option in tags.get("only_with", {}):
        yield (
            f"{place}.{option}: decides whether a model waits for what follows, whatever its score;"
            " leave it out, and search a variant with `of`"
        )
        return
    if option in NOT_TUNED:
        yield f"{place}.{option}: changes no trial, as each trains once, from scratch; leave it out"
        return
    for value in dimension.ends:
        entry = _entry(benchmark, name)
        if option == "embedding_size" and option not in registered.options.model_fields:
            found = list(faults(ArchitectureEntry, {option: value}, place))
        else:
            found = list(_entry_problems(benchmark, name, entry.at({option: value}), place))
        if found:
            yield found[0]
            return
    if dimension.values is None:
        ends = [_value(benchmark, name, option, end) for end in dimension.ends]
        if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
            yield f"{place}.{option}: is no number, so it has no range; list its values"


def _entry_problems(benchmark: Benchmark, name: str, entry: AnyEntry, place: str) -> Iterator[str]:
    yield from option_problems(place, _registry(name), _of(benchmark, name), entry.options)
    if isinstance(entry, ArchitectureEntry):
        yield from faults(FinetuneSettings, benchmark.finetune.model_dump() | entry.finetune, place)


def _values(benchmark: Benchmark, name: str, entry: AnyEntry | None = None) -> Point:
    """Return all that may be searched with its value, as JSON values."""
    entry = entry or _entry(benchmark, name)
    registered = _registry(name).entry(_of(benchmark, name)).options
    options = registered.model_validate(entry.options).model_dump(mode="json")
    if not isinstance(entry, ArchitectureEntry):
        return options
    settings = changed(benchmark.finetune, entry.finetune).model_dump(mode="json")
    return settings | {"embedding_size": entry.embedding_size} | options


def _value(benchmark: Benchmark, name: str, option: str, value: Any) -> Any:
    """Return a value as the option has it."""
    return _values(benchmark, name, _entry(benchmark, name).at({option: value}))[option]


def _as_options(benchmark: Benchmark, name: str, option: str, dimension: Dimension) -> Dimension:
    if dimension.values is None:
        return dimension
    values = [_value(benchmark, name, option, value) for value in dimension.values]
    return Dimension(values=tuple(values))


def _shipped(benchmark: Benchmark, name: str) -> Space:
    """Return the space that a model is registered with, of networks with that of training."""
    tags = _registry(name).entry(_of(benchmark, name)).tags
    own = {key: Dimension.model_validate(one) for key, one in tags.get("space", {}).items()}
    return own if name in BASELINES else SPACE_OF_TRAINING | own


def _settings(benchmark: Benchmark, name: str) -> dict[str, Any]:
    """Return the settings of a search as configured; trials of a baseline are whole."""
    of_all = benchmark.tune.model_dump()
    if name in BASELINES:
        of_all = {key: value for key, value in of_all.items() if key not in OF_EPOCHS}
    return of_all | _entry(benchmark, name).tune


def _entry(benchmark: Benchmark, name: str) -> AnyEntry:
    if name in BASELINES:
        return benchmark.baseline_options.get(name, BaselineEntry())
    return benchmark.all_architectures[name]


def _registry(name: str) -> Registry:
    return BASELINES if name in BASELINES else ARCHITECTURES


def _of(benchmark: Benchmark, name: str) -> str:
    return name if name in BASELINES else str(benchmark.all_architectures[name].of)


def _place(benchmark: Benchmark, name: str) -> str:
    return f"{'baseline_options' if name in BASELINES else 'architectures'}.{name}.tune"
