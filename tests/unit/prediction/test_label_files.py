"""Events that were written for another program come back from it, on their samples."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import wfdb

from fixtures.windows import job
from seqbench.cli.main import main
from seqbench.cli.predict import LABEL_FILES
from seqbench.config.options import LabelFiles
from seqbench.datasets.base import DataError
from seqbench.datasets.folder import folder
from seqbench.datasets.reading.clock import SampleTimes
from seqbench.datasets.reading.recording import read_recording
from seqbench.errors import UserError
from seqbench.prediction.label_files import WRITERS, RecordingEvents, write_label_file
from seqbench.tasks.detection.results import FoundEvent
from seqbench.windowing.windows import make_windows

SUFFIXES = {
    "audacity": ".txt",
    "bids": "_events.tsv",
    "label_studio": ".json",
    "textgrid": ".TextGrid",
    "wfdb": ".atr",
}
SETTINGS = {"label_studio": {"unit": "s"}}
LABELS = ["N", 'große "Glocke"', "=2"]
N_SAMPLES = 3000


def event(onset_s: float, label: str, score: float = 0.875) -> FoundEvent:
    return FoundEvent("walk", onset_s, label, score, None, None)


@pytest.fixture
def written(tmp_path):
    """Return a function that writes events in a format and returns the file."""

    def write(label_format, events, rate_hz=100.0, name="walk", to=tmp_path, start_s=0.0):
        path = to / f"{name}{SUFFIXES[label_format]}"
        found = RecordingEvents(events, N_SAMPLES, SampleTimes.uniform(rate_hz, start_s))
        write_label_file(path, label_format, found, f"{name}.npy")
        return path

    return write


EVENTS = [event(0.25, "N"), event(1.5, LABELS[1]), event(1.5, "N"), event(29.99, "=2")]
PAIRS = [(0.25, "N"), (1.5, LABELS[1]), (1.5, "N"), (29.99, "=2")]


SPANS = [replace(event(0.25, "N"), offset_s=0.75), event(1.5, "N")]


@pytest.mark.parametrize("label_format", ["audacity", "bids", "label_studio"])
def test_ends_are_written_where_they_are_known(written, tmp_path, label_format):
    path = written(label_format, SPANS)

    if label_format == "label_studio":
        [task] = json.loads(path.read_text())
        values = [region["value"] for region in task["predictions"][0]["result"]]
        found = [(one["start"], one["end"], one["instant"]) for one in values]
        assert found == [(0.25, 0.75, False), (1.5, 1.5, True)]
        return
    cells = [row.split("\t") for row in path.read_text().splitlines()][-2:]
    times = [(float(one[0]), float(one[1])) for one in cells]
    ends = {"audacity": [0.75, 1.5], "bids": [0.5, 0]}[label_format]
    assert times == list(zip([0.25, 1.5], ends, strict=True))


@pytest.mark.parametrize("label_format", ["textgrid", "wfdb"])
def test_files_of_points_refuse_ends(written, label_format):
    with pytest.raises(UserError, match=f"files of {label_format} hold points.*another --format"):
        written(label_format, SPANS)


def test_audacity_imports_what_is_written(written):
    rows = written("audacity", EVENTS).read_text(encoding="utf-8").splitlines()

    cells = [row.split("\t") for row in rows]
    assert cells[0] == ["0.250000", "0.250000", "N"]
    assert [(float(onset), label) for onset, _, label in cells] == PAIRS


def test_praat_opens_what_is_written(written):
    path = written("textgrid", EVENTS)
    grid = pytest.importorskip("praatio.textgrid").openTextgrid(str(path), True, "error")

    points = [tuple(point) for tier in grid.tiers for point in tier.entries]
    assert (grid.minTimestamp, grid.maxTimestamp) == (0, 30)
    assert grid.tierNames == ("events", "events 2")  # two at one time
    # Of points, praatio leaves the doubled quotes of the file as they are.
    assert sorted((t, label.replace('""', '"')) for t, label in points) == sorted(PAIRS)


def test_wfdb_reads_what_is_written(written):
    found = wfdb.rdann(str(written("wfdb", EVENTS).with_suffix("")), "atr")

    assert (found.sample.tolist(), found.fs) == ([25, 150, 150, 2999], 100)
    labels = list(zip(found.symbol, found.aux_note, strict=True))
    assert labels == [("N", ""), ("N", ""), ('"', LABELS[1]), ('"', "=2")]


def test_bids_has_the_columns_of_the_standard(written):
    header, *rows = written("bids", EVENTS).read_text(encoding="utf-8").splitlines()

    assert header.split("\t") == ["onset", "duration", "trial_type", "score"]
    assert rows[0].split("\t") == ["0.250000", "0", "N", "0.8750"]
    assert len(rows) == 4


def test_label_studio_imports_predictions(written):
    (task,) = json.loads(written("label_studio", EVENTS).read_text(encoding="utf-8"))

    (prediction,) = task["predictions"]
    assert task["data"] == {"csv": "walk.npy"}
    assert prediction["model_version"] == "seqbench"
    assert [(one["value"]["start"], *one["value"]["timeserieslabels"])
            for one in prediction["result"]] == PAIRS  # fmt: skip
    assert prediction["result"][0] == {
        "id": "event1",
        "from_name": "label",
        "to_name": "ts",
        "type": "timeserieslabels",
        "score": 0.875,
        "value": {"start": 0.25, "end": 0.25, "instant": True, "timeserieslabels": ["N"]},
    }


def accepted(exports: list[Path]) -> str:
    """Return the export of a project in which a person accepted all predictions."""
    tasks = [task for path in exports for task in json.loads(path.read_text(encoding="utf-8"))]
    return json.dumps([task | {"annotations": task.pop("predictions")} for task in tasks])


def marks_of(root: Path, label_format: str, exports: list[Path]) -> LabelFiles:
    """Return what reads the written files; of Label Studio, once a person accepted them."""
    settings = {"path": "marks"} | SETTINGS.get(label_format, {})
    if label_format == "label_studio":
        (root / "labels.json").write_text(accepted(exports))
        settings["path"] = "labels.json"
    return LabelFiles(format=label_format, **settings)


@pytest.mark.parametrize("rate_hz", [100.0, 99.93, 360.0, 44100.0])
@pytest.mark.parametrize("label_format", sorted(WRITERS))
def test_an_event_lands_on_its_sample_after_reading_and_windowing(
    written, tmp_path, label_format, rate_hz
):
    generator = np.random.default_rng(int(rate_hz))
    for name in ("recordings", "marks"):
        (tmp_path / name).mkdir()
    exports = []
    for name in "abc":
        pulses = np.unique(generator.choice(N_SAMPLES, 30))
        kinds = generator.permutation(np.arange(len(pulses)) % 3)
        signal = np.zeros((N_SAMPLES, 3))
        signal[pulses, kinds] = 1
        np.save(tmp_path / "recordings" / f"{name}.npy", signal)
        events = [event(i / rate_hz, LABELS[k]) for i, k in zip(pulses, kinds, strict=True)]
        exports.append(written(label_format, events, rate_hz, name, tmp_path / "marks"))
    recordings = folder(
        Path("unused"),
        path=str(tmp_path),
        task="detection",
        sampling_rate_hz=rate_hz,
        labels=marks_of(tmp_path, label_format, exports),
    )
    named = {"val": ["b"], "test": ["c"]}
    splits = make_windows(recordings, job(named, "none", length_samples=256))

    order = [LABELS.index(label) for label in recordings.classes]
    for name, split in zip("abc", ("train", "val", "test"), strict=True):
        timeline, signal = splits[split].timeline, splits[split].signal
        truth = np.load(tmp_path / "recordings" / f"{name}.npy")
        assert len(timeline.onset) == truth.sum()
        assert (signal[timeline.onset, np.array(order)[timeline.type]] == 1).all()


@pytest.mark.parametrize("label_format", sorted(WRITERS))
def test_an_event_lands_on_its_sample_of_a_clock_that_starts_late_and_drifts(
    written, tmp_path, label_format
):
    generator = np.random.default_rng(1)
    for name in ("recordings", "marks"):
        (tmp_path / name).mkdir()
    exports, truth = [], {}
    for name, rate_hz in (("a", 100.0), ("b", 99.95)):
        times_s = 5 + (np.arange(N_SAMPLES) + generator.uniform(-0.05, 0.05, N_SAMPLES)) / rate_hz
        truth[name] = np.unique(generator.choice(N_SAMPLES, 30))
        signal = np.zeros(N_SAMPLES)
        signal[truth[name]] = 1
        file = tmp_path / "recordings" / f"{name}.csv"
        columns = np.column_stack([times_s, signal])
        np.savetxt(file, columns, fmt="%.6f", delimiter=",", header="time,x", comments="")
        times = read_recording(file).times
        found = RecordingEvents(
            [event(times.time_s_at(i), "N") for i in truth[name]], N_SAMPLES, times
        )
        exports.append(tmp_path / "marks" / f"{name}{SUFFIXES[label_format]}")
        write_label_file(exports[-1], label_format, found, file.name)
    recordings = folder(
        Path("unused"),
        path=str(tmp_path),
        task="detection",
        times="clock" if label_format == "label_studio" else "start",
        labels=marks_of(tmp_path, label_format, exports),
    )

    for index, name in enumerate("ab"):
        onsets = recordings.label_start[recordings.label_recording == index]
        assert onsets.tolist() == truth[name].tolist()


@pytest.mark.parametrize("label_format", sorted(WRITERS))
def test_no_event_is_a_file_that_states_so(written, tmp_path, label_format):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "marks").mkdir()
    for name in "ab":
        np.save(tmp_path / "recordings" / f"{name}.npy", np.ones((N_SAMPLES, 1)))
    exports = [
        written(label_format, events, name=name, to=tmp_path / "marks")
        for name, events in (("a", []), ("b", [event(1.0, "N")]))
    ]
    recordings = folder(
        Path("unused"),
        path=str(tmp_path),
        task="detection",
        sampling_rate_hz=100.0,
        labels=marks_of(tmp_path, label_format, exports),
    )

    assert recordings.known.tolist() == [[0, N_SAMPLES]] * 2
    assert recordings.label_recording.tolist() == [1]


@pytest.mark.parametrize("label_format", sorted(WRITERS))
def test_a_recording_that_starts_late_is_labelled_from_its_first_sample(written, label_format):
    path = written(label_format, [event(5.25, "N")], start_s=5.0)

    if label_format == "wfdb":
        assert wfdb.rdann(str(path.with_suffix("")), "atr").sample.tolist() == [25]
    else:
        # Label Studio shows the time column of the file itself.
        assert ("5.25" in path.read_text()) == (label_format == "label_studio")
        assert "0.25" in path.read_text() or label_format == "label_studio"


@pytest.mark.parametrize("label_format", sorted(WRITERS))
def test_times_between_samples_stay_within_the_recording(written, label_format):
    path = written(label_format, [event(-0.004, "N"), event(29.994, "N")])

    if label_format == "wfdb":
        assert wfdb.rdann(str(path.with_suffix("")), "atr").sample.tolist() == [0, 2999]
    else:
        assert "29.99" in path.read_text()
        assert "-0.0" not in path.read_text()


@pytest.mark.parametrize(
    ("label", "problem"), [("ß" * 128, "longer than 255 bytes"), ("## 5", "'## 5' is no note")]
)
def test_a_label_that_wfdb_cannot_hold_is_refused(written, label, problem):
    with pytest.raises(DataError, match=f"{problem}; choose another --format"):
        written("wfdb", [event(1.0, label)])


@pytest.mark.parametrize("label_format", LABEL_FILES)
def test_predict_writes_a_label_file(knocks, tmp_path, capsys, label_format):
    np.save(tmp_path / "walk.npy", knocks.recording([(400, 0), (700, 1)], 1500))
    out = tmp_path / "new" / "walk.labels"
    arguments = ["--model", knocks.model, "--recording", tmp_path / "walk.npy", "--out", out]

    main(["predict", *map(str, arguments), "--format", label_format])

    assert capsys.readouterr().out == f"{out}: 2 events\n"
    assert out.stat().st_size > 10
    if label_format != "wfdb":
        assert "right" in out.read_text()
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_predict_counts_from_the_first_sample_of_a_clock_that_starts_late(knocks, tmp_path):
    signal = knocks.recording([(400, 0), (700, 1)], 1500)
    times_s = 5 + np.arange(1500) / 2000
    table = np.column_stack([times_s, signal])
    header = "time," + ",".join(knocks.header.channels)
    np.savetxt(tmp_path / "walk.csv", table, delimiter=",", header=header, comments="")
    out = tmp_path / "walk.txt"
    arguments = ["--model", knocks.model, "--recording", tmp_path / "walk.csv", "--out", out]

    main(["predict", *map(str, arguments), "--format", "audacity"])

    onsets_s = [float(row.split("\t")[0]) for row in out.read_text().splitlines()]
    assert onsets_s == pytest.approx([0.2, 0.35], abs=0.5 / 2000)


def test_the_command_and_the_config_know_the_formats():
    read = get_args(LabelFiles.model_fields["format"].annotation)

    assert tuple(sorted(WRITERS)) == LABEL_FILES
    assert set(WRITERS) <= set(read)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--format", "wfdb"], "--format wfdb is for files; name one with --out"),
        (["--format", "bids", "--out", "x", "--stream"], "a file of bids is written at the end"),
    ],
)
def test_a_label_file_needs_an_end_and_a_name(knocks, options, sentence):
    with pytest.raises(SystemExit, match=sentence):
        main(["predict", "--model", str(knocks.model), "--recording", "walk.npy", *options])
