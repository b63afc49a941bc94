"""Recurrent layers: those of torch, with kernels of this project where these are faster."""

import logging
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

RNN, LSTM, GRU = 0, 1, 2  # kinds, as the kernels know them
State = Any  # (1, B, H), of an LSTM two of them
logger = logging.getLogger("seqbench")


@cache
def kernels() -> ModuleType | None:
    """Return the kernels, compiled or loaded when first needed; None: numba does not run here."""
    try:
        from seqbench.models import recurrent_kernels
    except ImportError as error:  # numba does not go with every version of NumPy
        logger.warning("recurrent layers run in torch, more slowly and to other digits: %s", error)
        return None
    return recurrent_kernels


class _Recurrence(torch.autograd.Function):
    """The kernels as a function of torch: states (B, T, H), and last cells (B, H) of an LSTM."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        recurrent: Tensor,
        bias: Tensor,
        recurrent_bias: Tensor,
        lengths: Tensor,
        kind: int,
        backwards: bool,
    ) -> tuple[Tensor, Tensor | None]:
        n_windows, n_samples, n_channels = x.shape
        n_units = recurrent.shape[1]
        n_gates = len(recurrent) // n_units
        with_ones = x.new_ones(n_samples, n_windows, n_channels + 1)
        with_ones[..., :n_channels] = x.transpose(0, 1)
        biases, n_joined = bias.clone(), (2 if kind == GRU else n_gates) * n_units
        biases[:n_joined] += recurrent_bias[:n_joined]
        into = torch.cat([weight, biases[:, None]], dim=1).view(n_gates, n_units, -1)
        needs_gradient = any(ctx.needs_input_grad)
        n_kept = n_samples if needs_gradient and kind != RNN else 1
        gates = x.new_empty(n_kept, n_gates, n_windows, n_units)
        states = x.new_empty(n_samples, n_windows, n_units)
        memory = x.new_empty(0, 0, 0) if kind == RNN else torch.empty_like(states)
        run = cast(ModuleType, kernels())
        run.forward(
            kind, with_ones.numpy(), _turned(into), _turned(recurrent.view(n_gates, n_units, -1)),
            recurrent_bias[-n_units:].numpy(), lengths.numpy(), backwards,
            gates.numpy(), memory.numpy(), states.numpy(),
        )  # fmt: skip
        if needs_gradient:
            ctx.kind, ctx.backwards = kind, backwards
            ctx.save_for_backward(with_ones, weight, recurrent, lengths, gates, memory, states)
        cells = None
        if kind == LSTM:
            cells = memory[0 if backwards else -1].clone()
        return states.transpose(0, 1), cells

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor, d_cells: Tensor | None) -> tuple[Tensor | None, ...]:
        with_ones, weight, recurrent, lengths, gates, memory, states = ctx.saved_tensors
        n_samples, n_windows, n_units = states.shape
        n_gates = len(recurrent) // n_units
        if d_cells is None:
            d_cells = states.new_zeros(n_windows, n_units)
        d_x = states.new_empty(0, 0, 0)
        if ctx.needs_input_grad[0]:
            d_x = states.new_empty(n_samples, n_windows, weight.shape[1])
        d_weight = states.new_zeros(n_gates, with_ones.shape[2], n_units)
        d_recurrent = states.new_zeros(n_gates, n_units, n_units)
        d_term = states.new_zeros(n_units)
        run = cast(ModuleType, kernels())
        run.backward(
            ctx.kind, d_states.transpose(0, 1).contiguous().numpy(), d_cells.clone().numpy(),
            with_ones.numpy(), weight.view(n_gates, n_units, -1).numpy(),
            recurrent.view(n_gates, n_units, -1).numpy(), lengths.numpy(), ctx.backwards,
            gates.numpy(), memory.numpy(), states.numpy(),
            d_x.numpy(), d_weight.numpy(), d_recurrent.numpy(), d_term.numpy(),
        )  # fmt: skip
        d_bias = d_weight[:, -1].flatten()
        d_recurrent_bias = d_bias.clone()
        if ctx.kind == GRU:
            d_recurrent_bias[-n_units:] = d_term
        return (
            d_x.transpose(0, 1) if ctx.needs_input_grad[0] else None,
            d_weight[:, :-1].transpose(1, 2).reshape(weight.shape),
            d_recurrent.transpose(1, 2).reshape(recurrent.shape),
            d_bias,
            d_recurrent_bias,
            None,
            None,
            None,
        )


def _turned(weights: Tensor) -> Any:
    """Return weights (G, H, n) as an array (G, n, H)."""
    return weights.transpose(1, 2).contiguous().numpy()


class RecurrentLayer(nn.RNNBase):
    """One layer in one direction, with the parameters and initial values of torch's.

    On a CPU in single precision, kernels of this project compute it, forward and
    back, in less time; elsewhere, where a state is given and where a graph is traced
    or compiled, torch does. An LSTM without gradients is faster in torch as well.

    Parameters
    ----------
    n_inputs, n_units
        Channels C of a sequence and units H.

    Notes
    -----
    Frames and gradients equal those of torch to 1e-5. There are no second derivatives.
    """

    kind: ClassVar[int]
    of_torch: ClassVar[Callable[..., nn.RNNBase]]

    def __init__(self, n_inputs: int, n_units: int) -> None:
        super().__init__(n_inputs, n_units, batch_first=True)  # type: ignore[call-arg, arg-type]

    def forward(
        self,
        x: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        backwards: bool = False,
    ) -> tuple[Tensor, State]:
        """Read sequences.

        Parameters
        ----------
        x
            Sequences, (B, T, C).
        state
            Before the first sample, as `torch.nn` has it; None: zeros.
        lengths
            Samples of each sequence, (B,) int64 on the CPU; None: all have T.
        backwards
            Read each sequence from its own end to its start.

        Returns
        -------
        tuple
            The state after every sample, (B, T, H), and the one after all as `torch.nn` has it.
            With `lengths`, states past an end mean nothing, and there is no last one.
        """
        if state is not None or not self._has_kernel(x):
            return self._read_by_torch(x, state, lengths, backwards)
        ends = x.shape[1] if lengths is None else lengths
        states, cells = _Recurrence.apply(  # type: ignore[no-untyped-call]
            x, self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0,
            torch.as_tensor(ends).expand(len(x)).contiguous(), self.kind, backwards,
        )  # fmt: skip
        if lengths is not None:
            return states, None
        last = states[:, 0 if backwards else -1][None]
        return states, last if cells is None else (last, cells[None])

    def _has_kernel(self, x: Tensor) -> bool:
        """Return whether the kernels take these sequences; graphs are traced from torch."""
        return (
            x.device.type == "cpu"
            and x.dtype == self.weight_ih_l0.dtype == torch.float32
            and x.dim() == 3
            and 0 not in x.shape
            and (self.kind != LSTM or torch.is_grad_enabled())
            and not torch.is_autocast_enabled("cpu")
            and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
            and not torch.compiler.is_compiling()
            and kernels() is not None
        )

    def _read_by_torch(
        self, x: Tensor, state: State, lengths: Tensor | None, backwards: bool
    ) -> tuple[Tensor, State]:
        turned = None if lengths is None else turning(lengths, x.shape[1], x.device)
        states, last = super().forward(turn(x, turned) if backwards else x, state)
        if backwards:
            states = turn(states, turned)
        return states, last if lengths is None else None


class Rnn(RecurrentLayer, nn.RNN):  # type: ignore[misc]
    """Layer of tanh units, as `torch.nn.RNN`."""

    kind = RNN
    of_torch = nn.RNN


class Lstm(RecurrentLayer, nn.LSTM):  # type: ignore[misc]
    """Layer of long short-term memory, as `torch.nn.LSTM`."""

    kind = LSTM
    of_torch = nn.LSTM


class Gru(RecurrentLayer, nn.GRU):  # type: ignore[misc]
    """Layer of gated recurrent units, as `torch.nn.GRU`: the reset gate acts on the product.

    Cho et al. (2014) let it act on the state, before the product with the weights.
    """

    kind = GRU
    of_torch = nn.GRU


def turning(lengths: Tensor, n: int, device: torch.device) -> Tensor:
    """Return the index (B, n) that turns each sequence round within its own length."""
    position = torch.arange(n, device=device)
    mirrored = lengths.to(device)[:, None] - 1 - position
    return torch.where(mirrored >= 0, mirrored, position)


def turn(x: Tensor, index: Tensor | None) -> Tensor:
    """Turn sequences (B, T, D) round: whole, or by an index from `turning`."""
    if index is None:
        return x.flip(1)
    return x.gather(1, index[..., None].expand_as(x))
