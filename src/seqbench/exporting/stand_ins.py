"""Modules that compute the same as others in operations that ONNX has for any length."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.models.cnn1d import Cnn1dEncoder, MaskedBatchNorm1d
from seqbench.models.event_specific import EventTemplateBank
from seqbench.models.event_unet import _Block
from seqbench.models.matching_pursuit import Bank, MatchingPursuit
from seqbench.models.pooling import Pool
from seqbench.models.recurrent import RecurrentEncoder


@torch.no_grad()
def prepare_for_tracing(model: nn.Module) -> None:
    """Replace, in place, what the converter would fix in length or does not know.

    What comes out is compared with the untouched model on windows of several
    lengths and numbers; see `parity`.
    """
    for module in model.modules():
        if isinstance(module, RecurrentEncoder):
            module.encode = _in_both_directions(module)  # type: ignore[method-assign]
        elif isinstance(module, Cnn1dEncoder):
            module.encode = _as_images(module)  # type: ignore[method-assign]
        elif isinstance(module, MaskedBatchNorm1d) and not module.affine:
            # The converter finds the number of channels in the weights.
            module.weight = nn.Parameter(torch.ones_like(module.running_mean))
            module.bias = nn.Parameter(torch.zeros_like(module.running_mean))
        elif isinstance(module, EventTemplateBank):
            # What depends on weights alone is a constant: ONNX turns no phases.
            module.delayed = _always(module.delayed())  # type: ignore[method-assign]
        elif isinstance(module, MatchingPursuit) and (module.mean > 0).any():
            module.bank = _ConvolvedBank(module)
        elif isinstance(module, Pool) and module.score is not None:
            module.forward = _attentive(module.score)  # type: ignore[method-assign]
        elif isinstance(module, _Block) and isinstance(module.convolution, nn.ConvTranspose1d):
            module.convolution.forward = _cropped(module.convolution)  # type: ignore[method-assign]


class _ConvolvedBank(Bank):
    """Templates that are convolved in time, for windows of any length: ONNX has no transforms."""

    def __init__(self, pursuit: MatchingPursuit) -> None:
        super().__init__(pursuit, 1)
        self.filters = self.kernels.flatten(0, 1)  # (M P, C, taps)
        self.ahead = self.filters.shape[2] - 1 - self.onset
        n_templates, self.reach = len(self.type), self.traces.shape[1] // 2
        self.lags = self.traces.new_zeros(n_templates, n_templates, self.traces.shape[1])
        self.lags[self.pairs[1], self.pairs[0]] = self.traces.flip(1)

    def __call__(self, _: MatchingPursuit, n_samples: int, lengths: Tensor | None) -> Bank:
        self.outside = self.after_the_end(n_samples, lengths)
        return self

    def heard(self, signal: Tensor) -> Tensor:
        return self.interleaved(F.conv1d(F.pad(signal, (self.onset, self.ahead)), self.filters))

    def rendered(self, level: Tensor) -> Tensor:
        wide = F.conv_transpose1d(self.by_place(level), self.filters)
        return wide[..., self.onset : -self.ahead]

    def own(self, level: Tensor) -> Tensor:
        return F.conv1d(F.pad(level, (self.reach, self.reach)), self.lags)


def _always(value: Tensor) -> Callable[[], Tensor]:
    return lambda: value


def _in_both_directions(encoder: RecurrentEncoder) -> Callable[..., Tensor]:
    """Return `encode` of whole windows by layers that read in both directions themselves."""
    layers = []
    for i, ahead in enumerate(encoder.ahead):
        layer = type(encoder).layer.of_torch(
            ahead.input_size,
            ahead.hidden_size,
            batch_first=True,
            bidirectional=bool(encoder.back),
        )
        weights = dict(ahead.state_dict())
        if encoder.back:
            weights |= {f"{key}_reverse": one for key, one in encoder.back[i].state_dict().items()}
        layer.load_state_dict(weights)
        layers.append(layer.eval())
    encoder.layers_in_both_directions = nn.ModuleList(layers)

    def encode(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        for layer in encoder.layers_in_both_directions:  # type: ignore[union-attr]
            x = layer(x)[0]
        return x

    return encode


def _as_images(encoder: Cnn1dEncoder) -> Callable[..., Tensor]:
    """Return `encode` of whole windows as images of one row.

    ONNX Runtime lays out images in blocks of channels, and nothing else: 1.3 times as fast.
    """
    pairs = zip(encoder.convolutions, encoder.norms, strict=True)
    encoder.of_images = nn.ModuleList(_of_image(*pair) for pair in pairs)  # type: ignore[arg-type]

    def encode(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        x = x.transpose(1, 2).unsqueeze(2)
        for convolution in encoder.of_images:  # type: ignore[union-attr]
            x = convolution(x).relu()
        return x.squeeze(2).transpose(1, 2)

    return encode


def _of_image(convolution: nn.Conv1d, norm: MaskedBatchNorm1d) -> nn.Conv2d:
    """Return a convolution of (B, D, 1, T), with the norm behind it in its filters."""
    made = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        (1, convolution.kernel_size[0]),
        stride=(1, convolution.stride[0]),
        padding=(0, int(convolution.padding[0])),
    )
    gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    made.weight.copy_((convolution.weight * gain[:, None, None])[:, :, None])
    if made.bias is not None:
        made.bias.copy_(norm.bias - norm.running_mean * gain)
    return made


def _attentive(score: nn.Linear) -> Callable[..., Tensor]:
    """Return pooling by attention over whole windows as a product of matrices."""

    def forward(frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        return (score(frames).softmax(dim=1).transpose(1, 2) @ frames)[:, 0]

    return forward


def _cropped(convolution: nn.ConvTranspose1d) -> Callable[..., Any]:
    """Return a transposed convolution to the most frames, of which those too many are cut off.

    The same numbers as with padding that depends on the number of frames, which a trace fixes.
    """
    step, padding = convolution.stride[0], convolution.padding[0]

    def forward(x: Tensor, output_size: list[int]) -> Tensor:
        whole = F.conv_transpose1d(
            x,
            convolution.weight,
            convolution.bias,
            stride=convolution.stride,
            padding=int(padding),
            output_padding=step - 1,
        )
        return whole[:, :, : output_size[0]]

    return forward
