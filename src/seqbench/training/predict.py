"""Predictions of a trained model."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqbench.models.base import inside
from seqbench.storage.detections import Candidates
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel
from seqbench.storage.windows import WindowSet
from seqbench.training.batches import WindowTable
from seqbench.training.devices import claim_device
from seqbench.training.loop import EVALUATION_BATCH
from seqbench.training.model import Model, load_model
from seqbench.training.reproducibility import prepare


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
        return model.head.find(model, windows, device, window_samples)
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
    return model.head.finish(windows, np.concatenate(found))


def predictor(
    stored: StoredModel[ModelHeader], path: Path, device: str, threads: int
) -> tuple[Any, bool, float | None]:
    """Return a function from windows to scores, whether these are probabilities, `compile_s`."""
    where = claim_device(device)
    prepare(threads, where)
    model = load_model(stored, path)
    window_samples = stored.header.window_samples
    return lambda windows: predict(model, windows, where, window_samples), True, None
