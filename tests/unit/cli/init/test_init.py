"""A starter config from a folder: written once, valid, and refused where nothing decides."""

import csv
import re

import numpy as np
import pytest
import soundfile
import yaml

from seqbench.cli.main import main
from seqbench.cli.plans import read_config
from seqbench.datasets.reading import lazy_recording

RATE_HZ = 100


def write_table(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def write_recordings(folder, n=6, n_samples=300, header=("time_s", "x"), step=1 / RATE_HZ):
    generator = np.random.default_rng(0)
    for i in range(n):
        values = generator.normal(size=n_samples)
        rows = [(f"{k * step:.4f}", f"{v:.4f}") for k, v in enumerate(values)]
        write_table(folder / "recordings" / f"r{i}.csv", header, *rows)
    return folder


def write_events(folder, n=6):
    rows = [(f"r{i}", 0.2 + 0.4 * k, "ab"[k % 2]) for i in range(n) for k in range(7)]
    write_table(folder / "events.csv", ("recording", "onset_s", "label"), *rows)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def init(tmp_path, capsys):
    """Return a function that writes a config, and returns its only dataset, grid and text."""

    def run(name, *options):
        main(["init", name, *options])
        assert f"{name}.yaml: written" in capsys.readouterr().out
        path = tmp_path / f"{name}.yaml"
        raw = yaml.safe_load(path.read_text())
        read_config(path)
        return raw["datasets"][name], raw["runs"][0] | {"baselines": raw["baselines"]}, path

    return run


def test_events_lead_to_detection_with_windows_of_four_intervals(init, tmp_path):
    write_events(write_recordings(tmp_path / "doors"))

    dataset, grid, path = init("doors")

    assert dataset == {
        "source": "folder",
        "path": "doors",
        "task": "detection",
        "tolerance_ms": 20.0,  # a sample lasts 10 ms
        "window": {"length_samples": 128, "overlap": 0.5},  # 4 times 40 samples, as a power of two
        "split": {"by": "group", "val": 0.2, "test": 0.2},
    }
    assert grid["architectures"] == ["event_rnn", "event_unet"]
    assert grid["baselines"] == ["metronome", "matched_filter"]
    text = path.read_text()
    assert "# doors: 6 recordings (.csv) of 300 samples (3 s at 100 Hz), in 6 groups." in text
    assert "42 events of 2 types: a, b." in text
    assert "# refractory_s: set it if you know" in text
    assert "it is 0.8 s" in " ".join(text.replace("#", "").split())


def test_every_guess_has_a_reason(init, tmp_path):
    write_events(write_recordings(tmp_path / "doors"))

    lines = init("doors")[2].read_text().splitlines()

    start = lines.index("  doors:") + 2  # behind `source`
    for number, line in enumerate(lines[start:], start):
        if not line.lstrip().startswith("#"):
            assert "# " in line or lines[number - 1].lstrip().startswith("# "), line
    assert max(map(len, lines)) <= 100


def test_the_config_passes_check_and_is_never_overwritten(init, tmp_path, capsys):
    write_events(write_recordings(tmp_path / "doors"))
    path = init("doors")[2]
    before = path.read_bytes()

    main(["check", "doors.yaml"])
    assert "6 models to train, 2 baselines to fit" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"doors\.yaml: is there already; name another file"):
        main(["init", "doors"])
    assert path.read_bytes() == before


def test_labels_lead_to_classification_split_by_the_groups_that_are_known(init, tmp_path):
    folder = write_recordings(tmp_path / "pumps", n=12)
    write_table(
        folder / "labels.csv", ("recording", "label"), *((f"r{i}", "ab"[i % 2]) for i in range(12))
    )
    write_table(
        folder / "groups.csv", ("recording", "group"), *((f"r{i}", i // 2) for i in range(12))
    )

    dataset, grid, path = init("pumps")

    assert (dataset["task"], dataset["window"]) == ("classification", {})
    assert grid["baselines"] == ["majority", "logistic_regression", "minirocket"]
    assert "groups.csv says what belongs together: a fifth each of 6 groups" in path.read_text()


def test_targets_lead_to_regression_and_nothing_to_forecasting(init, tmp_path):
    write_recordings(tmp_path / "arm", header=("x", "force"))
    write_recordings(tmp_path / "sea", n=1)

    arm, _, _ = init(
        "arm", "--set", "targets=[force]", "sampling_rate_hz=100", "channels=[x, force]"
    )
    sea, grid, _ = init("sea")

    assert (arm["task"], arm["targets"]) == ("regression", ["force"])
    assert (sea["task"], sea["split"]["by"]) == ("forecasting", "time")
    assert sea["window"] == {"length_samples": 18, "horizon_samples": 4, "step_samples": 4}
    assert grid["baselines"] == ["persistence", "log_ar"]


def test_recordings_too_few_to_set_some_aside_are_split_by_time(init, tmp_path):
    write_events(write_recordings(tmp_path / "two", n=2), n=2)

    dataset, _, path = init("two")

    assert dataset["split"] == {"by": "time", "val": 0.2, "test": 0.2}
    assert "2 recordings are too few" in " ".join(path.read_text().replace("#", "").split())


@pytest.mark.parametrize("is_covered", [True, False])
def test_intervals_that_cover_the_recordings_are_classes_and_others_events(
    is_covered, init, tmp_path
):
    for i in range(6):
        path = tmp_path / "night" / "recordings" / f"n{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(i).normal(0, 0.1, 800), RATE_HZ)
        length = 1 if is_covered else 0.1
        rows = [f"{k}\t{k + length}\t{'ab'[(k + i) % 2]}\n" for k in range(8)]
        path.with_suffix(".txt").write_text("".join(rows))

    dataset, _, _ = init("night")

    assert dataset["labels"] == {"format": "audacity"}
    assert dataset["task"] == ("classification" if is_covered else "detection")


@pytest.mark.parametrize(
    ("header", "step", "sentence", "option"),
    [
        (("t", "x"), 10, "it may be 0.1 or 100 Hz; .*set `time_unit`", "time_unit=ms"),
        (("0", "1"), 0.01, "counts columns as tools name them; set `header: yes`", "header=yes"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_the_option_that_decides(
    header, step, sentence, option, init, tmp_path
):
    write_events(write_recordings(tmp_path / "open", header=header, step=step))
    options = ["channels=['1']", "time_column='0'"] if header[0] == "0" else []

    with pytest.raises(SystemExit, match=sentence + ".*as --set KEY=VALUE"):
        main(["init", "open", *(["--set", *options] if options else [])])
    assert not (tmp_path / "open.yaml").exists()

    key, _, value = option.partition("=")
    assert init("open", "--set", option, *options)[0][key] == yaml.safe_load(value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["tsk=3"], r"datasets\.doors\.tsk: no such key; did you mean 'task'"),
        (["task=detections"], "unknown task 'detections'; did you mean 'detection'"),
        (["task=classification"], r"labels\.csv: there is no such file"),
    ],
)
def test_a_wrong_option_is_refused(options, sentence, tmp_path):
    write_events(write_recordings(tmp_path / "doors"))

    with pytest.raises(SystemExit, match=sentence):
        main(["init", "doors", "--set", *options])


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("dors", "dors: no such file or folder; did you mean 'doors'?"),
        ("none", "none: no such file or folder; name the folder that holds recordings/"),
        ("doors/groups.csv", "doors/groups.csv: it is a file; name the folder that holds"),
    ],
)
def test_a_wrong_folder_is_refused(folder, sentence, tmp_path):
    write_table(write_recordings(tmp_path / "doors") / "groups.csv", ("recording", "group"))

    with pytest.raises(SystemExit, match=re.escape(sentence)):
        main(["init", folder])


@pytest.mark.parametrize("name", ["label.csv", "Labels.csv", "event.csv", "events.tsv"])
def test_labels_in_a_file_of_another_name_are_not_passed_over(name, tmp_path):
    write_table(write_recordings(tmp_path / "doors") / name, ("recording", "label"))

    with pytest.raises(SystemExit, match=rf"{name}: it holds labels, by its name, but is not read"):
        main(["init", "doors"])


def test_a_folder_for_each_class_is_refused_with_the_labels_to_write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind in ("rest", "walk"):
        (tmp_path / "mine" / kind).mkdir(parents=True)
        np.savetxt(tmp_path / "mine" / kind / f"{kind[0]}1.csv", np.eye(4), delimiter=",")

    with pytest.raises(SystemExit) as left:
        main(["init", "mine"])

    assert str(left.value) == (
        "error: mine: recordings lie in rest/, walk/, and the folder recordings/ is missing; move"
        " them into mine/recordings, each under a name of its own; if a folder is a class, write"
        " mine/labels.csv with the columns recording,label and rows such as r1,rest"
    )


def test_recordings_beside_their_folder_are_refused_with_the_way_to_make_it(tmp_path):
    for name in ("a.csv", "b.csv", "c.csv", "events.csv"):
        write_table(tmp_path / "flat" / name, ("time_s", "x"))

    with pytest.raises(SystemExit, match=r"a\.csv, b\.csv and 1 more lie beside .* make flat/rec"):
        main(["init", "flat"])


def test_a_name_that_is_taken_gets_another(init, tmp_path):
    write_events(write_recordings(tmp_path / "waves"))

    main(["init", "waves"])

    assert list(yaml.safe_load((tmp_path / "waves.yaml").read_text())["datasets"]) == ["my_waves"]


def test_a_large_folder_gets_a_config_too(init, tmp_path, monkeypatch):
    write_events(write_recordings(tmp_path / "large"))
    monkeypatch.setattr(lazy_recording, "LARGE_BYTES", 0)

    assert init("large")[0]["split"] == {"by": "group", "val": 0.2, "test": 0.2}


def test_short_windows_of_forecasts_have_no_baseline_that_looks_further_back(init, tmp_path):
    write_recordings(tmp_path / "sea", n=1, n_samples=160)

    dataset, grid, _ = init("sea")

    assert dataset["window"]["length_samples"] == 10
    assert grid["baselines"] == ["persistence"]


def test_a_channel_called_as_a_lead_is_offered_to_detectors_of_beats(init, tmp_path):
    write_events(write_recordings(tmp_path / "heart", header=("time_s", "ECG II")))

    assert "# ecg: ECG II would let the baselines xqrs and neurokit" in init("heart")[2].read_text()


def test_channels_called_as_those_of_a_body_are_offered_to_their_baseline(init, tmp_path):
    folder = write_recordings(tmp_path / "wrist", header=("time_s", "BVP"))
    rows = [(f"r{i}", "ab"[i % 2]) for i in range(6)]
    write_table(folder / "labels.csv", ("recording", "label"), *rows)

    text = init("wrist")[2].read_text()

    assert "# physiology: {} would let the baseline physiology_forest take BVP as pulse" in text


def test_types_that_too_few_groups_have_are_left_out_and_named(init, tmp_path):
    folder = write_recordings(tmp_path / "marked")
    for i in range(6):
        rows = [f"{0.2 + 0.4 * k:.1f}\t{0.2 + 0.4 * k:.1f}\tbeat\n" for k in range(7)]
        rows += ["2.9\t2.9\tnoise\n"] if i < 2 else []
        (folder / "marks").mkdir(exist_ok=True)
        (folder / "marks" / f"r{i}.txt").write_text("".join(rows))

    dataset, _, path = init("marked")

    assert dataset["labels"] == {"format": "audacity", "path": "marks", "only": ["beat"]}
    assert "as too few groups have them: noise" in " ".join(
        path.read_text().replace("#", "").split()
    )


def test_any_name_of_a_folder_serves(tmp_path, capsys):
    write_events(write_recordings(tmp_path / "Türen 1 a"))

    main(["init", "Türen 1 a"])

    assert "`seqbench run 'Türen 1 a.yaml'`" in capsys.readouterr().out
    [(name, dataset)] = yaml.safe_load((tmp_path / "Türen 1 a.yaml").read_text())[
        "datasets"
    ].items()
    assert (name, dataset["path"]) == ("t_ren_1_a", "Türen 1 a")


def test_a_folder_that_snakemake_cannot_name_is_refused(tmp_path):
    write_events(write_recordings(tmp_path / "in {braces}"))

    with pytest.raises(SystemExit, match="its path has a word in braces; rename the file or fold"):
        main(["init", "in {braces}"])
