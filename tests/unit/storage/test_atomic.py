"""Files appear whole or not at all."""

import json
import math
import os
from pathlib import Path

import pytest

from seqbench.errors import UserError
from seqbench.storage.atomic import (
    WriteError,
    copy_file,
    remove_leftovers,
    replacing,
    replacing_folder,
    write_json,
    write_text,
)


class Stopped(Exception):
    """Stands for whatever ends a writer half way."""


def write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half of the n", encoding="utf-8")
        raise Stopped


def write_half_a_folder(path: Path) -> None:
    with replacing_folder(path) as temporary:
        write_text(temporary / "new.txt", "new")
        raise Stopped


def test_a_file_appears_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "notes.txt"

    write_text(path, "Glockenschläge\n")

    assert path.read_text(encoding="utf-8") == "Glockenschläge\n"
    assert [p.name for p in path.parent.iterdir()] == ["notes.txt"]


def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("old", encoding="utf-8")

    with pytest.raises(Stopped):
        write_half(path)

    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_folders_and_devices_are_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path, what in ((tmp_path, "is a directory"), (tmp_path / "pipe", "is no regular file")):
        with pytest.raises(WriteError, match=rf"{path}: cannot be written \({what}\)"):
            write_text(path, "new")

    assert (tmp_path / "pipe").is_fifo()


def test_the_old_file_stands_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("old", encoding="utf-8")

    with replacing(path) as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert temporary.parent == path.parent  # a rename is atomic within a folder
        assert path.read_text(encoding="utf-8") == "old"

    assert path.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_json_without_a_number_is_refused_and_the_old_file_stays(tmp_path, number):
    path = tmp_path / "metrics.json"
    write_json(path, {"accuracy": 1.0})

    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"accuracy": number})

    assert json.loads(path.read_text(encoding="utf-8")) == {"accuracy": 1.0}
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.json"]


def test_a_folder_takes_the_place_of_the_one_before_whole_or_not_at_all(tmp_path):
    path = tmp_path / "best"
    with replacing_folder(path) as temporary:
        write_text(temporary / "old.txt", "old")

    with pytest.raises(Stopped):
        write_half_a_folder(path)
    assert [p.name for p in tmp_path.rglob("*.txt")] == ["old.txt"]

    with replacing_folder(path) as temporary:
        write_text(temporary / "new.txt", "new")
    assert [p.name for p in tmp_path.rglob("*.txt")] == ["new.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["best"]


def test_folders_that_a_killed_writer_left_are_removed(tmp_path):
    path = tmp_path / "best"
    leftover = tmp_path / ".best.0123456789abcdef.tmp"
    leftover.mkdir()
    (leftover / "half.txt").touch()
    path.mkdir()

    remove_leftovers(path)

    assert [p.name for p in tmp_path.iterdir()] == ["best"]


def test_of_a_copy_the_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.csv: cannot be read"):
        copy_file(tmp_path / "absent.csv", tmp_path / "copy.csv")

    assert list(tmp_path.iterdir()) == []
