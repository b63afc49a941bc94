"""Recurrent layers with kernels of this project give what torch's give, forward and back."""

import sys

import pytest
import torch
from torch import nn

import seqbench.models
from seqbench.models import recurrent_kernels, recurrent_layers
from seqbench.models.recurrent_layers import Gru, Lstm, Rnn, turn, turning
from seqbench.training.cost import macs_per_window

LAYERS = {"rnn": (Rnn, nn.RNN), "lstm": (Lstm, nn.LSTM), "gru": (Gru, nn.GRU)}
EXACT = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(params=list(LAYERS))
def pair(request):
    """Return a function from channels and units to a layer and torch's with the same weights."""

    def build(n_channels=3, n_units=5):
        own, of_torch = LAYERS[request.param]
        torch.manual_seed(0)
        theirs = of_torch(n_channels, n_units, batch_first=True)
        ours = own(n_channels, n_units)
        ours.load_state_dict(theirs.state_dict())
        return ours, theirs

    return build


@pytest.fixture
def run_by_kernel(monkeypatch):
    """Return a list of one number: how many times the kernels ran forward."""
    count = [0]
    forward = recurrent_kernels.forward

    def counted(*arguments):
        count[0] += 1
        forward(*arguments)

    monkeypatch.setattr(recurrent_kernels, "forward", counted)
    return count


def gradients(layer, x, outputs, seed=1):
    """Return the gradients of input and weights for random gradients of the outputs."""
    torch.manual_seed(seed)
    of_outputs = [torch.randn(one.shape) for one in outputs]
    return torch.autograd.grad(outputs, [x, *layer.parameters()], of_outputs)


def flat(frames, state):
    return [frames, *(state if isinstance(state, tuple) else (state,))]


@pytest.mark.parametrize(
    ("n_windows", "n_samples", "n_channels", "n_units"),
    [(4, 9, 3, 5), (1, 7, 1, 16), (5, 1, 2, 3), (33, 6, 17, 64)],
)
def test_frames_last_states_and_all_gradients_are_those_of_torch(
    pair, run_by_kernel, n_windows, n_samples, n_channels, n_units
):
    ours, theirs = pair(n_channels, n_units)
    x = torch.randn(n_windows, n_samples, n_channels, requires_grad=True)

    found, expected = flat(*ours(x)), flat(*theirs(x))

    assert run_by_kernel == [1]
    torch.testing.assert_close(found, expected, **EXACT)
    torch.testing.assert_close(gradients(ours, x, found), gradients(theirs, x, expected), **EXACT)


@pytest.mark.parametrize("backwards", [False, True])
def test_windows_of_different_lengths_are_read_within_their_own(pair, run_by_kernel, backwards):
    ours, theirs = pair()
    lengths = torch.tensor([9, 1, 4, 8])
    x = torch.randn(4, 9, 3, requires_grad=True)
    inside = (torch.arange(9) < lengths[:, None])[..., None]
    index = turning(lengths, 9, x.device)

    found, state = ours(x, lengths=lengths, backwards=backwards)
    expected = turn(theirs(turn(x, index))[0], index) if backwards else theirs(x)[0]

    assert run_by_kernel == [1]
    assert state is None
    found, expected = found * inside, expected * inside
    torch.testing.assert_close(found, expected, **EXACT)
    torch.testing.assert_close(
        gradients(ours, x, [found]), gradients(theirs, x, [expected]), **EXACT
    )


def test_whole_windows_read_backwards_end_at_their_start(pair):
    ours, theirs = pair()
    x = torch.randn(4, 9, 3)

    found = flat(*ours(x, backwards=True))

    expected = flat(*theirs(x.flip(1)))
    torch.testing.assert_close(found, [expected[0].flip(1), *expected[1:]], **EXACT)


def test_a_window_that_is_no_block_of_memory_is_read_as_it_stands(pair, run_by_kernel):
    ours, _ = pair()
    wide = torch.randn(9, 4, 6, requires_grad=True)
    x = wide.transpose(0, 1)[..., ::2]

    found, expected = ours(x)[0], ours(x.contiguous())[0]

    assert run_by_kernel == [2]
    assert torch.equal(found, expected)
    assert torch.equal(
        torch.autograd.grad(found.sum(), wide)[0], torch.autograd.grad(expected.sum(), wide)[0]
    )


def test_the_same_input_gives_the_same_digits(pair):
    ours, _ = pair(17, 64)
    x = torch.randn(33, 20, 17, requires_grad=True)

    first, second = ((frames, *gradients(ours, x, [frames])) for frames in (ours(x)[0], ours(x)[0]))

    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_evaluation_gives_the_frames_of_training(pair):
    ours, _ = pair()
    x = torch.randn(4, 9, 3)

    with torch.no_grad():
        frames = ours(x)[0]

    torch.testing.assert_close(frames, ours(x)[0].detach(), **EXACT)


def test_an_lstm_without_gradients_is_left_to_torch(run_by_kernel):
    with torch.no_grad():
        Lstm(3, 5)(torch.randn(4, 9, 3))

    assert run_by_kernel == [0]


def test_the_input_is_left_as_it_was(pair):
    ours, _ = pair()
    x = torch.randn(4, 9, 3, requires_grad=True)
    before = x.detach().clone()

    ours(x)[0].sum().backward()

    assert torch.equal(x, before)


def test_what_is_no_number_stays_none(pair):
    ours, _ = pair()
    x = torch.randn(2, 6, 3)
    x[0, 3, 1] = torch.nan

    frames = ours(x)[0]

    assert frames[0, 3:].isnan().all()
    assert frames[0, :3].isfinite().all()
    assert frames[1].isfinite().all()


def test_large_arguments_saturate_as_those_of_torch(pair):
    ours, theirs = pair()
    x = 1e4 * torch.randn(4, 9, 3)

    torch.testing.assert_close(ours(x)[0], theirs(x)[0], **EXACT)


@pytest.mark.parametrize("way", ["double", "state", "no kernels", "autocast"])
def test_torch_runs_what_the_kernels_do_not_take(pair, run_by_kernel, monkeypatch, way):
    ours, theirs = pair()
    x, state = torch.randn(4, 9, 3), None
    if way == "double":
        ours, theirs, x = ours.double(), theirs.double(), x.double()
    if way == "state":
        state = theirs(x)[1]
    if way == "no kernels":
        monkeypatch.setattr(recurrent_layers, "kernels", lambda: None)

    with torch.autocast("cpu", enabled=way == "autocast"):
        found, expected = ours(x, state), theirs(x, state)

    assert run_by_kernel == [0]
    torch.testing.assert_close(flat(*found), flat(*expected))


def test_the_fallback_reads_each_window_from_its_own_end(pair, monkeypatch):
    ours, _ = pair()
    x, lengths = torch.randn(3, 9, 3), torch.tensor([9, 2, 5])
    inside = (torch.arange(9) < lengths[:, None])[..., None]
    by_kernel = ours(x, lengths=lengths, backwards=True)[0]

    monkeypatch.setattr(recurrent_layers, "kernels", lambda: None)
    by_torch = ours(x, lengths=lengths, backwards=True)[0]

    torch.testing.assert_close(by_torch * inside, by_kernel * inside, **EXACT)


def test_where_numba_does_not_run_a_log_says_so(monkeypatch, caplog):
    monkeypatch.delattr(seqbench.models, "recurrent_kernels")
    monkeypatch.setitem(sys.modules, "seqbench.models.recurrent_kernels", None)

    assert recurrent_layers.kernels.__wrapped__() is None
    assert "recurrent layers run in torch" in caplog.text


def test_a_second_derivative_is_refused(pair):
    ours, _ = pair()
    x = torch.randn(4, 9, 3, requires_grad=True)
    (first,) = torch.autograd.grad(ours(x)[0].square().sum(), x, create_graph=True)

    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_products_with_weights_are_counted(pair):
    ours, theirs = pair()
    x = torch.randn(1, 9, 3)

    assert macs_per_window(ours, x) == macs_per_window(theirs, x) > 0


def test_kernels_are_compiled_where_no_folder_can_be_written(monkeypatch):
    njit = recurrent_kernels.njit

    def without_room(*signature, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*signature, **options)

    monkeypatch.setattr(recurrent_kernels, "njit", without_room)

    doubled = recurrent_kernels._compiled("float32(float32)")(lambda x: x + x)

    assert doubled(2.0) == 4.0
