import subprocess
import sys
from pkgutil import iter_modules

from seqbench import steps
from seqbench.process.step_log import read_log
from seqbench.steps import promote


def called(*arguments):
    command = [sys.executable, "-m", "seqbench.steps", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_step_has_a_help_with_its_name():
    shown = called("promote", "--help").stdout

    assert shown.startswith("usage: python -m seqbench.steps promote [-h] --promotion PROMOTION")
    assert promote.__doc__ in " ".join(shown.split())


def test_wrong_arguments_are_the_error_in_the_log_of_a_step(tmp_path):
    with (tmp_path / "log").open("w") as log:
        subprocess.run([sys.executable, "-m", "seqbench.steps", "ingest"], stderr=log, check=False)

    assert read_log(tmp_path / "log").error.startswith("the following arguments are required: --")


def test_an_unknown_step_is_answered_with_the_known_ones():
    answer = called("fine-tune")
    known = answer.stderr.strip().rpartition("one of ")[2].split(", ")
    shared = {"__main__", "arguments", "training_arguments"}

    assert answer.returncode == 1
    assert set(known) == {module.name for module in iter_modules(steps.__path__)} - shared
    assert answer.stderr.count("\n") == 1
