"""Predictions of a file and of a stream by the command."""

import csv
import io
import os
import queue
import signal as signals
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

from seqbench.cli.main import main
from seqbench.cli.predict import cell

COLUMNS = ["recording", "onset_s", "label", "score", "earliest_s", "latest_s"]
FORMULAS = ["=1+2", "+1-2", "-a", "@sum", "\tx", "\r=x"]
ONSETS = [(400, 0), (700, 1), (1200, 0), (1900, 1), (2900, 0)]
N_SAMPLES = 3500
PATIENCE_S = 400  # loading torch takes minutes on a machine that is very busy


@pytest.fixture(scope="module")
def walk(knocks):
    return knocks.recording(ONSETS, N_SAMPLES)


@pytest.fixture
def walk_npy(walk, tmp_path):
    np.save(tmp_path / "walk.npy", walk)
    return tmp_path / "walk.npy"


def table(text: str) -> list[dict[str, str]]:
    """Read events, and check that they are those of `walk`."""
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == COLUMNS
    labels = ["'=left", "right"]
    found = sorted((round(float(row["onset_s"]) * 2000), row["label"]) for row in rows)
    assert found == [(onset, labels[kind]) for onset, kind in ONSETS]
    return rows


def as_csv(signal: np.ndarray) -> bytes:
    text = io.StringIO()
    np.savetxt(text, signal, fmt="%.9g", delimiter=",")
    return text.getvalue().encode()


def as_raw(signal: np.ndarray) -> bytes:
    return signal.astype("<f4").tobytes()


def predicting(*arguments: object) -> subprocess.Popen[bytes]:
    """Start a command that reads standard input and writes events to a pipe."""
    command = [sys.executable, "-m", "seqbench.cli", "predict"]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def lines_of(process: subprocess.Popen[bytes]) -> "queue.Queue[bytes]":
    """Return the lines that a command writes, as they come; an empty one is the end."""
    lines: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            lines.put(line)
        lines.put(b"")

    threading.Thread(target=read, daemon=True).start()
    return lines


def test_predict_writes_the_events_of_a_file(knocks, walk_npy, tmp_path, capsys):
    out = tmp_path / "new" / "events.csv"

    main(["predict", "--model", str(knocks.model), "--recording", str(walk_npy), "--out", str(out)])

    assert capsys.readouterr().out == f"{out}: 5 events\n"
    left = table(out.read_text())[0]
    assert left["recording"] == "walk"
    assert float(left["earliest_s"]) == pytest.approx(float(left["onset_s"]) - 0.001, abs=2e-6)
    assert [path.name for path in out.parent.iterdir()] == ["events.csv"]


def test_arrays_of_events_are_read_without_pickles(knocks, walk_npy, tmp_path):
    out = tmp_path / "events.npz"

    main(["predict", "--model", str(knocks.model), "--recording", str(walk_npy), "--out", str(out)])

    with np.load(out) as found:
        assert {name: found[name].dtype.kind for name in found} == {
            "recording": "U", "onset_s": "f", "label": "U", "score": "f",
            "earliest_s": "f", "latest_s": "f",
        }  # fmt: skip
        assert np.round(found["onset_s"] * 2000).tolist() == sorted(onset for onset, _ in ONSETS)


@pytest.mark.parametrize("option", ["--threads", "--width"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5"])
def test_numbers_of_threads_and_widths_are_natural(knocks, walk_npy, capsys, option, value):
    with pytest.raises(SystemExit) as left:
        main(["predict", "--model", str(knocks.model), "--recording", str(walk_npy), option, value])
    assert left.value.code == 2
    assert f"{option}: {value} is no whole number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--stream", "--idle-s", "0"]])
def test_a_network_takes_the_threads_that_are_given(knocks, walk, tmp_path, capsys, more):
    path, before = tmp_path / "walk.csv", torch.get_num_threads()
    path.write_bytes(as_csv(walk))
    try:
        main(["predict", "--model", str(knocks.model), "--recording", str(path), *more,
              "--threads", str(before + 1)])  # fmt: skip
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_predict_takes_channels_by_name(knocks, walk, tmp_path, capsys):
    path = tmp_path / "walk.csv"
    path.write_bytes(b"c,a,b\n" + as_csv(walk[:, [2, 0, 1]]))

    main(["predict", "--model", str(knocks.model), "--recording", str(path),
          "--channels", "a", "b", "c"])  # fmt: skip

    table(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("onset_s", 1.23456789, "1.234568"),
        ("score", 0.98765, "0.9877"),
        ("probability of left", 0.5, "0.5000"),
        ("y", 1234567.125, "1234567.12"),
        ("earliest_s", None, ""),
        ("stop", 17, "17"),
        ("label", "left, or right", "left, or right"),
        *((f"label {i}", text, f"'{text}") for i, text in enumerate(FORMULAS)),
        *((f"name {i}", text, text) for i, text in enumerate(["-1", "+1", "-0.5e3", "a=1"])),
    ],
)
def test_a_cell_is_plain_and_as_precise_as_its_column(name, value, written):
    assert cell(name, value) == written


def refusal(*arguments: object) -> str:
    with pytest.raises(SystemExit) as left:
        main(["predict", *map(str, arguments)])
    sentence = str(left.value)
    assert sentence.startswith("error: ")
    assert "\n" not in sentence
    return sentence


def test_predict_answers_faults_with_a_sentence(knocks, walk_npy, tmp_path):
    none = tmp_path / "none"

    sentence = refusal("--model", none, "--recording", walk_npy)
    assert sentence.endswith("none: no such file or folder; name a model, the folder of a run, or"
                             " results/best/DATASET")  # fmt: skip
    near = knocks.model.with_suffix(".safetensor")
    assert f"did you mean '{knocks.model}'?" in refusal("--model", near, "--recording", walk_npy)
    assert "none.npy" in refusal("--model", knocks.model, "--recording", tmp_path / "none.npy")
    near = walk_npy.with_name("walks.npy")
    assert f"did you mean '{walk_npy}'?" in refusal("--model", knocks.model, "--recording", near)
    assert "none.csv" in refusal(
        "--model", knocks.model, "--recording", tmp_path / "none.csv", "--stream"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--kind", "csv"], "--kind is for streams"),
        (["--idle-s", 1], "--idle-s is for streams"),
        (["--stream", "--resample"], "--resample is for files"),
        (["--stream", "--gaps", "split"], "--gaps split is for files"),
        (["--stream", "--kind", "raw", "--channels", "a"], "raw samples have no names"),
        (["--stream", "--dtype", "int16"], "--dtype is for raw streams"),
        (["--stream", "--rows", "event"], "--rows is for what has ended"),
        (["--stream", "--at", "7"], "--at is for what has ended"),
        (["--stream", "--idle-s", "nan"], "--idle-s takes seconds, 0 or more"),
        (["--stream", "--idle-s", "-1"], "--idle-s takes seconds, 0 or more"),
        (
            ["--stream", "--kind", "raw", "--width", "4", "--channels", "0", "1", "1"],
            "--channels names a number twice",
        ),
        (["--at", "7"], "`at` is for forecasts, not for detection"),
        (["--out", "events.xlsx"], "events.xlsx: its suffix is none of csv, json, parquet, npz"),
        (["--width", 4], "--width is for streams"),
        (["--stream", "--recording", "-", "--idle-s", 1], "--idle-s is for growing files"),
    ],
)
def test_options_that_would_do_nothing_are_refused(knocks, walk_npy, options, sentence):
    assert sentence in refusal("--model", knocks.model, "--recording", walk_npy, *options)


@pytest.mark.parametrize("way", [[], ["--stream", "--kind", "raw", "--idle-s", 0]])
def test_a_place_that_cannot_be_written_is_named(knocks, walk, tmp_path, way):
    np.save(tmp_path / "walk.npy", walk)
    walk.astype("<f4").tofile(tmp_path / "walk.raw")
    recording = tmp_path / ("walk.raw" if way else "walk.npy")
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "events.csv"

    sentence = refusal("--model", knocks.model, "--recording", recording, "--out", out, *way)

    assert f"{out}: cannot be written (" in sentence


LINKS = {
    "itself": lambda path, link: path,
    "another spelling": lambda path, link: path.parent / "folder" / ".." / path.name,
    "symbolic link": lambda path, link: (link.symlink_to(path), link)[1],
    "hard link": lambda path, link: (os.link(path, link), link)[1],
}


@pytest.mark.parametrize("way", [[], ["--stream", "--idle-s", 0]])
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("of", ["--recording", "--model"])
def test_no_input_is_overwritten(knocks, walk, tmp_path, way, link, of):
    (tmp_path / "folder").mkdir()
    inputs = {"--recording": tmp_path / "walk.csv", "--model": tmp_path / "model.safetensors"}
    inputs["--recording"].write_bytes(b"x,y,z\n" + as_csv(walk))
    inputs["--model"].write_bytes(knocks.model.read_bytes())
    before = inputs[of].read_bytes()
    out = LINKS[link](inputs[of], tmp_path / "link")

    sentence = refusal(*(word for item in inputs.items() for word in item), "--out", out, *way)

    assert f"{out}: is the file given as {of}; choose another --out" in sentence
    assert inputs[of].read_bytes() == before


def test_the_signals_of_a_record_are_not_overwritten(knocks, tmp_path):
    (tmp_path / "walk.hea").write_text("walk 1 2000 4\nwalk.dat 16 200 16 0 0 0 0 a\n")
    (tmp_path / "walk.dat").write_bytes(bytes(8))

    sentence = refusal("--model", knocks.model, "--recording", tmp_path / "walk.hea",
                       "--out", tmp_path / "walk.dat")  # fmt: skip

    assert "walk.dat: belongs to the recording" in sentence
    assert (tmp_path / "walk.dat").read_bytes() == bytes(8)


@pytest.mark.parametrize("of", ["--recording", "--model"])
@pytest.mark.parametrize("name", ["walk.csv", "new.csv", "deeper/new.csv"])
def test_nothing_is_written_into_folders_that_are_read(knocks, walk, tmp_path, of, name):
    recordings, model = tmp_path / "recordings", tmp_path / "model"
    recordings.mkdir()
    model.mkdir()
    (recordings / "walk.csv").write_bytes(b"x,y,z\n" + as_csv(walk))
    (model / "model.safetensors").write_bytes(knocks.model.read_bytes())
    out = {"--recording": recordings, "--model": model}[of] / name

    sentence = refusal("--recording", recordings, "--model", model, "--out", out)

    assert f"{out}: is in the folder given as {of}; choose another --out" in sentence
    assert len([*recordings.iterdir(), *model.iterdir()]) == 2


@pytest.mark.parametrize("before", [None, "older\n"])
def test_a_failure_leaves_no_half_written_file(knocks, walk, tmp_path, before):
    recording, out = tmp_path / "walk.csv", tmp_path / "out" / "events.csv"
    rows = as_csv(walk).splitlines()
    rows[-1] = b"1,2,oops"
    recording.write_bytes(b"x,y,z\n" + b"\n".join(rows))
    out.parent.mkdir()
    if before is not None:
        out.write_text(before)

    assert "oops" in refusal("--model", knocks.model, "--recording", recording, "--out", out)

    assert [path.read_text() for path in out.parent.iterdir()] == ([before] if before else [])


def test_a_stream_that_fails_leaves_whole_rows(knocks, walk, tmp_path):
    recording, out = tmp_path / "walk.csv", tmp_path / "events.csv"
    recording.write_bytes(as_csv(walk) + b"1,2,oops\n")

    with_stream = ("--recording", recording, "--stream", "--idle-s", 0, "--out", out)
    assert "oops" in refusal("--model", knocks.model, *with_stream)

    text = out.read_text()
    assert text.endswith("\n")
    assert all(len(row) == len(COLUMNS) for row in csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("kind", ["csv", "raw"])
def test_a_growing_file_is_read_until_it_rests(knocks, walk, tmp_path, capsys, kind):
    data = as_csv(walk) if kind == "csv" else as_raw(walk)
    recording, out = tmp_path / "walk.log", tmp_path / "new" / "events.csv"
    half = len(data) // 2 + 1
    recording.write_bytes(data[:half])
    seen_before_the_rest = []

    def write_the_rest() -> None:
        # Only once events of the first half are there, which shows that none waits for the end.
        until = time.monotonic() + 60
        while time.monotonic() < until and not (out.exists() and b"right" in out.read_bytes()):
            time.sleep(0.02)
        seen_before_the_rest.append(out.exists() and b"right" in out.read_bytes())
        with recording.open("ab") as file:
            file.write(data[half:])

    writer = threading.Thread(target=write_the_rest)
    writer.start()
    main(["predict", "--model", str(knocks.model), "--recording", str(recording), "--stream",
          "--kind", kind, "--idle-s", "3", "--out", str(out)])  # fmt: skip
    writer.join()

    assert seen_before_the_rest == [True]
    assert {row["recording"] for row in table(out.read_text())} == {"walk"}
    assert "events follow at most 323 ms after an isolated onset" in capsys.readouterr().err


def test_a_named_pipe_is_read_to_its_end(knocks, walk, tmp_path, capsys):
    pipe = tmp_path / "walk.pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(as_csv(walk),))
    writer.start()

    main(["predict", "--model", str(knocks.model), "--recording", str(pipe), "--stream"])
    writer.join()

    assert {row["recording"] for row in table(capsys.readouterr().out)} == {"walk"}


def test_a_stream_that_is_interrupted_gives_what_it_still_holds(knocks, walk):
    process = predicting("--model", knocks.model, "--recording", "-", "--stream", "--kind", "raw")
    lines = lines_of(process)
    # Behind the events that are certain, one that waits for its window.
    process.stdin.write(as_raw(walk[: ONSETS[2][0] + 100]))
    process.stdin.flush()
    begun = b"".join(lines.get(timeout=PATIENCE_S) for _ in range(3))  # names, and two events
    assert process.poll() is None

    process.send_signal(signals.SIGINT)

    assert process.wait(timeout=PATIENCE_S) == 0
    rest = b"".join(iter(lambda: lines.get(timeout=PATIENCE_S), b""))
    rows = list(csv.DictReader(io.StringIO((begun + rest).decode())))
    assert [round(float(row["onset_s"]) * 2000) for row in rows] == [at for at, _ in ONSETS[:3]]
    assert {row["recording"] for row in rows} == {"stream"}
    assert b"Traceback" not in process.stderr.read()


def test_a_reader_that_leaves_early_is_no_error(knocks, walk_npy, monkeypatch):
    read, write = os.pipe()
    os.close(read)

    with os.fdopen(write, "w") as nobody_reads:
        monkeypatch.setattr(sys, "stdout", nobody_reads)
        with pytest.raises(SystemExit) as left:
            main(["predict", "--model", str(knocks.model), "--recording", str(walk_npy)])

    assert left.value.code == 1  # and closing, as Python does at its end, raised nothing
