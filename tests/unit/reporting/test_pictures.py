"""Strips of frames: what is drawn where."""

from types import SimpleNamespace

import numpy as np
import pytest

from seqbench.config.stages import SplitSettings, WindowSettings
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.reporting.evidence.sequences import PredictedSequences
from seqbench.reporting.figures.pictures import frames
from seqbench.storage.recordings import Recordings
from seqbench.storage.sequences import Sequences
from seqbench.windowing.windows import make_windows


@pytest.fixture
def material():
    """Recordings of 3 x 4 pixels that brighten by one a frame; a model that tells half of it."""
    rising = (
        np.zeros((9, 1, 3, 4), np.float32) + np.arange(9, dtype=np.float32)[:, None, None, None]
    )
    videos = Recordings.without_classes(
        [rising + 10 * i for i in range(9)],
        task="forecasting",
        sample="video",
        names=[f"v{i}" for i in range(9)],
        splits=["train", "val", *["test"] * 7],
        channels=["grey"],
        units=[""],
    )
    window = WindowSettings(length_samples=7, horizon_samples=2)
    job = WindowJobSettings(split=SplitSettings(), window=window, normalization="none")
    test = make_windows(videos, job)["test"]
    came = test.required_targets.values[test.rows_around_end(0, 2)].astype(np.float64)
    row = SimpleNamespace(name="half · scratch")
    result = SimpleNamespace(value=lambda metric: 1.0)
    predicted = [PredictedSequences(row, result, Sequences.behind(test, came / 2))]
    return SimpleNamespace(of=lambda kind: kind(predicted=predicted, test=test))


def test_a_strip_holds_the_frames_that_its_ticks_name(material):
    figure = frames(material).figure

    assert [axes.get_title() for axes in figure.axes] == ["v2", "v5", "v8"]
    for axes, base in zip(figure.axes, (20, 50, 80), strict=True):
        [image] = axes.get_images()
        assert image.get_clim() == (base + 2, base + 8)
        picture = np.asarray(image.get_array().filled(np.nan))
        assert [label.get_text() for label in axes.get_yticklabels()] == [
            "input, true",
            "half · scratch",
        ]
        true, predicted = (picture[round(tick)] for tick in axes.get_yticks())
        at = [round(tick) for tick in figure.axes[-1].get_xticks()]
        assert true[at].tolist() == [base + step for step in range(2, 9)]
        assert np.isnan(predicted[at[:5]]).all()
        assert predicted[at[5:]].tolist() == [(base + 7) / 2, (base + 8) / 2]
    steps = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert steps == ["-4", "-3", "-2", "-1", "0", "1", "2"]
