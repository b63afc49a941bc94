"""Series, sines and a word."""

from pathlib import Path

import numpy as np
import pytest

from seqbench.config.registry import DATASETS
from seqbench.datasets import series
from seqbench.datasets.base import DataError


def cycles(signal: np.ndarray, target: np.ndarray) -> float:
    angle = np.unwrap(np.arctan2(signal[:, 0], target[:, 0]))
    return float((angle[-1] - angle[0]) / (2 * np.pi) * len(signal) / (len(signal) - 1))


def test_the_target_of_a_sine_is_its_cosine(tmp_path):
    made = DATASETS["sin_to_cos"](tmp_path, n_train=5, n_val=5, n_test=5)

    for signal, target in zip(made.signals, made.targets, strict=True):
        np.testing.assert_allclose(signal**2 + target**2, 1, atol=1e-5)


def test_frequencies_of_val_and_test_are_in_no_train_wave(tmp_path):
    made = DATASETS["sin_to_cos"](tmp_path, n_train=200, n_val=20, n_test=20)
    found = {part: [] for part in ("train", "val", "test")}
    for signal, target, part in zip(made.signals, made.targets, made.splits, strict=True):
        found[part].append(cycles(signal, target))

    for part, (low, high) in {"val": (1.6, 1.9), "test": (2.6, 3.0)}.items():
        assert all(low - 1e-3 <= c <= high + 1e-3 for c in found[part])
        assert not any(low < c < high for c in found["train"])
    assert min(found["train"]) < 1.2
    assert max(found["train"]) > 3.8


def test_noise_is_on_the_sine_alone(tmp_path):
    clean, noisy = (DATASETS["sin_to_cos"](tmp_path, noise=level) for level in (0.0, 0.1))

    assert np.std(noisy.signals[0] - clean.signals[0]) == pytest.approx(0.1, rel=0.3)
    np.testing.assert_array_equal(noisy.targets[0], clean.targets[0])


def test_hello_is_answered_letter_by_letter(tmp_path):
    made = DATASETS["hello"](tmp_path)

    assert made.channels == ["e", "h", "l", "o"]
    word = "".join(made.channels[i] for i in made.signals[0].argmax(axis=1))
    labels = "".join(made.classes[k] for k in made.label[made.label_recording == 0])
    assert (word, labels) == ("hello", "ohlol")


def test_words_of_different_lengths_are_refused(tmp_path):
    with pytest.raises(DataError, match="'hello' and 'hi' must be equally long"):
        DATASETS["hello"](tmp_path, answer="hi")


def test_the_airline_had_as_many_passengers_as_everybody_knows(tmp_path):
    [signal] = DATASETS["airline"](tmp_path).signals

    assert signal.shape == (144, 1)
    assert signal[[0, -1], 0].tolist() == [112, 432]


@pytest.fixture
def temperatures(tmp_path):
    """A file of three days in place of the real one."""

    def write(text: str) -> Path:
        path = tmp_path / "forecasting" / "jbrownlee" / series.TEMPERATURES_FILE
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_columns_behind_the_date_are_read(temperatures):
    cache = temperatures('"Date","Temp"\n"1981-01-01",20.7\n"1981-01-02",17.9\n')

    made = DATASETS["daily_min_temperatures"](cache)

    np.testing.assert_allclose(made.signals[0], [[20.7], [17.9]], rtol=1e-6)
    assert made.units == ["°C"]


def test_a_damaged_row_is_named(temperatures):
    cache = temperatures('"Date","Temp"\n"1981-01-01",20.7,3\n')

    with pytest.raises(DataError, match="row 2: 3 cells under 2 columns; restore the file"):
        DATASETS["daily_min_temperatures"](cache)


def test_real_series_have_their_published_sizes(real):
    [temperature] = DATASETS["daily_min_temperatures"](real("forecasting")).signals
    [transformer] = DATASETS["etth1"](real("forecasting")).signals

    assert temperature.shape == (3650, 1)
    assert transformer.shape == (14400, 7)
