"""The classifiers against torch and equations; the snippets of their description are apart."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from seqbench.library.models import CNN1D, CNNLSTM1D, LSTMClassifier

LENGTHS = torch.tensor([9, 4, 1, 6])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_last_is_the_final_state_of_a_packed_lstm(bidirectional, n_layers):
    torch.manual_seed(0)
    x = torch.randn(4, 9, 3) * (torch.arange(9) < LENGTHS[:, None])[..., None]
    model = LSTMClassifier(3, 5, 4, num_layers=n_layers, bidirectional=bidirectional).eval()
    reference = nn.LSTM(3, 5, n_layers, batch_first=True, bidirectional=bidirectional)
    # The four tensors of each layer and direction, in the order torch.nn.LSTM has them.
    cells = [[ahead, *model.encoder.back[i : i + 1]] for i, ahead in enumerate(model.encoder.ahead)]
    weights = [tensor for layer in cells for cell in layer for tensor in cell.parameters()]
    with torch.no_grad():
        for ours, theirs in zip(weights, reference.parameters(), strict=True):
            theirs.copy_(ours)

    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    _, (h_n, _) = reference(packed)
    state = torch.cat([h_n[-2], h_n[-1]], dim=1) if bidirectional else h_n[-1]

    expected = nn.functional.linear(state, model.head.linear.weight, model.head.linear.bias)
    torch.testing.assert_close(model(x, LENGTHS), expected)


CLASSIFIERS = {
    "CNN1D": lambda how: CNN1D(3, 4, channels=(4, 5), aggregation=how),
    "CNNLSTM1D": lambda how: CNNLSTM1D(
        3, 4, cnn_channels=(4,), kernel_sizes=(5,), lstm_hidden=5, aggregation=how
    ),
    "LSTMClassifier": lambda how: LSTMClassifier(3, 5, 4, bidirectional=True, aggregation=how),
}


@pytest.mark.parametrize("aggregation", ["last", "mean", "attention"])
@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_padding_has_no_effect(name, aggregation):
    torch.manual_seed(0)
    model = CLASSIFIERS[name](aggregation).eval()
    x = torch.randn(4, 9, 3)
    layout = (lambda w: w) if name == "LSTMClassifier" else (lambda w: w.transpose(1, 2))

    logits = model(layout(x), LENGTHS)  # the padding is noise

    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(layout(x[row : row + 1, :length]))
        torch.testing.assert_close(logits[row : row + 1], alone, rtol=1e-4, atol=1e-5)


def test_time_first_windows_give_the_same_logits():
    torch.manual_seed(0)
    batch_first = LSTMClassifier(3, 5, 4).eval()
    time_first = LSTMClassifier(3, 5, 4, batch_first=False).eval()
    time_first.load_state_dict(batch_first.state_dict())
    x = torch.randn(4, 9, 3)

    logits = time_first(x.transpose(0, 1), LENGTHS)

    torch.testing.assert_close(logits, batch_first(x, LENGTHS))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: CNN1D(3, 2, (4, 5), (4, 3)), r"kernel_sizes must be odd, got \[4, 3\]"),
        (lambda: CNNLSTM1D(3, 2, (4, 5), (4, 3)), r"kernel_sizes must be odd, got \[4, 3\]"),
        (lambda: CNN1D(3, 2, channels=(4, 5), kernel_sizes=(3,)), "same number of blocks"),
        (lambda: LSTMClassifier(3, 5, 4, aggregation="max"), "unknown pooling 'max'"),
    ],
)
def test_impossible_options_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
