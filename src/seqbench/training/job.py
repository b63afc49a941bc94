"""A job that trains: what it reads, with which settings, on which machine, and what it writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from seqbench.config.stages import STATE_EVERY_S
from seqbench.errors import UserError
from seqbench.plan.job_settings import FinetuneJobSettings, PretrainJobSettings
from seqbench.process.origin import versions
from seqbench.training.reproducibility import choose_device
from seqbench.training.state import StateKeeper, file_digest, keeping


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where a model trains; no setting of the run.

    Parameters
    ----------
    device
        auto, cpu, cuda or cuda:N.
    threads
        Of one training.
    tensorboard
        Folder for TensorBoard logs; None: none are written.
    out_of_memory
        Where a GPU has no room for a batch: stop, or train once more with half of it.
    """

    device: str = "auto"
    threads: int = 1
    tensorboard: Path | None = None
    out_of_memory: Literal["refuse", "halve"] = "refuse"


@dataclass(frozen=True, kw_only=True)
class StateSettings:
    """How the state of a training under way is kept; no setting of the run.

    Parameters
    ----------
    folder
        From which an interrupted training goes on; None: it begins anew.
    every_s
        Seconds between two states.
    code
        Digest of the code: a training goes on with the same code only.
    """

    folder: Path | None = None
    every_s: float = STATE_EVERY_S
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What pretraining and fine-tuning have in common.

    Parameters
    ----------
    windows, history
        `windows.h5` that is read, and CSV file that is written.
    settings
        Of the model and its optimizer.
    machine, state
        See `Machine` and `StateSettings`.
    halved
        Whether the batch size is half of what the configuration has.
    """

    windows: Path
    history: Path
    settings: FinetuneJobSettings | PretrainJobSettings
    machine: Machine = Machine()
    state: StateSettings = StateSettings()
    halved: bool = False

    @property
    def inputs(self) -> dict[str, Path | None]:
        """Files that are read, by name."""
        return {"windows": self.windows}

    @property
    def outputs(self) -> list[Path]:
        """Files that are written."""
        return [self.history]

    @property
    def names(self) -> dict[str, object]:
        """What distinguishes this job from others with the same settings."""
        return {}

    def identity(self) -> dict[str, str]:
        """Return what decides the course of the training; a state of another is not continued."""
        return {
            **{name: str(value) for name, value in self.names.items()},
            **{name: file_digest(path) for name, path in self.inputs.items() if path is not None},
            "settings": self.settings.to_json(),
            "device": choose_device(self.machine.device).type,
            "threads": str(self.machine.threads),
            "code": self.state.code,
            "version of torch": versions()["torch"],
        }


Job = TypeVar("Job", bound=TrainingJob)
Train = Callable[[Job, StateKeeper | None], None]


@contextmanager
def keeping_state(job: TrainingJob) -> Iterator[StateKeeper | None]:
    """Keep the state of a training, if requested, until its outputs are in place."""
    if job.state.folder is None:
        yield None
        return
    if not job.state.code:
        raise UserError("--state needs --code: a training goes on with the same code only")
    with keeping(job.state.folder, job.identity, job.state.every_s, job.outputs) as keeper:
        yield keeper
