"""Weights that an encoder starts from: of a pretraining, or of a file from elsewhere."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import FormatError, UserError
from seqbench.plan.job_settings import FinetuneJobSettings
from seqbench.storage.model_header import EncoderHeader, ModelHeader
from seqbench.storage.models import read_model
from seqbench.storage.records import Cost, PretrainingOutcome
from seqbench.storage.windows import WindowSet
from seqbench.windowing.compatible import check_compatible

OF_ENCODER = "encoder."  # before the names of its weights in a model


@dataclass(frozen=True, kw_only=True)
class InitialEncoder:
    """Weights of an encoder, and how it came to them.

    Parameters
    ----------
    arrays
        By name.
    source
        What trained them, for the manifest.
    cost
        Of the pretraining; of a model none, as it was trained for something else.
    pretraining
        How the pretraining ended; None: there was none.
    batch_size_halved
        Whether it was trained with half the batch size.
    """

    arrays: dict[str, NDArray[Any]]
    source: str
    cost: Cost = field(default_factory=Cost)
    pretraining: PretrainingOutcome | None = None
    batch_size_halved: bool = False


def read_encoder(
    path: Path, settings: FinetuneJobSettings, train: WindowSet, dataset: str
) -> InitialEncoder:
    """Read the encoder that a model starts from.

    Parameters
    ----------
    path
        An encoder of `pretrain`, or a model of `finetune`, whose head is left out.
    settings
        Of the model that starts from it.
    train, dataset
        Its windows and their dataset.

    Raises
    ------
    FormatError
        If the file is missing, damaged, or holds neither.
    UserError
        If its architecture or an option of it is another, or it was trained on signals that
        `dataset` does not have.
    """
    stored = read_model(path)
    header = stored.header
    if not isinstance(header, EncoderHeader | ModelHeader):
        raise FormatError(f"{path}: holds a {header.kind}, not an encoder or a model with one")
    _check_architecture(path, header, settings)
    if isinstance(header, ModelHeader):
        check_compatible(train, dataset, header, header.run.dataset, ids_count=True)
        arrays = {
            name.removeprefix(OF_ENCODER): array
            for name, array in stored.arrays.items()
            if name.startswith(OF_ENCODER)
        }
        return InitialEncoder(arrays=arrays, source=f"model of {header.run.dataset}")
    if header.channels:  # older files do not state them
        check_compatible(train, dataset, header, header.pretraining.dataset or "the file's")
    return InitialEncoder(
        arrays=stored.arrays,
        source=header.pretraining.objective,
        cost=header.cost,
        pretraining=header.pretraining,
        batch_size_halved=header.batch_size_halved,
    )


def _check_architecture(
    path: Path, header: EncoderHeader | ModelHeader, settings: FinetuneJobSettings
) -> None:
    """Refuse an encoder with other options: not all of them show in the shapes of weights."""
    if header.architecture != settings.architecture:
        raise UserError(
            f"{path}: is of the architecture {header.architecture}, not {settings.architecture};"
            " give its `init` to that one"
        )
    options = ARCHITECTURES.entry(settings.architecture).options
    theirs, ours = (
        options.model_validate(one).model_dump(mode="json")  # older files lack newer options
        for one in (header.architecture_options, settings.architecture_options)
    )
    if isinstance(header, ModelHeader):  # no encoder of tokens stands in a file of its own
        theirs["embedding_size"] = header.embedding_size
        ours["embedding_size"] = settings.embedding_size
    for name in theirs:
        if theirs[name] != ours[name]:
            raise UserError(
                f"{path}: was trained with `{name}: {theirs[name]}`, but the model has"
                f" `{name}: {ours[name]}`; give the architecture the options of the file"
            )
