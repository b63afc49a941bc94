"""The snippets of the description of models for physiological signals, unchanged.

Its package is called `base_modeles`, one module a model; here all models come
from `seqbench.library.models`. Filled in is only what the description leaves open: the
number of classes, and the model that goes with the data of each snippet.
"""

import pytest
import torch
from torch import nn, optim

from seqbench.library.models import CNN1D, CNNLSTM1D, LSTMClassifier

B, T, F = 8, 200, 16
num_classes = 6


@pytest.fixture(autouse=True)
def _same_numbers():
    torch.manual_seed(0)


@pytest.fixture
def model():
    return LSTMClassifier(
        input_size=F,
        hidden_size=128,
        n_classes=num_classes,
        bidirectional=True,
        aggregation="last",
        batch_first=True,
    )


def test_import_and_construction():
    B, C_in, T = 4, 4, 256
    num_cls = 6

    model = CNNLSTM1D(
        in_ch=C_in, n_classes=num_cls,
        cnn_channels=(32, 64), kernel_sizes=(7, 5),
        lstm_hidden=64, lstm_layers=1,
        bidirectional=True, dropout=0.3, aggregation='last'
    )  # fmt: skip

    x = torch.randn(B, C_in, T)
    out = model(x)

    model2 = CNNLSTM1D(
        in_ch=C_in, n_classes=num_cls,
        cnn_channels=(16,), kernel_sizes=(7,),
        lstm_hidden=32, lstm_layers=2,
        bidirectional=False, dropout=0.2, aggregation='mean'
    )  # fmt: skip
    out2 = model2(x)

    assert out.shape == out2.shape == (B, num_cls)


def test_training_loop_and_inference(model, capsys):
    x = torch.randn(B, T, F)
    y = torch.randint(0, num_classes, (B,))

    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(10):
        model.train()
        optimizer.zero_grad()
        logits = model(x)
        loss = criterion(logits, y)
        loss.backward()
        optimizer.step()
        print(f"epoch {epoch}: loss={loss.item():.4f}")  # noqa: T201

    model.eval()
    with torch.no_grad():
        probs = model(x).softmax(dim=1)
        pred = probs.argmax(dim=1)

    losses = [float(line.split("=")[1]) for line in capsys.readouterr().out.splitlines()]
    assert losses[-1] < losses[0]
    assert (pred == y).float().mean() > 1 / num_classes
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(B))


@pytest.mark.parametrize("make", [CNN1D, CNNLSTM1D])
def test_data_of_an_lstm_suit_a_convolution_once_their_axes_are_swapped(make):
    x = torch.randn(B, T, F)

    x = x.transpose(1, 2)

    assert make(F, num_classes)(x).shape == (B, num_classes)
