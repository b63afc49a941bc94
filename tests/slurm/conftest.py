"""A cluster for the tests of this folder, and runs of Snakemake on it that go on side by side."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONFIG = Path(os.environ.get("SEQBENCH_SLURM_CONFIG", HERE / "config.yaml")).absolute()


def load(name):
    """Import a module of this folder, which is no package."""
    spec = spec_from_file_location(f"slurm_{name}", HERE / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SITE = ("--default-resources", "slurm_partition='short'", "mem_mb=2100")
EDITED = "results/evaluate/tiny/cnn1d/scratch/labels1/seed0/metrics.json"
LONG_INGEST = "ingest:runtime=100000"

cluster_module = load("cluster")


@pytest.fixture(scope="module")  # it must not run beside other tests
def cluster():
    """Return a running cluster; after it nothing of it may be left."""
    missing = cluster_module.missing_programs()
    if missing:
        pytest.skip(
            f"no {', '.join(missing)} here:"
            f" apt-get install --no-install-recommends {cluster_module.PACKAGES}"
        )
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("no plugin of Snakemake for SLURM here: pip install -e '.[slurm]'")
    with tempfile.TemporaryDirectory(
        prefix="slurm-", dir="/tmp", ignore_cleanup_errors=True
    ) as name:
        cluster = cluster_module.Cluster(Path(name))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
            left = cluster.processes()
            for process in left:
                process.send(signal.SIGKILL)
        assert [process.pid for process in left] == []


@pytest.fixture(scope="session")
def wait_until():
    return cluster_module.wait_until


class Running:
    """A run of Snakemake in a folder of its own.

    Parameters
    ----------
    command
        How Snakemake is called.
    folder
        Where it works.
    environment
        Its environment.
    """

    def __init__(self, command, folder, environment):
        self.folder = folder
        self._log = folder / "snakemake.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def output(self):
        """Return its output so far."""
        return self._log.read_text()

    def wait(self, deadline_s):
        """Return the exit status, or fail with the end of its output at the deadline."""
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not done in {deadline_s} s:\n{self.output[-3000:]}") from None

    def stop(self):
        """Interrupt it, which cancels its jobs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


@pytest.fixture(scope="module")
def runs(cluster, request, tmp_path_factory, copy_checkout, edit_while_it_runs):
    """Start two benchmarks, each on the cluster and without it, and the scenarios, all at once.

    Partitions of the first give no job more than an hour, and its command line takes the place
    of the profile's default resources. A training in four processes
    runs over two nodes. One run more requests what its partition refuses, and of one the code and
    the config are edited by its first job.
    Without `--full` only this one and the scenarios start.
    """
    profile = ["--workflow-profile", ROOT / "workflow/profiles/slurm"]
    on_cluster = [sys.executable, HERE / "snakemake_quick_poll.py", *profile]
    locally = [sys.executable, "-m", "snakemake", "--cores", "1"]
    benchmark = ["--snakefile", ROOT / "workflow/Snakefile", "--configfile", CONFIG]
    lengthy = ["--snakefile", ROOT / "workflow/Snakefile", "--configfile", HERE / "lengthy.yaml"]
    divided = ["--snakefile", ROOT / "workflow/Snakefile", "--configfile", HERE / "divided.yaml"]
    checkout = copy_checkout(tmp_path_factory.mktemp("checkout"))
    config = tmp_path_factory.mktemp("config") / "config.yaml"
    config.write_text(CONFIG.read_text())
    edit_while_it_runs(checkout, {str(config): "title: edited\nfinetune: {epochs: 1}\n"})
    edited = ["--snakefile", checkout / "workflow/Snakefile", "--configfile", config]
    commands = {
        "lengthy": [*on_cluster, *lengthy],
        "scenarios": [*on_cluster, "--snakefile", HERE / "scenarios.smk"],
        "benchmark": [*on_cluster, *benchmark, *SITE],
        "refused": [*on_cluster, *benchmark, "--retries", "0", "--set-resources", LONG_INGEST],
        "local_lengthy": [*locally, *lengthy],
        "local_benchmark": [*locally, *benchmark],
        "divided": [*on_cluster, *divided],
        "local_divided": [*locally, *divided],
        "edited": [*on_cluster, *edited, "--", EDITED],
    }
    if not request.config.getoption("full"):
        commands = {name: commands[name] for name in ("scenarios", "refused")}
    settings = {"SEQBENCH_PACK": "8", "SEQBENCH_POLL_S": "1"}
    short = {"SEQBENCH_CPU_PARTITION": "short", "SEQBENCH_GPU_PARTITION": "gpushort"}
    started = {
        name: Running(
            [str(word) for word in command],
            tmp_path_factory.mktemp(name),
            {
                **(os.environ if name.startswith("local") else cluster.environment),
                **settings,
                **(short if name == "benchmark" else {}),
                **({"SEQBENCH_GPUS_PER_NODE": "2"} if name == "divided" else {}),
            },
        )
        for name, command in commands.items()
    }
    yield started
    for one in started.values():
        one.stop()
        shutil.rmtree(one.folder)
