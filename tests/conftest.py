"""Tiny recordings and windows, made by hand, for the tests of every layer."""

import gzip
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

from seqbench.storage.model_header import EncoderHeader
from seqbench.storage.models import StoredModel, read_model, write_model
from seqbench.storage.normalization import Normalization
from seqbench.storage.recordings import Recordings
from seqbench.storage.records import PretrainingOutcome
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import SPLITS, Split, WindowSet, write_windows

# Tiny tensors gain nothing from threads, and lose much where other work runs beside the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # numba's setting is torch's as well

N_WORKERS = 2  # trainings of the workflow tests use two cores besides
hypothesis.settings.register_profile(
    "quick",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,  # tests write over what they wrote
    ],
)
hypothesis.settings.register_profile(
    "full", hypothesis.settings.get_profile("quick"), max_examples=200, derandomize=False
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run every test, as `make test-all` does")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("full" if config.getoption("full") else "quick")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Workers pay for themselves where whole folders are tested, not for a file or two."""
    paths = [Path(word.split("::")[0]) for word in config.args]
    return N_WORKERS if any(path.is_dir() for path in paths) else 0


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is `full`; start the longest first, and give a worker whole files."""
    if not config.getoption("full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
    # The smoke run takes both cores while the cluster, which takes none, is waited for.
    first = [lambda item: item.get_closest_marker("xdist_group").args == ("smoke",)]
    first += [
        lambda item, mark=mark: item.get_closest_marker(mark) for mark in ("slurm", "workflow")
    ]
    items.sort(key=lambda item: [not matches(item) for matches in first])


@pytest.fixture
def recordings():
    """Recordings with one label each, or with `intervals` (recording, class, start, stop).

    For detection intervals are events, and classes are those of `labels` or named apart.
    """

    def make(
        labels: Sequence[str] = ("a", "b"),
        *,
        lengths: Sequence[int] | int = 10,
        intervals: Sequence[tuple[int, int, int, int]] | None = None,
        seed: int = 0,
        **changes: Any,
    ) -> Recordings:
        generator = np.random.default_rng(seed)
        n = len(labels)
        lengths = [lengths] * n if isinstance(lengths, int) else list(lengths)
        channels = changes.pop("channels", ["x", "y"])
        classes = changes.pop("classes", sorted(set(labels)))
        values: dict[str, Any] = {
            "task": "classification",
            "sample": "series",
            "names": [f"r{i}" for i in range(n)],
            "groups": [f"r{i}" for i in range(n)],
            "splits": [""] * n,
            "channels": channels,
            "units": ["mV"] * len(channels),
            "signals": [
                generator.normal(size=(length, len(channels))).astype(np.float32)
                for length in lengths
            ],
            "sampling_rate_hz": 100.0,
            "source": {"origin": "made up"},
        } | changes
        if intervals is None:
            return Recordings.one_label_each(list(labels), values.pop("signals"), **values)
        table = np.array(intervals, dtype=np.int64).reshape(-1, 4)
        return Recordings(
            classes=classes,
            label_recording=table[:, 0],
            label=table[:, 1],
            label_start=table[:, 2],
            label_stop=table[:, 3],
            **values,
        )

    return make


@pytest.fixture
def make_windows():
    """Windows of classes that differ in frequency, one recording each; written if a path is given.

    Lengths are dealt out in turn, so one length makes equal windows.
    """

    def make(
        path: Path | None = None,
        *,
        n_windows: int = 12,
        lengths: Sequence[int] = (20,),
        n_classes: int = 2,
        n_channels: int = 2,
        noise: float = 0.1,
        mode: str = "none",
        splits: Sequence[Split] = SPLITS,
        seed: int = 0,
    ) -> dict[Split, WindowSet]:
        made: dict[Split, WindowSet] = {}
        n_recordings = n_windows * len(splits)
        for number, split in enumerate(splits):
            generator = np.random.default_rng([seed, number])
            label = np.arange(n_windows) % n_classes
            # Blocks of one class each of which takes the next length.
            length = np.array([lengths[(i // n_classes) % len(lengths)] for i in range(n_windows)])
            signals = []
            for one, samples in zip(label, length, strict=True):
                phase = 2 * np.pi * (one + 1) * np.arange(samples) / 12
                wave = np.stack([np.sin(phase + c) for c in range(n_channels)], axis=1)
                signals.append(wave + generator.normal(scale=noise, size=wave.shape))
            made[split] = WindowSet(
                task="classification",
                sample="series",
                split=split,
                signal=np.concatenate(signals).astype(np.float32),
                start=np.cumsum([0, *length])[:-1],
                length=length,
                label=label,
                recording=np.arange(n_windows) + number * n_windows,
                names=[f"r{i}" for i in range(n_recordings)],
                groups=[f"g{i // 2}" for i in range(n_recordings)],
                channels=[f"ch{c}" for c in range(n_channels)],
                classes=[f"class{k}" for k in range(n_classes)],
                normalization=Normalization(mode, np.zeros(n_channels), np.ones(n_channels)),
                sampling_rate_hz=100.0,
            )
        if path is not None:
            write_windows(path, made)
        return made

    return make


class Stopped(Exception):
    """A training was cut off."""


@pytest.fixture
def assert_an_interruption_leaves_no_trace(make_windows, tmp_path, monkeypatch):
    """Hold trainings that are cut off and taken up again against one that is not.

    The last is taken up when it was done, and takes no further step.

    `build` makes what is trained; it is called with torch's seed set, as by a new process.
    """
    import torch

    from seqbench.config.stages import STATES_STAY, FinetuneSettings
    from seqbench.training.batches import WindowTable
    from seqbench.training.loop import fit
    from seqbench.training.progress import Progress
    from seqbench.training.reproducibility import seed_everything
    from seqbench.training.state import StateKeeper

    def check(
        build: Callable[[], Any],
        *,
        loss_name: str,
        windows: Mapping[str, WindowSet] | None = None,
        stops: Sequence[int] = (2, 7),
        curves: Path | None = None,
        **settings: Any,
    ) -> None:
        splits = windows or make_windows(lengths=(20, 26), noise=0.5)
        options = {"epochs": 3, "batch_size": 5, "min_steps_per_epoch": 4} | settings

        def train(stop: int | None, folder: str) -> tuple[Any, ...]:
            generator = seed_everything(3)
            trainable = build()
            loss, n_steps = trainable.loss, 0

            def cut_off(batch: Any) -> Any:
                nonlocal n_steps
                n_steps += 1
                if n_steps == stop:
                    raise Stopped
                return loss(batch)

            trainable.loss = cut_off
            device = torch.device("cpu")
            augmentation = torch.Generator().manual_seed(4)
            table = WindowTable(splits["train"], device, augmentation)
            val = WindowTable(splits["val"], device)
            outcome = fit(
                trainable,
                table,
                torch.arange(len(table)),
                lambda: val.batches(256),
                FinetuneSettings(**options),
                loss_name=loss_name,
                generator=generator,
                progress=Progress("test", 3),
                tensorboard=curves,
                keeper=StateKeeper(tmp_path / folder, lambda: {}, every_s=0),
            )
            history = [{k: v for k, v in row.items() if k != "seconds"} for row in outcome.history]
            return trainable.module, history, outcome.best_epoch, torch.rand(3), n_steps

        module, history, best_epoch, draws, n_steps = train(None, "whole")
        counts = {k: v for k, v in vars(module).items() if isinstance(v, int | float)}
        assert min(stops) <= n_steps

        def assert_same_after(n_before: int, folder: str) -> None:
            again, *others, drawn, steps = train(None, folder)
            assert steps == n_steps - n_before  # the steps before are not taken again
            assert others == [history, best_epoch]
            assert torch.equal(drawn, draws)
            assert {k: v for k, v in vars(again).items() if isinstance(v, int | float)} == counts
            found = again.state_dict()
            for name, tensor in module.state_dict().items():
                assert torch.equal(found[name], tensor), name

        for stop in (stop for stop in stops if stop <= n_steps):
            with pytest.raises(Stopped):
                train(stop, f"cut{stop}")
            assert_same_after(stop - 1, f"cut{stop}")
        with monkeypatch.context() as patch:
            patch.setenv(STATES_STAY, "1")
            train(None, "done")
            assert_same_after(n_steps, "done")

    return check


def pulses(n_types: int, n_channels: int, sampling_rate_hz: float) -> np.ndarray:
    """Return a pulse of each type, (K, C, L): up for about 25 ms, down before and after.

    A type is large in a channel of its own, or of the other sign.
    """
    deviation = 0.012 * sampling_rate_hz
    time = np.arange(-round(4 * deviation), round(4 * deviation) + 1) / deviation
    form = (1 - time**2) * np.exp(-(time**2) / 2)
    size = np.full((n_types, n_channels), 0.3)
    for kind in range(n_types):
        size[kind, kind % n_channels] = 1
        size[kind] *= (-1) ** (kind // n_channels)
    return (size[..., None] * form).astype(np.float32)


@pytest.fixture
def make_event_windows():
    """Windows of recordings in which events of all types follow each other in turn.

    Recordings stand end to end and are cut into windows, the last one of each moved back to fit.
    Every event is known, and is labelled where its pulse is highest.
    """

    def make(
        path: Path | None = None,
        *,
        n_samples: Sequence[int] = (300, 250),
        window_samples: int = 60,
        n_types: int = 2,
        n_channels: int = 2,
        sampling_rate_hz: float = 100.0,
        interval_s: float = 0.8,
        noise: float = 0.02,
        mode: str = "none",
        splits: Sequence[Split] = SPLITS,
        seed: int = 0,
    ) -> dict[Split, WindowSet]:
        form = pulses(n_types, n_channels, sampling_rate_hz)
        middle = form.shape[2] // 2
        stop = np.cumsum(n_samples)
        start = stop - np.array(n_samples)
        made: dict[Split, WindowSet] = {}
        for number, split in enumerate(splits):
            generator = np.random.default_rng([seed, number])
            signal = generator.normal(scale=noise, size=(stop[-1], n_channels)).astype(np.float32)
            events = []
            for begin, end in zip(start, stop, strict=True):
                at = begin + 0.5 * interval_s * sampling_rate_hz
                while round(at) + middle < end:
                    onset, kind = round(at), len(events) % n_types
                    signal[onset - middle : onset + middle + 1] += form[kind].T
                    events.append((onset, kind))
                    at += interval_s * sampling_rate_hz * generator.uniform(0.9, 1.1)
            onset, kind = (np.array(column) for column in zip(*events, strict=True))
            recording = np.arange(len(n_samples)) + number * len(n_samples)
            cuts = [
                (max(begin, min(first, end - window_samples)), min(window_samples, end - begin), i)
                for begin, end, i in zip(start, stop, recording, strict=True)
                for first in range(begin, end, window_samples)
            ]
            inside = [(onset >= first) & (onset < first + length) for first, length, _ in cuts]
            made[split] = WindowSet(
                task="detection",
                sample="series",
                split=split,
                signal=signal,
                start=np.array([first for first, _, _ in cuts]),
                length=np.array([length for _, length, _ in cuts]),
                label=np.array([kind[i][0] if i.any() else n_types for i in inside]),
                recording=np.array([i for _, _, i in cuts]),
                names=[f"r{i}" for i in range(len(n_samples) * len(splits))],
                groups=[f"g{i}" for i in range(len(n_samples) * len(splits))],
                channels=[f"ch{c}" for c in range(n_channels)],
                classes=[f"type{k}" for k in range(n_types)],
                normalization=Normalization(mode, np.zeros(n_channels), np.ones(n_channels)),
                sampling_rate_hz=sampling_rate_hz,
                timeline=Timeline(
                    recording=recording,
                    start=start,
                    stop=stop,
                    known_start=start,
                    known_stop=stop,
                    onset=onset,
                    offset=onset + 1,
                    type=kind,
                    refractory_s=0.25,
                    tolerance_ms=20.0,
                ),
                truth={"templates": form, "template_onset": np.array(middle)},
                source={"origin": "made up"},
            )
        if path is not None:
            write_windows(path, made)
        return made

    return make


@pytest.fixture(scope="session")
def write_record():
    """Write a WFDB record whose channels are constant: 0 mV, 1 mV and so on."""
    import wfdb

    def write(
        folder: Path,
        name: str,
        channels: list[str],
        *,
        rate_hz: float = 360,
        n_samples: int = 720,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        wfdb.wrsamp(
            name,
            fs=rate_hz,
            units=["mV"] * len(channels),
            sig_name=channels,
            p_signal=np.tile(np.arange(float(len(channels))), (n_samples, 1)),
            fmt=["16"] * len(channels),
            adc_gain=[200.0] * len(channels),
            baseline=[0] * len(channels),
            write_dir=str(folder),
        )

    return write


@pytest.fixture(scope="session")
def write_marks():
    """Write the annotation of a WFDB record: the sample and the code of each mark."""
    import wfdb

    def write(folder: Path, name: str, extension: str, marks: Sequence[tuple[int, str]]) -> None:
        samples, codes = zip(*marks, strict=True)
        wfdb.wrann(name, extension, np.array(samples), symbol=list(codes), write_dir=str(folder))

    return write


GAIT_AXES = ("Acc_X", "Acc_Y", "Acc_Z", "Gyr_X", "Gyr_Y", "Gyr_Z", "Mag_X", "Mag_Y", "Mag_Z")
GAIT_TRIAL = {
    "TrialBoundaries": [10, 80],
    "LeftFootEvents": [[10, 30], [50, 70], [90, 95]],  # the last step is behind the trial
    "RightFootEvents": [[20, 40], [60, 80]],
}


@pytest.fixture(scope="session")
def write_trial():
    """Write the three files of a walk of 100 ticks into a cache, and return their folder.

    Axis k of the left foot is the tick plus k, of the right foot twice the tick plus k.
    """

    def write_foot(path: Path, ticks: Iterable[int], slope: float) -> None:
        rows = ["Acquisition frequency: 100 Hz", "\t".join(["PacketCounter", *GAIT_AXES])]
        for tick in ticks:
            values = [slope * tick + axis for axis in range(len(GAIT_AXES))]
            rows.append("\t".join(str(value) for value in [float(tick), *values]))
        path.write_text("\n".join(rows) + "\n")

    def write(
        cache: Path,
        name: str = "1-1",
        *,
        left: Iterable[int] = range(100),
        right: Iterable[int] = range(100),
        later: int = 0,
    ) -> Path:
        folder = cache / "ipol-gait/GaitData"
        folder.mkdir(parents=True, exist_ok=True)
        write_foot(folder / f"{name}_lf.txt", left, 1.0)
        write_foot(folder / f"{name}_rf.txt", right, 2.0)
        trial = {key: (np.array(ticks) + later).tolist() for key, ticks in GAIT_TRIAL.items()}
        (folder / f"{name}.json").write_text(json.dumps(trial))
        return folder

    return write


WRIST_START_S = 1644228000  # 7 February 2022, 10:00 UTC
# Columns and heading of each period of the log, and its minutes from ten o'clock to its end.
WRIST_PERIODS = (
    ("E", "F", "Consent", 0, 1),
    ("G", "H", "Baseline/Questions", 1, 3),
    ("I", "J", "Stroop Test", 3, 5),
    ("K", "L", "Relax", 5, 7),
    ("M", "N", "Interview", 7, 9),
    ("O", "P", "Relax", 9, 11),
    ("Q", "R", "Hyperventilation", 11, 13),
    ("S", "T", "Relax", 13, 15),
    ("U", "V", "Questions", 15, 16),
    ("W", "X", "Relax/Baseline", 16, 18),
)
# Rate and columns of each file; far below the real rates, so that files stay small.
WRIST_SENSORS = {"BVP": (8, 1), "EDA": (2, 1), "ACC": (4, 3), "TEMP": (2, 1)}
WRIST_ZEROS = {"BVP": 3, "EDA": 1}


@pytest.fixture(scope="session")
def write_sheet():
    """Write a workbook whose text stands apart from its cells, as spreadsheets save it."""

    def write(path: Path, cells: Mapping[str, str | float]) -> None:
        texts = sorted({value for value in cells.values() if isinstance(value, str)})
        space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        items = "".join(f"<si><t>{text}</t></si>" for text in texts)
        tags = [
            f'<c r="{place}" t="s"><v>{texts.index(value)}</v></c>'
            if isinstance(value, str)
            else f'<c r="{place}"><v>{value!r}</v></c>'
            for place, value in cells.items()
        ]
        sheet = f"<sheetData><row>{''.join(tags)}</row></sheetData>"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("xl/sharedStrings.xml", f"<sst {space}>{items}</sst>")
            file.writestr("xl/worksheets/sheet1.xml", f"<worksheet {space}>{sheet}</worksheet>")

    return write


@pytest.fixture(scope="session")
def write_digits() -> Callable[[Path], None]:
    """Write files of MNIST into a cache: a digit is a picture with as many white rows."""

    def write(cache: Path) -> None:
        folder = cache / "mnist"
        folder.mkdir()
        for part, n in {"train": 40, "t10k": 20}.items():
            digits = np.arange(n) % 10
            pictures = np.arange(28)[None, :, None] < digits[:, None, None]
            for kind, values in {
                "labels-idx1": digits,
                "images-idx3": 255 * np.repeat(pictures, 28, axis=2),
            }.items():
                head = bytes([0, 0, 8, values.ndim])
                sizes = np.array(values.shape, dtype=">u4").tobytes()
                content = gzip.compress(head + sizes + values.astype(np.uint8).tobytes())
                (folder / f"{part}-{kind}-ubyte.gz").write_bytes(content)

    return write


@pytest.fixture(scope="session")
def write_rain() -> Callable[[Path], np.ndarray]:
    """Write radar frames of 16 x 24 pixels into a cache, and return their bytes, (40, 16, 24).

    There is more rain the further down and right; the first corner is unseen in one frame.
    """

    def write(cache: Path) -> np.ndarray:
        folder = cache / "radar/fmi/20170509"
        folder.mkdir(parents=True)
        place = np.arange(16)[:, None] + np.arange(24)
        frames = np.random.default_rng(0).integers(0, 64 + 3 * place, (40, 16, 24), dtype=np.uint8)
        frames[30, 0, 0] = 255
        for minute, frame in zip(range(10 * 60 + 45, 14 * 60 + 1, 5), frames, strict=True):
            time = f"20170509{minute // 60:02d}{minute % 60:02d}"
            path = folder / f"{time}_fmi.radar.composite.lowest_FIN_SUOMI1.pgm.gz"
            content = b"P5\n# obstime " + time.encode() + b"\n24 16\n255\n" + frame.tobytes()
            path.write_bytes(gzip.compress(content))
        return frames

    return write


@pytest.fixture(scope="session")
def write_wrist(write_sheet):
    """Write wristband recordings of subjects into a cache, and return their folder.

    They start at ten and last 20 minutes. A sample of any file is the seconds
    since the start plus one, times the number of its column; the first of BVP
    and EDA are zeros. `cells` replaces or, with None, removes cells of the
    log, `lines` replaces lines of files, counted from 1.
    """

    def write(
        cache: Path,
        subjects: Sequence[str] = ("S01",),
        *,
        cells: Mapping[str, str | float | None] | None = None,
        lines: Mapping[str, Mapping[int, str]] | None = None,
        n_seconds: int = 1200,
    ) -> Path:
        folder = cache / "stress-predict"
        log: dict[str, Any] = {"A1": "S. ID.", "Z1": "Date"}
        for start, stop, heading, _, _ in WRIST_PERIODS:
            log |= {f"{start}1": heading, f"{start}2": "Start", f"{stop}2": "End"}
        for row, subject in enumerate(subjects, start=3):
            log |= {f"A{row}": subject, f"Y{row}": "Day 1", f"Z{row}": 44599}
            for start, stop, _, first, last in WRIST_PERIODS:
                for column, minute in ((start, first), (stop, last)):
                    log[f"{column}{row}"] = (600 + minute) / 1440
            for name, (rate, width) in WRIST_SENSORS.items():
                rows = [[f"{WRIST_START_S}.000000"] * width, [f"{rate}.000000"] * width]
                for i in range(n_seconds * rate):
                    value = 0 if i < WRIST_ZEROS.get(name, 0) else 1 + i / rate
                    rows.append([f"{value * (column + 1):g}" for column in range(width)])
                text = [", ".join(row) for row in rows]
                for line, other in (lines or {}).get(f"{subject}/{name}.csv", {}).items():
                    text[line - 1] = other
                path = folder / f"Raw_data/{subject}/{name}.csv"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("\n".join(text) + "\n")
        log = {
            place: value for place, value in (log | dict(cells or {})).items() if value is not None
        }
        write_sheet(folder / "Processed_data/Time_logs.xlsx", log)
        return folder

    return write


@pytest.fixture(scope="session")
def processes_in() -> Callable[[Path], set[int]]:
    """Return a function that tells which processes work in a folder."""

    def find(folder: Path) -> set[int]:
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended, or is another user's
                if (process / "cwd").readlink() == folder:
                    found.add(int(process.name))
        return found

    return find


@pytest.fixture(scope="session")
def trained_by() -> Callable[[Path], int]:
    """Return a function that tells which process trains, from the folder of its state; 0: none."""

    def process(folder: Path) -> int:
        try:
            return int((folder / "lock").read_text().split()[0])
        except (OSError, IndexError):
            return 0

    return process


@pytest.fixture(scope="session")
def held_until_asked_to_end(
    wait_for: Callable[..., Any],
) -> Callable[[int], AbstractContextManager[None]]:
    """Return a context in which a training stands still, until it was sent SIGTERM.

    However fast it is, it is neither done before, nor before it takes signals.
    """

    def has(process: int, which: str) -> bool:
        """Return whether SIGTERM is among the signals of a kind."""
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except FileNotFoundError:
            return which == "ShdPnd:"  # SLURM sends SIGCONT with SIGTERM, so it may be done by now
        [mask] = [line.split()[1] for line in lines if line.startswith(which)]
        return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)

    def stopped_in_its_loop(process: int) -> bool:
        os.kill(process, signal.SIGSTOP)  # before the look: it could leave the loop in between
        if has(process, "SigCgt:"):
            return True
        os.kill(process, signal.SIGCONT)
        return False

    @contextmanager
    def held(process: int) -> Iterator[None]:
        wait_for(lambda: stopped_in_its_loop(process))
        yield
        wait_for(lambda: has(process, "ShdPnd:"))
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)

    return held


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., Any]:
    """Return a function that waits until a condition holds, and returns its value."""

    def wait(condition: Callable[[], Any], deadline_s: float = 600) -> Any:
        deadline = time.monotonic() + deadline_s
        while not (value := condition()):
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.005)
        return value

    return wait


@pytest.fixture
def through_a_file(tmp_path: Path) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that writes arrays to a file of an encoder and reads them back."""
    outcome = PretrainingOutcome(objective="masked")
    header = EncoderHeader(architecture="cnn1d", pretraining=outcome)

    def written_and_read(arrays: dict[str, Any]) -> dict[str, Any]:
        write_model(tmp_path / "encoder.safetensors", StoredModel(arrays, header))
        return read_model(tmp_path / "encoder.safetensors").arrays

    return written_and_read
