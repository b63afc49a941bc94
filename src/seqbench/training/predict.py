"""What a trained model says of a split."""

import numpy as np
import torch

from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet
from seqbench.training.batches import WindowTable
from seqbench.training.finetune import Model
from seqbench.training.loop import EVALUATION_BATCH


@torch.no_grad()
def predict(
    model: Model, windows: WindowSet, device: torch.device, window_samples: int
) -> np.ndarray | Candidates:
    """Return the scores of every window, (N, ...), or what is found in whole recordings.

    Parameters
    ----------
    model
        Its head says which of the two.
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
    scores = [
        model.head.scores(model(batch.x, batch.lengths)).cpu().numpy()
        for batch in WindowTable(windows, device).batches(EVALUATION_BATCH)
    ]
    return np.concatenate(scores)
