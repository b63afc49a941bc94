"""Features of physiological windows, and a random forest on them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels
from seqbench.baselines.physiology import heart, skin
from seqbench.baselines.trees import forest_arrays, tree_probabilities
from seqbench.config.options import Count, Positive
from seqbench.config.registry import BASELINES
from seqbench.datasets.physiology import KINDS, OF_HEART_OR_SKIN, named_kind
from seqbench.errors import UserError
from seqbench.storage.windows import UNLABELLED, WindowSet

Floats = NDArray[np.float64]
LEAST_HZ = heart.LEAST_HZ | {"eda": skin.LEAST_HZ}


@BASELINES.register(
    "physiology_forest",
    accepts=("series",),
    tasks=("classification",),
    needs=("physiology",),
    stochastic=True,
    imports=("neurokit2", "scipy.signal", "sklearn.ensemble"),
    space={"least": (1, 2, 5, 10)},
)
class PhysiologyForestBaseline(Baseline):
    """Heart rate variability, electrodermal responses and simple statistics, and a random forest.

    Parameters
    ----------
    n_trees
        Trees that vote.
    least
        Windows in a leaf of a tree at least.
    least_response
        Smallest rise of skin conductance that is a response, in the unit of the channel (µS);
        with `normalization: per_recording` in standard deviations of the recording.

    Raises
    ------
    UserError
        If no channel is a pulse wave, an ECG or skin conductance, or the windows have no rate or
        one too low: 20 Hz for a pulse wave, 100 Hz for an ECG, 1 Hz for skin conductance.

    Notes
    -----
    The dataset says what its channels measure: `physiology` of a folder, by default the first word
    of their names. Of every channel there are mean, standard deviation, least and largest value
    and slope, of several axes of acceleration the movement in all of them, and of hearts and skin
    what `heart_features` and `skin_features` say. Windows are in their units, whatever
    `normalization` makes of them for others, except per_recording, which leaves each recording in
    its own standard deviations. What is not defined in a window, as the variability of fewer than
    six beats, is the median of the windows that the forest is fitted on.

    References
    ----------
    Schmidt, Reiss, Duerichen, Marberger, Van Laerhoven (2018). Introducing WESAD, a multimodal
    dataset for wearable stress and affect detection. ICMI, which has such features and forests.
    Makowski et al. (2021). NeuroKit2: a Python toolbox for neurophysiological signal processing.
    Behavior Research Methods 53:1689-1696.
    """

    gives_probabilities = True

    def __init__(
        self, *, n_trees: Count = 200, least: Count = 2, least_response: Positive = 0.01
    ) -> None:
        self.n_trees = n_trees
        self.least = least
        self.least_response = least_response

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Find out what the channels measure, and fit the trees on the labelled windows."""
        from sklearn.ensemble import RandomForestClassifier

        first = splits[0]
        kinds = channel_kinds(first.channels, first.source.get("physiology", {}))
        _check_rate(first.channels, kinds, first.sampling_rate_hz)
        x = np.array([row for one in splits for row in self._features(one, kinds, labelled=True)])
        known = [column[np.isfinite(column)] for column in x.T]
        usual = np.array([np.median(values) if len(values) else 0.0 for values in known])
        forest = RandomForestClassifier(
            self.n_trees, min_samples_leaf=self.least, random_state=seed
        )
        forest.fit(_filled(x, usual).astype(np.float32), labels(splits))
        codes = np.array([KINDS.index(kind) for kind in kinds])
        return forest_arrays(forest) | {"kind": codes, "usual": usual}

    def predict(self, arrays: Arrays, windows: WindowSet) -> Floats:
        """Return the probabilities of the classes, (N, K)."""
        usual = arrays["usual"]
        rows = [*self._features(windows, [KINDS[code] for code in arrays["kind"]])]
        x = np.array(rows).reshape(len(rows), len(usual))  # of no window, too
        return tree_probabilities(arrays, _filled(x, usual), len(windows.classes))

    def _features(
        self, windows: WindowSet, kinds: list[str], *, labelled: bool = False
    ) -> Iterator[list[float]]:
        """Yield the features of each window, or each labelled one, D numbers."""
        rate_hz = windows.required_rate_hz
        for index, label in enumerate(windows.label):
            if label != UNLABELLED or not labelled:
                yield self._window_features(windows, index, kinds, rate_hz)

    def _window_features(
        self, windows: WindowSet, index: int, kinds: list[str], rate_hz: float
    ) -> list[float]:
        """Return the features of one window, channel by channel."""
        window = windows.normalization.undone(windows.window(index)).astype(np.float64)
        features: list[float] = []
        for signal, kind in zip(window.T, kinds, strict=True):
            features += _statistics(signal, rate_hz)
            if kind in heart.FINDERS:
                features += heart.heart_features(signal, rate_hz, kind).values()
            elif kind == "eda":
                features += skin.skin_features(signal, rate_hz, self.least_response).values()
        axes = window[:, [kind == "acceleration" for kind in kinds]]
        if axes.shape[1]:
            features += _movement(axes, rate_hz)
        return features


def channel_kinds(channels: Sequence[str], stated: Mapping[str, str]) -> list[str]:
    """Return what each channel (C,) measures: as stated by its name, else as the name says.

    Raises
    ------
    UserError
        If no channel is a pulse wave, an ECG or skin conductance.
    """
    kinds = [stated.get(name) or named_kind(name) for name in channels]
    if not OF_HEART_OR_SKIN & {*kinds}:
        raise UserError(
            "physiology_forest needs a channel that is a pulse wave, an ECG or skin conductance,"
            f" and none of {', '.join(channels)} is; state it as `physiology: {{{channels[0]}:"
            " pulse}` of the dataset, or leave the baseline out"
        )
    return kinds


def _filled(x: Floats, usual: Floats) -> Floats:
    """Return features (N, D) with the usual value (D,) of each where it is not defined."""
    return np.where(np.isfinite(x), x, usual)


def _statistics(signal: Floats, rate_hz: float) -> list[float]:
    """Return mean, standard deviation, least and largest value and slope in units per second."""
    time_s = (np.arange(len(signal)) - (len(signal) - 1) / 2) / rate_hz
    slope = signal @ time_s / max(time_s @ time_s, 1e-12)
    return [signal.mean(), signal.std(), signal.min(), signal.max(), slope]


def _movement(axes: Floats, rate_hz: float) -> list[float]:
    """Return spread of acceleration (T, axes) around its mean, which holds gravity, and change."""
    steps = np.linalg.norm(np.diff(axes, axis=0), axis=1)
    return [
        float(np.sqrt(axes.var(axis=0).sum())),
        float(steps.mean() * rate_hz) if len(steps) else 0.0,
    ]


def _check_rate(channels: Sequence[str], kinds: list[str], rate_hz: float | None) -> None:
    """Refuse windows without a rate, or with one too low for what a channel measures."""
    if rate_hz is None:
        raise UserError(
            "physiology_forest needs the sampling rate; set `sampling_rate_hz` of the dataset, or"
            " leave it out of the baselines"
        )
    for name, kind in zip(channels, kinds, strict=True):
        if rate_hz < (least_hz := LEAST_HZ.get(kind, 0.0)):
            raise UserError(
                f"physiology_forest takes a channel of kind {kind}, as {name}, at {least_hz:g} Hz"
                f" or more, not at {rate_hz:g} Hz; raise `sampling_rate_hz` of the dataset, state"
                f" `physiology: {{{name}: other}}` of a folder, or leave it out of the baselines"
            )
