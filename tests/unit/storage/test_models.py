"""Weights and header survive a file, whatever their shape."""

import numpy as np
import pytest

from seqbench.errors import FormatError
from seqbench.storage.model_header import (
    BaselineHeader,
    CourseRecord,
    EncoderHeader,
    ModelHeader,
    StateHeader,
)
from seqbench.storage.models import StoredModel, read_as, read_model, write_model
from seqbench.storage.normalization import NormalizationRecord
from seqbench.storage.records import Cost, PretrainingOutcome, Provenance, RunIdentity
from seqbench.storage.targets import TargetsRecord

ARRAYS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "running_var": np.array([1 / 3, np.pi]),
    "n_batches": np.array(7, dtype=np.int64),
    "indices": np.array([[1, 2]], dtype=np.int32),
    "nothing": np.zeros((0, 4), dtype=np.float32),
    "mask": np.array([True, False]),
    "transposed": np.arange(12.0).reshape(3, 4).T,
    "strided": np.arange(12.0)[::2],
    "reversed": np.arange(12.0)[::-1],
}
RUN = RunIdentity(dataset="glocken", architecture="cnn1d", arm="masked_probe", labels=0.1, seed=0)
NORMALIZATION = NormalizationRecord(mode="zscore", centre=(0.0, 1.0), scale=(1.0, 2.0))
BASELINE = BaselineHeader(
    run=RUN,
    task="classification",
    baseline="majority",
    channels=("x", "y"),
    classes=(),
    window_samples=64,
    normalization=NORMALIZATION,
)
HEADER = ModelHeader(
    run=RUN,
    task="classification",
    architecture="cnn1d",
    architecture_options={"widths": [64, 128]},
    channels=("x", "y"),
    classes=("Große Glocke", "<b>kleine</b>"),
    window_samples=64,
    normalization=NORMALIZATION,
    targets=TargetsRecord(names=("y",), units=("",), normalization=NORMALIZATION),
    cost=Cost(train_s=1.25, macs_per_window=10**12),
    pretraining=PretrainingOutcome(objective="masked", watched={"effective_rank": 2.5}),
    provenance=Provenance(threads=1),
)
COURSE = CourseRecord(
    epoch=3,
    history=[{"epoch": 1, "train_loss": 1 / 3}, {"epoch": 2, "train_loss": float("inf")}],
    best_loss=float("inf"),
    best_epoch=0,
    schedule={"n_done": 3, "factor": 0.5},
    train_s=0.1,
    train_cpu_s=0.1,
)
ENCODER = EncoderHeader(
    architecture="cnn1d",
    architecture_options={"widths": [1]},
    pretraining=PretrainingOutcome(objective="masked"),
)


@pytest.mark.parametrize("name", list(ARRAYS))
def test_an_array_keeps_values_shape_and_type(tmp_path, name):
    write_model(tmp_path / "model.safetensors", StoredModel(ARRAYS, HEADER))

    read = read_model(tmp_path / "model.safetensors").arrays[name]

    assert read.shape == ARRAYS[name].shape
    assert read.dtype == ARRAYS[name].dtype
    np.testing.assert_array_equal(read, ARRAYS[name])


@pytest.mark.parametrize(
    "header",
    [HEADER, BASELINE, ENCODER, StateHeader(identity={"seed": "0"}, course=COURSE)],
    ids=lambda header: header.kind,
)
def test_a_header_is_read_back_as_it_was(tmp_path, header):
    write_model(tmp_path / "model.safetensors", StoredModel(ARRAYS, header))

    read = read_model(tmp_path / "model.safetensors")

    assert read.header == header
    assert repr(read.header) == repr(header)  # whole numbers stay whole
    assert set(read.arrays) == set(ARRAYS)


def test_a_file_of_another_kind_is_refused(tmp_path):
    write_model(tmp_path / "model.safetensors", StoredModel(ARRAYS, BASELINE))

    with pytest.raises(FormatError, match="holds a baseline"):
        read_as(tmp_path / "model.safetensors", EncoderHeader)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    write_model(tmp_path / "m", StoredModel({"weight": np.array([1.0, value])}, ENCODER))

    with pytest.raises(FormatError, match="array 'weight' holds NaN or infinity"):
        read_model(tmp_path / "m")
