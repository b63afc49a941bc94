"""An event on a pulse lands on that pulse from ingest to prediction, whatever the clock."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqbench
from seqbench.config.stages import SplitSettings, WindowSettings
from seqbench.datasets.folder import folder
from seqbench.datasets.reading.column_names import SECONDS
from seqbench.errors import UserError
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.prediction.event_finder import EventFinder, predict_stream
from seqbench.storage.models import StoredModel, write_model
from seqbench.windowing.windows import make_windows

N_SAMPLES = 1300
ONSETS = [(120, 0), (333, 1), (641, 0), (902, 1), (1111, 0)]  # sample and type
SINCE_1970_S = 1.7e9


@st.composite
def clocks(draw, rate_hz: float) -> np.ndarray:
    """Draw when the samples of a recording were taken, in seconds, by a clock of its own."""
    sample = np.arange(N_SAMPLES)
    generator = np.random.default_rng(draw(st.integers(0, 100)))
    jitter = draw(st.sampled_from([0.0, 0.05, 0.2]))
    drift = draw(st.floats(-3e-4, 3e-4)) * N_SAMPLES / 4 * np.sin(np.pi * sample / N_SAMPLES)
    place = sample * (1 + draw(st.floats(-8e-4, 8e-4))) + drift
    place = place + generator.uniform(-jitter, jitter, N_SAMPLES)
    return draw(st.floats(-1e4, 1e4)) + place / rate_hz


def table(signal: np.ndarray, times_s: np.ndarray, way: str) -> str:
    """Return a CSV table of a recording, with a time column in one of the ways of writing it."""
    if way == "date":
        texts = [f"{np.datetime64(round(t * 1e9), 'ns')}Z" for t in SINCE_1970_S + times_s]
        name = "date"
    elif way == "timestamp":
        texts, name = [f"{SINCE_1970_S + t:.7f}" for t in times_s], "timestamp"
    else:
        texts, name = [repr(float(t)) for t in times_s / SECONDS[way]], f"time_{way}"
    rows = zip(texts, signal.tolist(), strict=True)
    return "\n".join([f"{name},x,y,z", *(",".join(map(str, [t, *row])) for t, row in rows)]) + "\n"


@given(data=st.data())
def test_an_event_on_a_pulse_lands_on_it_whatever_the_clock(knocks, tmp_path_factory, data):
    rate_hz = data.draw(st.floats(10, 5000))
    way = data.draw(st.sampled_from([*SECONDS, "date", "timestamp"]))
    origin = data.draw(st.sampled_from(["start", "clock"]))
    zero_s = SINCE_1970_S if way in ("date", "timestamp") else 0.0
    root = tmp_path_factory.mktemp("any_clock")
    (root / "recordings").mkdir()
    header = {"sampling_rate_hz": rate_hz, "refractory_s": 100 / rate_hz}
    model = root / "model.safetensors"
    write_model(model, StoredModel(knocks.arrays, knocks.header.model_copy(update=header)))
    signal = knocks.recording(ONSETS, N_SAMPLES)
    events, pulses_s = ["recording,onset_s,label"], {}
    for name in "abc":
        times_s = data.draw(clocks(rate_hz))
        (root / f"recordings/{name}.csv").write_text(table(signal, times_s, way))
        pulses_s[name] = zero_s + np.array([times_s[i] for i, _ in ONSETS])
        from_s = 0.0 if origin == "clock" else zero_s + times_s[0]
        written_s = pulses_s[name] - from_s
        kinds = (knocks.header.classes[kind] for _, kind in ONSETS)
        events += [f"{name},{t!r},{k}" for t, k in zip(written_s.tolist(), kinds, strict=True)]
    (root / "events.csv").write_text("\n".join(events))

    recordings = folder(
        Path("unused"), path=str(root), task="detection", times=origin, sampling_rate_hz=rate_hz
    )
    splits = make_windows(
        recordings,
        WindowJobSettings(
            split=SplitSettings(val=("b",), test=("c",)),
            window=WindowSettings(length_samples=256),
            normalization="zscore",
        ),
    )

    for windows in splits.values():
        assert len(windows.events.onset) == len(ONSETS)
        for onset, kind in zip(windows.events.onset, windows.events.type, strict=True):
            around = round(float(onset)) - 20
            top = around + int(np.argmax(windows.signal[around : around + 41, kind]))
            assert abs(float(onset) - top) <= 0.5
    file = root / "recordings/c.csv"
    with file.open("rb") as handle:
        streamed = list(predict_stream(EventFinder(model), handle))
    for found_s in (
        seqbench.predict(model, file).onset_s.to_numpy(),
        np.array(sorted(event.onset_s for event in streamed)),
    ):
        assert len(found_s) == len(ONSETS)
        assert np.abs(found_s - pulses_s["c"]).max() * rate_hz <= 0.5


def test_a_clock_that_leaves_the_rate_of_the_model_is_refused_in_files_and_streams(
    knocks, tmp_path
):
    signal = knocks.recording(ONSETS, N_SAMPLES)
    file = tmp_path / "one.csv"
    file.write_text(table(signal, np.arange(N_SAMPLES) / 1990, "s"))

    with pytest.raises(UserError, match="1990 Hz"):
        seqbench.predict(knocks.model, file)
    with file.open("rb") as handle, pytest.raises(UserError, match="1990 Hz"):
        list(predict_stream(EventFinder(knocks.model), handle))
