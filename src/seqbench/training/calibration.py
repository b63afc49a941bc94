"""Running statistics of batch norms that nothing has trained."""

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from seqbench.models.base import Encoder
from seqbench.training.batches import WindowTable, shuffled
from seqbench.training.loop import EVALUATION_BATCH


@torch.no_grad()
def calibrate(encoder: Encoder, windows: WindowTable, seed: int) -> None:
    """Measure the running statistics of all batch norms on windows, without labels.

    Untrained running statistics are 0 and 1, so that a frozen random encoder
    would not normalise at all. Weights, modes and global random state stay as
    they are; the same weights, windows and seed give the same bits.

    Parameters
    ----------
    encoder
        On the device of `windows`; one without batch norms is left as it is.
    windows
        Of train, without augmentation; one pass in batches of nearly equal size.
    seed
        Of the order of the windows.

    References
    ----------
    Wu, Johnson (2021). Rethinking "batch" in BatchNorm. arXiv:2105.07576,
    section 3 (precise batch norm). Batches weigh the same.
    """
    norms = [module for module in encoder.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    was_training = {module: module.training for module in encoder.modules()}
    momentum = {norm: norm.momentum for norm in norms}
    encoder.eval()  # neither dropout nor noise
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    n_batches = -(-len(windows) // EVALUATION_BATCH)
    order = torch.Generator().manual_seed(seed)
    for index in shuffled(len(windows), n_batches, EVALUATION_BATCH, order):
        batch = windows.batch(index)
        encoder(batch.x, batch.lengths)
    for norm in norms:
        norm.momentum = momentum[norm]
    for module, training in was_training.items():
        module.training = training
