"""The classifiers as a library: what their README shows, and what `last` means."""

import pytest
import torch
from torch import nn, optim
from torch.nn.utils.rnn import pack_padded_sequence

from seqbench.library.models import CNN1D, CNNLSTM1D, LSTMClassifier

LENGTHS = torch.tensor([9, 4, 1, 6])


# What the README of the library has always shown.


def test_the_bidirectional_model_of_the_readme_gives_logits():
    batch, channels, samples, classes = 4, 4, 256, 6

    model = CNNLSTM1D(
        in_ch=channels,
        n_classes=classes,
        cnn_channels=(32, 64),
        kernel_sizes=(7, 5),
        lstm_hidden=64,
        lstm_layers=1,
        bidirectional=True,
        dropout=0.3,
        aggregation="last",
    )

    assert model(torch.randn(batch, channels, samples)).shape == (batch, classes)


def test_the_averaging_model_of_the_readme_gives_logits():
    model = CNNLSTM1D(
        in_ch=4,
        n_classes=6,
        cnn_channels=(16,),
        kernel_sizes=(7,),
        lstm_hidden=32,
        lstm_layers=2,
        bidirectional=False,
        dropout=0.2,
        aggregation="mean",
    )

    assert model(torch.randn(4, 4, 256)).shape == (4, 6)


def test_the_training_of_the_readme_lowers_the_loss():
    torch.manual_seed(0)
    batch, samples, features, classes = 8, 20, 16, 3
    x = torch.randn(batch, samples, features)
    y = torch.randint(0, classes, (batch,))
    model = LSTMClassifier(
        input_size=features,
        hidden_size=16,
        n_classes=classes,
        bidirectional=True,
        aggregation="last",
        batch_first=True,
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    losses = []

    for _ in range(10):
        model.train()
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert losses[-1] < losses[0]
    model.eval()
    with torch.no_grad():
        probabilities = model(x).softmax(dim=1)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(batch))
    assert probabilities.argmax(dim=1).shape == (batch,)


@pytest.mark.parametrize("aggregation", ["last", "mean", "attention"])
def test_cnn1d_takes_channels_first(aggregation):
    model = CNN1D(3, 5, channels=(4, 6), kernel_sizes=(5, 3), aggregation=aggregation)

    assert model(torch.randn(2, 3, 17)).shape == (2, 5)


def test_two_classes_have_two_logits():
    assert CNN1D(3, 2)(torch.randn(4, 3, 32)).shape == (4, 2)


# What `last` means.


def lstm_weights_by_layer(model: LSTMClassifier) -> list[list[torch.Tensor]]:
    """Return the four tensors of each layer and direction, in the order torch.nn.LSTM has them."""
    recurrence = model.encoder
    cells = []
    for layer, ahead in enumerate(recurrence.ahead):
        cells.append(list(ahead.parameters()))
        if recurrence.back:
            cells.append(list(recurrence.back[layer].parameters()))
    return cells


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_last_is_the_final_state_of_a_packed_lstm(bidirectional, n_layers):
    torch.manual_seed(0)
    x = torch.randn(4, 9, 3) * (torch.arange(9) < LENGTHS[:, None])[..., None]
    model = LSTMClassifier(3, 5, 4, num_layers=n_layers, bidirectional=bidirectional).eval()
    reference = nn.LSTM(3, 5, n_layers, batch_first=True, bidirectional=bidirectional)
    weights = [tensor for cell in lstm_weights_by_layer(model) for tensor in cell]
    with torch.no_grad():
        for ours, theirs in zip(weights, reference.parameters(), strict=True):
            theirs.copy_(ours)

    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    _, (h_n, _) = reference(packed)
    state = torch.cat([h_n[-2], h_n[-1]], dim=1) if bidirectional else h_n[-1]

    expected = nn.functional.linear(state, model.head.linear.weight, model.head.linear.bias)
    torch.testing.assert_close(model(x, LENGTHS), expected)


def test_last_of_both_directions_is_what_the_equations_of_the_lstm_give():
    torch.manual_seed(0)
    model = LSTMClassifier(2, 3, 2, bidirectional=True).eval()
    x = torch.randn(2, 4, 2)
    lengths = torch.tensor([4, 2])

    def run(window: torch.Tensor, cell: list[torch.Tensor]) -> torch.Tensor:
        w_ih, w_hh, b_ih, b_hh = cell
        h, c = torch.zeros(3), torch.zeros(3)
        for sample in window:
            i, f, g, o = (w_ih @ sample + b_ih + w_hh @ h + b_hh).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return h

    ahead, back = lstm_weights_by_layer(model)
    states = [
        torch.cat([run(x[row, :n], ahead), run(x[row, :n].flip(0), back)])
        for row, n in enumerate(lengths.tolist())
    ]

    expected = model.head.linear(torch.stack(states))
    torch.testing.assert_close(model(x, lengths), expected)


# Lengths and layouts.

CLASSIFIERS = {
    "CNN1D": lambda how: CNN1D(3, 4, channels=(4, 5), aggregation=how),
    "CNNLSTM1D": lambda how: CNNLSTM1D(
        3, 4, cnn_channels=(4,), kernel_sizes=(5,), lstm_hidden=5, aggregation=how
    ),
    "LSTMClassifier": lambda how: LSTMClassifier(3, 5, 4, bidirectional=True, aggregation=how),
}


@pytest.mark.parametrize("aggregation", ["last", "mean", "attention"])
@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_what_stands_in_the_padding_does_not_matter(name, aggregation):
    torch.manual_seed(0)
    model = CLASSIFIERS[name](aggregation).eval()
    x = torch.randn(4, 9, 3)
    layout = (lambda w: w) if name == "LSTMClassifier" else (lambda w: w.transpose(1, 2))

    logits = model(layout(x), LENGTHS)  # the padding is noise

    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(layout(x[row : row + 1, :length]))
        torch.testing.assert_close(logits[row : row + 1], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_the_input_is_left_as_it_was(name):
    model = CLASSIFIERS[name]("mean")
    x = torch.randn(4, 9, 3) if name == "LSTMClassifier" else torch.randn(4, 3, 9)
    before = x.clone()

    model(x, LENGTHS)

    assert torch.equal(x, before)


def test_time_first_windows_give_the_same_logits():
    torch.manual_seed(0)
    batch_first = LSTMClassifier(3, 5, 4).eval()
    time_first = LSTMClassifier(3, 5, 4, batch_first=False).eval()
    time_first.load_state_dict(batch_first.state_dict())
    x = torch.randn(4, 9, 3)

    logits = time_first(x.transpose(0, 1), LENGTHS)

    torch.testing.assert_close(logits, batch_first(x, LENGTHS))


@pytest.mark.parametrize("make", [CNN1D, CNNLSTM1D])
def test_an_even_filter_is_refused(make):
    with pytest.raises(ValueError, match="kernel_sizes must be odd, got \\[4, 3\\]"):
        make(3, 2, (4, 5), (4, 3))


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="same number of blocks"):
        CNN1D(3, 2, channels=(4, 5), kernel_sizes=(3,))


def test_an_unknown_aggregation_is_refused():
    with pytest.raises(ValueError, match="unknown pooling 'max'"):
        LSTMClassifier(3, 5, 4, aggregation="max")
