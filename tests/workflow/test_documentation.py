"""Whoever types in what README and tutorials say gets what they show."""

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.documents import Block, Reader, blocks, commands, without_numbers
from seqbench import layout
from seqbench.config.benchmark import Benchmark

from .conftest import ROOT

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("documentation")]

TUTORIALS = ROOT / "docs" / "tutorials"
README = ROOT / "README.md"
LOADED_FROM_ELSEWHERE = re.compile(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"(?:https?:)?//")
COPIED = re.compile(r'<span class="copyable command"[^>]*><code>(.*?)</code>')
TRAINS = "seqbench run"  # as its own test does, or a tutorial: here it is planned


@pytest.fixture(scope="module")
def read_tutorial(tmp_path_factory):
    """Return a function that follows a tutorial once, and gives the folder it was followed in."""
    folders: dict[str, Path] = {}

    def read(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            follow(TUTORIALS / f"{name}.md", folders[name], tmp_path_factory.mktemp("programs"))
        return folders[name]

    return read


def follow(page: Path, folder: Path, programs: Path) -> None:
    """Write the files of a page and run its commands, in their order."""
    (folder / "workflow").symlink_to(ROOT / "workflow")  # for the page that is read in a clone
    reader = Reader(folder, programs)
    config: Path | None = None
    for block in blocks(page):
        if block.language == "yaml":
            if block.file is None:  # keys to add to the config that the page has written
                Benchmark.read(config, write(folder / "added.yaml", block.text))
                continue
            config = write(folder / block.file, block.text)
            Benchmark.read(config)
            continue
        printed = without_numbers(reader.does(block))
        missing = [line for line in without_numbers(block.shown) if line not in printed]
        assert not missing, f"{page.name}: {block.text} prints {printed}"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.full  # `make check` builds the site, too
def test_the_site_loads_nothing_from_elsewhere(tmp_path):
    pytest.importorskip("sphinx", reason="no Sphinx here: pip install -e '.[docs]'")
    options = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ROOT / "docs", tmp_path / "site"], check=True
    )

    pages = [page.read_text(encoding="utf-8") for page in tmp_path.rglob("*.html")]
    assert len(pages) > 40
    assert not [text for text in pages if LOADED_FROM_ELSEWHERE.search(text)]


@pytest.mark.parametrize("name", sorted(page.stem for page in TUTORIALS.glob("*.md")))
def test_a_reader_gets_through_a_tutorial(name, read_tutorial):
    assert (read_tutorial(name) / layout.REPORT).is_file()


@pytest.mark.parametrize("name", ["classification", "detection"])
def test_the_command_that_the_first_screen_copies_predicts_a_new_recording(
    name, read_tutorial, tmp_path
):
    folder = read_tutorial(name)
    page = (folder / layout.REPORT).read_text(encoding="utf-8")
    [copied] = [html.unescape(one) for one in COPIED.findall(page)]

    printed = Reader(folder, tmp_path).runs(copied.replace("FILE", "new.csv"))

    assert printed.startswith("recording,")
    assert printed.count("\nnew,") > 1


def test_a_stream_finds_the_events_that_the_file_has(read_tutorial):
    folder = read_tutorial("detection")
    found, live = (folder / name for name in ("found.csv", "live.csv"))

    def events(path):
        return [line.split(",")[1:3] for line in path.read_text().splitlines()[1:]]

    assert len(events(found)) > 5
    assert events(live) == events(found)


def test_every_command_of_the_readme_is_one(read_tutorial, tmp_path):
    folder = read_tutorial("detection")
    for name in ("doors", "results"):
        (tmp_path / name).symlink_to(folder / name)
    shutil.copy(folder / "new.csv", tmp_path)
    shutil.copy(folder / "doors.yaml", tmp_path / "mine.yaml")
    reader = Reader(tmp_path, tmp_path / "programs")

    done = [run_of_readme(reader, block) for block in blocks(README)]

    assert sum(done) >= 10


def run_of_readme(reader: Reader, block: Block) -> int:
    """Do what a block of the README says, and return how many commands it had."""
    text = block.text.replace("DATASET", "doors")
    if block.language == "yaml":
        Benchmark.read(write(reader.folder / "shown.yaml", text))
        return 1
    if block.language == "python":
        reader.does(Block("python", text))
        return 1
    assert block.language == "sh"
    for command in commands(Block("sh", text)):
        if command.startswith("make "):
            subprocess.run(
                [*command.split(), "--dry-run"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
            )
        elif command.startswith("pip install "):  # test_wheel.py installs
            assert (ROOT / command.split(" -c ")[1]).is_file()
        elif command.startswith(TRAINS):
            reader.runs(command.removesuffix(" --dry-run") + " --dry-run")
        else:
            reader.runs(command)
    return len(commands(block))
