"""Templates and filters of each type of event.

Shapes: B windows, T samples, F frames, C channels, K types of event, D features.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, Layers, OddWidths, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder, ended, frames_of, inside
from seqbench.models.cnn1d import MaskedBatchNorm1d
from seqbench.models.dropout import BitDropout
from seqbench.models.recurrent import LstmEncoder

LEAST_ENERGY = 1e-12  # keeps the match score of a silent signal at 0
KERNEL_SIZES = (11, 21, 41)  # 5, 10 and 20 ms at 2000 Hz: onset, shape and full length of an event


class EventTemplateBank(nn.Module):
    """One template for each type, and its match score at every sample.

    Parameters
    ----------
    num_events, num_features
        Types K and channels C.
    template_length
        Samples of a template; 80 is 40 ms at 2000 Hz.
    max_delay_samples
        Largest distance of the onset in a channel from that of the event, on
        either side; 10 is 5 ms at 2000 Hz.

    Attributes
    ----------
    templates
        Parameter, (K, C, template_length), from the onset on.
    onset_delays
        Parameter, (K, C), unbounded; `delays` bounds it.
    """

    def __init__(
        self,
        num_events: int,
        num_features: int,
        template_length: int = 80,
        *,
        max_delay_samples: int = 10,
    ) -> None:
        super().__init__()
        self.max_delay_samples = max_delay_samples
        self.templates = nn.Parameter(0.1 * torch.randn(num_events, num_features, template_length))
        self.onset_delays = nn.Parameter(torch.zeros(num_events, num_features))

    def delays(self) -> Tensor:
        """Return the delay of each type and channel in samples, later above 0, (K, C)."""
        bound = self.max_delay_samples
        return bound * (self.onset_delays / bound).tanh()

    def delayed(self) -> Tensor:
        """Return the templates with their delays, (K, C, template_length + 2 * max_delay_samples).

        The onset of the event is at sample `max_delay_samples`. Delays turn
        the phases of the templates, so that they need not be whole samples
        and have gradients.
        """
        bound = self.max_delay_samples
        padded = F.pad(self.templates.float(), (bound, bound))
        n_samples = padded.shape[2]
        cycles = torch.fft.rfftfreq(n_samples, device=padded.device)
        phase = -2 * math.pi * cycles * self.delays().float()[..., None]
        spectrum = torch.fft.rfft(padded) * torch.polar(torch.ones_like(phase), phase)
        return torch.fft.irfft(spectrum, n_samples)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised cross-correlation of windows with each template.

        Parameters
        ----------
        x
            Windows, (B, T, C), zero after each end.

        Returns
        -------
        Tensor
            Scores in [-1, 1], (B, T, K), of an event with its onset at each
            sample. 1: the signal is a positive multiple of the delayed
            template; 0 where the signal is silent.
        """
        with torch.autocast(x.device.type, enabled=False):  # sums of squares need single precision
            filters = self.delayed()
            reach = (self.max_delay_samples, filters.shape[2] - 1 - self.max_delay_samples)
            padded = F.pad(x.float().transpose(1, 2), reach)
            matched = F.conv1d(padded, filters)
            energy = padded.square().sum(dim=1, keepdim=True)
            energy = F.conv1d(energy, torch.ones_like(filters[:1, :1]))
            size = filters.square().sum(dim=(1, 2)).add(LEAST_ENERGY).sqrt()
            scores = matched / size[:, None] / (energy + LEAST_ENERGY).sqrt()
        return scores.transpose(1, 2)


class _RowConvolution(nn.Conv2d):
    """A convolution along the rows of a channels-last image, its weights in the same layout."""

    def forward(self, x: Tensor) -> Tensor:
        """Filter (B, C, T, 1)."""
        weight = self.weight.to(memory_format=torch.channels_last)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class EventSpecificCNN(nn.Module):
    """A stack of convolutions for each type, and one that they share.

    Parameters
    ----------
    num_events, input_channels
        Types K and channels C.
    output_channels
        Features of every layer, for each type and for the shared stack.
    use_shared
        Whether there is a shared stack.
    kernel_sizes
        Filter length of each layer in samples of its input, odd; the default
        is 5, 10 and 20 ms at 2000 Hz.
    strides
        Step of each layer; frames are their product apart.

    Notes
    -----
    All stacks are one convolution per layer, in groups; the shared stack is
    the last group. Time is the row axis of a channels-last image: on a CPU
    convolutions of images and weights in this layout are up to twice as fast
    as one-dimensional ones.
    """

    def __init__(
        self,
        num_events: int,
        input_channels: int,
        output_channels: int = 32,
        use_shared: bool = True,
        *,
        kernel_sizes: tuple[int, ...] = KERNEL_SIZES,
        strides: tuple[int, ...] = (1, 1, 1),
    ) -> None:
        super().__init__()
        self.num_events = num_events
        self.use_shared = use_shared
        self.strides = tuple(strides)
        n_stacks = num_events + use_shared
        width = n_stacks * output_channels
        self.convolutions = nn.ModuleList(
            _RowConvolution(
                width if layer else input_channels,
                width,
                (size, 1),
                stride=(step, 1),
                padding=(size // 2, 0),
                groups=n_stacks if layer else 1,
            )
            for layer, (size, step) in enumerate(zip(kernel_sizes, strides, strict=True))
        )
        self.n_stacks = n_stacks

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Filter windows.

        Parameters
        ----------
        x
            Windows, (B, T, C), zero after each end.
        lengths
            Samples of each window, (B,) on the CPU; None: all have T.

        Returns
        -------
        tuple[Tensor, Tensor | None]
            Features of each type, (B, F, K, output_channels), and those
            shared, (B, F, output_channels), or None; zero after each end.
        """
        x = x.transpose(1, 2)[..., None]  # (B, C, T, 1), channels last
        for convolution, step in zip(self.convolutions, self.strides, strict=True):
            x = convolution(x).relu()
            lengths = frames_of(lengths, step)
            if lengths is not None:
                x = x * inside(lengths, x.shape[2], x.device)[:, None, :, None]
        frames = x[..., 0].transpose(1, 2)
        features = frames.reshape(frames.shape[0], frames.shape[1], self.n_stacks, -1)
        shared = features[:, :, -1] if self.use_shared else None
        return features[:, :, : self.num_events], shared


@ARCHITECTURES.register(
    "event_specific",
    accepts=("series",),
    same_length=("kernel_sizes", "strides"),
    templates_of=("detection",),
    space={
        "n_templates": (8, 16, 32),
        "hidden_size": (32, 64, 128),
        "dropout": {"low": 0.0, "high": 0.5},
    },
)
class EventSpecificEncoder(Encoder):
    """Match scores of templates and filters of their own per event type, read by an LSTM.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    n_templates
        Templates, one for each type of event.
    template_samples
        Length of a template; 80 is 40 ms at 2000 Hz.
    features_per_template
        Features of the filters that each template has of its own, and of
        those they share.
    kernel_sizes
        Length of the filters of each layer in samples of its input; odd, so
        that frames stay centred.
    strides
        Step of each layer; their product is the number of samples between
        frames: 10, which is 5 ms at 2000 Hz.
    hidden_size
        Units of each LSTM layer and direction.
    n_layers
        LSTM layers.
    bidirectional
        Read the frames from their end to their start as well.
    dropout
        Probability to drop a feature before the LSTM and between its layers.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C) -> (B, ceil(T / stride), D). The first `n_templates` of the D
    features are match scores, each the highest of the samples around its
    frame; the others are those of the LSTM. The LSTM reads, at the rate of
    frames and after batch norm, the match scores, the mean of the window
    around each frame, and both kinds of filtered features.
    """

    def __init__(
        self,
        n_channels: int,
        *,
        n_templates: Count = 16,
        template_samples: Count = 80,
        features_per_template: Count = 8,
        kernel_sizes: OddWidths = (11, 9, 5),
        strides: Widths = (5, 2, 1),
        hidden_size: Count = 64,
        n_layers: Layers = 1,
        bidirectional: bool = True,
        dropout: Dropout = 0.0,
        pooling: Pooling = "attention",
    ) -> None:
        super().__init__(pooling)
        self.stride = math.prod(strides)
        self.n_template_scores = n_templates
        self.template_bank = EventTemplateBank(n_templates, n_channels, template_samples)
        self.event_cnn = EventSpecificCNN(
            n_templates,
            n_channels,
            features_per_template,
            kernel_sizes=kernel_sizes,
            strides=strides,
        )
        n_inputs = n_templates + n_channels + (n_templates + 1) * features_per_template
        self.norm = MaskedBatchNorm1d(n_inputs)
        self.dropout = BitDropout(dropout)
        self.recurrence = LstmEncoder(
            n_inputs,
            hidden_size=hidden_size,
            n_layers=n_layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.n_features = n_templates + self.recurrence.n_features
        self.n_backward_features = self.recurrence.n_backward_features

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        return self.matched(x, lengths)[0]

    def matched(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the frames (B, F, D) of windows and the match scores of every sample (B, T, K)."""
        scores = self.template_bank(x)
        masked = scores
        if lengths is not None:
            within = inside(lengths, x.shape[1], x.device)[..., None]
            masked = scores.masked_fill(~within, -1.0)  # no score past an end is the highest
            scores = scores * within
        peaks = self._pooled(masked, F.max_pool1d)
        event_features, shared_features = self.event_cnn(x, lengths)
        mean = self._pooled(x, F.avg_pool1d)
        inputs = torch.cat([peaks, mean, event_features.flatten(2), shared_features], dim=2)
        lengths = self.frame_lengths(lengths)
        inputs = self.norm(inputs.transpose(1, 2), lengths).transpose(1, 2)
        frames = self.recurrence(self.dropout(inputs), lengths)
        return ended(torch.cat([peaks, frames], dim=2), lengths), scores

    def _pooled(self, x: Tensor, pool: Callable[..., Tensor]) -> Tensor:
        """Reduce (B, T, D) to frames, each at the middle of its samples."""
        if self.stride == 1:
            return x
        reach = self.stride // 2
        return pool(x.transpose(1, 2), 2 * reach + 1, self.stride, reach).transpose(1, 2)
