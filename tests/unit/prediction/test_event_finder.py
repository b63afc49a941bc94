"""Events in new recordings: files, arrays and streams give the same."""

import io

import numpy as np
import pandas as pd
import pyedflib
import pytest
import torch

import seqbench
from fixtures.detections import whole_recordings
from fixtures.knocking import MS, N_SAMPLES, Dribble, agree, as_csv, refusal, stored
from seqbench.datasets.reading.recording import read_recording
from seqbench.datasets.reading.stream import RawLayout
from seqbench.errors import UserError
from seqbench.prediction.event_finder import EventFinder, predict_stream
from seqbench.prediction.label_files import RecordingEvents
from seqbench.storage.detections import Decoding, Detections, DetectionTuning
from seqbench.storage.models import read_model
from seqbench.storage.normalization import Normalization
from seqbench.tasks.detection.refractory import period_samples, select
from seqbench.training.model import load_model
from seqbench.training.model import predict as predict_windows

COLUMNS = ["recording", "onset_s", "label", "score", "earliest_s", "latest_s"]


def onsets(found: pd.DataFrame, label: str) -> np.ndarray:
    return found.onset_s[found.label == label].to_numpy()


# What is found.


@pytest.mark.parametrize(
    ("name", "unit_s"), [("time", 1), ("time_ms", 1e-3), ("Unix Time [µs]", 1e-6)]
)
@pytest.mark.parametrize("drift", [0, 5e-4])
def test_onsets_are_on_the_clock_of_the_file(knocks, signal, events, tmp_path, name, unit_s, drift):
    times_s = 5 + np.arange(len(signal)) / 2000 * (1 + drift)
    path = as_csv(tmp_path / "one.csv", signal, **{name: times_s / unit_s})
    text = path.read_bytes()

    found = seqbench.predict(knocks.model, path)
    streamed = pd.DataFrame(predict_stream(EventFinder(knocks.model), io.BytesIO(text)))

    for table in (found, streamed):
        agree(table, events.assign(onset_s=5 + events.onset_s * (1 + drift)), within_s=2e-5)


def test_between_gaps_a_recording_is_searched_as_one_of_its_own(knocks, signal, tmp_path):
    cut, times = 2900, 5 + np.arange(len(signal)) / 2000
    times[cut:] += 3.0001
    path = as_csv(tmp_path / "one.csv", signal, time=times)
    parts = [
        seqbench.predict(knocks.model, part).assign(recording="one")
        for part in (signal[:cut], signal[cut:])
    ]
    expected = pd.concat(
        [
            part.assign(onset_s=part.onset_s + times[i])
            for part, i in zip(parts, (0, cut), strict=True)
        ]
    )

    found = seqbench.load(knocks.model).predict(path, gaps="split")

    agree(found.to_frame(), expected, within_s=2e-6)
    assert found.names == ["one", "one"]
    of_file = RecordingEvents.of(found)
    assert of_file.n_samples == len(signal)
    assert of_file.times.starts == (0, cut)
    assert "set `gaps: split`" in refusal(knocks.model, path)


@pytest.mark.parametrize("rate_hz", [8000, 3000.7])
def test_a_file_of_another_rate_is_brought_to_that_of_the_model(
    knocks, signal, events, tmp_path, rate_hz
):
    seconds = len(signal) / 2000
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    path = as_csv(
        tmp_path / "one.csv",
        np.column_stack([np.interp(times, np.arange(len(signal)) / 2000, x) for x in signal.T]),
        time=5 + times,
    )

    found = seqbench.predict(knocks.model, path, resample=True)

    agree(found, events.assign(onset_s=5 + events.onset_s), within_s=0.3 * MS)


def test_every_knock_is_found_in_its_place(knocks, events):
    for kind, label in enumerate(knocks.header.classes):
        there = np.array([time for time, k in knocks.drawn(N_SAMPLES) if k == kind]) / 2000

        np.testing.assert_allclose(onsets(events, label), there, atol=0.5 * MS, rtol=0)


def test_events_have_the_columns_named_and_come_by_onset(events):
    assert events.columns.tolist() == COLUMNS
    assert events.onset_s.is_monotonic_increasing
    assert (events.recording == "recording").all()
    assert events.score.between(0.5, 1).all()


def test_the_interval_of_an_onset_depends_on_its_type(events):
    left, right = events[events.label == "=left"], events[events.label == "right"]

    np.testing.assert_allclose(left.earliest_s, left.onset_s - 1 * MS)
    np.testing.assert_allclose(left.latest_s, left.onset_s + 2 * MS)
    assert right.earliest_s.isna().all()
    assert right.latest_s.isna().all()


def test_a_recording_without_events_has_an_empty_table(knocks):
    found = seqbench.predict(knocks.model, knocks.recording([], 3000))

    assert found.columns.tolist() == COLUMNS
    assert len(found) == 0


@pytest.mark.parametrize("n_samples", [9, 10, 300, 512, 513])
def test_recordings_of_any_length_are_read(knocks, n_samples):
    middle = n_samples // 2

    found = seqbench.predict(knocks.model, knocks.recording([(middle, 1)], n_samples))

    assert [round(s * 2000) for s in found.onset_s] == [middle]


@pytest.mark.parametrize("onset", [2, 4, 2993, 2995])
def test_events_at_the_edges_lie_within_the_recording(knocks, onset):
    (time,) = seqbench.predict(knocks.model, knocks.recording([(onset, 0)], 3000)).onset_s * 2000

    assert 0 <= time <= 2999
    assert abs(time - onset) <= 2


# The same wherever samples come from.


def test_files_and_other_arrays_give_the_events_of_the_array(knocks, signal, events, tmp_path):
    np.save(tmp_path / "walk.npy", signal)
    table = as_csv(tmp_path / "a.csv", signal)
    timed = as_csv(tmp_path / "b.csv", signal, time_s=np.arange(N_SAMPLES) / 2000)
    arrays = pd.DataFrame(signal), signal.astype(np.float64), np.asfortranarray(signal)

    for recording in (str(tmp_path / "walk.npy"), table, timed, *arrays):
        agree(seqbench.predict(str(knocks.model), recording), events)
    assert (seqbench.predict(knocks.model, tmp_path / "walk.npy").recording == "walk").all()


def test_channels_are_found_by_name_and_may_be_chosen(knocks, signal, events, tmp_path):
    chosen = as_csv(tmp_path / "a.csv", signal[:, [2, 0, 1, 0]], "c,a,b,other")
    turned = as_csv(tmp_path / "b.csv", signal[:, [2, 0, 1]], "z,x,y")
    wider = as_csv(tmp_path / "c.csv", signal[:, [2, 0, 0, 1]], "z,other,x,y")

    agree(seqbench.predict(knocks.model, chosen, channels=["a", "b", "c"]), events)
    agree(seqbench.predict(knocks.model, turned), events)
    agree(seqbench.predict(knocks.model, wider), events)


def test_other_names_are_refused_and_files_without_names_are_read_in_their_order(
    knocks, signal, events, tmp_path
):
    other = as_csv(tmp_path / "other.csv", signal, header="x,y,w")
    expected = "it has no channel 'z' of the model, but x, y, w; name the channels to take"

    assert expected in refusal(knocks.model, other)
    with other.open("rb") as handle, pytest.raises(UserError, match=expected):
        list(predict_stream(EventFinder(knocks.model), handle))
    numbered = as_csv(tmp_path / "numbered.csv", signal, header="ch0,ch1,ch2")
    agree(seqbench.predict(knocks.model, numbered), events)


@pytest.mark.parametrize("unit", ["uV", "mV", ""])
def test_other_units_than_those_of_the_model_are_refused(knocks, tmp_path, unit):
    model = stored(knocks, tmp_path / "model.safetensors", units=("µV", "", "µV"))
    path = tmp_path / "one.edf"
    with pyedflib.EdfWriter(str(path), 3) as file:
        for i, label in enumerate("xyz"):
            file.setSignalHeader(i, {"label": label, "sample_frequency": 2000, "dimension": unit,
                "physical_min": -100, "physical_max": 100, "digital_min": -32768,
                "digital_max": 32767, "transducer": "", "prefilter": ""})  # fmt: skip
        file.writeSamples([np.zeros(4000)] * 3)

    if unit == "mV":
        expected = "channel 'x' is in mV, but the model was trained on µV; convert"
        assert expected in refusal(model, path)
    else:
        assert list(seqbench.predict(model, path).columns) == COLUMNS


def test_what_the_model_does_not_need_may_be_text_or_of_another_rate(
    knocks, signal, events, tmp_path
):
    table = pd.read_csv(as_csv(tmp_path / "one.csv", signal, header="z,x,y"))
    table["note"] = "ok"
    table.to_csv(tmp_path / "one.csv", index=False)
    agree(seqbench.predict(knocks.model, tmp_path / "one.csv", channels=None), seqbench.predict(
        knocks.model, signal[:, [1, 2, 0]]))  # fmt: skip

    with pyedflib.EdfWriter(str(tmp_path / "one.edf"), 4) as file:
        for i, (label, rate) in enumerate({"Temp": 1, "z": 2000, "x": 2000, "y": 2000}.items()):
            file.setSignalHeader(i, {"label": label, "sample_frequency": rate, "dimension": "",
                "physical_min": -100, "physical_max": 100, "digital_min": -32768,
                "digital_max": 32767, "transducer": "", "prefilter": ""})  # fmt: skip
        columns = [np.ascontiguousarray(column, float) for column in signal[:6000].T]
        file.writeSamples([np.zeros(3), columns[2], columns[0], columns[1]])
    read = read_recording(tmp_path / "one.edf", ["x", "y", "z"]).signal

    found = seqbench.predict(knocks.model, tmp_path / "one.edf")

    agree(found, seqbench.predict(knocks.model, read))
    assert len(found) == len(events)


def test_the_split_of_a_dataset_gives_the_same_events(knocks, signal, events):
    header = knocks.header
    windows = whole_recordings(
        [signal],
        Normalization.of(header.normalization),
        channels=list(header.channels),
        classes=list(header.classes),
        sampling_rate_hz=2000.0,
        refractory_s=header.refractory_s,
    )
    model = load_model(read_model(knocks.model), knocks.model)
    decoding = Decoding.of(DetectionTuning.of_json(header.tuned))

    candidates = predict_windows(model, windows, torch.device("cpu"), header.window_samples)

    joined = Detections.of(windows, candidates, decoding, are_probabilities=True)
    kept = select(
        joined.candidates,
        decoding.thresholds["optimal"],
        period_samples(joined.refractory_s, 2000.0),
        "optimal",
    )
    found = pd.DataFrame(
        {
            "label": [header.classes[k] for k in candidates.type[kept]],
            "onset_s": candidates.time[kept] / 2000,
            "score": candidates.score[kept],
        }
    )
    agree(found, events)


@pytest.mark.parametrize("kind", ["csv", "raw"])
@pytest.mark.parametrize(("seed", "most"), [(0, 50), (1, 5000), (2, 200_000)])
def test_a_stream_gives_the_events_of_the_file(knocks, signal, events, tmp_path, kind, seed, most):
    data = signal.astype("<f4").tobytes()
    if kind == "csv":
        data = as_csv(tmp_path / "a.csv", signal).read_bytes()

    streamed = list(
        predict_stream(
            EventFinder(knocks.model),
            Dribble(data, seed, most),
            raw=RawLayout() if kind == "raw" else None,
        )
    )

    assert {event.recording for event in streamed} == {"stream"}
    agree(pd.DataFrame(streamed), events)


@pytest.mark.parametrize(
    ("header", "channels"), [("c,a,b,other", ["a", "b", "c"]), ("z,x,y,other", None)]
)
def test_columns_of_a_stream_are_found_by_name(knocks, signal, events, tmp_path, header, channels):
    path = as_csv(tmp_path / "a.csv", signal[:, [2, 0, 1, 0]], header)

    with path.open("rb") as handle:
        streamed = list(predict_stream(EventFinder(knocks.model), handle, channels=channels))

    agree(pd.DataFrame(streamed), events)


# Where windows begin makes no difference.


@pytest.mark.parametrize("n_before", [1, 137, 379, 1004])
def test_samples_before_the_events_only_shift_them(knocks, signal, events, n_before):
    before = knocks.recording([], n_before, seed=9)

    found = seqbench.predict(knocks.model, np.concatenate([before, signal]))

    found["onset_s"] -= n_before / 2000
    agree(found, events, within_s=0.5 * MS)


# Latency.


def test_who_keeps_all_that_is_likely_waits_for_no_period(knocks, tmp_path):
    tuned = knocks.header.tuned | {"decoder": "threshold"}
    eager = EventFinder(stored(knocks, tmp_path / "m.safetensors", tuned=tuned))

    # A window of 512 samples, and 3.4 frames of 10 until a peak is certain; then the period.
    assert eager.latency_s == pytest.approx((512 + 3.4 * 10) / 2000)
    assert EventFinder(knocks.model).latency_s == pytest.approx(eager.latency_s + 0.05)


# Channels from which the model's recordings were less an offset.

OFFSETS = (1e9, 0.0, -3e6)


@pytest.fixture(scope="module")
def far(knocks, tmp_path_factory):
    return stored(knocks, tmp_path_factory.mktemp("far") / "m.safetensors", subtracted=OFFSETS)


@pytest.fixture(scope="module")
def far_csv(signal, tmp_path_factory):
    path = tmp_path_factory.mktemp("far") / "a.csv"
    table = signal.astype(np.float64) + OFFSETS
    np.savetxt(path, table, fmt="%.17g", delimiter=",", header="x,y,z", comments="")
    return path


def test_offsets_are_subtracted_from_files_arrays_and_streams(far, far_csv, signal, events):
    with far_csv.open("rb") as handle:
        streamed = pd.DataFrame(
            [vars(one) for one in predict_stream(EventFinder(far), handle)], columns=COLUMNS
        )

    agree(seqbench.predict(far, signal.astype(np.float64) + OFFSETS), events)
    agree(seqbench.predict(far, far_csv), events)
    agree(streamed, events)


def test_single_precision_that_cannot_hold_the_offsets_is_refused(far, signal):
    with pytest.raises(UserError, match=r"float32 cannot hold the offsets.*pass float64"):
        seqbench.predict(far, signal + np.float32(OFFSETS))
    with pytest.raises(UserError, match=r"float32 cannot hold the offsets.*send csv"):
        list(predict_stream(EventFinder(far), io.BytesIO(b""), raw=RawLayout()))
