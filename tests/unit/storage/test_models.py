"""Weights and header survive a file, whatever their shape."""

import numpy as np
import pytest
from safetensors import SafetensorError

from seqbench.storage.models import StoredModel, read_model, write_model

ARRAYS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "running_var": np.array([1 / 3, np.pi]),
    "n_batches": np.array(7, dtype=np.int64),
    "indices": np.array([[1, 2]], dtype=np.int32),
    "nothing": np.zeros((0, 4), dtype=np.float32),
    "mask": np.array([True, False]),
}
HEADER = {
    "kind": "model",
    "run": {"dataset": "glocken", "seed": 0, "labels": "0.1"},
    "classes": ["Große Glocke", "<b>kleine</b>"],
    "cost": {"train_s": 1.25, "macs": 10**12},
    "sampling_rate_hz": None,
    "widths": [64, 128],
}


@pytest.mark.parametrize("name", list(ARRAYS))
def test_an_array_keeps_values_shape_and_type(tmp_path, name):
    write_model(tmp_path / "model.safetensors", StoredModel(ARRAYS, HEADER))

    read = read_model(tmp_path / "model.safetensors").arrays[name]

    assert read.shape == ARRAYS[name].shape
    assert read.dtype == ARRAYS[name].dtype
    np.testing.assert_array_equal(read, ARRAYS[name])


def test_the_header_is_read_back_as_it_was(tmp_path):
    write_model(tmp_path / "model.safetensors", StoredModel(ARRAYS, HEADER))

    read = read_model(tmp_path / "model.safetensors")

    assert read.header == HEADER
    assert set(read.arrays) == set(ARRAYS)


def test_views_are_stored_as_they_look(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    views = {"transposed": array.T, "strided": array[:, ::2], "reversed": array[::-1]}
    write_model(tmp_path / "model.safetensors", StoredModel(views, {}))

    read = read_model(tmp_path / "model.safetensors").arrays

    for name, view in views.items():
        np.testing.assert_array_equal(read[name], view)


def test_a_model_without_arrays_survives_a_file(tmp_path):
    write_model(tmp_path / "model.safetensors", StoredModel({}, {"kind": "baseline"}))

    read = read_model(tmp_path / "model.safetensors")

    assert (read.arrays, read.header) == ({}, {"kind": "baseline"})


def test_a_failed_write_leaves_the_old_model_and_nothing_else(tmp_path):
    path = tmp_path / "model.safetensors"
    write_model(path, StoredModel(ARRAYS, HEADER))

    with pytest.raises(TypeError):
        write_model(path, StoredModel({}, {"not": object()}))
    with pytest.raises((KeyError, TypeError, ValueError, SafetensorError)):
        write_model(path, StoredModel({"objects": np.array([object()])}, {}))

    assert read_model(path).header == HEADER
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
