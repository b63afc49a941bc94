import csv

import numpy as np
import pytest
import yaml

from seqbench import layout

pytestmark = pytest.mark.workflow

CONFIG = """
runs:
  - datasets: [pumps]
    architectures: [cnn1d]
    seeds: [0]
baselines: [majority]
datasets:
  pumps: {source: folder, path: PATH, window: {length_samples: 50}}
finetune: {epochs: 8}
tensorboard: false
"""


@pytest.fixture
def pumps(tmp_path):
    """Thirty recordings of two channels, made by hand: slow and fast oscillation."""
    folder = tmp_path / "data" / "pumps"
    (folder / "recordings").mkdir(parents=True)
    generator = np.random.default_rng(0)
    labels = [("recording", "label")]
    for i in range(30):
        label = "fast" if i % 2 else "slow"
        time = np.arange(200) / 100
        wave = np.sin(2 * np.pi * (9 if label == "fast" else 2) * time + generator.uniform(0, 6))
        with (folder / "recordings" / f"run {i}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("time_s", "pressure", "flow"))
            writer.writerows(zip(time, wave, generator.normal(size=200), strict=True))
        labels.append((f"run {i}", label))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(labels)
    return folder


def test_a_folder_of_csv_files_runs_from_another_working_directory(pumps, snakemake, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = tmp_path / "ten_lines.yaml"
    config.write_text(CONFIG.replace("PATH", str(pumps)))
    assert len(CONFIG.strip().splitlines()) <= 10

    done = snakemake(folder=elsewhere, config=config, cwd=tmp_path)

    assert done.returncode == 0, done.output[-4000:]
    with (elsewhere / layout.SUMMARY).open() as file:
        [accuracy] = [
            float(row["value"])
            for row in csv.DictReader(file)
            if (row["architecture"], row["split"], row["metric"]) == ("cnn1d", "test", "accuracy")
        ]
    assert accuracy > 0.9
    assert (elsewhere / layout.REPORT).exists()


def test_an_edited_label_is_read_again(pumps, workflow):
    entry = yaml.safe_load(CONFIG.replace("PATH", str(pumps)))
    made = {"runs": entry["runs"], "datasets": entry["datasets"]}
    assert workflow(**made).returncode == 0
    assert workflow("--dry-run", **made).jobs == {}

    labels = pumps / "labels.csv"
    labels.write_text(labels.read_text().replace("run 1,fast", "run 1,slow"))

    assert workflow("--dry-run", **made).jobs["ingest"] == 1


def test_what_was_touched_or_commented_is_not_read_again(pumps, snakemake, copy_checkout, tmp_path):
    checkout = copy_checkout(tmp_path / "checkout")
    config = tmp_path / "ten_lines.yaml"
    config.write_text(CONFIG.replace("PATH", str(pumps)))
    (tmp_path / "run").mkdir()

    def ingest(*options):
        target = layout.RECORDINGS.format(dataset="pumps")
        snakefile = checkout / "Snakefile"
        folder = tmp_path / "run"
        return snakemake(*options, "--", target, folder=folder, config=config, snakefile=snakefile)

    def edit(module, before, after):
        source = checkout / "src" / "seqbench" / module
        assert before in source.read_text()
        source.write_text(source.read_text().replace(before, after, 1))

    done = ingest()
    assert done.returncode == 0, done.output[-3000:]
    (pumps / "labels.csv").touch()
    edit("datasets/folder.py", "RATE_TOLERANCE = 1e-3", "# Why so.\nRATE_TOLERANCE = 1e-3")
    edit("models/cnn1d.py", '"""', '"""Another module. ')
    edit("datasets/sine.py", "\nfrom pathlib", "\nUNRELATED = 1\nfrom pathlib")
    assert ingest("--dry-run").jobs == {}

    edit("datasets/folder.py", "RATE_TOLERANCE = 1e-3", "RATE_TOLERANCE = 2e-3")
    assert ingest("--dry-run").jobs == {"ingest": 1}


BAD = {
    "unknown recording": ("labels.csv", "recording,label\nrun 99,slow\n", "run 99"),
    "no label column": ("labels.csv", "recording,class\nrun 1,slow\n", "label"),
    "not a number": ("recordings/run 3.csv", "pressure,flow\n1,2\n1,x\n", "run 3.csv"),
    "one channel too few": ("recordings/run 3.csv", "pressure\n1\n2\n", "run 3.csv"),
}


@pytest.mark.parametrize(("name", "text", "named"), BAD.values(), ids=BAD.keys())
def test_bad_recordings_are_answered_by_a_sentence_before_training(
    pumps, workflow, name, text, named
):
    (pumps / name).write_text(text)
    entry = yaml.safe_load(CONFIG.replace("PATH", str(pumps)))

    done = workflow(runs=entry["runs"], datasets=entry["datasets"])

    assert done.returncode != 0
    log = (workflow.folder / layout.log("ingest").format(dataset="pumps")).read_text()
    [sentence] = [line for line in log.splitlines() if line.startswith("error: ")]
    assert named in sentence
    assert "Traceback" not in log
    assert not (workflow.folder / "results" / "finetune").exists()
