"""Encoders of series after a table of vectors."""

from pathlib import Path

import pytest
import torch

from fixtures.trainings import network_header
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.embedding import EmbeddedEncoder, build_encoder
from seqbench.storage.models import StoredModel
from seqbench.training.cost import macs_per_window
from seqbench.training.model import build_model, load_model
from seqbench.training.state import state_arrays

OF_TOKENS = network_header(
    architecture="gru",
    architecture_options={"hidden_size": 3},
    channels=("other", "a", "b"),
    sample="tokens",
    embedding_size=5,
)


def test_its_frames_are_described_as_those_of_its_encoder():
    inner = ARCHITECTURES["cnn1d"](4, widths=(5, 6), kernel_sizes=(3, 3), strides=(2, 3))
    encoder = EmbeddedEncoder(inner, 9, 4)

    for name in ("n_features", "stride", "n_backward_features", "n_template_scores", "pooling"):
        assert getattr(encoder, name) == getattr(inner, name), name
    assert encoder.frame_lengths(torch.tensor([7, 6])).tolist() == [2, 1]
    assert encoder.frame_lengths(None) is None


def test_frames_are_those_of_the_vectors_of_the_tokens():
    encoder = build_encoder("gru", {}, 4, sample="tokens", embedding_size=6).eval()
    x = torch.tensor([[[2.0], [3.0], [1.0]]])

    vectors = encoder.embedding.weight[[2, 3, 1]][None]

    assert torch.equal(encoder(x), encoder.encoder(vectors))


def test_the_vector_of_unknown_tokens_is_not_learned():
    encoder = build_encoder("rnn", {"hidden_size": 3}, 4, sample="tokens", embedding_size=2)
    encoder(torch.tensor([[[0.0], [1.0]]])).sum().backward()

    assert (encoder.embedding.weight[0] == 0).all()
    assert (encoder.embedding.weight.grad[0] == 0).all()
    assert (encoder.embedding.weight.grad[1] != 0).any()


def test_series_get_the_encoder_itself():
    assert isinstance(build_encoder("gru", {}, 3), ARCHITECTURES["gru"])
    with pytest.raises(ValueError, match="tokens need an embedding_size"):
        build_encoder("gru", {}, 3, sample="tokens")


def test_a_model_of_tokens_is_rebuilt_from_its_header():
    model = build_model(OF_TOKENS).eval()
    x, lengths = torch.tensor([[[1.0], [2.0], [0.0]], [[2.0], [0.0], [0.0]]]), torch.tensor([3, 1])

    again = load_model(StoredModel(state_arrays(model), OF_TOKENS), Path("model"))

    assert again.encoder.embedding.weight.shape == (3, 5)
    assert torch.equal(again(x, lengths), model(x, lengths))


def test_looking_up_a_vector_multiplies_nothing():
    encoder = build_encoder("gru", {"hidden_size": 3}, 4, sample="tokens", embedding_size=5)

    # Two directions of 3 gates with 3 units from 5 numbers, at each of 7 tokens.
    assert macs_per_window(encoder, torch.zeros(1, 7, 1)) == 2 * 7 * 3 * 3 * (5 + 3)
