"""Models to pretrain the encoder of `LSTMEventClassifier`, and augmentations.

Shapes: B windows, T samples, C channels.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from seqbench.errors import UserError
from seqbench.library.models.events import event_encoder
from seqbench.models.base import Encoder
from seqbench.pretraining.augmentations import AUGMENTATIONS
from seqbench.pretraining.autoencoder import AutoencoderObjective, VaeObjective
from seqbench.pretraining.base import Objective
from seqbench.pretraining.contrastive import ContrastiveObjective, nt_xent
from seqbench.pretraining.transfer import transfer


class _Pretrained(nn.Module):
    """A model around the encoder of `LSTMEventClassifier`."""

    objective: Objective

    @property
    def encoder(self) -> Encoder:
        """The encoder, which a classifier can take over."""
        return self.objective.encoder

    def transfer_encoder_to_classifier(self, classifier: nn.Module) -> dict[str, Any]:
        """Copy the encoder's weights into a classifier.

        Returns
        -------
        dict
            Which tensors were copied, which were not, and why.

        Raises
        ------
        UserError
            If the classifier has no encoder, or less than 95 % of it would be
            copied; the message names the tensors.
        """
        target = getattr(classifier, "encoder", None)
        if not isinstance(target, nn.Module):
            raise UserError(f"{type(classifier).__name__} has no encoder to receive weights")
        arrays = {name: t.detach().cpu().numpy() for name, t in self.encoder.state_dict().items()}
        return transfer(target, arrays, type(self).__name__)


class _LatentVector(_Pretrained):
    """A window to one latent vector and back, by the decoder of the objective."""

    objective_class: type[AutoencoderObjective | VaeObjective]

    def __init__(
        self,
        input_size: int = 6,
        hidden_size: int = 128,
        num_layers: int = 2,
        latent_size: int = 64,
        dropout: float = 0.0,
        bidirectional: bool = True,
        stride: int = 1,
    ) -> None:
        super().__init__()
        encoder = event_encoder(input_size, hidden_size, num_layers, dropout, bidirectional, stride)
        self.objective = self.objective_class(
            encoder,
            input_size,
            latent_size=latent_size,
            bottleneck="window",
            compression_samples=encoder.stride,
            decoder_size=hidden_size,
        )


class LSTMAutoencoder(_LatentVector):
    """A window to one latent vector by an LSTM with attention, and back by another LSTM.

    Parameters
    ----------
    input_size, hidden_size, num_layers
        Channels C, units of an LSTM layer and direction, layers.
    latent_size
        Numbers of the latent vector.
    dropout, bidirectional, stride
        As in `LSTMEventClassifier`, whose encoder this one can become; here
        without dropout by default.
    """

    objective: AutoencoderObjective
    objective_class = AutoencoderObjective

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return reconstructions (B, T, C) and latent vectors (B, latent_size) of windows."""
        latent = self.objective.latent(x, lengths)
        return self.objective.decoded(latent, x.shape[1]), latent[:, 0]


class VariationalLSTMAutoencoder(_LatentVector):
    """An `LSTMAutoencoder` whose latent vector is drawn from a normal distribution in training.

    Parameters
    ----------
    input_size, hidden_size, num_layers, latent_size, dropout, bidirectional, stride
        As in `LSTMAutoencoder`.
    """

    objective: VaeObjective
    objective_class = VaeObjective

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return reconstructions (B, T, C), means and log-variances (B, latent_size) of windows."""
        mean, log_variance = self.objective.distribution(x, lengths)
        latent = mean
        if self.training:
            latent = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        return self.objective.decoded(latent, x.shape[1]), mean[:, 0], log_variance[:, 0]


class ContrastiveLSTM(_Pretrained):
    """A window to a unit vector, alike for its views and unlike those of other windows.

    Parameters
    ----------
    input_size, hidden_size, num_layers
        Channels C, units of an LSTM layer and direction, layers.
    projection_size
        Numbers of the vector.
    temperature
        Divisor of the cosine similarities in the loss.
    dropout, bidirectional, stride
        As in `LSTMEventClassifier`, whose encoder this one can become; here
        without dropout by default.
    """

    objective: ContrastiveObjective

    def __init__(
        self,
        input_size: int = 6,
        hidden_size: int = 128,
        num_layers: int = 2,
        projection_size: int = 64,
        temperature: float = 0.2,
        dropout: float = 0.0,
        bidirectional: bool = True,
        stride: int = 1,
    ) -> None:
        super().__init__()
        encoder = event_encoder(input_size, hidden_size, num_layers, dropout, bidirectional, stride)
        self.objective = ContrastiveObjective(
            encoder, input_size, projection_size=projection_size, temperature=temperature
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return unit vectors (B, projection_size) of windows (B, T, C)."""
        return self.objective.projected(x, lengths)

    def contrastive_loss(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss of the vectors of two views, (B, projection_size) each, shape ()."""
        return nt_xent(first, second, self.objective.temperature)


class TemporalAugmentation:
    """Augmentations of single windows."""

    @staticmethod
    def random_augment(x: ArrayLike | Tensor) -> Tensor:
        """Return a window (T, C) changed by two augmentations, drawn by torch's generator.

        Raises
        ------
        UserError
            If the window is not (T, C).
        """
        x = torch.as_tensor(x, dtype=torch.float32)
        if x.ndim != 2:
            raise UserError(f"a window is (samples, channels), not {tuple(x.shape)}")
        names = list(AUGMENTATIONS)
        for i in sorted(torch.randperm(len(names))[:2].tolist()):
            generator = torch.Generator(x.device).manual_seed(int(torch.randint(2**31, ())))
            x = AUGMENTATIONS[names[i]](x[None], None, generator)[0]
        return x
