"""Recurrence over windows on one core, compiled by numba: forward, and back through time.

Every step is a few products of small matrices, which BLAS does, and elementwise loops over
arrays that are still in the cache. Nothing else is stored than what the way back needs.

Shapes: T samples, B windows, C channels, H units, G gates. Arrays are float32, contiguous, and
begin with time. Gates stand in the order of `torch.nn`, whose equations these are: of an LSTM
i, f, g, o; of a GRU r, z, n. Importing compiles for some seconds, once on a machine.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401 (loads the BLAS that numba calls, to be limited below)
from numba import njit
from threadpoolctl import ThreadpoolController

Function = TypeVar("Function", bound=Callable[..., Any])

RNN, LSTM, GRU = 0, 1, 2  # kinds of recurrence
# BLAS would split large batches over threads, and last digits depend on how.
_BLAS = ThreadpoolController().select(user_api="blas")

_HALF, _ONE = np.float32(0.5), np.float32(1.0)
# Numerator and denominator in the square of the argument, and where the quotient reaches 1.
_P0, _P1, _P2, _P3, _P4, _P5, _P6 = np.array(
    [4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05, 5.12229709037114e-08,
     -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16], dtype=np.float32,
)  # fmt: skip
_Q0, _Q1, _Q2, _Q3 = np.array(
    [4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06],
    dtype=np.float32,
)
_LARGEST = np.float32(7.90531110763549805)


def _compiled(*signature: str) -> Callable[[Function], Function]:
    """Return a decorator that compiles, and keeps the code on disk where there is room for it."""

    def compile_(function: Function) -> Function:
        options = {"fastmath": {"contract"}, "error_model": "numpy"}
        try:
            return njit(*signature, cache=True, **options)(function)
        except RuntimeError:  # no folder can be written
            return njit(*signature, **options)(function)

    return compile_


def forward(*arguments: Any) -> None:
    """Run `_forward` with one thread."""
    with _BLAS.limit(limits=1):
        _forward(*arguments)


def backward(*arguments: Any) -> None:
    """Run `_backward` with one thread."""
    with _BLAS.limit(limits=1):
        _backward(*arguments)


# Loops are short and have few arrays: only then are they vectorised.


@_compiled()
def _tanh(x: Any) -> Any:
    """Return the hyperbolic tangent to 3e-7, as the rational function of Eigen (`ptanh_float`).

    No loop with a call to the C library is vectorised. NaN stays NaN.
    """
    if x > _LARGEST:
        x = _LARGEST
    if x < -_LARGEST:
        x = -_LARGEST
    s = x * x
    p = ((((((_P6 * s + _P5) * s + _P4) * s + _P3) * s + _P2) * s + _P1) * s + _P0) * x
    return p / (((_Q3 * s + _Q2) * s + _Q1) * s + _Q0)


@_compiled()
def _add(x: Any, y: Any) -> None:
    for j in range(len(x)):
        x[j] += y[j]


@_compiled()
def _add_tanh(x: Any, y: Any) -> None:
    for j in range(len(x)):
        x[j] = _tanh(x[j] + y[j])


@_compiled()
def _add_sigmoid(x: Any, y: Any) -> None:
    for j in range(len(x)):
        x[j] = _tanh((x[j] + y[j]) * _HALF) * _HALF + _HALF


@_compiled()
def _lstm_state(i: Any, f: Any, g: Any, o: Any, before: Any, cell: Any, state: Any) -> None:
    for j in range(len(i)):
        cell[j] = f[j] * before[j] + i[j] * g[j]
    for j in range(len(i)):
        state[j] = o[j] * _tanh(cell[j])


@_compiled()
def _gru_state(r: Any, z: Any, n: Any, m: Any, before: Any, state: Any) -> None:
    for j in range(len(n)):
        n[j] = _tanh(n[j] + r[j] * m[j])
    for j in range(len(n)):
        state[j] = n[j] + z[j] * (before[j] - n[j])


@_compiled(
    "void(int64, float32[:,:,::1], float32[:,:,::1], float32[:,:,::1], float32[::1], int64[::1],"
    " boolean, float32[:,:,:,::1], float32[:,:,::1], float32[:,:,::1])"
)
def _forward(
    kind: Any,
    x: Any,
    weight: Any,
    recurrent: Any,
    bias: Any,
    lengths: Any,
    backwards: Any,
    gates: Any,
    memory: Any,
    states: Any,
) -> None:
    """Fill the states of all samples.

    Parameters
    ----------
    kind
        RNN, LSTM or GRU.
    x
        Windows with a last channel of ones, which reads the biases, (T, B, C + 1).
    weight, recurrent
        (G, C + 1, H) and (G, H, H), from input and from state to gate.
    bias
        Of the state's term of n in a GRU, (H,).
    lengths
        Samples of each window, (B,).
    backwards
        Read from the end of each window to its start.
    gates
        Output: gates after their activation, (T, G, B, H); (1, G, B, H): room for one step.
    memory
        Output: of an LSTM the cells, of a GRU the state's term of n, (T, B, H); else empty.
    states
        Output: (T, B, H), zero past the end of each window.
    """
    n_samples, n_windows, n_units = states.shape
    n_gates, size = weight.shape[0], n_windows * n_units
    product = np.zeros((n_gates, n_windows, n_units), np.float32)
    of_state = product.reshape(n_gates, size)
    before = cell = np.zeros((n_windows, n_units), np.float32)
    for step in range(n_samples):
        t = n_samples - 1 - step if backwards else step
        of_step = gates[t % len(gates)]
        gate = of_step.reshape(n_gates, size)
        for k in range(n_gates):
            np.dot(x[t], weight[k], of_step[k])
            if step > 0:
                np.dot(before, recurrent[k], product[k])
        state = states[t].reshape(size)
        if kind == RNN:
            _add_tanh(gate[0], of_state[0])
            state[:] = gate[0]
        elif kind == LSTM:
            _add_sigmoid(gate[0], of_state[0])
            _add_sigmoid(gate[1], of_state[1])
            _add_tanh(gate[2], of_state[2])
            _add_sigmoid(gate[3], of_state[3])
            after = memory[t].reshape(size)
            _lstm_state(gate[0], gate[1], gate[2], gate[3], cell.reshape(size), after, state)
            cell = memory[t]
        else:
            _add_sigmoid(gate[0], of_state[0])
            _add_sigmoid(gate[1], of_state[1])
            for b in range(n_windows):
                for j in range(n_units):
                    memory[t, b, j] = product[2, b, j] + bias[j]
            term = memory[t].reshape(size)
            _gru_state(gate[0], gate[1], gate[2], term, before.reshape(size), state)
        before = states[t]
        for b in range(n_windows):
            if t >= lengths[b]:
                before[b] = 0
                if kind == LSTM:
                    cell[b] = 0


@_compiled()
def _rnn_back(d: Any, state: Any, dx: Any) -> None:
    for j in range(len(d)):
        dx[j] = d[j] * (_ONE - state[j] * state[j])


@_compiled()
def _lstm_back(
    d: Any, dc: Any, i: Any, f: Any, g: Any, o: Any, before: Any, cell: Any,
    di: Any, df: Any, dg: Any, do: Any,
) -> None:  # fmt: skip
    for j in range(len(d)):
        tanh = _tanh(cell[j])
        do[j] = d[j] * tanh * o[j] * (_ONE - o[j])
        dc[j] += d[j] * o[j] * (_ONE - tanh * tanh)
    for j in range(len(d)):
        di[j] = dc[j] * g[j] * i[j] * (_ONE - i[j])
    for j in range(len(d)):
        df[j] = dc[j] * before[j] * f[j] * (_ONE - f[j])
    for j in range(len(d)):
        dg[j] = dc[j] * i[j] * (_ONE - g[j] * g[j])
    for j in range(len(d)):
        dc[j] *= f[j]


@_compiled()
def _gru_back(
    d: Any, r: Any, z: Any, n: Any, m: Any, before: Any, dr: Any, dz: Any, dn: Any, dm: Any
) -> None:
    for j in range(len(d)):
        dz[j] = d[j] * (before[j] - n[j]) * z[j] * (_ONE - z[j])
    for j in range(len(d)):
        dn[j] = d[j] * (_ONE - z[j]) * (_ONE - n[j] * n[j])
        d[j] *= z[j]
    for j in range(len(d)):
        dr[j] = dn[j] * m[j] * r[j] * (_ONE - r[j])
        dm[j] = dn[j] * r[j]


@_compiled(
    "void(int64, float32[:,:,::1], float32[:,::1], float32[:,:,::1], float32[:,:,::1],"
    " float32[:,:,::1], int64[::1], boolean, float32[:,:,:,::1], float32[:,:,::1],"
    " float32[:,:,::1], float32[:,:,::1], float32[:,:,::1], float32[:,:,::1], float32[::1])"
)
def _backward(
    kind: Any,
    d_states: Any,
    d_cell: Any,
    x: Any,
    weight: Any,
    recurrent: Any,
    lengths: Any,
    backwards: Any,
    gates: Any,
    memory: Any,
    states: Any,
    d_x: Any,
    d_weight: Any,
    d_recurrent: Any,
    d_bias: Any,
) -> None:
    """Add the gradients of what `_forward` was given.

    Parameters
    ----------
    kind, x, lengths, backwards, gates, memory, states
        As in `_forward`, after it.
    d_states
        Gradient of the states, (T, B, H).
    d_cell
        Gradient of the last cells of an LSTM, (B, H); overwritten.
    weight, recurrent
        From gate to input (G, H, C), without the ones, and from gate to state (G, H, H).
    d_x
        Output: (T, B, C), or empty if nobody needs it.
    d_weight, d_recurrent, d_bias
        Output, zero before: (G, C + 1, H), (G, H, H), (H,).
    """
    n_samples, n_windows, n_units = states.shape
    n_gates, size = weight.shape[0], n_windows * n_units
    # A GRU has one more: the third gate's gradient in the state's term, behind that of its own.
    d_gates = np.zeros((n_gates + 1, n_windows, n_units), np.float32)
    d_gate = d_gates.reshape(n_gates + 1, size)
    d_before = np.zeros((n_windows, n_units), np.float32)
    d, dc = d_before.reshape(size), d_cell.reshape(size)
    part_of_x = np.empty((n_windows, d_x.shape[2]), np.float32)
    part_of_state = np.empty((n_windows, n_units), np.float32)
    part_of_weight = np.empty((x.shape[2], n_units), np.float32)
    part_of_recurrent = np.empty((n_units, n_units), np.float32)
    nothing = np.zeros((n_windows, n_units), np.float32)
    for step in range(n_samples - 1, -1, -1):
        t = n_samples - 1 - step if backwards else step
        earlier = t + 1 if backwards else t - 1
        before = states[earlier] if step > 0 else nothing
        _add(d, d_states[t].reshape(size))
        for b in range(n_windows):
            if t >= lengths[b]:
                d_before[b] = 0
                d_cell[b] = 0
        if kind == RNN:
            _rnn_back(d, states[t].reshape(size), d_gate[0])
        elif kind == LSTM:
            gate = gates[t].reshape(n_gates, size)
            cell = memory[earlier] if step > 0 else nothing
            _lstm_back(
                d, dc, gate[0], gate[1], gate[2], gate[3], cell.reshape(size),
                memory[t].reshape(size), d_gate[0], d_gate[1], d_gate[2], d_gate[3],
            )  # fmt: skip
        else:
            gate = gates[t].reshape(n_gates, size)
            _gru_back(
                d, gate[0], gate[1], gate[2], memory[t].reshape(size), before.reshape(size),
                d_gate[0], d_gate[1], d_gate[2], d_gate[3],
            )  # fmt: skip
            for b in range(n_windows):
                _add(d_bias, d_gates[3, b])
        if kind != GRU:
            d[:] = 0
        for k in range(n_gates):
            np.dot(x[t].T, d_gates[k], part_of_weight)
            _add(d_weight[k].reshape(part_of_weight.size), part_of_weight.reshape(-1))
            if d_x.size:
                np.dot(d_gates[k], weight[k], part_of_x)
                if k == 0:
                    d_x[t] = part_of_x
                else:
                    _add(d_x[t].reshape(part_of_x.size), part_of_x.reshape(-1))
            if step > 0:
                d_product = d_gates[k + 1] if kind == GRU and k == 2 else d_gates[k]
                np.dot(before.T, d_product, part_of_recurrent)
                _add(d_recurrent[k].reshape(part_of_recurrent.size), part_of_recurrent.reshape(-1))
                np.dot(d_product, recurrent[k], part_of_state)
                _add(d, part_of_state.reshape(size))
