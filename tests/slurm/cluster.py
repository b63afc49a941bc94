"""A cluster of its own on one machine: controller, nodes and authentication, as ordinary processes.

Everything lies in one folder; no system service, control group or accounting database takes part.
Nodes of the partition `gpu` have devices that SLURM deals out as it does real ones; they are links
to the null device. Processes of the cluster are known by its folder, which they
carry in their environment or work in.
"""

import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
PACKAGES = "slurmctld slurmd slurm-client munge"
SYSTEM_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
GPUS_PER_NODE = 2

CONFIGURATION = """
ClusterName=seqbench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A job that is requeued waits until its credential has expired.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
PlugStackConfig={folder}/plugstack.conf
MpiDefault=none
SwitchType=switch/none

# Several nodes on one machine, each with more than the machine may have.
SlurmdParameters=config_overrides
ReturnToService=2
# Without control groups; memory is looked at once a second.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none

SlurmctldTimeout=10
SlurmdTimeout=10
UnkillableStepTimeout=10
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# What no node could ever give is refused when it is requested.
EnforcePartLimits=ALL
JobRequeue=1
MinJobAge=3600

GresTypes=gpu
NodeName=DEFAULT CPUs=8 RealMemory=32000
{nodes}
PartitionName=DEFAULT MaxTime=1-0 DefaultTime=10 State=UP
PartitionName=cpu Nodes=cpu1,cpu2 Default=YES
PartitionName=gpu Nodes=gpu1,gpu2
PartitionName=short Nodes=cpu1,cpu2 MaxTime=1:00:00
PartitionName=gpushort Nodes=gpu1,gpu2 MaxTime=1:00:00
"""


def missing_programs() -> list[str]:
    """Return the programs of SLURM that this machine lacks."""
    return [name for name in PROGRAMS if not shutil.which(name, path=SYSTEM_PATH)]


class Cluster:
    """Two nodes without and two with GPUs, up until `stop`.

    Parameters
    ----------
    folder
        An empty folder with a short path, for it holds sockets.
    """

    NODES = ("cpu1", "cpu2", "gpu1", "gpu2")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configuration = folder / "slurm.conf"
        self.environment = {
            **os.environ,
            "SEQBENCH_TEST_CLUSTER": str(folder),  # whose these processes are
            "SLURM_CONF": str(self.configuration),
            "PATH": f"{folder / 'bin'}:{SYSTEM_PATH}",
        }
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start all daemons and wait until every node is idle."""
        self._write_files()
        munge = self.folder / "munge"
        self._run(
            "munged", "--foreground", "--force", "--num-threads=1",
            f"--key-file={munge / 'key'}", f"--socket={munge / 'socket'}",
            f"--pid-file={munge / 'pid'}", f"--seed-file={munge / 'seed'}",
            f"--log-file={self.folder / 'log' / 'munged.log'}",
        )  # fmt: skip
        wait_until((munge / "socket").exists, 20, "munged replies")
        self._run("slurmctld", "-D", "-c", "-f", str(self.configuration))
        for node in self.NODES:
            self.start_node(node)
        wait_until(lambda: self.nodes_in_state("idle") == set(self.NODES), 60, "nodes are idle")

    def start_node(self, node: str) -> None:
        """Start a node, or start it again after it was lost."""
        self._run("slurmd", "-D", "-N", node, "-f", str(self.configuration), name=node)

    def lose_node(self, node: str) -> None:
        """End a node at once, with all that runs on it, as if its power had failed."""
        lost = [
            process
            for process in self.processes()
            if f"SLURMD_NODENAME={node}" in process.environment
            or process.folder == self._home(node)
        ]
        for process in lost:  # all stand still before one ends, or others would report it
            process.send(signal.SIGSTOP)
        self._daemons[node].kill()
        self._daemons[node].wait()
        for process in lost:
            process.send(signal.SIGKILL)

    def stop(self) -> None:
        """Cancel what runs, end the daemons, and whatever outlived them."""
        with suppress(subprocess.SubprocessError):
            self.run("scancel", "--user", str(os.getuid()))
            wait_until(lambda: not self.jobs("running", "completing"), 10, "jobs are cancelled")
        for daemon in reversed(self._daemons.values()):
            daemon.terminate()
        for daemon in self._daemons.values():
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        with suppress(TimeoutError):
            wait_until(lambda: not self.processes(), 10, "job processes ended")

    def run(self, *command: str) -> str:
        """Return the output of a command of SLURM."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def nodes_in_state(self, state: str) -> set[str]:
        """Return the names of the nodes in a state."""
        try:
            return set(self.run("sinfo", "-hN", "-t", state, "-o", "%N").split())
        except subprocess.CalledProcessError:
            return set()

    def jobs(self, *states: str) -> list[dict[str, str]]:
        """Return the jobs in any of some states, oldest first, finished ones included."""
        fields = {
            "id": "%A", "state": "%T", "partition": "%P", "node": "%N", "comment": "%k",
            "memory": "%m", "limit": "%l", "gres": "%b", "nodes": "%D", "folder": "%Z",
        }  # fmt: skip
        options = ("-h", "-S", "i", "-t", ",".join(states) or "all")
        output = self.run("squeue", *options, "-o", "|".join(fields.values()))
        return [dict(zip(fields, line.split("|"), strict=True)) for line in output.splitlines()]

    def processes(self) -> "list[Process]":
        """Return the processes of the cluster other than its daemons: those of jobs."""
        daemons = {daemon.pid for daemon in self._daemons.values()}
        found = [Process(int(path.name)) for path in Path("/proc").glob("[0-9]*")]
        return [
            process
            for process in found
            if process.pid not in daemons
            and (
                f"SEQBENCH_TEST_CLUSTER={self.folder}" in process.environment
                or process.folder.is_relative_to(self.folder)
            )
        ]

    def _run(self, *command: str, name: str | None = None) -> None:
        name = name or command[0]
        self._home(name).mkdir(exist_ok=True)
        with (self.folder / "log" / f"{name}.out").open("ab") as output:
            self._daemons[name] = subprocess.Popen(
                command, cwd=self._home(name), env=self.environment, stdout=output, stderr=output
            )

    def _home(self, name: str) -> Path:
        """Return where a daemon works, and SLURM's processes of jobs, whose environment is lost."""
        return self.folder / "home" / name

    def _write_files(self) -> None:
        for name in ("munge", "state", "spool", "log", "devices", "bin", "home"):
            (self.folder / name).mkdir(mode=0o700)
        (self.folder / "munge" / "key").write_bytes(os.urandom(1024))
        (self.folder / "munge" / "key").chmod(0o600)
        (self.folder / "plugstack.conf").touch()
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=autodetect\n")
        (self.folder / "gres.conf").write_text("".join(map(self._devices, ("gpu1", "gpu2"))))
        ports = free_ports(1 + len(self.NODES))
        nodes = "\n".join(
            f"NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port}"
            + (f" Gres=gpu:{GPUS_PER_NODE}" if node.startswith("gpu") else "")
            for node, port in zip(self.NODES, ports[1:], strict=True)
        )
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout
        self.configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().partition(".")[0],
                port=ports[0],
                user=user.strip(),
                folder=self.folder,
                nodes=nodes,
            )
        )
        # Jobs lose every variable that begins with SLURM_, so each program finds its cluster anew.
        for name in ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo"):
            script = self.folder / "bin" / name
            program = shlex.quote(str(shutil.which(name, path=SYSTEM_PATH)))
            variable = f"SLURM_CONF={shlex.quote(str(self.configuration))}"
            script.write_text(f'#!/bin/sh\nexec env {variable} {program} "$@"\n')
            script.chmod(0o755)

    def _devices(self, node: str) -> str:
        for number in range(GPUS_PER_NODE):
            (self.folder / "devices" / f"{node}-{number}").symlink_to("/dev/null")
        devices = f"{self.folder}/devices/{node}-[0-{GPUS_PER_NODE - 1}]"
        return f"NodeName={node} Name=gpu File={devices}\n"


class Process:
    """A process of this machine, or what is left to see of it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.environment: set[str] = set()
        self.folder = Path("/")
        with suppress(OSError):
            self.environment = set(
                Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
            )
            self.folder = Path(f"/proc/{pid}/cwd").readlink()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


def free_ports(n: int) -> list[int]:
    """Return ports that nothing listens on, below those that outgoing connections take."""
    with ExitStack() as taken:
        ports: list[int] = []
        while len(ports) < n:
            one = taken.enter_context(socket.socket())
            with suppress(OSError):
                one.bind(("127.0.0.1", random.randrange(20000, 32000)))
                ports.append(one.getsockname()[1])
        return ports


def wait_until(condition: Callable[[], object], deadline_s: float, what: str) -> None:
    """Wait until a condition holds, or name what never became true."""
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"after {deadline_s:g} s it is not yet true that {what}")
        time.sleep(0.2)
