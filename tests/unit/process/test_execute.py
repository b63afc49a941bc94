"""What a step logs when the machine, not the input, is at fault: one line, no traceback."""

import sys
from types import ModuleType

import numpy as np
import pytest

from seqbench.errors import DamagedError, FormatError, UserError
from seqbench.process.execute import execute


@pytest.fixture
def outcome(monkeypatch, capsys):
    """Run a step that does what a function does; returns its exit code and its log."""

    def run(does):
        module = ModuleType("step_of_a_test")
        module.main = lambda arguments: does()
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return execute(module.__name__, []), capsys.readouterr().err

    return run


def test_memory_that_is_used_up_is_one_line(outcome):
    code, log = outcome(lambda: np.empty(1 << 58))

    assert code == 1
    assert log.startswith("error: memory is used up (Unable to allocate")
    assert log.count("\n") == 1


def test_torch_without_memory_is_one_line(outcome):
    def fill():
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB.\nSee the manual.")

    code, log = outcome(fill)

    assert code == 1
    assert log.startswith("error: memory is used up (CUDA out of memory. Tried to allocate 2 GiB.")
    assert log.count("\n") == 1


def test_a_full_disk_under_a_log_is_one_line(outcome):
    def write():
        with open("/dev/full", "w") as file:  # noqa: PTH123 (as the libraries do)
            file.write("curve")

    code, log = outcome(write)

    assert code == 1
    assert log.startswith("error: a file beside the results: cannot be written (No space left")


def test_other_errors_of_files_are_errors_of_the_program(outcome, tmp_path):
    with pytest.raises(FileNotFoundError):
        outcome((tmp_path / "gone").read_text)


@pytest.mark.parametrize(("error", "hint"), [(FormatError, False), (DamagedError, True)])
def test_a_step_suggests_to_delete_a_damaged_result_alone(outcome, error, hint):
    def refuse():
        raise error("model.safetensors: is not as it was")

    code, log = outcome(refuse)

    assert code == 1
    assert ("; delete it, and the next run makes it again" in log) == hint


def test_control_characters_of_names_do_not_reach_the_terminal(outcome):
    def refuse():
        raise UserError("bell\x1b[2K\r\udcff: it is no recording")

    code, log = outcome(refuse)

    assert (code, log) == (1, "error: bell\\x1b[2K\\r\\udcff: it is no recording\n")
