import csv

import pytest
import yaml

import seqbench
from seqbench import layout
from seqbench.cli.main import main

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("pumps")]


def test_a_folder_of_csv_files_runs_from_another_working_directory(pumps_run):
    assert len((pumps_run / "ten_lines.yaml").read_text().strip().splitlines()) <= 10
    with (pumps_run / layout.SUMMARY).open() as file:
        [accuracy] = [
            float(row["value"])
            for row in csv.DictReader(file)
            if (row["architecture"], row["split"], row["metric"]) == ("cnn1d", "test", "accuracy")
        ]
    assert accuracy > 0.9
    assert (pumps_run / layout.REPORT).exists()


def test_an_edited_label_is_read_again_and_a_touched_one_is_not(pumps_run, snakemake):
    def dry_run():
        return snakemake("--dry-run", folder=pumps_run, config=pumps_run / "ten_lines.yaml").jobs

    labels = pumps_run / "data" / "labels.csv"
    before = labels.read_bytes()  # with its line ends, or it would be another file
    labels.touch()
    assert dry_run() == {}

    try:
        labels.write_bytes(before.replace(b"run 1,fast", b"run 1,slow"))
        assert dry_run()["ingest"] == 1
    finally:
        labels.write_bytes(before)


def test_bad_recordings_end_in_a_sentence_before_training(make_pumps, workflow):
    pumps = make_pumps(workflow.folder / "pumps")
    (pumps / "labels.csv").write_text("recording,label\nrun 99,slow\n")
    grid = {"datasets": ["pumps"], "architectures": ["cnn1d"], "seeds": [0]}

    done = workflow(runs=[grid], datasets={"pumps": {"source": "folder", "path": str(pumps)}})

    assert done.returncode != 0
    log = (workflow.folder / layout.log("ingest").format(dataset="pumps")).read_text()
    [sentence] = [line for line in log.splitlines() if line.startswith("error: ")]
    assert "run 99" in sentence
    assert "Traceback" not in log
    assert not (workflow.folder / "results" / "finetune").exists()


@pytest.fixture
def plan_ingest(make_pumps, snakemake, tmp_path):
    """Return a function that runs ingest of recordings alone, among which the results lie."""
    pumps = make_pumps(tmp_path / "pumps")
    grid = {"datasets": ["pumps"], "architectures": ["cnn1d"], "seeds": [0]}
    datasets = {"pumps": {"source": "folder", "path": str(pumps)}}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"runs": [grid], "datasets": datasets}))
    target = layout.RECORDINGS.format(dataset="pumps")

    def run(*options):
        return snakemake(*options, "--", target, folder=pumps, config=config)

    run.pumps = pumps
    return run


def test_edits_behind_a_link_are_noticed_and_files_that_nobody_reads_are_not(plan_ingest):
    pumps = plan_ingest.pumps
    elsewhere = (pumps / "recordings").rename(pumps.parent / "elsewhere")
    (pumps / "recordings").symlink_to(elsewhere)

    done = plan_ingest()
    assert done.returncode == 0, done.output[-3000:]
    for name in (".DS_Store", "notes {draft}.txt", "recordings/~$run 1.csv"):
        (pumps / name).touch()
    assert plan_ingest("--dry-run").jobs == {}

    recording = elsewhere / "run 1.csv"
    recording.write_text(recording.read_text().replace("0.0,", "0.0,1", 1))
    assert plan_ingest("--dry-run").jobs == {"ingest": 1}
    recording.unlink()
    assert plan_ingest("--dry-run").jobs == {"ingest": 1}


def test_a_recording_whose_name_is_no_text_is_refused_before_anything_runs(plan_ingest):
    recordings = plan_ingest.pumps / "recordings"
    (recordings / "run 1.csv").rename(recordings / "run \udcff.csv")

    done = plan_ingest()

    assert done.returncode != 0
    assert "its name is not valid UTF-8; rename the file" in done.output
    assert "Traceback" not in done.output


def test_a_publication_holds_no_path_predicts_and_joins_with_its_results(pumps_run, tmp_path):
    published, joined = tmp_path / "published", tmp_path / "joined"

    main(["publish", str(pumps_run), str(published)])
    main(["merge", str(published), str(pumps_run / "results"), str(joined)])

    place = str(pumps_run).encode()
    assert not [
        path for path in files_of(published) + files_of(joined) if place in path.read_bytes()
    ]
    with (joined / "runs.csv").open() as file:
        of_runs = list(csv.DictReader(file))
    assert {row["architecture"] for row in of_runs} == {"cnn1d", "majority"}
    assert {row["results"] for row in of_runs} == {f"published; {pumps_run.name}"}
    new = pumps_run / "data" / "recordings" / "run 3.csv"
    ours, theirs = (seqbench.load(one / "results/best/pumps") for one in (pumps_run, published))
    assert ours.predict(new).to_frame().equals(theirs.predict(new).to_frame())


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]
