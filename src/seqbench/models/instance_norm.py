"""Every window in units of its own, and values back from them."""

from torch import Tensor

from seqbench.models.base import ended, inside, like

LEAST_VARIANCE = 1e-5


def centre_and_scale(x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of every channel of each window, (B, 1, C, ...) each.

    Parameters
    ----------
    x
        Windows (B, T, C) or videos (B, T, C, rows, columns), zero after each end.
    lengths
        Samples of each window, (B,); None: all have T.

    Notes
    -----
    The variance is that of the source, more by 1e-5: a window that never
    changes has a scale above 0, and its forecasts stay close to its value.
    Without the learned gain and offset of the source, whose inverse divides by
    the gain: the layers before and behind have their own.

    References
    ----------
    Kim et al. (2022). Reversible instance normalization for accurate
    time-series forecasting against distribution shift. ICLR, section 3.
    """
    others = (1, *range(3, x.ndim))
    if lengths is None:
        centre = x.mean(dim=others, keepdim=True)
        variance = (x - centre).square().mean(dim=others, keepdim=True)
    else:
        mask = like(inside(lengths, x.shape[1], x.device), x)
        n = like(lengths.to(x.device), x) * x[0, 0, 0].numel()
        centre = x.sum(dim=others, keepdim=True) / n
        variance = ((x - centre) * mask).square().sum(dim=others, keepdim=True) / n
    return centre, (variance + LEAST_VARIANCE).sqrt()


def standardized(x: Tensor, centre: Tensor, scale: Tensor, lengths: Tensor | None) -> Tensor:
    """Return windows in units of their own, zero after each end."""
    return ended((x - centre) / scale, lengths)


def restored(values: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
    """Return values (B, H, C, ...) in units of their own windows in the units of these."""
    return values * scale + centre
