"""Random convolutions, pooled in many ways and competing in groups, and a ridge classifier."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels, window_array
from seqbench.baselines.compilation import compiled, keep_numba_threads
from seqbench.baselines.minirocket import SHORTEST, class_margins, fit_ridge
from seqbench.config.options import Count
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import WindowSet

Floats = NDArray[np.float64]
OF_DIFFERENCES = SHORTEST + 1  # samples of a window whose differences are as long as a kernel
SPARSITY_POWER = 4
LEAST_SCALE = 1e-8


@BASELINES.register(
    "multirocket_hydra",
    accepts=("series",),
    tasks=("classification",),
    stochastic=True,
    imports=("aeon.transformations.collection.convolution_based", "sklearn.linear_model", "torch"),
    space={"n_kernels": (3125, 6250, 12500), "n_groups": (32, 64, 128)},
)
class MultiRocketHydraBaseline(Baseline):
    """MultiRocket and Hydra features (aeon) and a ridge classifier.

    Parameters
    ----------
    n_kernels
        Convolutions of MultiRocket, rounded down to a multiple of 84; eight
        features of each.
    n_groups
        Groups of eight convolutions of Hydra, of each dilation.

    Notes
    -----
    The transforms need equal lengths: shorter windows are padded with zeros,
    the mean of train, to the longest window of training, longer ones cut.
    Scaling is that of aeon's `MultiRocketHydraClassifier`.

    References
    ----------
    Dempster, Schmidt, Webb (2023). Hydra: competing convolutional kernels for
    fast and accurate time series classification. Data Mining and Knowledge
    Discovery 37:1779-1805, section 4.3. arXiv:2203.13652
    Tan et al. (2022). MultiRocket: multiple pooling operators and
    transformations for fast and effective time series classification. Data
    Mining and Knowledge Discovery 36:1623-1646. arXiv:2102.00457
    """

    def __init__(self, *, n_kernels: Count = 6250, n_groups: Count = 64) -> None:
        self.n_kernels = n_kernels
        self.n_groups = n_groups

    def compile(self, n_channels: int) -> float:
        """Have numba compile the transform of MultiRocket."""
        rocket = multirocket(n_kernels=84, seed=0)
        x = np.random.default_rng(0).normal(size=(2, n_channels, OF_DIFFERENCES))
        return compiled("multirocket", lambda: rocket.fit_transform(x.astype(np.float32)))

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Fit both transforms, their scaling and the ridge classifier."""
        n_samples = max(OF_DIFFERENCES, *(int(split.length.max()) for split in splits))
        x = np.concatenate([window_array(split, n_samples, labelled=True) for split in splits])
        rocket = multirocket(self.n_kernels, seed)
        of_rocket = np.asarray(rocket.fit_transform(x), dtype=np.float64)
        hydra = Hydra(self.n_groups, x.shape[1], n_samples, seed)
        of_hydra = hydra.features(x)
        scale = of_rocket.std(axis=0)
        scale[scale == 0] = 1.0
        is_sparse = (of_hydra == 0).mean(axis=0)
        scales = {
            "centre": of_rocket.mean(axis=0),
            "scale": scale,
            "centre_hydra": of_hydra.mean(axis=0),
            "scale_hydra": of_hydra.std(axis=0, ddof=1) + is_sparse**SPARSITY_POWER + LEAST_SCALE,
        }
        arrays = {f"base{i}": np.asarray(p) for i, p in enumerate(rocket.parameter)}
        arrays |= {f"differences{i}": np.asarray(p) for i, p in enumerate(rocket.parameter1)}
        return {
            **arrays,
            **hydra.arrays(),
            **scales,
            **fit_ridge(_scaled(of_rocket, of_hydra, scales), labels(splits)),
            "n_samples": np.array([n_samples]),
        }

    def predict(self, arrays: Arrays, windows: WindowSet) -> Floats:
        """Return the margins of the ridge classifier, (N, K)."""
        n_samples, n_channels = int(arrays["n_samples"][0]), len(windows.channels)
        x = window_array(windows, n_samples)
        # Marks it as fitted; with a seed, as without one numba would compile once more.
        rocket = multirocket(84, seed=0).fit(np.zeros((2, n_channels, n_samples), np.float32))
        n_parts = 3 if n_channels == 1 else 5
        rocket.parameter = tuple(arrays[f"base{i}"] for i in range(n_parts))
        rocket.parameter1 = tuple(arrays[f"differences{i}"] for i in range(n_parts))
        of_rocket = np.asarray(rocket.transform(x), dtype=np.float64)
        hydra = Hydra(self.n_groups, n_channels, n_samples, seed=0)
        hydra.take(arrays)
        features = _scaled(of_rocket, hydra.features(x), arrays)
        return class_margins(arrays, features, len(windows.classes))


class Hydra:
    """The transform of aeon, whose kernels are kept as arrays.

    Parameters
    ----------
    n_groups
        Groups of kernels.
    n_channels, n_samples
        Of the windows.
    seed
        Of the kernels; no other draw is changed.
    """

    def __init__(self, n_groups: int, n_channels: int, n_samples: int, seed: int) -> None:
        import torch
        from aeon.transformations.collection.convolution_based import HydraTransformer

        self._transformer = HydraTransformer(n_groups=n_groups, random_state=seed)
        n_threads = torch.get_num_threads()
        with torch.random.fork_rng(devices=[]):
            self._transformer.fit(np.zeros((2, n_channels, n_samples), np.float32))
        torch.set_num_threads(n_threads)
        self._kernels: Any = self._transformer._hydra

    def arrays(self) -> Arrays:
        """Return the kernels, and the channels that they read."""
        channels = {f"channels{i}": one.numpy() for i, one in enumerate(self._kernels.idx)}
        return {"kernels": self._kernels.W.numpy(), **channels}

    def take(self, arrays: Arrays) -> None:
        """Take over what `arrays` gave."""
        import torch

        self._kernels.W = torch.from_numpy(arrays["kernels"])
        n_dilations = len(self._kernels.idx)
        self._kernels.idx = [torch.from_numpy(arrays[f"channels{i}"]) for i in range(n_dilations)]

    def features(self, x: NDArray[np.float32]) -> Floats:
        """Return the roots of how far and how often kernels win, (N, D).

        Window by window: products of a batch are rounded otherwise than those of one.
        """
        import torch

        with torch.no_grad():
            rows = [self._kernels(torch.from_numpy(window[None])).numpy()[0] for window in x]
        return np.sqrt(np.clip(np.stack(rows).astype(np.float64), 0, None))


def multirocket(n_kernels: int, seed: int) -> Any:
    """Return the transform of aeon, ready to compile."""
    from aeon.transformations.collection.convolution_based import MultiRocket

    keep_numba_threads()
    return MultiRocket(n_kernels=n_kernels, random_state=seed)


def _scaled(of_rocket: Floats, of_hydra: Floats, scales: Arrays) -> Floats:
    """Return both kinds of features side by side; what Hydra did not count stays 0."""
    rocket = (of_rocket - scales["centre"]) / scales["scale"]
    hydra = (of_hydra - scales["centre_hydra"]) * (of_hydra != 0) / scales["scale_hydra"]
    return np.concatenate([hydra, rocket], axis=1)
