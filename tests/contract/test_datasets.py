"""What every registered source of recordings promises."""

import re
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from seqbench.config.registry import DATASETS, TASKS
from seqbench.config.stages import SplitSettings, WindowSettings
from seqbench.config.tolerances import TOLERANCES_MS
from seqbench.datasets.base import DataError
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.recordings import Recordings, read_recordings, write_recordings
from seqbench.windowing.leakcheck import find_leaks
from seqbench.windowing.windows import make_windows

# Small legal options of each name, none of which needs the network; a name without an entry fails.
TINY = {
    "folder": [
        {"path": "my_recordings"},
        {
            "path": "my_recordings",
            "task": "detection",
            "sampling_rate_hz": 100.0,
            "refractory_s": 0.05,
            "tolerance_ms": 20.0,
        },
        {"path": "my_recordings", "task": "labelling"},
        {"path": "my_recordings", "task": "regression", "targets": ("ch1",)},
        {"path": "my_recordings", "task": "forecasting"},
    ],
    "airline": [{}],
    "daily_min_temperatures": [{}],
    "digits": [{}],
    "digits_rows": [{}],
    "diabetes": [{}, {"table": "pima"}],
    "etth1": [{"n_hours": 50}],
    "hello": [{}],
    "hybrid": [
        {
            "path": "my_backgrounds",
            "templates": templates,
            "sampling_rate_hz": 100.0,
            "length_ms": 80.0,
            "before_ms": 20.0,
            "rate_hz": 1.0,
            "refractory_s": 0.2,
        }
        for templates in ("file", "labelled")
    ],
    "ipol_gait": [{"feet": "left"}, {"feet": "both"}],
    "ludb": [{}],
    "mitdb": [{}, {"types": "qrs"}],
    "mnist": [{}],
    "mnist_rows": [{}],
    "moving_digits": [
        {"n_train": 6, "n_val": 4, "n_test": 4, "frame_size": 12},
        {"of": "mnist", "n_train": 4, "n_val": 2, "n_test": 2, "frame_size": 30},
    ],
    "names": [{}, {"only_new": True}],
    "radar": [{"patch_size": 4, "reduction": 2, "n_patches": 3}],
    "sin_to_cos": [{"n_train": 6, "n_val": 4, "n_test": 4, "n_samples": 12}],
    "stress_predict": [{"sampling_rate_hz": 4.0}, {"subjects": ("S02", "S01", "S05")}],
    "strikes_continuous": [
        {
            "n_types": 3,
            "n_channels": 2,
            "train_s": 10.0,
            "val_s": 5.0,
            "test_s": 5.0,
            "rate_hz": 0.4,
            "sampling_rate_hz": 1600.0,
        }
    ],
    "strikes_windows": [{"n_train": 6, "n_val": 4, "n_test": 4, "n_types": 3, "probability": 0.6}],
    "tower_bells": [
        {
            "n_bells": 5,
            "n_sensors": 2,
            "n_train": 1,
            "n_val": 1,
            "n_test": 1,
            "touch_s": 6.0,
            "test_tower": "st_michael",
            "strikes_per_bell": 2,
        }
    ],
    "ucr": [{"problem": "ItalyPowerDemand"}],
    "uea": [{"problem": "BasicMotions"}],
    "waves": [{"n_windows": 40, "window_samples": 30, "min_samples": 20}],
}
# Read from a cache, here from a tiny one.
MIRRORED = (
    "daily_min_temperatures",
    "diabetes",
    "etth1",
    "ipol_gait",
    "ludb",
    "mitdb",
    "mnist",
    "mnist_rows",
    "moving_digits",
    "names",
    "radar",
    "stress_predict",
)
WITHOUT_CLASSES = ("regression", "forecasting")
CASES = [(name, i) for name in DATASETS for i in range(len(TINY.get(name, [None])))]


def make_folder(root: Path) -> None:
    """Make ten recordings of two classes and two types of event, and one without a label."""
    generator = np.random.default_rng(0)
    (root / "recordings").mkdir(parents=True)
    labels, events = ["recording,label"], ["recording,onset_s,label"]
    for i in range(11):
        np.save(root / f"recordings/r{i}.npy", generator.normal(size=(25 + i, 2)))
        if i < 10:
            labels.append(f"r{i},{'walk' if i % 2 else 'run'}")
            events += [f"r{i},0.0{i},beat", f"r{i},0.12,stroke", f"r{i},0.2,beat"]
    (root / "labels.csv").write_text("\n".join(labels) + "\n", encoding="utf-8")
    (root / "events.csv").write_text("\n".join(events) + "\n", encoding="utf-8")


def make_backgrounds(root: Path) -> None:
    """Make recordings of noise, one of them with labels, and templates of two types."""
    generator = np.random.default_rng(0)
    (root / "recordings").mkdir(parents=True)
    for i in range(6):
        np.save(root / f"recordings/r{i}.npy", generator.normal(size=(1000, 2)))
    np.savez(root / "templates.npz", templates=generator.normal(size=(2, 2, 8)), onset=2)
    rows = [f"r5,{0.5 + onset},{'beat' if onset % 2 else 'stroke'}" for onset in range(9)]
    rows = ["recording,onset_s,label", *rows, "r5,9.5,beat"]
    (root / "events.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.mark.parametrize("source", sorted(DATASETS))
def test_defaults_are_among_the_values_that_a_user_may_set(source):
    # A job is given every option by value, so a default out of bounds would refuse itself.
    options = DATASETS.entry(source).options
    fields = options.model_fields.items()
    defaults = {option: field.default for option, field in fields if not field.is_required()}
    required = {option for option, field in fields if field.is_required()}

    problems = []
    try:
        options.model_validate(defaults)
    except ValidationError as error:
        problems = [one["loc"][0] for one in error.errors() if one["loc"]]

    assert set(problems) <= required


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}{case[1] or ''}")
def case(request):
    return request.param


@pytest.fixture(scope="module")
def name(case):
    return case[0]


@pytest.fixture(scope="module")
def options(case):
    return TINY[case[0]][case[1]]


@pytest.fixture(scope="module")
def load(name, options, tmp_path_factory, mirrors, write_bells):
    folder = tmp_path_factory.mktemp("source")
    make_folder(folder / "my_recordings")
    make_backgrounds(folder / "my_backgrounds")
    cache = mirrors if name in MIRRORED else folder / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        if name == "tower_bells":
            patch.syspath_prepend(write_bells(folder).parent)
        yield lambda: DATASETS[name](cache, **options)


@pytest.fixture(scope="module")
def recordings(load):
    return load()


@pytest.fixture(scope="module")
def splits(recordings):
    return make_windows(recordings, job_for(recordings))


def test_recordings_are_finite_float32_with_names_for_everything(recordings):
    for signal in recordings.signals:
        assert signal.dtype == np.float32
        assert signal.ndim == (4 if recordings.sample == "video" else 2)
        assert len(signal) > 0
        assert np.isfinite(signal).all()
    assert len(recordings.units) == len(recordings.channels)
    assert len(set(recordings.channels)) == len(recordings.channels)
    assert set(recordings.splits) <= {"", "train", "val", "test"}
    assert recordings.source["origin"]


def test_an_absent_file_is_named(name, options, mirrors, recordings, tmp_path):
    files = recordings.source.get("files", {})
    # Those of records and trials are found by their headers.
    one = next((file for file in files if not file.endswith((".hea", ".json"))), None)
    if name not in MIRRORED or one is None:
        return
    cache = shutil.copytree(mirrors, tmp_path / "cache")
    [path] = [path for path in cache.rglob(Path(one).name) if path.as_posix().endswith(one)]
    path.unlink()

    with pytest.raises(DataError, match=f"it lacks 1 file: {re.escape(one)}; get them from http"):
        DATASETS[name](cache, **options)


def test_labels_lie_inside_their_recordings_and_every_class_occurs(recordings):
    least = 1 if recordings.task == "detection" else 2
    if recordings.task in WITHOUT_CLASSES:
        assert not recordings.classes
        assert not len(recordings.label)
        return
    assert len(set(recordings.classes)) == len(recordings.classes) >= least
    assert set(recordings.label.tolist()) == set(range(len(recordings.classes)))
    assert (recordings.label_start >= 0).all()
    assert (recordings.label_start < recordings.label_stop).all()
    assert (recordings.label_stop <= recordings.lengths[recordings.label_recording]).all()


def test_task_and_sample_are_those_it_is_registered_with(recordings, name, options):
    assert recordings.task in TASKS
    assert recordings.task == options.get("task", DATASETS.entry(name).tags["task"])
    assert recordings.sample == DATASETS.entry(name).tags["sample"]


def test_events_are_known_keep_their_distance_and_have_a_tolerance(recordings):
    if recordings.task != "detection":
        assert recordings.tolerance_ms is None
        assert recordings.refractory_s is None
        return

    assert recordings.tolerance_ms in TOLERANCES_MS
    assert recordings.sampling_rate_hz > 0
    known = recordings.known_spans
    assert (known[:, 0] >= 0).all()
    assert (known[:, 0] <= known[:, 1]).all()
    assert (known[:, 1] <= recordings.lengths).all()
    own = known[recordings.label_recording]
    assert (recordings.label_start >= own[:, 0]).all()
    assert (recordings.label_start < own[:, 1]).all()
    shortest = (recordings.refractory_s or 0) * recordings.sampling_rate_hz
    for recording, kind in product(range(len(known)), range(len(recordings.classes))):
        mine = (recordings.label_recording == recording) & (recordings.label == kind)
        assert (np.diff(np.sort(recordings.label_start[mine])) >= shortest).all()


def test_truth_is_there_where_it_is_offered_and_fits_the_signals(recordings, name):
    offered = "truth" in DATASETS.entry(name).tags.get("offers", ())
    assert bool(recordings.truth) == offered
    if offered:
        templates = recordings.truth["templates"]
        assert templates.shape[:2] == (len(recordings.classes), len(recordings.channels))
        assert 0 <= recordings.truth["template_onset"] < templates.shape[2]


def test_recordings_survive_a_file(recordings, tmp_path, assert_same):
    write_recordings(tmp_path / "recordings.h5", recordings)

    read = read_recordings(tmp_path / "recordings.h5")

    assert_same(read, replace(recordings, known=recordings.known_spans))


def test_loading_twice_gives_the_same_recordings(load, recordings, assert_same):
    assert_same(load(), recordings)


def job_for(recordings: Recordings) -> WindowJobSettings:
    """Return how to make windows of any dataset."""
    split, window = SplitSettings(), WindowSettings()
    if recordings.task == "forecasting":
        window = WindowSettings(length_samples=5)
        split = SplitSettings(by="group" if any(recordings.splits) else "time")
    return WindowJobSettings(split=split, window=window, normalization="zscore")


def spoilt(recordings: Recordings, job: WindowJobSettings) -> Recordings:
    """Return recordings in which test holds other values, and nothing else is changed."""
    if job.split.by == "time":
        first = {i: n - round(0.2 * n) for i, n in enumerate(recordings.lengths.tolist())}
    else:
        tested = make_windows(recordings, job)["test"].recording
        first = dict.fromkeys(tested.tolist(), 0)
    signals = [signal.copy() for signal in recordings.signals]
    for i, begin in first.items():
        signals[i][begin:] = signals[i][begin:] * 3 + 7
    targets = recordings.targets
    if targets is not None:
        targets = [5 * one if i in first else one for i, one in enumerate(targets)]
    return replace(recordings, signals=signals, targets=targets)


def test_what_test_holds_changes_nothing_of_train_and_val(recordings):
    job = job_for(recordings)

    before = make_windows(recordings, job)
    after = make_windows(spoilt(recordings, job), job)

    assert not np.array_equal(before["test"].signal, after["test"].signal)
    for split in ("train", "val"):
        one, other = before[split], after[split]
        np.testing.assert_array_equal(one.signal, other.signal)
        assert one.normalization.record() == other.normalization.record()
        assert one.channels == other.channels  # of tokens the vocabulary
        for column in ("start", "length", "label", "recording"):
            np.testing.assert_array_equal(getattr(one, column), getattr(other, column))
        if one.targets is not None:
            np.testing.assert_array_equal(one.targets.values, other.targets.values)
            assert one.targets.record() == other.targets.record()


def test_nothing_leaks_between_the_splits(recordings):
    job = job_for(recordings)

    check = find_leaks(recordings, make_windows(recordings, job), job)

    assert check.n_shared_groups == 0


def test_windows_can_be_made_of_it(recordings):
    splits = make_windows(recordings, job_for(recordings))

    if recordings.sample == "tokens":
        assert set(np.unique(splits["train"].signal)) == set(
            range(1, len(splits["train"].channels))
        )
    else:
        signal = splits["train"].signal
        planes = (0, *range(2, signal.ndim))
        assert np.abs(signal.mean(axis=planes, dtype=float)).max() < 1e-4
    if recordings.task in (*WITHOUT_CLASSES, "labelling"):
        for windows in splits.values():
            assert len(windows.targets.values) == len(windows.signal)
            assert len(windows)
        return
    if recordings.task != "detection":
        total = sum(int((windows.label >= 0).sum()) for windows in splits.values())
        assert total == len(recordings.label)
        return
    assert sum(len(windows.timeline.onset) for windows in splits.values()) == len(recordings.label)
    for windows in splits.values():
        covered = np.zeros(len(windows.signal), dtype=bool)
        for start, length in zip(windows.start, windows.length, strict=True):
            covered[start : start + length] = True
        assert covered.all() or windows.split != "train"
        known = zip(windows.timeline.known_start, windows.timeline.known_stop, strict=True)
        assert all(covered[start:stop].all() for start, stop in known)
