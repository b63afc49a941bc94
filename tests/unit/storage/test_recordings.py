"""`recordings.h5` holds what was put into it, and refuses what cannot be."""

import zlib
from dataclasses import replace

import h5py
import numpy as np
import pytest

from seqbench.storage.recordings import read_recordings, write_recordings


@pytest.fixture
def three(recordings):
    """Three recordings of different lengths, the last without a label."""
    return recordings(
        ["strike", "rest", "strike"],
        lengths=[7, 4, 9],
        intervals=[(0, 1, 2, 5), (0, 0, 5, 7), (1, 1, 0, 4)],
        names=["touch 1", "Großglocke", "touch/3"],
        groups=["tower", "tower", "chapel"],
        splits=["train", "", "test"],
        channels=["x", "µ"],
        units=["m/s²", ""],
        source={"origin": "made up", "files": {"a.csv": "00ff"}},
    )


@pytest.fixture
def walks(recordings):
    """Two recordings with events, of which not all is known."""
    return recordings(
        ["walk", "walk"],
        lengths=[40, 30],
        intervals=[(0, 1, 20, 21), (0, 0, 5, 12), (1, 0, 3, 4)],
        classes=["heel", "toe"],
        task="detection",
        known=np.array([[2, 30], [0, 30]]),
        refractory_s=0.07,
        tolerance_ms=5.0,
        ranked_types=["toe"],
        truth={"templates": np.ones((2, 2, 3), dtype=np.float32), "template_onset": np.array([1])},
    )


UNKNOWN = {"refractory_s": None, "sampling_rate_hz": None, "tolerance_ms": None, "truth": {}}


@pytest.mark.parametrize(
    "change",
    [
        {},
        UNKNOWN | {"task": "classification"},
        {"label_amplitude": np.array([0.5, 1.0, 2.0])},
    ],
)
@pytest.mark.parametrize("name", ["three", "walks"])
def test_recordings_survive_a_file(request, name, change, tmp_path, assert_same):
    made = replace(request.getfixturevalue(name), **change)
    write_recordings(tmp_path / "recordings.h5", made)

    read = read_recordings(tmp_path / "recordings.h5")

    assert_same(read, replace(made, known=made.known_spans))


def test_amplitudes_go_with_the_labels_that_are_put_aside(walks):
    strong = replace(walks, label_amplitude=np.array([0.5, 1.0, 2.0]))

    assert strong.without_labels([0]).label_amplitude.tolist() == [2.0]


def test_all_of_a_recording_with_labels_is_known_and_nothing_of_one_without(three):
    assert three.known_spans.tolist() == [[0, 7], [0, 4], [0, 0]]


@pytest.mark.parametrize("lacks", ["sampling_rate_hz", "tolerance_ms"])
def test_events_without_a_rate_or_a_tolerance_are_refused(walks, lacks):
    with pytest.raises(ValueError, match="detection needs a sampling rate and a tolerance"):
        replace(walks, **{lacks: None})


def test_the_header_of_the_file_names_its_format(three, tmp_path):
    write_recordings(tmp_path / "recordings.h5", three)

    content = (tmp_path / "recordings.h5").read_bytes()
    with h5py.File(tmp_path / "recordings.h5") as file:
        first, n_bytes = file["signal"].id.get_offset(), 20 * 2 * 4
        assert file["checksums/signal"][:].tolist() == [zlib.crc32(content[first:][:n_bytes])]
        rest = content[512:first] + content[first + n_bytes :]
        checksum = zlib.crc32(rest, zlib.crc32(repr([(first, n_bytes)]).encode()))
        line = f"seqbench recordings 5 crc32 {checksum:08x} {first}+{n_bytes}\n"
        assert content[:512].rstrip(b"\0") == line.encode()
        assert file["signal"].shape == (20, 2)
        assert file["recordings/start"][:].tolist() == [0, 7, 11]


def test_classes_of_numbers_stand_in_the_order_of_their_values(recordings):
    made = recordings(["10", "9", "tenor", "2", "9"])

    assert made.classes == ["2", "9", "10", "tenor"]
    assert made.label.tolist() == [2, 1, 3, 0, 1]
    assert made.label_stop.tolist() == [10] * 5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"names": ["r0", "r0"]}, "two recordings have the same name"),
        ({"names": ["r0"]}, "one entry per recording"),
        ({"groups": ["r0"]}, "one entry per recording"),
        ({"splits": []}, "one entry per recording"),
        ({"channels": ["x", "y", "z"]}, r"'r0' has shape \(10, 2\), series has \(n_samples, 3\)"),
        ({"label_stop": np.array([10, 11])}, "a label reaches past its recording"),
        ({"label_start": np.array([-1, 0])}, "a label reaches past its recording"),
        ({"label_start": np.array([0, 10])}, "a label"),  # it would cover no sample
        ({"label_amplitude": np.ones(1)}, "every event has one amplitude above 0"),
        ({"label_amplitude": np.array([1.0, 0.0])}, "every event has one amplitude above 0"),
        ({"ranked_types": ["a", "x"]}, "ranked type 'x' is none of the classes"),
        ({"ranked_types": ["a", "a"]}, "a ranked type is named twice"),
        ({"label_amplitude": np.array([1.0, np.nan])}, "every event has one amplitude above 0"),
    ],
)
def test_what_cannot_be_is_refused(recordings, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(recordings(["a", "b"]), **change)
