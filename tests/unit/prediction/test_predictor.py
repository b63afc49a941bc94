"""Models and baselines of every task on new recordings: windows, samples, values and horizons."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

import seqbench
from fixtures.windows import job
from seqbench.cli.main import main
from seqbench.errors import UserError
from seqbench.plan.job_settings import BaselineJobSettings
from seqbench.prediction.event_finder import EventFinder
from seqbench.prediction.inputs import from_arrays
from seqbench.storage.models import read_model
from seqbench.storage.recordings import Recordings
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import read_windows, write_windows
from seqbench.tasks.detection.comparison import decoded
from seqbench.tasks.detection.task import DetectionTask
from seqbench.windowing.windows import make_windows, windows_of

SPLIT = {"val": ["r2"], "test": ["r3"]}


@pytest.fixture
def fitted(tmp_path):
    """Return a function that fits a baseline on recordings and returns its file."""

    def fit(baseline: str, recordings: Recordings, settings, task_options=None, **options) -> Path:
        from seqbench.baselines.fitting import fit_baseline

        name = recordings.task
        write_windows(tmp_path / "windows.h5", make_windows(recordings, settings))
        model = tmp_path / f"{baseline}.safetensors"
        fit_baseline(
            windows=tmp_path / "windows.h5",
            settings=BaselineJobSettings(
                task=name, task_options=task_options or {}, baseline=baseline, options=options
            ),
            run=RunIdentity(dataset="d", architecture=baseline, arm="baseline", labels=1, seed=0),
            model=model,
        )
        return model

    return fit


@pytest.fixture
def levels(recordings):
    """Four recordings whose class is their level, in mV at 100 Hz."""
    labels = ["low", "high"] * 2
    signals = [
        np.random.default_rng(i).normal(9 * (label == "high"), 1, (60, 2)).astype(np.float32)
        for i, label in enumerate(labels)
    ]
    return recordings(labels, signals=signals)


def test_windows_have_times_labels_and_probabilities(fitted, levels):
    model = seqbench.load(fitted("logistic_regression", levels, job(SPLIT, length_samples=20)))

    found = model.predict(np.concatenate([levels.signals[0], levels.signals[1][:30]]))

    table = found.table()
    assert list(table) == [
        "recording", "start_s", "stop_s", "label",
        "probability", "probability of high", "probability of low",
    ]  # fmt: skip
    assert table["start_s"] == pytest.approx([0, 0.2, 0.4, 0.6])
    assert table["stop_s"] == pytest.approx([0.2, 0.4, 0.6, 0.8])  # the rest fills no window
    assert table["label"] == found.labels == ["low"] * 3 + ["high"]
    assert (table["probability"] > 0.9).all()
    np.testing.assert_allclose(found.scores.sum(axis=1), 1)
    of_recording = found.table("recording")
    assert (of_recording["n_windows"], of_recording["label"]) == ([4], ["low"])
    np.testing.assert_allclose(of_recording["probability"], found.scores[:, 1].mean())


def test_new_recordings_are_cut_and_normalised_as_those_of_the_benchmark(fitted, levels, tmp_path):
    for normalization in ("zscore", "robust", "per_recording", "per_window", "none"):
        settings = job(SPLIT, normalization, length_samples=20, overlap=0.5)
        model = seqbench.load(fitted("majority", levels, settings))
        of_test = read_windows(tmp_path / "windows.h5", "test")

        new = from_arrays(model.header, {"r3": levels.signals[3]})
        windows, places = windows_of(new.recordings, model.header)

        np.testing.assert_array_equal(windows.signal, of_test.signal)
        np.testing.assert_array_equal(windows.start, of_test.start)
        assert [place.start for place in places] == [0, 10, 20, 30, 40]


def test_files_folders_arrays_and_standard_input_give_the_same(fitted, levels, tmp_path, capsys):
    path = fitted("logistic_regression", levels, job(SPLIT, length_samples=20))
    model, folder = seqbench.load(path), tmp_path / "new"
    folder.mkdir()
    for name, signal in zip("ab", levels.signals, strict=False):
        np.savetxt(folder / f"{name}.csv", signal, delimiter=",", header="x,y", comments="")
    expected = model.predict(list(levels.signals[:2])).scores

    files = [str(folder / "a.csv"), folder / "b.csv"]
    text = io.BytesIO((folder / "a.csv").read_bytes())

    np.testing.assert_array_equal(model.predict(folder).scores, expected)
    np.testing.assert_array_equal(model.predict([Path(one) for one in files]).scores, expected)
    np.testing.assert_array_equal(model.of_stream(text).scores, expected[:3])
    main(["predict", "--model", str(path), "--recording", *map(str, files),
          "--rows", "recording", "--format", "json"])  # fmt: skip
    rows = json.loads(capsys.readouterr().out)
    assert [(row["recording"], row["label"]) for row in rows] == [("a", "low"), ("b", "high")]


BEATS = range(100, 3900, 166)  # samples of 4000


def heart_beats(recordings, duration):
    """Return four recordings of 1.2 beats a second at 200 Hz, in mV, which last duration(i).

    The smoke benchmark holds no such recordings.
    """
    signals = [np.random.default_rng(i).normal(0, 0.02, (4000, 1)) for i in range(4)]
    for signal in signals:
        for beat in BEATS:
            signal[beat : beat + 9, 0] += [0.1, 0.4, 1.0, 1.5, 1.0, 0.2, -0.3, -0.2, -0.1]
    return recordings(
        ["a"] * 4,
        task="detection",
        channels=["ecg"],
        signals=[signal.astype(np.float32) for signal in signals],
        intervals=[(i, 0, beat, beat + duration(i)) for i in range(4) for beat in BEATS],
        classes=["qrs"],
        sampling_rate_hz=200.0,
        tolerance_ms=50.0,
        refractory_s=0.2,
    )


@pytest.mark.usefixtures("spikeinterface")
@pytest.mark.parametrize(
    "detector",
    ["xqrs", "neurokit", "neurokit_waves", "khamis", "beat_types", "wobble", "circus_omp"],
)
def test_detectors_of_others_find_what_they_find_in_the_benchmark(
    fitted, recordings, tmp_path, detector
):
    beating = heart_beats(recordings, lambda i: 1)
    model = seqbench.load(fitted(detector, beating, job(SPLIT, length_samples=400)))
    of_test = read_windows(tmp_path / "windows.h5", "test")
    new = from_arrays(model.header, {"r3": beating.signals[3]})

    expected = model._predict(of_test)
    found = model._predict(windows_of(new.recordings, model.header)[0])

    assert len(expected.time) >= len(BEATS) - 2
    for name in ("time", "type", "score", "duration"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("detector", ["matched_filter", "neurokit_waves"])
def test_ends_are_those_of_the_benchmark_and_typical_where_a_method_gives_none(
    fitted, recordings, tmp_path, detector
):
    beating = heart_beats(recordings, lambda i: 9 + i)
    settings = job(SPLIT, length_samples=400)
    model = fitted(detector, beating, settings, {"durations": True})
    of_train = read_windows(tmp_path / "windows.h5", "train").events.duration
    evaluated = DetectionTask(durations=True).join(
        (of_test := read_windows(tmp_path / "windows.h5", "test")),
        seqbench.load(model)._predict(of_test),
        are_probabilities=False,
        tuned=read_model(model).header.tuned,
    )

    found = seqbench.predict(model, beating.signals[3])

    kept = decoded(evaluated).found
    assert len(found) >= len(BEATS) - 2
    lasting = (found.offset_s - found.onset_s).to_numpy()
    np.testing.assert_allclose(lasting, kept.duration / 200, atol=1e-9)
    is_typical = np.allclose(lasting, np.median(of_train) / 200)
    assert is_typical == (detector == "matched_filter")
    plain = seqbench.predict(fitted(detector, beating, settings), beating.signals[3])
    assert "offset_s" not in plain


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet", "npz"])
def test_predictions_are_written_by_the_suffix_of_the_file(
    fitted, levels, tmp_path, capsys, suffix
):
    import pandas as pd

    path = fitted("logistic_regression", levels, job(SPLIT, length_samples=20))
    np.save(tmp_path / "new.npy", levels.signals[1])
    out = tmp_path / f"out.{suffix}"

    main(["predict", "--model", str(path), "--recording", str(tmp_path / "new.npy"),
          "--out", str(out)])  # fmt: skip

    assert capsys.readouterr().out == f"{out}: 3 windows\n"
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet, "npz": np.load}
    assert list(read[suffix](out)["label"]) == ["high"] * 3


def test_the_scores_of_several_models_are_averaged(fitted, levels):
    settings = job(SPLIT, length_samples=20)
    one = fitted("majority", levels, settings)
    other = fitted("logistic_regression", levels, settings)
    signal = levels.signals[0]

    mean = seqbench.load([one, other]).predict(signal).scores

    each = [seqbench.load(path).predict(signal).scores for path in (one, other)]
    np.testing.assert_array_equal(mean, np.mean(each, axis=0))
    longer = fitted("minirocket", levels, job(SPLIT, length_samples=30), n_kernels=84)
    with pytest.raises(UserError, match=r"minirocket.* has another cutting than .*majority"):
        seqbench.load([one, longer])


def test_samples_of_one_class_are_a_run(fitted, recordings):
    data = recordings(
        ["a", "b"] * 2,
        lengths=50,
        intervals=[
            (i, int(k), start, start + 25) for i in range(4) for k, start in ((0, 0), (1, 25))
        ],
        task="labelling",
        classes=["a", "b"],
    )
    model = seqbench.load(fitted("majority", data, job(SPLIT, length_samples=20)))

    found = model.predict(data.signals[3])  # 50 samples: two windows and a half

    assert len(found.scores[0]) == 50
    assert np.isfinite(found.scores[0]).all()
    (run,) = zip(*found.table().values(), strict=True)
    assert run[:4] == ("recording", 0, 0.5, "a")
    assert len(found.table("sample")["time_s"]) == 50


def test_overlapping_windows_are_averaged_by_sample(fitted, recordings):
    signals = [np.arange(30, dtype=np.float32).reshape(-1, 1) + i for i in range(4)]
    data = recordings(
        ["a"] * 4, intervals=[], signals=signals, channels=["x"], task="regression", classes=[],
        targets=[2 * one for one in signals], target_names=["twice"], target_units=["V"],
    )  # fmt: skip
    model = seqbench.load(fitted("mean", data, job(SPLIT, length_samples=20, overlap=0.5)))

    table = model.predict(signals[3]).table()

    assert list(table) == ["recording", "time_s", "twice"]
    assert table["time_s"] == pytest.approx(np.arange(30) / 100)
    assert np.ptp(table["twice"]) == 0


def test_a_forecast_begins_behind_the_end_or_at_any_sample(fitted, recordings):
    series = np.cumsum(np.ones(100)).reshape(-1, 1)
    data = recordings(
        ["a"], intervals=[], signals=[series.astype(np.float32)], channels=["x"],
        task="forecasting", classes=[],
    )  # fmt: skip
    settings = job({"by": "time", "val": 0.2, "test": 0.2}, length_samples=5, horizon_samples=3)
    path = fitted("log_ar", data, settings, lags=(1, 2))
    model = seqbench.load(path)

    behind, inside = model.predict(series), model.predict(series, at=[40, 50])

    np.testing.assert_allclose(behind.values[0, :, 0], [101, 102, 103], rtol=0.02)
    assert behind.table()["time_s"] == pytest.approx([1, 1.01, 1.02])
    assert inside.origin.tolist() == [40, 50]
    np.testing.assert_allclose(model.predict(series[:40]).values[0], inside.values[0], rtol=1e-12)
    with pytest.raises(
        UserError, match="has 100 samples, and a forecast from sample 3 needs the 5"
    ):
        model.predict(series, at=[3])


@pytest.fixture
def characters(fitted, recordings):
    """Return a model of text, from a few lines of a, b, y and z."""
    signals = [
        np.array([[ord(c)] for c in text], dtype=np.float32)
        for text in ("aaab", "aba", "zzy", "yzzy", "aab", "zyz")
    ]
    data = recordings(
        ["A", "A", "Z", "Z", "A", "Z"], signals=signals, channels=["character"], units=[""],
        sample="tokens", sampling_rate_hz=None,
    )  # fmt: skip
    settings = job({"val": ["r1", "r3"], "test": ["r4", "r5"]}, "none")
    return seqbench.load(fitted("char_ngrams", data, settings))


def test_text_is_predicted_by_line(characters, tmp_path):
    model = characters
    (tmp_path / "new.txt").write_text("aabb\n\nzz!zy\n")

    found = model.predict(["aabb", "zz!zy"])

    assert found.labels == ["A", "Z"]
    table = model.predict(tmp_path / "new.txt").table()
    assert (table["recording"], table["label"]) == (["line 1", "line 3"], ["A", "Z"])
    np.testing.assert_array_equal(model.predict("aabb").scores[0], found.scores[0])
    of_stream = model.of_stream(io.BytesIO(b"\xef\xbb\xbfaabb\r\n\r\nzz!zy")).table()
    assert of_stream["recording"] == ["line 1", "line 3"]
    np.testing.assert_array_equal(of_stream["stop"], [4, 5])  # without the mark of UTF-8
    (tmp_path / "new.txt").write_text("aa\x0cbb\u2028\n")
    assert model.predict(tmp_path / "new.txt").table()["stop"].tolist() == [6]


def test_what_is_no_text_is_refused(characters, tmp_path):
    for content, sentence in (
        (b"\xe9\n", r"cannot be read \(UnicodeDecodeError.*save it as UTF-8 text"),
        (b"", "holds no text; write a sequence in each line"),
        (b"\n\r\n", "holds no text; write a sequence in each line"),
    ):
        (tmp_path / "new.txt").write_bytes(content)
        with pytest.raises(UserError, match=rf"new\.txt: it {sentence}"):
            characters.predict(tmp_path / "new.txt")
        with pytest.raises(UserError, match=rf"the stream: it {sentence}"):
            characters.of_stream(io.BytesIO(content))
    with pytest.raises(
        UserError, match=r"none\.txt: it cannot be read \(no such file or directory"
    ):
        characters.predict(tmp_path / "none.txt")
    with pytest.raises(UserError, match="text 1: holds no character; leave it out"):
        characters.predict(["ab", ""])
    with pytest.raises(UserError, match="the model reads text: pass a string"):
        characters.predict(np.array([[97.0], [98.0]]))


def test_text_of_characters_that_were_never_seen_is_warned_of(characters, caplog):
    characters.predict(["ab!", "a\u00e9\u00fc"])

    assert caplog.messages == ["text 1: 2 of 3 characters are none of train"]


def test_columns_of_a_data_frame_are_taken_by_name(fitted, levels):
    import pandas as pd

    model = seqbench.load(fitted("logistic_regression", levels, job(SPLIT, length_samples=20)))
    signal = levels.signals[0] * np.float32([1, -3])
    expected = model.predict(signal).scores
    frame = pd.DataFrame({"time": pd.Timestamp("2024-01-01"), "y": signal[:, 1], "x": signal[:, 0]})

    np.testing.assert_array_equal(model.predict(frame).scores, expected)
    np.testing.assert_array_equal(model.predict([frame, frame]).scores[:3], expected)
    np.testing.assert_array_equal(model.predict(pd.DataFrame(signal)).scores, expected)
    turned = model.predict(frame, channels=["y", "x"]).scores
    np.testing.assert_array_equal(turned, model.predict(signal[:, ::-1]).scores)
    with pytest.raises(UserError, match="recording: it has no channel 'x' of the model, but y, z"):
        model.predict(frame[["y"]].assign(z=1.0))


# Faults and warnings.


@pytest.mark.parametrize(
    "changed",
    [
        lambda signal: signal + 1j,
        lambda signal: signal.astype(str),
        lambda signal: (1000 * signal).astype("datetime64[s]"),
        lambda signal: np.ma.masked_greater(signal, 0),
        lambda signal: signal * 1e300,
        lambda signal: np.where(signal == signal[7], np.nan, signal),
        lambda signal: signal[:, 0],
        lambda signal: signal[:0],
        lambda signal: [*signal.tolist(), [1.0]],
        lambda signal: {"x": signal},
    ],
)
def test_what_is_no_array_of_finite_numbers_is_refused(fitted, levels, changed):
    model = seqbench.load(fitted("majority", levels, job(SPLIT, length_samples=20)))

    with pytest.raises(UserError, match=r"recording: must be an array .* of finite numbers"):
        model.predict(changed(levels.signals[0].astype(np.float64)))


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"channels": ["x", "y"]}, "recording: its channels have no names; leave `channels` out"),
        ({"resample": True}, "`resample` is for files of samples, not for arrays"),
        ({"gaps": "split"}, "`gaps` is for files of samples, not for arrays"),
        ({"at": [30]}, "`at` is for forecasts, not for classification"),
        ({"at": "all"}, "`at` is for forecasts, not for classification"),
        ({"at": 30}, "`at` takes numbers of samples, or `end`, or `all`"),
        ({"at": []}, "`at` takes numbers of samples, or `end`, or `all`"),
        ({"at": [30.5]}, "`at` takes numbers of samples, or `end`, or `all`"),
        ({"at": "start"}, "`at` takes numbers of samples, or `end`, or `all`"),
    ],
)
def test_options_that_would_change_nothing_are_refused(fitted, levels, option, sentence):
    model = seqbench.load(fitted("majority", levels, job(SPLIT, length_samples=20)))

    with pytest.raises(UserError, match=sentence):
        model.predict(levels.signals[0], **option)


def test_files_are_not_resampled_to_no_rate(fitted, levels, tmp_path):
    from dataclasses import replace

    timeless = replace(levels, sampling_rate_hz=None)
    model = seqbench.load(fitted("majority", timeless, job(SPLIT, length_samples=20)))
    np.save(tmp_path / "new.npy", levels.signals[0])

    with pytest.raises(UserError, match="the model has no sampling rate to bring files to"):
        model.predict(tmp_path / "new.npy", resample=True)


def test_a_flat_channel_is_not_warned_of(fitted, levels, caplog):
    model = seqbench.load(fitted("majority", levels, job(SPLIT, length_samples=20)))

    model.predict(np.hstack([levels.signals[0][:, :1], np.full((60, 1), 0.7, np.float32)]))

    assert not caplog.records


def test_another_scale_than_that_of_train_is_warned_of(fitted, levels, caplog):
    model = seqbench.load(fitted("majority", levels, job(SPLIT, length_samples=20)))

    model.predict(levels.signals[0])
    assert not caplog.records
    model.predict([levels.signals[0], levels.signals[0] * [1, 1000]])

    (record,) = caplog.records
    assert "recording 1: channel 'y' varies by" in record.getMessage()
    assert "check units and channels" in record.getMessage()


@pytest.mark.parametrize("n_samples", [2000, 40_000])
def test_another_scale_of_a_stream_is_warned_of_once(knocks, caplog, n_samples):
    finder = EventFinder(knocks.model)
    signal = knocks.recording(knocks.drawn(n_samples), n_samples) * np.float32([1, 1000, 1])

    list(finder.events(np.array_split(signal, 9), "walk"))

    about_y = [r for r in caplog.messages if "walk: channel 'y'" in r]
    assert len(about_y) == 1


def test_a_recording_much_longer_than_those_of_train_is_warned_of(fitted, levels, caplog):
    model = seqbench.load(fitted("majority", levels, job(SPLIT)))  # whole recordings of 60 samples

    model.predict(np.concatenate(levels.signals[:2]))
    assert "a window of" not in caplog.text
    model.predict(np.concatenate(levels.signals[:3]))

    assert "recording: a window of 180 samples, and those of train had at most 60" in caplog.text


def test_recordings_too_short_for_a_window_are_named(fitted, levels, caplog):
    model = seqbench.load(fitted("majority", levels, job(SPLIT, length_samples=20)))
    long, short = levels.signals[0], levels.signals[0][:19]

    assert model.predict([long, short]).table("recording")["recording"] == ["recording 0"]
    assert "recording 1: too short" in caplog.text
    with pytest.raises(UserError, match="too short, as windows of the model take 20 samples"):
        model.predict(short)


def test_bad_files_of_a_folder_are_counted(fitted, levels, tmp_path):
    model, folder = seqbench.load(fitted("majority", levels, job(SPLIT))), tmp_path / "new"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.csv").write_text("x,y\n1,oops\n")

    with pytest.raises(UserError, match=r"a\.csv, row 2, .*'oops'.* \(2 more files at fault\)$"):
        model.predict(folder)


def test_what_names_no_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no model\.safetensors in it; name a model file"):
        seqbench.load(tmp_path)
    (tmp_path / "walk.csv").write_text("x,y\n1,2\n")
    with pytest.raises(UserError, match=r"walk\.csv: is no seqbench model file"):
        seqbench.load(tmp_path / "walk.csv")
