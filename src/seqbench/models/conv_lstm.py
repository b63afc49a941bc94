"""LSTMs whose states are maps: products with weights become convolutions."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqbench.config.options import Count, OddCount, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.base import Encoder, ended
from seqbench.models.pooling import Pool

State = tuple[Tensor, Tensor]


class ConvLSTMCell(nn.Module):
    """One step of a convolutional LSTM.

    Parameters
    ----------
    input_dim, hidden_dim
        Features of the maps it reads, and D of those it keeps. 0: a cell
        without input.
    kernel_size
        Rows and columns of the filters; odd.
    bias
        Gates have biases; that of the forget gate starts at 1, so that a new
        cell remembers.

    Raises
    ------
    UserError
        If `kernel_size` is even.

    Notes
    -----
    With `*` for a convolution that keeps rows and columns::

        i, f, o = sigmoid(W_x * x + W_h * h + b), each with weights of its own
        c' = f c + i tanh(W_xc * x + W_hc * h + b_c)
        h' = o tanh(c')

    Departs from equation 3 of the source in one point: there are no
    peephole weights of each pixel, which would fix the size of the maps.

    References
    ----------
    Shi et al. (2015). Convolutional LSTM network: a machine learning approach
    for precipitation nowcasting. NeurIPS, section 3.1. arXiv:1506.04214
    """

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int,
        kernel_size: int | tuple[int, int] = 3,
        bias: bool = True,
    ) -> None:
        super().__init__()
        size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        if any(side % 2 == 0 for side in size):
            raise UserError(f"kernel_size {size} must be odd, so that a filter has a middle")
        self.hidden_dim = hidden_dim
        padding = (size[0] // 2, size[1] // 2)
        self.of_input = (
            nn.Conv2d(input_dim, 4 * hidden_dim, size, padding=padding, bias=False)
            if input_dim
            else None
        )
        self.of_state = nn.Conv2d(hidden_dim, 4 * hidden_dim, size, padding=padding, bias=bias)
        if self.of_state.bias is not None:
            nn.init.zeros_(self.of_state.bias)
            nn.init.ones_(self.of_state.bias[hidden_dim : 2 * hidden_dim])

    def forward(self, x: Tensor | None, state: State) -> State:
        """Return hidden maps and cell (B, D, H, W) after maps (B, C, H, W), or after no input."""
        return self.step(None if x is None or self.of_input is None else self.of_input(x), state)

    def step(self, of_input: Tensor | None, state: State) -> State:
        """Return the next state, given the input's term of the gates, (B, 4 D, H, W)."""
        hidden, cell = state
        gates = self.of_state(hidden)
        gates = gates if of_input is None else gates + of_input
        enter, forget, leave, new = gates.chunk(4, dim=1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        return leave.sigmoid() * cell.tanh(), cell

    def init_hidden(self, batch_size: int, image_size: Sequence[int]) -> State:
        """Return initial hidden maps and cell: zeros (B, D, H, W)."""
        zeros = self.of_state.weight.new_zeros(batch_size, self.hidden_dim, *image_size)
        return zeros, zeros

    def read(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the hidden maps of all steps over maps (B, T, C, H, W), and the last state.

        The input's term of the gates is computed for all steps at once.
        """
        if self.of_input is None:
            raise ValueError("a cell without input reads nothing")
        of_input = self.of_input(x.flatten(0, 1))
        of_input = of_input.reshape(x.shape[0], x.shape[1], *of_input.shape[1:])
        state = state or self.init_hidden(x.shape[0], x.shape[3:])
        outputs = []
        for step in of_input.unbind(1):
            state = self.step(step, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state


class ConvLSTM(nn.Module):
    """Layers of convolutional LSTM over maps.

    Parameters
    ----------
    input_dim
        Features C of the maps.
    hidden_dim, kernel_size
        Features of the states and size of the filters: one for all layers, or a
        list with one for each.
    num_layers
        Number of layers.
    batch_first
        Axes of the maps: (B, T, C, H, W), or as in `torch.nn.LSTM` by default
        (T, B, C, H, W). The values are the same.
    bias
        As of `ConvLSTMCell`.
    return_all_layers
        Return the maps of all layers instead of the last one.

    Raises
    ------
    UserError
        If a list has not one entry for each layer.
    """

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int | Sequence[int],
        kernel_size: int | tuple[int, int] | list[int] | list[tuple[int, int]] = 3,
        num_layers: int = 1,
        batch_first: bool = False,
        bias: bool = True,
        return_all_layers: bool = False,
    ) -> None:
        super().__init__()
        widths = [hidden_dim] * num_layers if isinstance(hidden_dim, int) else list(hidden_dim)
        sizes = kernel_size if isinstance(kernel_size, list) else [kernel_size] * num_layers
        if not len(widths) == len(sizes) == num_layers:
            raise UserError("hidden_dim and kernel_size must have one entry for each layer")
        self.batch_first = batch_first
        self.return_all_layers = return_all_layers
        self.cells = nn.ModuleList(
            ConvLSTMCell(n_inputs, width, size, bias)
            for n_inputs, width, size in zip([input_dim, *widths[:-1]], widths, sizes, strict=True)
        )

    def forward(
        self, x: Tensor, hidden_state: Sequence[State] | None = None
    ) -> tuple[list[Tensor], list[State]]:
        """Return the hidden maps of layers in the axes of `x`, and the states they end with.

        Parameters
        ----------
        x
            Maps with the axes set by `batch_first`.
        hidden_state
            State of each layer to begin with; None: zeros.
        """
        maps = x if self.batch_first else x.transpose(0, 1)
        outputs, states = [], []
        for i, cell in enumerate(self.cells):
            begin = None if hidden_state is None else hidden_state[i]
            maps, state = cast(ConvLSTMCell, cell).read(maps, begin)
            outputs.append(maps if self.batch_first else maps.transpose(0, 1))
            states.append(state)
        first = 0 if self.return_all_layers else -1
        return outputs[first:], states[first:]


@ARCHITECTURES.register(
    "conv_lstm",
    accepts=("video",),
    space={"widths": ((16, 16), (32, 32), (64, 64)), "kernel_size": (3, 5)},
)
class ConvLstmEncoder(Encoder):
    """Layers of convolutional LSTM over frames that are folded into fewer, deeper pixels.

    Parameters
    ----------
    frame_shape
        Planes, rows and columns (C, H, W) of a frame.
    patch_size
        Rows and columns that become one pixel of the maps, which holds all their values.
    widths
        Features of the states of each layer.
    kernel_size
        Rows and columns of the filters, in patches; odd.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C, H, W) -> (B, T, D). A frame is the hidden maps of all layers,
    `map_shape` of features, rows and columns, flattened. Frames that patches
    do not fill are continued with zeros.

    References
    ----------
    Shi et al. (2015). Convolutional LSTM network: a machine learning approach
    for precipitation nowcasting. NeurIPS, section 3. arXiv:1506.04214
    """

    def __init__(
        self,
        frame_shape: tuple[int, int, int],
        *,
        patch_size: Count = 4,
        widths: Widths = (32, 32),
        kernel_size: OddCount = 3,
        pooling: Pooling = "last",
    ) -> None:
        super().__init__(pooling)
        self.map_stride = patch_size
        planes, rows, columns = frame_shape
        self.layers = ConvLSTM(
            planes * patch_size**2,
            list(widths),
            kernel_size,
            num_layers=len(widths),
            batch_first=True,
            return_all_layers=True,
        )
        size = (math.ceil(rows / patch_size), math.ceil(columns / patch_size))
        self.map_shape = (sum(widths), *size)
        self.n_features = math.prod(self.map_shape)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode videos (B, T, C, H, W); see `Encoder.encode`."""
        maps, _ = self.layers(folded(x, self.map_stride))
        return ended(torch.cat(maps, dim=2).flatten(2), lengths)


class MapForecaster(nn.Module):
    """A convolutional LSTM that continues the last maps of an encoder by a step for each frame.

    Parameters
    ----------
    map_shape, map_stride
        As of the encoder: features, rows and columns of the maps, and rows and
        columns of a frame that one of their pixels becomes.
    shape
        Frames, planes, rows and columns (N, C, H, W) of the forecast.

    Notes
    -----
    (B, F, D) -> (B, N, C, H, W). The forecasting half of an encoder-forecaster:
    its hidden state starts as the maps, its cell as a linear function of them,
    and it has no input. Each state becomes a frame: a rectifier between two
    linear layers of each pixel, which is then unfolded into a patch. Departs
    from the source, whose forecaster copies cells too and has as many layers as
    the encoder: a head receives frames alone.

    References
    ----------
    Shi et al. (2015). Convolutional LSTM network: a machine learning approach
    for precipitation nowcasting. NeurIPS, section 3.2. arXiv:1506.04214
    """

    def __init__(
        self, map_shape: tuple[int, int, int], map_stride: int, shape: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.map_shape = map_shape
        self.n_frames, planes, rows, columns = shape
        self.frame_size = (rows, columns)
        width = map_shape[0]
        self.map_stride = map_stride
        self.last = Pool(math.prod(map_shape), "last")
        self.cell_of_maps = nn.Conv2d(width, width, 1)
        self.cell = ConvLSTMCell(0, width)
        self.pixels = nn.Sequential(
            nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, planes * map_stride**2, 1)
        )

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return frames (B, N, C, H, W) after the last of each window's `lengths` (B,) frames."""
        hidden = self.last(frames, lengths).unflatten(1, self.map_shape)
        state = (hidden, self.cell_of_maps(hidden))
        states = []
        for _ in range(self.n_frames):
            state = self.cell(None, state)
            states.append(state[0])
        patches = self.pixels(torch.cat(states))  # step after step, (N * B, D, H, W)
        pictures = unfolded(patches, self.map_stride, self.frame_size)
        return pictures.unflatten(0, (self.n_frames, -1)).transpose(0, 1)


def folded(x: Tensor, patch_size: int) -> Tensor:
    """Return videos (B, T, C, H, W) with each patch as one pixel, zeros where it is not full."""
    rows, columns = (-side % patch_size for side in x.shape[3:])
    padded = F.pad(x, (0, columns, 0, rows)).flatten(0, 1)
    maps = F.pixel_unshuffle(padded, patch_size)
    return maps.reshape(x.shape[0], x.shape[1], *maps.shape[1:])


def unfolded(maps: Tensor, patch_size: int, frame_size: tuple[int, int]) -> Tensor:
    """Return pictures (S, C, H, W) of maps whose pixels are patches."""
    rows, columns = frame_size
    return F.pixel_shuffle(maps, patch_size)[..., :rows, :columns]
