"""A lock of one writer: it is exclusive, says who holds it, and is never stale."""

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time

import pytest

from seqbench.errors import UserError
from seqbench.storage.atomic import WriteError
from seqbench.storage.lock import locked


def test_a_second_writer_is_refused_with_a_sentence_that_names_the_first(tmp_path):
    path = tmp_path / "deep" / "lock"

    with (
        locked(path, 0),
        pytest.raises(UserError, match=rf"held by process {os.getpid()} on .*; wait"),
        locked(path, 0),
    ):
        pass


def test_a_second_writer_waits_for_the_first_even_if_the_folder_goes_away(tmp_path):
    path = tmp_path / "run" / "lock"
    order = []

    def second():
        with locked(path, 30):
            order.append("second")

    waiting = threading.Thread(target=second)
    with locked(path, 0):
        waiting.start()
        time.sleep(0.5)
        order.append("first")
    path.parent.rmdir()
    waiting.join()

    assert order == ["first", "second"]
    assert not path.exists()


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    path = tmp_path / "lock"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from seqbench.storage.lock import locked\n"
        "with locked(Path(sys.argv[1]), 0): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, path], check=False)
    assert path.exists()

    with locked(path, 0):
        assert path.read_text().split()[0] == str(os.getpid())


def test_a_file_system_without_locks_is_logged(tmp_path, monkeypatch, caplog):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with locked(tmp_path / "lock", 0):
        assert "this file system has no locks (No locks available)" in caplog.text


def test_a_lock_that_cannot_be_made_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(WriteError, match=r": cannot be written \(is a directory\); "):
        locked(tmp_path, 60).__enter__()


def test_work_that_can_do_without_a_lock_goes_on_after_a_warning(tmp_path, caplog):
    with locked(tmp_path, 60, required=False):
        assert "is a directory" in caplog.text
        assert "going on without this lock" in caplog.text
