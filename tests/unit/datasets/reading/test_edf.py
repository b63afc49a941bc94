"""EDF, EDF+ and BDF files as devices write them, which the standard forbids here and there."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyedflib
import pytest

from seqbench.datasets.reading.recording import open_recording, read_recording

N_RECORDS, N_PER_RECORD = 4, 50
FIELDS = ("label", "transducer", "unit", "low", "high", "digital_low", "digital_high",
          "filter", "n_per_record", "reserved")  # fmt: skip
WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
COUNTER = np.arange(N_RECORDS * N_PER_RECORD)


def padded(value: object, width: int) -> bytes:
    raw = value if isinstance(value, bytes) else str(value).encode("ascii")
    return raw.ljust(width)[:width]


def counting(label: str, **changes: object) -> dict[str, object]:
    """Return a signal whose physical values are its digital ones, a counter."""
    return {
        "label": label, "unit": "uV", "low": -1000, "high": 1000, "digital_low": -1000,
        "digital_high": 1000, "n_per_record": N_PER_RECORD,
    } | changes  # fmt: skip


@pytest.fixture
def write_raw(tmp_path) -> Callable[..., Path]:
    """Write the bytes of an EDF or EDF+ file of counters, a record of 1 s each."""

    def call(
        *signals: dict[str, object],
        variant: str = "",
        onsets: list[bytes] | None = None,
        n_records: object = N_RECORDS,
        record_s: object = 1,
        behind: bytes = b"",
    ) -> Path:
        if onsets is not None:
            signals += (counting("EDF Annotations", n_per_record=30),)
        header = padded("0", 8) + padded("", 160) + b"01.01.2000.00.00"
        header += padded(256 * (1 + len(signals)), 8) + padded(variant, 44)
        header += padded(n_records, 8) + padded(record_s, 8) + padded(len(signals), 4)
        for field, width in zip(FIELDS, WIDTHS, strict=True):
            header += b"".join(padded(one.get(field, ""), width) for one in signals)
        records = b""
        for i, record in enumerate(COUNTER.reshape(N_RECORDS, -1)):
            for one in signals:
                if one["label"] == "EDF Annotations":
                    records += (onsets or [])[i].ljust(60, b"\0")
                else:
                    records += record[: one["n_per_record"]].astype("<i2").tobytes()
        path = tmp_path / "night.edf"
        path.write_bytes(header + records + behind)
        return path

    return call


def times(*seconds: object) -> list[bytes]:
    return [f"+{second}\x14\x14\0".encode() for second in seconds]


@pytest.mark.parametrize(
    ("written", "unit"),
    [(b"\xb5V", "µV"), ("µV".encode(), "µV"), (b"\xb0C", "°C"), (b"mV\0\0x", "mV")],
)
def test_units_of_any_code_page_are_read(write_raw, joined, written, unit):
    path = write_raw(counting("EEG", unit=written))

    assert read_recording(path).units == [unit]
    assert joined(path)[:, 0].tolist() == COUNTER.tolist()


@pytest.mark.parametrize("kind", ["EDF", "EDFPLUS", "BDF", "BDFPLUS"])
def test_values_are_those_of_edflib(tmp_path, joined, kind):
    path = tmp_path / ("one.edf" if kind.startswith("EDF") else "one.bdf")
    bits = 15 if kind.startswith("EDF") else 23
    channel = {"label": "x", "sample_frequency": 40, "dimension": "mV", "physical_min": -3.5,
               "physical_max": 1.7, "digital_min": -(1 << bits), "digital_max": (1 << bits) - 1,
               "prefilter": "", "transducer": ""}  # fmt: skip
    rng = np.random.default_rng(0)
    with pyedflib.EdfWriter(str(path), 1, getattr(pyedflib, f"FILETYPE_{kind}")) as file:
        file.setSignalHeaders([channel])
        file.writeSamples([rng.uniform(-3.5, 1.7, 200)])
    with pyedflib.EdfReader(str(path)) as file:
        expected = file.readSignal(0)

    assert joined(path)[:, 0].tolist() == expected.astype(np.float32).tolist()
    assert read_recording(path).sampling_rate_hz == 40


def test_a_signal_that_is_not_read_may_have_an_impossible_range(write_raw, joined, refusal):
    path = write_raw(counting("EEG"), counting("Ref", low=0, high=0))

    assert joined(path, ["EEG"])[:, 0].tolist() == COUNTER.tolist()
    message = refusal(path)
    assert "the physical range 0 to 0 of its signal 'Ref'" in message
    assert "`channels`" in message


@pytest.mark.parametrize("variant", ["EDF+C", "EDF+D"])
def test_records_that_follow_each_other_are_read(write_raw, joined, variant):
    path = write_raw(counting("EEG"), variant=variant, onsets=times(0.5, 1.5, 2.5, 3.5))

    assert joined(path)[:, 0].tolist() == COUNTER.tolist()
    assert read_recording(path).channels == ["EEG"]
    assert read_recording(path).sampling_rate_hz == 50


@pytest.mark.parametrize("variant", ["EDF+C", "EDF+D"])
@pytest.mark.parametrize(
    ("onsets", "problem"),
    [
        ((0, 1, 4.25, 5.25), "a gap of 2.25 s: it ends at 2 s and goes on at 4.25 s; set"
         " `gaps: split`"),
        ((0, 1, 1.5, 2.5), "an overlap of 0.5 s: it ends at 2 s and goes on at 1.5 s; write"),
        ((0, 1, 2.02, 3.02), "a gap of 0.02 s"),
    ],
)  # fmt: skip
def test_a_gap_between_records_is_named_with_its_time(write_raw, refusal, variant, onsets, problem):
    path = write_raw(counting("EEG"), variant=variant, onsets=times(*onsets))

    message = refusal(path)

    assert problem in message
    assert "cut short" not in message


def test_gaps_below_half_a_sample_of_the_channels_read_are_jitter(write_raw, refusal):
    slow = counting("Temp", n_per_record=1)
    path = write_raw(counting("EEG"), slow, variant="EDF+D", onsets=times(0, 1, 2.3, 3))

    assert len(read_recording(path, ["Temp"]).signal) == N_RECORDS
    assert "a gap of 0.3 s" in refusal(path, ["EEG"])


def test_the_rate_is_that_of_the_clock_where_records_drift(write_raw):
    path = write_raw(counting("EEG"), variant="EDF+D", onsets=times(0, 1.005, 2.01, 3.015))

    assert read_recording(path).sampling_rate_hz == pytest.approx(50 / 1.005, rel=1e-12)


def test_a_record_without_a_time_is_refused_where_gaps_may_be(write_raw, joined, refusal):
    onsets = [*times(0, 1), b"", *times(3)]

    path = write_raw(counting("EEG"), variant="EDF+D", onsets=onsets)
    assert "data record 3 has no time" in refusal(path)
    path = write_raw(counting("EEG"), variant="EDF+C", onsets=onsets)
    assert len(joined(path)) == len(COUNTER)


@pytest.mark.parametrize(
    ("options", "problem", "hint"),
    [
        ({"n_records": 2}, "200 bytes stand behind the 2 data records", "237 to 244 to 4"),
        ({"behind": b"abc"}, "3 bytes stand behind the 4 data records", "cut it to 912 bytes"),
        ({"n_records": -1, "behind": b"abc"}, "3 bytes stand behind", "cut it to 912 bytes"),
        ({"n_records": 9}, "it holds 4 of 9 data records", "it was cut short"),
        ({"n_records": "many"}, "'many' as the number of data records", "correct its header"),
        ({"n_records": -2}, "'-2' as the number of data records", "correct its header"),
        ({"record_s": 0}, "data records of 0 s", "duration"),
        ({"record_s": "1/0"}, "'1/0' as the duration", "correct its header"),
        ({"record_s": "1e999999"}, "as the duration", "correct its header"),
    ],
)
def test_a_header_that_does_not_fit_the_file_is_refused(write_raw, refusal, options, problem, hint):
    message = refusal(write_raw(counting("EEG"), **options))

    assert problem in message
    assert hint in message


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"low": "abc"}, "'abc' as the physical minimum of 'EEG'"),
        ({"high": ""}, "'' as the physical maximum of 'EEG'"),
        ({"digital_low": 1000}, "does not fit the digital range 1000 to 1000"),
    ],
)
def test_signals_that_cannot_be_scaled_are_refused(write_raw, refusal, changes, problem):
    assert problem in refusal(write_raw(counting("EEG", **changes)))


def test_annotations_alone_are_no_recording(write_raw, refusal):
    assert "no channels" in refusal(write_raw(variant="EDF+C", onsets=times(*range(4))))


def test_an_unknown_number_of_records_is_that_of_the_file(write_raw, joined):
    assert len(joined(write_raw(counting("EEG"), n_records=-1))) == len(COUNTER)


def test_ranges_with_a_decimal_comma_and_rates_that_are_no_whole_numbers(write_raw, joined):
    path = write_raw(counting("EEG", low="-500,0", high="500,0"), record_s="0,3")

    assert joined(path)[:, 0].tolist() == (COUNTER / 2).tolist()
    assert read_recording(path).sampling_rate_hz == pytest.approx(50 / 0.3, rel=1e-15)


def test_a_record_longer_than_a_block_is_cut(write_raw, block):
    with open_recording(write_raw(counting("EEG"))) as recording:
        assert max(len(chunk) for chunk in recording.samples()) == block < N_PER_RECORD


def test_the_suffix_may_be_in_capitals_and_the_content_decides(write, joined, signal):
    path = write(".bdf")

    for name in ("one.BDF", "one.edf"):
        path = path.rename(path.with_name(name))
        np.testing.assert_allclose(joined(path), signal, atol=1e-6)


def test_text_with_the_suffix_of_edf_is_no_edf(tmp_path, refusal):
    (tmp_path / "one.edf").write_text("time,x\n" * 100)

    assert "not those of an EDF or BDF header" in refusal(tmp_path / "one.edf")


def test_triggers_of_biosemi_and_channels_named_as_times_are_read_by_name_alone(
    tmp_path, refusal, joined
):
    path = tmp_path / "one.bdf"
    channel = {"sample_frequency": 50, "dimension": "uV", "physical_min": -1000,
               "physical_max": 1000, "digital_min": -(1 << 23), "digital_max": (1 << 23) - 1,
               "prefilter": "", "transducer": ""}  # fmt: skip
    with pyedflib.EdfWriter(str(path), 2, pyedflib.FILETYPE_BDF) as file:
        file.setSignalHeaders([channel | {"label": "A1"}, channel | {"label": "Status"}])
        file.writeSamples([np.sin(np.arange(100.0)), np.zeros(100)])

    assert "'Status' holds labels" in refusal(path)
    assert joined(path, ["A1"]).shape == (100, 1)
    assert joined(path, ["A1", "Status"]).shape == (100, 2)


@pytest.mark.parametrize(("label", "what"), [("Time", "times"), ("Sample Index", "row numbers")])
def test_a_signal_named_as_no_signal_is_read_by_name_alone(write_raw, refusal, joined, label, what):
    path = write_raw(counting(label))

    assert f"channel '{label}' holds {what}, by its name" in refusal(path)
    assert joined(path, [label])[:, 0].tolist() == COUNTER.tolist()
