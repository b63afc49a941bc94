"""A network of an encoder and a head, built from the header of its file, and its predictions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqbench.config.messages import option_problems
from seqbench.config.registry import ARCHITECTURES, TASKS
from seqbench.errors import FormatError, UserError, one_line
from seqbench.models.base import Encoder, inside
from seqbench.models.embedding import build_encoder
from seqbench.models.instance_norm import centre_and_scale, restored, standardized
from seqbench.storage.detections import Candidates
from seqbench.storage.model_header import ModelHeader, NetworkHeader
from seqbench.storage.models import StoredModel
from seqbench.storage.windows import WindowSet
from seqbench.tasks.base import Task
from seqbench.tasks.head import Head
from seqbench.training.batches import WindowTable
from seqbench.training.devices import claim_device
from seqbench.training.loop import EVALUATION_BATCH
from seqbench.training.reproducibility import prepare

MAX_REASON = 300  # characters of a foreign error in a message


class Model(nn.Module):
    """An encoder with the head of a task: windows (B, T, C) to logits."""

    def __init__(self, encoder: Encoder, head: Head) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits."""
        if not self.head.instance_norm:
            return self._logits(x, lengths)
        centre, scale = centre_and_scale(x, lengths)
        own = self._logits(standardized(x, centre, scale, lengths), lengths)
        return restored(own, centre, scale)

    def loss(
        self, x: Tensor, lengths: Tensor | None, target: Any, weight: Tensor | None = None
    ) -> Tensor:
        """Return the head's loss of windows (B, T, C), shape ()."""
        if not self.head.has_frame_loss:
            return self.head.loss(self(x, lengths), target, weight)
        frames = self.encoder(x, lengths)
        return self.head.frame_loss(frames, self.encoder.frame_lengths(lengths), target, weight)

    def _logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        frames = self.encoder(x, lengths)
        logits: Tensor = self.head(frames, self.encoder.frame_lengths(lengths))
        return logits


def build_model(header: NetworkHeader) -> Model:
    """Build a model with random weights from the header of its file."""
    encoder = build_encoder(
        header.architecture,
        header.architecture_options,
        len(header.channels),
        sample=header.sample,
        frame_size=header.frame_size,
        embedding_size=header.embedding_size,
        sampling_rate_hz=header.sampling_rate_hz,
        n_types=len(header.classes),
    )
    task = TASKS[header.task](**header.task_options)
    return Model(encoder, task.head(encoder, header))


def load_model(stored: StoredModel[NetworkHeader], path: Path) -> Model:
    """Rebuild a model with its weights, ready to predict.

    Nothing is allocated before names, shapes and kinds of the arrays are those
    of the model that the header describes.

    Parameters
    ----------
    stored
        Header and weights.
    path
        Where they come from, for errors.

    Raises
    ------
    FormatError
        If the header describes no model, or one of other arrays.
    """
    try:
        _check_options(stored.header)
        with torch.device("meta"):
            expected = build_model(stored.header).state_dict()
    except (LookupError, OverflowError, RuntimeError, TypeError, ValueError) as error:
        reason = one_line(str(error))[:MAX_REASON]
        raise FormatError(f"{path}: its header describes no model ({reason})") from None
    given = {name: torch.from_numpy(array) for name, array in stored.arrays.items()}
    if different := sorted(expected.keys() ^ given.keys()):
        raise FormatError(f"{path}: has not the arrays of its header ({different[0]!r})")
    for name, tensor in expected.items():
        if (tensor.shape, tensor.dtype) != (given[name].shape, given[name].dtype):
            raise FormatError(
                f"{path}: array {name!r} is {_described(given[name])}, by its header"
                f" {_described(tensor)}"
            )
    model = build_model(stored.header)
    model.load_state_dict(given)
    return model.eval()


def _check_options(header: NetworkHeader) -> None:
    """Refuse names and options that no configuration may have."""
    for registry, name, options in (
        (ARCHITECTURES, header.architecture, header.architecture_options),
        (TASKS, header.task, header.task_options),
    ):
        if name not in registry:
            raise ValueError(registry.unknown(name))
        for problem in option_problems(name, registry, name, options):
            raise ValueError(problem)


def _described(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


@torch.no_grad()
def predict(
    model: Model, windows: WindowSet, device: torch.device, window_samples: int
) -> np.ndarray | Candidates:
    """Return the scores of windows (N, ...), of samples (S, ...), or what whole recordings hold.

    Samples stand window after window, without those past an end.

    Parameters
    ----------
    model
        Its head decides which of the three.
    windows
        Of one split.
    device
        Where the model runs.
    window_samples
        Longest window the model was trained on; whole recordings are cut to it.
    """
    model.eval().to(device)
    if model.head.reads == "recordings":
        return model.head.find([model], windows, device, window_samples)
    found = []
    for batch in WindowTable(windows, device, with_targets=False).batches(EVALUATION_BATCH):
        scores = model.head.scores(model(batch.x, batch.lengths))
        if model.head.reads == "samples":
            n_samples = batch.x.shape[1]
            scores = scores[:, :n_samples]
            if batch.lengths is None:
                scores = scores.flatten(0, 1)
            else:
                scores = scores[inside(batch.lengths, n_samples, device)]
        found.append(scores.cpu().numpy())
    task: Task = TASKS[windows.task]()
    return task.finished(windows, np.concatenate(found))


def predictor(
    stored: StoredModel[ModelHeader], path: Path, device: str, threads: int | None
) -> tuple[Any, bool, float | None]:
    """Return a function from windows to scores, whether these are probabilities, `compile_s`."""
    where = claim_device(device)
    prepare(threads, where)
    model = load_model(stored, path)
    window_samples = stored.header.window_samples
    return lambda windows: predict(model, windows, where, window_samples), True, None


def ensemble(
    stored: Sequence[StoredModel[ModelHeader]],
    paths: Sequence[Path],
    device: str,
    threads: int | None,
) -> tuple[Any, bool, float | None]:
    """Return the same of several networks of one dataset, whose scores are averaged.

    Scores of windows and of samples are averaged as they are, those of whole recordings frame
    by frame, before anything is sought in them.

    Raises
    ------
    UserError
        If networks that read whole recordings cut them to different lengths.
    """
    where = claim_device(device)
    prepare(threads, where)
    models = [load_model(one, path).to(where) for one, path in zip(stored, paths, strict=True)]
    lengths = [one.header.window_samples for one in stored]
    reads_recordings = models[0].head.reads == "recordings"
    if reads_recordings and len(set(lengths)) > 1:
        raise UserError(
            f"{paths[0]}: the windows of these models differ in length, so their frames cannot be"
            " averaged; name models of one dataset"
        )

    def mean(windows: WindowSet) -> Any:
        if reads_recordings:
            return models[0].head.find(models, windows, where, lengths[0])
        pairs = zip(models, lengths, strict=True)
        each = [np.asarray(predict(model, windows, where, n)) for model, n in pairs]
        return np.mean(each, axis=0)

    return mean, True, None
