"""What is published is whole, checkable, always the same, and says nothing of the machine."""

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

from fixtures.pages import Page
from seqbench import layout
from seqbench.cli.main import main
from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.reporting.read.stored import read_stored
from seqbench.storage.model_card import read_card
from seqbench.storage.static_folder import changes_of, sums_of

PRIVATE = "/home/somebody/pumps"
PUMPS = {"pumps": {"source": "folder", "path": PRIVATE, "task": "classification"}}


@pytest.fixture
def publish(tmp_path):
    """Return what publishes results and returns the folder."""

    def call(root, *options, out="published"):
        main(["publish", str(root), str(tmp_path / out), *options])
        return tmp_path / out

    return call


@pytest.fixture
def refusal(tmp_path):
    """Return what publishes results in vain and returns the sentence."""

    def call(root, *options, out="published"):
        with pytest.raises(SystemExit) as caught:
            main(["publish", str(root), str(tmp_path / out), *options])
        assert not list(tmp_path.glob(".published*")), "nothing is left half done"
        return str(caught.value)

    return call


def runs_of(folder):
    """Return the runs that the published page carries."""
    text = (folder / "index.html").read_text()
    found = re.search(r'<script type="application/json" id="runs">(.*?)</script>', text, re.S)
    return json.loads(found[1])["runs"].values()


def test_page_numbers_and_models_are_there_and_sha256sum_agrees(make_results, publish, capsys):
    root = make_results("a")

    folder = publish(root)

    index = json.loads((folder / "index.json").read_text())
    assert "4 runs, 4 model files" in capsys.readouterr().out
    assert {one["file"] for one in index["models"]} == {
        *(f"results/best/waves/seed{seed}/model.safetensors" for seed in range(3)),
        "results/best/waves/baseline/model.safetensors",
    }
    (of_waves,) = index["datasets"]
    assert (of_waves["dataset"], of_waves["licence"]) == ("waves", "not stated")
    assert of_waves["selected"]["mean"] == pytest.approx(0.81)
    assert read_card(folder / "results/best/waves") == read_card(root / "results/best/waves")
    assert read_stored(folder).values == read_stored(root).values
    assert read_stored(folder).metrics == read_stored(root).metrics
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == sum(p.is_file() for p in folder.rglob("*")) - 1


def test_every_link_of_the_page_leads_to_a_published_file(make_results, publish):
    folder = publish(make_results("a"))

    page = Page((folder / "index.html").read_text())
    hrefs = [given["href"] for _, given in page.tags if "href" in given]
    links = [href for href in hrefs if not href.startswith(("#", "http"))]

    assert links
    assert all((folder / href).is_file() for href in links)
    for run in runs_of(folder):
        assert run["model"] is None
        assert all((folder / path).is_file() for path in run["files"])


def test_the_same_results_give_the_same_bytes_and_replace_themselves(make_results, publish):
    root = make_results("a")

    folder = publish(root)
    first = sums_of(folder)

    assert sums_of(publish(root, out="another")) == first
    assert sums_of(publish(root)) == first


def test_what_a_killed_call_left_is_removed_by_the_next(make_results, publish, tmp_path):
    left = tmp_path / f".published.{'0' * 16}.tmp"
    (left / "results").mkdir(parents=True)
    (left / "results" / "summary.csv").write_text("half of it")

    publish(make_results("a"))

    assert not left.exists()


def test_with_all_models_each_run_has_its_own(make_results, publish):
    folder = publish(make_results("a"), "--models", "all")

    assert all((folder / run["model"]).is_file() for run in runs_of(folder))
    assert len(json.loads((folder / "index.json").read_text())["models"]) == 4 + 4


def test_of_paths_the_last_part_alone_is_published(make_results, publish):
    root = make_results("a", sources=PUMPS, datasets=["pumps"])

    folder = publish(root)

    texts = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert PRIVATE in (root / layout.CONFIG).read_text()
    assert not [path for path, text in texts.items() if b"/somebody" in text]
    assert not [path for path, text in texts.items() if str(root).encode() in text]
    assert Plan(Benchmark.read(folder / layout.CONFIG)).runs
    assert read_stored(folder).config["datasets"]["pumps"]["path"] == "pumps"
    assert read_card(folder / "results/best/pumps").settings["ingest"]["options"]["path"] == "pumps"


def test_a_path_in_any_other_place_is_refused(make_results, refusal, tmp_path):
    root = make_results("a", title=f"Of {tmp_path / 'a'}")

    sentence = refusal(root)

    assert f"would publish '{tmp_path / 'a'}', a path of this machine; take it out" in sentence
    assert not (tmp_path / "published").exists()


@pytest.mark.parametrize("home", ["/boss", "/home/boss"])
def test_what_lies_in_the_home_folder_is_not_named(
    home, make_results, publish, refusal, monkeypatch
):
    monkeypatch.setenv("HOME", home)
    root = make_results("a", title=f"Of {home}/secret")

    assert f"would publish '{home}" in refusal(root)
    monkeypatch.setenv("HOME", "/")  # as in some containers
    publish(root)


def test_what_has_not_finished_is_named_or_left_out_on_request(make_results, publish, refusal):
    root = make_results("a")
    (root / "results/evaluate/waves/cnn1d/scratch/labels1/seed2/metrics.json").unlink()

    sentence = refusal(root)
    folder = publish(root, "--unfinished")

    assert "3 of " in sentence
    assert "not done: evaluate waves/cnn1d/scratch/labels1/seed2 (waiting)" in sentence
    index = json.loads((folder / "index.json").read_text())
    assert (index["n_runs"], index["n_runs_unfinished"]) == (3, 1)
    assert not (folder / "results/best").exists()
    assert all((folder / run["model"]).is_file() for run in runs_of(folder))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda out: (out / "notes.txt").write_text("mine"), "notes.txt was added since"),
        (lambda out: (out / "README.md").write_text("mine"), "README.md was changed since"),
        (lambda out: (out / "README.md").unlink(), "README.md is missing since"),
        (lambda out: (out / "more").symlink_to("/etc"), "more was added since"),
        (lambda out: (out / "index.json").write_text("{}"), "`seqbench publish` did not make it"),
    ],
)
def test_a_folder_with_anything_of_others_is_left_alone(
    change, expected, make_results, publish, refusal
):
    root = make_results("a")
    folder = publish(root)
    change(folder)
    before = sums_of(folder)

    assert expected in refusal(root)
    assert sums_of(folder) == before


def test_a_folder_that_exists_is_taken_only_when_it_is_empty(
    make_results, publish, refusal, tmp_path
):
    root = make_results("a")
    (tmp_path / "published").mkdir()

    folder = publish(root)
    shutil.rmtree(folder)
    folder.write_text("a file")

    assert "is a file; name a folder" in refusal(root)
    folder.unlink()
    folder.symlink_to(root)
    assert "is a link" in refusal(root)


def test_a_card_that_is_no_text_is_named(make_results, refusal):
    root = make_results("a")
    path = root / layout.CARD_TEXT.format(dataset="waves")
    path.write_bytes(b"\xff\xfe")

    assert f"{path}: damaged, it is not UTF-8 text" in refusal(root)


@pytest.mark.parametrize("place", ["", "results", "results/best"])
def test_a_folder_is_not_replaced_from_within(place, make_results, publish, monkeypatch):
    root = make_results("a")
    folder = publish(root)
    before = sums_of(folder)
    monkeypatch.chdir(folder / place)

    for out in (str(folder), os.path.relpath(folder)):
        with pytest.raises(SystemExit, match=f"{re.escape(out)}: the command was started in it"):
            main(["publish", str(root), out])
    assert sums_of(folder) == before


def test_an_indirect_name_leads_to_the_same_folder(make_results, publish, tmp_path):
    root = make_results("a")
    folder = publish(root)
    before = sums_of(folder)

    publish(root, out="published/results/..")

    assert sums_of(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "published"]


def test_nothing_is_written_into_a_publication(make_results, publish, refusal):
    root = make_results("a")
    folder = publish(root)

    assert f"lies in {folder}, whose checksums" in refusal(root, out="published/results/more")
    assert changes_of(folder) == []


def test_a_file_that_cannot_be_read_is_named(make_results, publish, refusal, monkeypatch):
    root = make_results("a")
    folder = publish(root)

    def fail(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(hashlib, "file_digest", fail)

    assert f"{folder / 'README.md'}: cannot be read (Permission denied)" in refusal(root)


def test_a_publication_is_not_published_again(make_results, publish, refusal):
    folder = publish(make_results("a"))

    assert "is published already" in refusal(folder, out="again")


def test_the_folder_of_results_itself_can_be_named(make_results, publish, monkeypatch):
    root = make_results("a")
    of_root = sums_of(publish(root))

    assert sums_of(publish(root / "results", out="named")) == of_root
    monkeypatch.chdir(root / "results")
    assert sums_of(publish(".", out="inside")) == of_root


def test_the_folder_of_results_can_be_a_link_to_another_disk(make_results, publish, tmp_path):
    root = make_results("a")
    of_root = sums_of(publish(root))
    (root / "results").rename(tmp_path / "disk")
    (root / "results").symlink_to(tmp_path / "disk")

    assert sums_of(publish(root / "results", out="linked")) == of_root
