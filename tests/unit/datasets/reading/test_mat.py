"""MATLAB's files of both kinds: which variable is the recording, and which the rate."""

import h5py
import numpy as np
import pytest
import scipy.io

from seqbench.datasets.reading.recording import read_recording

SIGNAL = np.arange(60.0).reshape(20, 3) * 7 % 61


def save_5(path, **variables):
    scipy.io.savemat(path, variables, do_compression=True)


def save_73(path, **variables):
    """Write matrices as MATLAB does, columns first; any other value becomes a struct."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            if isinstance(value, dict):
                file.create_group(name).attrs["MATLAB_class"] = np.bytes_("struct")
                continue
            kind = "char" if isinstance(value, str) else "double"
            value = (
                [[ord(letter)] for letter in value] if kind == "char" else np.atleast_2d(value).T
            )
            file.create_dataset(name, data=value).attrs["MATLAB_class"] = np.bytes_(kind)
        file.create_group("#refs#")


@pytest.fixture(params=[save_5, save_73])
def save(request, tmp_path):
    """Write variables of MATLAB, in version 5 and 7.3."""

    def call(**variables):
        request.param(tmp_path / "one.mat", **variables)
        return tmp_path / "one.mat"

    return call


@pytest.mark.parametrize("rate", ["fs", "Fs", "sampling_rate_hz"])
def test_the_matrix_is_the_recording_and_a_number_its_rate(save, joined, rate):
    path = save(x=SIGNAL, gain=3.0, subject="p1", **{rate: 250.0})

    assert joined(path).tolist() == SIGNAL.tolist()
    assert joined(path, ["ch2", "ch0"]).tolist() == SIGNAL[:, [2, 0]].tolist()
    assert read_recording(path).sampling_rate_hz == 250


def test_of_several_matrices_one_is_named_signal(save, joined, refusal):
    assert joined(save(signal=SIGNAL, u=SIGNAL)).tolist() == SIGNAL.tolist()

    message = refusal(save(x=SIGNAL, u=SIGNAL))
    assert "arrays u, x" in message or "arrays x, u" in message
    assert "'signal'" in message


@pytest.mark.parametrize(
    ("variables", "problem", "hint"),
    [
        ({"x": SIGNAL.T}, "shape (3, 20) has fewer samples than channels", "transpose"),
        ({"x": np.arange(20.0)[None]}, "shape (1, 20) has fewer samples", "transpose"),
        ({"s": {"x": 1.0}}, "no matrix of numbers: s (struct)", "n_samples x n_channels"),
        ({"x": SIGNAL, "fs": 1.0, "Fs": 2.0}, "both names of a sampling rate", "keep one"),
        ({"x": SIGNAL, "fs": np.ones((2, 1))}, "not a number", "one number"),
        ({"x": np.where(SIGNAL[2, 1] == SIGNAL, np.nan, SIGNAL)}, "row 3, column 'ch1'", "fill"),
    ],
)
def test_what_is_no_recording_is_refused(save, refusal, variables, problem, hint):
    message = refusal(save(**variables))

    assert problem in message
    assert hint in message


def test_version_7_3_is_read_in_pieces(write, joined, signal):
    np.testing.assert_array_equal(joined(write(".mat", version="7.3")), signal.astype(np.float32))


def test_version_5_is_read_whole_up_to_a_limit(write, refusal_of_blocks, signal, monkeypatch):
    path = write(".mat")
    monkeypatch.setattr("seqbench.datasets.reading.mat_file.WHOLE_BYTES", 1000)

    assert "-v7.3" in refusal_of_blocks(path)
    np.testing.assert_array_equal(read_recording(path).signal, signal.astype(np.float32))


def test_the_text_of_octave_is_named(tmp_path, refusal):
    (tmp_path / "one.mat").write_text("# Created by Octave 9\n# name: x\n# type: matrix\n")

    assert "`save -v7`" in refusal(tmp_path / "one.mat")
