"""One training in several processes, with the losses of one process.

Every process prepares each batch as a whole, with the same draws. Only the network is divided: each
computes its part of the windows, all receive the outputs of all, and every loss, also one that
compares windows, is that of the whole batch. `DistributedDataParallel` averages the gradients,
so that weights, statistics of batch norms, held-out losses and with them every decision are the
same in all processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from seqbench.models.base import inside
from seqbench.training.batches import Batch
from seqbench.training.ranks import Ranks
from seqbench.training.trainable import Trainable


class Divided(Trainable):
    """What the loop trains, with a network of which each process computes a part of every batch.

    Parameters
    ----------
    trainable
        As one process trains it; see `Trainable.divisible`.
    ranks
        Processes of the training.
    """

    def __init__(self, trainable: Trainable, ranks: Ranks) -> None:
        self.trainable = trainable
        self.ranks = ranks
        self.module = trainable.module
        self.starts_fitted = trainable.starts_fitted
        self._learning: list[str] = []
        self._parallel: Callable[[Batch], Tensor] = trainable.loss

    def begin_epoch(self, epoch: int) -> None:
        """Average the gradients of those layers that learn in an epoch."""
        self.trainable.begin_epoch(epoch)
        learning = [name for name, one in self.module.named_parameters() if one.requires_grad]
        if learning != self._learning:
            self._learning = learning
            self._parallel = DistributedDataParallel(
                _Loss(self.trainable), find_unused_parameters=True
            )

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss of a batch, the same in all processes."""
        return self._parallel(batch)

    def watch(self, batch: Batch) -> dict[str, Tensor]:
        """Return means over a batch, those of the first process, so that all decide alike.

        Another kind of processor, and some algorithms of a GPU, give other last digits: if one
        process stopped by them, the others would wait for it.
        """
        watched = self.trainable.watch(batch)
        values = torch.stack([value.double() for value in watched.values()])
        dist.broadcast(values, 0)
        return dict(zip(watched, values, strict=True))

    def set_training(self, training: bool) -> None:
        """Switch between training and evaluation."""
        self.trainable.set_training(training)

    def memory(self) -> dict[str, Tensor]:
        """Return what training changes beside weights: the same in all processes."""
        return self.trainable.memory()

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Take it over."""
        self.trainable.recall(memory)


@contextmanager
def divided(trainable: Trainable, ranks: Ranks | None) -> Iterator[Trainable]:
    """Give a trainable whose network is divided among the processes; None: as it is.

    Each computes its part of the windows of every batch, and has the outputs of all. A batch with
    fewer windows than processes is computed by each as a whole.
    """
    if ranks is None:
        yield trainable
        return
    module, method = trainable.divisible()
    whole = getattr(module, method)
    device = next(trainable.module.parameters()).device
    division = _Division(ranks)

    def of_all(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if len(x) < ranks.n:
            return whole(x, lengths)
        part = ranks.part(len(x))
        draws = _own_draws(ranks, device) if module.training else nullcontext()
        with draws, division:
            own = whole(x[part], None if lengths is None else lengths[part])
        return _gathered(own, len(x), ranks)

    with ExitStack() as stack:
        for norm in trainable.module.modules():
            if isinstance(norm, _BatchNorm):
                _replace(stack, norm, "forward", _synchronized(norm, division))
        _replace(stack, module, method, of_all)
        yield Divided(trainable, ranks)


class _Loss(nn.Module):
    """The loss of a trainable as the forward pass of a module, of the weights that learn alone."""

    def __init__(self, trainable: Trainable) -> None:
        super().__init__()
        learning = [one for one in trainable.module.parameters() if one.requires_grad]
        self.learning = nn.ParameterList(learning)
        self.trainable = trainable

    def forward(self, batch: Batch) -> Tensor:
        return self.trainable.loss(batch)


class _Division:
    """Whether the processes compute parts of a batch at this moment."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        self.is_active = False

    def __enter__(self) -> None:
        self.is_active = True

    def __exit__(self, *_: object) -> None:
        self.is_active = False


@contextmanager
def _own_draws(ranks: Ranks, device: torch.device) -> Iterator[None]:
    """Let each process draw for itself, as dropout does; then all go on with the common draws.

    The seed comes from the common draws, so that no process has a state of its own.
    """
    seed = int(torch.randint(2**31, ())) + ranks.rank
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _replace(stack: ExitStack, module: nn.Module, name: str, function: Callable[..., Any]) -> None:
    """Let an instance have another method until the stack is unwound."""
    setattr(module, name, function)
    stack.callback(delattr, module, name)


class _Gathered(torch.autograd.Function):
    """Outputs of the parts of a batch, (b, ...) of each process, as those of the whole, (B, ...).

    All processes compute the same loss from it. `DistributedDataParallel` takes the mean of
    their gradients, where the sum is needed of what each adds by its part.
    """

    @staticmethod
    def forward(context: Any, own: Tensor, n_windows: int, ranks: Ranks) -> Tensor:
        context.part, context.n = ranks.part(n_windows), ranks.n
        parts = [Ranks(rank, ranks.n).part(n_windows) for rank in range(ranks.n)]
        sizes = [part.stop - part.start for part in parts]
        padded = own.new_zeros(max(sizes), *own.shape[1:])
        padded[: len(own)] = own
        found = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(found, padded)
        return torch.cat([one[:size] for one, size in zip(found, sizes, strict=True)])

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient[context.part] * context.n, None, None


class _Total(torch.autograd.Function):
    """The sum of a tensor over all processes."""

    @staticmethod
    def forward(context: Any, own: Tensor) -> Tensor:
        total = own.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


_gathered: Callable[..., Tensor] = _Gathered.apply
_of_all: Callable[..., Tensor] = _Total.apply


def _synchronized(norm: _BatchNorm, division: _Division) -> Callable[..., Tensor]:
    """Return the forward pass of a batch norm, its statistics those of the parts of all processes.

    Of `torch.nn.SyncBatchNorm` it differs in that it runs on the CPU too, and excludes padding.
    """
    plain: Callable[..., Tensor] = norm.forward

    def forward(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if not (division.is_active and norm.training):
            return plain(x) if lengths is None else plain(x, lengths)
        wide = x.float()
        shape = (1, -1, *(1 for _ in range(x.ndim - 2)))
        over = (0, *range(2, x.ndim))
        weight = torch.ones_like(wide[:, :1])
        if lengths is not None:
            weight = inside(lengths, x.shape[2], x.device)[:, None].float()
        sums = _of_all(torch.cat([(wide * weight).sum(dim=over), weight.sum()[None]]))
        n = sums[-1].detach()
        mean = sums[:-1] / n
        centred = wide - mean.reshape(shape)
        variance = _of_all((centred.square() * weight).sum(dim=over)) / n
        with torch.no_grad():
            _update(norm, mean, variance * n / (n - 1).clamp(min=1))
        normal = centred * (variance + norm.eps).rsqrt().reshape(shape)
        if norm.affine:
            normal = normal * norm.weight.reshape(shape) + norm.bias.reshape(shape)
        return (normal * weight).to(x.dtype)

    return forward


def _update(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Bring the running statistics of a batch norm on."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    share = norm.momentum or 1 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype), share)
