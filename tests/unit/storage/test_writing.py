"""Where nothing can be written, a sentence says which file and why, and nothing is left behind.

Full and read-only disks are file systems in memory, mounted for one process alone.
"""

import json
import subprocess
import sys
from pathlib import Path

WRITE_ALL = """
import json, resource, sys
from pathlib import Path
import numpy as np
from seqbench.storage.atomic import WriteError, write_text
from seqbench.storage.hdf5 import writing
from seqbench.storage.lock import locked
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.records import Record

folder = Path(sys.argv[1])
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)


def one_large(path):
    with writing(path, "windows", 4) as file:
        file["signal"] = np.zeros(100_000)


def many_small(path):
    with writing(path, "windows", 4) as file:
        for i in range(100):
            file[f"part{i}"] = np.zeros(1000)


def lock(path):
    with locked(path, 0):
        pass


writers = {
    "text": lambda path: write_text(path, "x" * 200_000),
    "model": lambda path: write_model(path, StoredModel({"weight": np.zeros(100_000)}, Record())),
    "one_large": one_large,
    "many_small": many_small,
    "deep/text": lambda path: write_text(path, "x" * 200_000),
    "lock": lock,
}
errors = {}
for name, write in writers.items():
    try:
        write(folder / name)
        errors[name] = None
    except WriteError as error:
        errors[name] = str(error)
left = [path.name for path in folder.rglob("*") if path.is_file()]
print(json.dumps({"errors": errors, "left": left}))
"""


def write_all(folder: Path, *limit: str, before: tuple[str, ...] | list[str] = ()):
    command = [*before, sys.executable, "-c", WRITE_ALL, str(folder), *limit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    return json.loads(done.stdout)


def assert_refused(found, folder, reason, names):
    assert found["left"] == []
    for name in names:
        assert found["errors"][name].startswith(f"{folder / name}: cannot be written ({reason}); ")
        assert "\n" not in found["errors"][name]


FILES = ("text", "model", "one_large", "many_small", "deep/text")


def test_a_full_disk(mounted, tmp_path):
    found = write_all(tmp_path, before=mounted("size=64k", tmp_path))

    assert_refused(found, tmp_path, "no space left on device", FILES)
    assert found["errors"]["lock"] is None


def test_a_limit_on_the_size_of_files(tmp_path):
    found = write_all(tmp_path, "40000")

    assert_refused(found, tmp_path, "file too large", FILES)


def test_a_folder_that_is_read_only(mounted, tmp_path):
    found = write_all(tmp_path, before=mounted("ro", tmp_path))

    assert_refused(found, tmp_path, "read-only file system", (*FILES, "lock"))


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "results").write_text("no folder")

    found = write_all(tmp_path / "results" / "inside")

    assert_refused(found, tmp_path / "results" / "inside", "not a directory", (*FILES, "lock"))
