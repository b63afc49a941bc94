"""Tokens for encoders of series: every token becomes a learned vector."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder, ended


class EmbeddedEncoder(Encoder):
    """A table of vectors, then an encoder of series.

    Parameters
    ----------
    encoder
        Built for `embedding_size` channels.
    n_tokens
        Entries of the vocabulary. The first is for tokens that are not in train:
        its vector cannot be learned and stays zero.
    embedding_size
        Numbers of a vector.

    Notes
    -----
    Ids (B, T, 1) -> vectors (B, T, embedding_size) -> frames of the encoder.
    Padding of windows is id 0 as well, and zero after the table whatever the
    first vector is.
    """

    def __init__(self, encoder: Encoder, n_tokens: int, embedding_size: int) -> None:
        super().__init__(encoder.pooling)
        self.embedding = nn.Embedding(n_tokens, embedding_size, padding_idx=0)
        self.encoder = encoder
        self.n_features = encoder.n_features
        self.stride = encoder.stride
        self.n_backward_features = encoder.n_backward_features
        self.n_template_scores = encoder.n_template_scores

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows of ids (B, T, 1); see `Encoder.encode`."""
        vectors = ended(self.embedding(x[..., 0].long()), lengths)
        return self.encoder(vectors, lengths)

    def frame_lengths(self, lengths: Tensor | None) -> Tensor | None:
        """Return the number of frames for windows of these lengths, (B,)."""
        return self.encoder.frame_lengths(lengths)


def build_encoder(
    architecture: str,
    options: dict[str, Any],
    n_channels: int,
    *,
    sample: str = "series",
    frame_size: Sequence[int] = (),
    embedding_size: int | None = None,
    sampling_rate_hz: float | None = None,
    n_types: int | None = None,
) -> Encoder:
    """Build an encoder for a kind of sample.

    Parameters
    ----------
    architecture, options
        Registered name, and its options.
    n_channels
        Channels C of a window; of tokens the entries of the vocabulary.
    sample
        series, tokens or video.
    frame_size
        Of video: rows and columns (H, W) of a frame. Its encoders are built for
        the whole shape (C, H, W).
    embedding_size
        Numbers that a token becomes; only tokens need it.
    sampling_rate_hz
        Of series, for architectures with the tag ``takes_rate``; None where unknown.
    n_types
        Types of event, for architectures with the tag ``takes_types``.

    Raises
    ------
    ValueError
        If tokens have no `embedding_size`.
    """
    if sample != "tokens":
        shape = (n_channels, *frame_size) if sample == "video" else n_channels
        tags = ARCHITECTURES.entry(architecture).tags
        rate = (sampling_rate_hz,) if tags.get("takes_rate") else ()
        types = (n_types,) if tags.get("takes_types") else ()
        encoder: Encoder = ARCHITECTURES[architecture](shape, *rate, *types, **options)
        return encoder
    if embedding_size is None:
        raise ValueError("tokens need an embedding_size")
    return EmbeddedEncoder(
        ARCHITECTURES[architecture](embedding_size, **options), n_channels, embedding_size
    )
