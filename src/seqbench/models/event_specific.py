"""Templates, filters and timing heads of their own for each type of event.

Shapes: B windows, T samples, F frames, C channels, K types of event, D features.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, OddWidths, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.base import Encoder, inside
from seqbench.models.cnn1d import MaskedBatchNorm1d
from seqbench.models.lstm_event import EventClassifier, silenced, trimmed
from seqbench.models.pooling import PooledLinear
from seqbench.models.recurrent import LstmEncoder

SILENCE = 1e-12  # energy that keeps the match with an empty stretch at 0
KERNEL_SIZES = (11, 21, 41)  # 5, 10 and 20 ms at 2000 Hz: onset, shape and whole of an event


class EventTemplateBank(nn.Module):
    """One template for each type, and how well it matches at every sample.

    Parameters
    ----------
    num_events, num_features
        Types K and channels C.
    template_length
        Samples of a template; 80 is 40 ms at 2000 Hz.
    max_delay_samples
        How far the onset in a channel may lie from that of the event, on
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
            Scores in [-1, 1], (B, T, K): at each sample, how well an event
            with its onset there would match. 1: the stretch of window is the
            delayed template but for its size; 0 where all is silent.
        """
        with torch.autocast(x.device.type, enabled=False):  # sums of squares need the bits
            filters = self.delayed()
            reach = (self.max_delay_samples, filters.shape[2] - 1 - self.max_delay_samples)
            padded = F.pad(x.float().transpose(1, 2), reach)
            matched = F.conv1d(padded, filters)
            energy = padded.square().sum(dim=1, keepdim=True)
            energy = F.conv1d(energy, torch.ones_like(filters[:1, :1]))
            size = filters.square().sum(dim=(1, 2)).add(SILENCE).sqrt()
            scores = matched / size[:, None] / (energy + SILENCE).sqrt()
        return scores.transpose(1, 2)


class _RowConvolution(nn.Conv2d):
    """A convolution along the rows of a channels-last image, with its weights laid out alike."""

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
    the last group. Time stands in the rows of a channels-last image: on a CPU
    convolutions of images and weights laid out so are up to twice as fast as
    those along a line.
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
            if lengths is not None:
                lengths = -(-lengths // step)
                x = x * inside(lengths, x.shape[2], x.device)[:, None, :, None]
        features = x[..., 0].transpose(1, 2).unflatten(2, (self.n_stacks, -1))
        shared = features[:, :, -1] if self.use_shared else None
        return features[:, :, : self.num_events], shared


class EventSpecificTimingHeads(nn.Module):
    """When each type occurs: self-attention and a two-layer network for each type.

    Parameters
    ----------
    num_events
        Types K.
    hidden_size
        Features D of a frame.
    dropout
        Probability to drop a feature before the output.
    num_heads, head_size
        Heads of each type's attention and the features of a head.

    Notes
    -----
    Each type has weights of its own; the types of a batch are computed
    together, absent ones not at all. What a frame attends to is added to it
    before the network, which halves D and then gives the logit.
    """

    def __init__(
        self,
        num_events: int,
        hidden_size: int,
        dropout: float = 0.2,
        *,
        num_heads: int = 4,
        head_size: int = 8,
    ) -> None:
        super().__init__()
        self.num_events = num_events
        self.num_heads = num_heads
        attended, half = num_heads * head_size, max(1, hidden_size // 2)
        self.project = _TypedLinear(num_events, hidden_size, 3 * attended)
        self.attend = _TypedLinear(num_events, attended, hidden_size)
        self.halve = _TypedLinear(num_events, hidden_size, half)
        self.answer = _TypedLinear(num_events, half, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        lstm_features: Tensor,
        event_mask: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Look at frames.

        Parameters
        ----------
        lstm_features
            Frames, (B, F, D).
        event_mask
            True or above 0.5 where a type is in a window, (B, K); None: all
            types are looked for.
        lengths
            Frames of each window, (B,); None: all have F.

        Returns
        -------
        Tensor
            Logits for a softmax over time, (B, F, K). Those of an absent type
            are all 0, which says nothing of its time; behind the end of a
            window they are -10,000.
        """
        n_windows, n_frames, _ = lstm_features.shape
        if event_mask is None:
            event_mask = lstm_features.new_ones(n_windows, self.num_events)
        row, kind = torch.nonzero(event_mask > 0.5, as_tuple=True)  # P pairs
        frames = lstm_features[row]
        parts = self.project(frames, kind).unflatten(2, (3, self.num_heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mask = None
        if lengths is not None:
            mask = inside(lengths, n_frames, frames.device)[row][:, None, None]
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        frames = frames + self.attend(attended.transpose(1, 2).flatten(2), kind)
        found = self.answer(self.dropout(self.halve(frames, kind).relu()), kind)[..., 0]  # (P, F)
        logits = found.new_zeros(n_windows, self.num_events, n_frames)
        logits = logits.index_put((row, kind), found).transpose(1, 2)
        return silenced(logits, lengths)


class _TypedLinear(nn.Module):
    """A linear layer for each type: (P, F, n_inputs) of types (P,) to (P, F, n_outputs)."""

    def __init__(self, n_types: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        bound = n_inputs**-0.5
        self.weight = nn.Parameter(
            torch.empty(n_types, n_inputs, n_outputs).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(n_types, 1, n_outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        """Map each row of `x` by the layer of its type."""
        return torch.baddbmm(self.bias[kind], x, self.weight[kind])


@ARCHITECTURES.register(
    "event_specific",
    accepts=("series",),
    same_length=("kernel_sizes", "strides"),
    templates_of=("detection",),
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
        n_layers: Count = 1,
        bidirectional: bool = True,
        dropout: Dropout = 0.0,
        pooling: Pooling = "attention",
    ) -> None:
        super().__init__()
        if len(kernel_sizes) != len(strides):
            raise UserError("kernel_sizes and strides must name the same number of layers")
        if any(size % 2 == 0 for size in kernel_sizes):
            raise UserError(f"kernel_sizes must be odd, got {list(kernel_sizes)}")
        self.pooling = pooling
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
        self.dropout = nn.Dropout(dropout)
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
        heard = scores
        if lengths is not None:
            within = inside(lengths, x.shape[1], x.device)[..., None]
            heard = scores.masked_fill(~within, -1.0)  # the pool takes no score from behind an end
            scores = scores * within
        peaks = self._pooled(heard, F.max_pool1d)
        event_features, shared_features = self.event_cnn(x, lengths)
        parts = [peaks, self._pooled(x, F.avg_pool1d), event_features.flatten(2), shared_features]
        inputs = torch.cat(parts, dim=2)
        lengths = self.frame_lengths(lengths)
        mask = None if lengths is None else inside(lengths, inputs.shape[1], x.device)
        inputs = self.norm(inputs.transpose(1, 2), mask).transpose(1, 2)
        frames = self.recurrence(self.dropout(inputs), lengths)
        frames = torch.cat([peaks, frames], dim=2)
        return frames if mask is None else frames * mask[..., None], scores

    def _pooled(self, x: Tensor, pool: Callable[..., Tensor]) -> Tensor:
        """Reduce (B, T, D) to frames; frame f stands in the middle of the samples it takes."""
        if self.stride == 1:
            return x
        reach = self.stride // 2
        return pool(x.transpose(1, 2), 2 * reach + 1, self.stride, reach).transpose(1, 2)


class EventSpecificClassifier(EventClassifier):
    """Which of K types of event are in a window, and when, by what is peculiar to each type.

    Parameters
    ----------
    input_size, hidden_size, num_events
        Channels C, units of an LSTM layer and direction, types K.
    num_layers, dropout, bidirectional
        Of the LSTM; dropout stands before the output layers too.
    template_length
        Samples of a template.
    timing_resolution_samples
        Width over which the peak of the softmax over time is read.
    refractory_period_samples
        Two events of a type are at least this many samples apart.
    stride
        Samples between the steps of the timing logits. 1: filters, LSTM and
        attention give every sample. 10: they give every tenth, which is many
        times cheaper; the filters span the same time, the second and third
        with fewer weights.
    """

    encoder: EventSpecificEncoder

    def __init__(
        self,
        input_size: int = 6,
        hidden_size: int = 128,
        num_layers: int = 2,
        num_events: int = 16,
        dropout: float = 0.3,
        template_length: int = 80,
        bidirectional: bool = True,
        timing_resolution_samples: int = 10,
        refractory_period_samples: int = 4000,
        stride: int = 1,
    ) -> None:
        super().__init__(timing_resolution_samples, refractory_period_samples)
        self.encoder = EventSpecificEncoder(
            input_size,
            n_templates=num_events,
            template_samples=template_length,
            features_per_template=32,
            kernel_sizes=_kernel_sizes_at(stride),
            strides=(stride, 1, 1),
            hidden_size=hidden_size,
            n_layers=num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            pooling="mean",
        )
        self.event_head = PooledLinear(self.encoder, num_events, dropout)
        n_recurrent = self.encoder.n_features - num_events
        self.timing_heads = EventSpecificTimingHeads(num_events, n_recurrent, dropout)

    @property
    def template_bank(self) -> EventTemplateBank:
        """The templates of the types."""
        return self.encoder.template_bank

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Look at windows.

        Parameters
        ----------
        x
            Windows, (B, T, C).
        lengths
            Samples of each window, (B,); None: all have T.

        Returns
        -------
        tuple[Tensor, Tensor, Tensor]
            Logits of presence, (B, K), for a sigmoid; of time,
            (B, ceil(T / stride), K), for a softmax over the steps, -10,000
            behind the end of a window; match scores in [-1, 1], (B, T, K),
            0 behind the end.
        """
        x, lengths = trimmed(x, lengths)
        frames, scores = self.encoder.matched(x, lengths)
        steps = self.encoder.frame_lengths(lengths)
        recurrent = frames[..., self.encoder.n_template_scores :]
        return self.event_head(frames, steps), self.timing_heads(recurrent, None, steps), scores


def _kernel_sizes_at(stride: int) -> tuple[int, ...]:
    """Return the kernels of the description, the later ones in frames that span as many samples."""
    first, *later = KERNEL_SIZES
    covering = max(first, stride + 1 - stride % 2)
    return (covering, *(1 + 2 * round(size // 2 / stride) for size in later))
