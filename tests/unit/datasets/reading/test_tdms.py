"""TDMS files: groups, clocks, and channels that do not go together."""

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.recording import read_recording

nptdms = pytest.importorskip("nptdms")

COUNTER = np.arange(60.0)


@pytest.fixture
def save(tmp_path):
    """Write channels of TDMS: group, name, values, properties."""

    def call(*channels):
        path = tmp_path / "one.tdms"
        with nptdms.TdmsWriter(str(path), index_file=True) as file:
            file.write_segment([nptdms.ChannelObject(*channel) for channel in channels])
        return path

    return call


def clock(step_s=0.001, start_s=0.0):
    return {"wf_increment": step_s, "wf_start_offset": start_s, "unit_string": "m/s²"}


def test_channels_of_one_name_have_that_of_their_group(save, joined):
    path = save(
        ("a", "x", COUNTER, clock()),
        ("b", "x", -COUNTER, clock()),
        ("b", "note", np.array(["first", "second"]), {}),
    )

    assert read_recording(path).channels == ["a/x", "b/x"]
    assert joined(path, ["b/x"])[:, 0].tolist() == (-COUNTER).tolist()
    assert read_recording(path).units == ["m/s²"] * 2
    assert read_recording(path).sampling_rate_hz == 1000
    assert [file.name for file in read_recording(path).files] == ["one.tdms", "one.tdms_index"]


def test_integers_are_read_in_the_scale_of_the_file(save, joined):
    scale = {"NI_Number_Of_Scales": 1, "NI_Scale[0]_Scale_Type": "Linear",
             "NI_Scale[0]_Linear_Slope": 0.5, "NI_Scale[0]_Linear_Y_Intercept": 10.0,
             "NI_Scaling_Status": "unscaled"}  # fmt: skip
    path = save(("a", "x", COUNTER.astype(np.int16), scale))

    assert joined(path)[:, 0].tolist() == (COUNTER / 2 + 10).tolist()
    assert read_recording(path).sampling_rate_hz is None


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (("a", "y", COUNTER, clock(0.002)), "mixed rates: 'x' at 1000 Hz, 'y' at 500 Hz"),
        (("a", "y", COUNTER[:50], clock()), "'x' has 60 samples, but 'y' 50"),
        (("a", "y", COUNTER, clock(start_s=1.0)), "'x' and 'y' start at different times"),
        (("a", "Time", COUNTER, clock()), "channel 'Time' holds times"),
    ],
)
def test_channels_that_do_not_go_together_are_chosen_from(save, refusal, joined, other, problem):
    path = save(("a", "x", COUNTER, clock()), other)

    message = refusal(path)

    assert problem in message
    assert "`channels`" in message
    assert joined(path, ["x"])[:, 0].tolist() == COUNTER.tolist()


@pytest.mark.parametrize("n_lost", [1, 100, 700])
def test_a_file_that_ends_within_a_segment_is_cut_short(write, refusal, n_lost):
    path = write(".tdms")
    path.write_bytes(path.read_bytes()[:-n_lost])

    assert "it ends within a segment; it was cut short" in refusal(path)


def test_a_package_that_is_missing_is_named_with_its_extra(write, monkeypatch):
    path = write(".tdms")
    monkeypatch.setitem(__import__("sys").modules, "nptdms", None)

    with pytest.raises(DataError, match=r"nptdms, which is missing; .*'seqbench\[tdms\]'"):
        read_recording(path)
