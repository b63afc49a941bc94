"""The copy of the code that jobs run while its source may change."""

import os
import time

import pytest

from seqbench.errors import UserError
from seqbench.process import code_copy, code_digest, origin
from seqbench.process.code_copy import COPIES, copy_code
from seqbench.process.code_digest import source_digest


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a link to a folder outside of it, as the workflow lies in this one."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "rules.smk").write_text("rule all:\n")
    root = tmp_path / "beadbox"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "user.py").write_text("X = 1\n")
    (root / "pipeline").symlink_to(outside)
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "user.pyc").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(code_digest, "PACKAGE", "beadbox")
    monkeypatch.setattr(code_digest, "_copy", None)
    forget()
    yield root
    monkeypatch.undo()
    forget()


def forget():
    for cached in (source_digest, code_digest._parsed, code_digest._file):
        cached.cache_clear()


def copied(package, **texts):
    return copy_code([package], texts, time.time())


def test_a_copy_has_files_behind_links_with_their_times_and_shares_what_is_compiled(package):
    os.utime(package / "user.py", (1000, 1000.5))

    copy = copied(package, note="of the start")

    assert (copy / "note").read_text() == "of the start"
    assert (copy / "beadbox/pipeline/rules.smk").read_text() == "rule all:\n"
    assert not (copy / "beadbox/pipeline").is_symlink()
    assert (copy / "beadbox/user.py").stat().st_mtime == 1000.5
    assert (copy / "beadbox/__pycache__").resolve() == package / "__pycache__"


def test_a_copy_is_made_once_for_each_content(package):
    first, same = copied(package), copied(package)
    (package / "user.py").write_text("X = 2\n")
    other = copied(package)

    assert first == same != other
    assert (first / "beadbox/user.py").read_text() == "X = 1\n"
    assert sorted(COPIES.iterdir()) == sorted([first, other])


def test_what_editors_leave_beside_open_files_is_not_copied(package):
    before = copied(package)
    (package / ".#user.py").symlink_to("somebody@host.4242")  # of Emacs, which points nowhere
    (package / ".ipynb_checkpoints").mkdir()
    (package / ".ipynb_checkpoints" / "user.py").touch()
    (package / ".user.py.swp").touch()

    assert copied(package) == before


def test_a_copy_that_another_workflow_renames_meanwhile_is_not_missed(package, monkeypatch):
    monkeypatch.setattr(code_copy.Path, "iterdir", lambda folder: [folder / "renamed"])

    assert copied(package).is_dir()


def test_a_file_that_changed_since_the_workflow_began_is_refused_whatever_its_time(package):
    since = time.time()
    time.sleep(0.05)  # times of files are a few milliseconds behind
    (package / "user.py").write_text("X = 2\n")
    os.utime(package / "user.py", (1000, 1000))

    with pytest.raises(UserError, match=r"user.py: changed while the workflow started; start it"):
        copy_code([package], {}, since)


def test_digests_are_those_of_the_copy_once_there_is_one(package):
    (package / "late.py").write_text("Y = 1\n")
    late = source_digest("beadbox.late")
    forget()

    code_digest.read_copy(copied(package))
    for module in ("__init__", "user", "late"):
        (package / f"{module}.py").write_text("EDITED = 1\n")

    assert source_digest("beadbox.late") == late


def test_copies_that_are_out_of_use_are_removed(package):
    first = copied(package)
    os.utime(first, (1000, 1000))

    assert copied(package, note="another").is_dir()
    assert not first.exists()


def test_a_package_that_nobody_may_write_is_copied_without_what_is_compiled(package, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr(code_copy.Path, "symlink_to", refuse)

    assert not (copied(package) / "beadbox/__pycache__").exists()


def test_the_commit_of_a_copy_is_that_of_the_start(tmp_path, monkeypatch):
    module = tmp_path / "seqbench" / "process" / "origin.py"
    module.parent.mkdir(parents=True)
    (tmp_path / origin.START).write_text('{"commit": "1a2b3c"}')
    monkeypatch.setattr(origin, "__file__", str(module))

    assert origin.commit.__wrapped__() == "1a2b3c"
