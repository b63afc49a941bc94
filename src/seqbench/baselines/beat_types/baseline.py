"""Heart beats by type: found first, then typed by their rhythm and shape."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.baselines.beat_types.features import BeatFeatures, beat_features
from seqbench.baselines.heart_beats import KhamisBaseline, ecg_channel
from seqbench.baselines.trees import fit_trees, tree_probabilities
from seqbench.config.options import Count, Level
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

LEAST_RATE_HZ = 100.0
LEAST_SCORE = 1e-6  # scores lie inside of (0, 1)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@BASELINES.register(
    "beat_types",
    accepts=("series",),
    tasks=("detection",),
    needs=("ecg",),
    stochastic=True,
    imports=("neurokit2", "sklearn.ensemble"),
    space={"least": (30, 60, 120), "balance": {"low": 0.0, "high": 1.0}},
)
class BeatTypesBaseline(Baseline):
    """Beats that `khamis` finds, typed by randomised trees on their rhythm and shape.

    Parameters
    ----------
    n_trees
        Trees whose shares are averaged.
    least
        Beats in a leaf of a tree at least.
    balance
        Power of its share that the weight of a type falls with: 0 weighs every beat
        alike, 1 every type.

    Raises
    ------
    UserError
        If the sampling rate is below 100 Hz, at which a QRS complex loses its shape, or
        if no beat that is found in train lies near an event.

    Notes
    -----
    A beat has one type, that of the greatest weighted probability; its score is the probability
    without the weights. This decision stands: thresholds chosen on the few people of val remove
    rare types of other people. What is found in train far from every event is a type of its own,
    which is never predicted. All features compare a beat with the ordinary beats of its
    recording, which is read whole and without labels. An onset is moved by the median
    distance between beat and event of its type in train.

    References
    ----------
    de Chazal, O'Dwyer, Reilly (2004). Automatic classification of heartbeats using ECG
    morphology and heartbeat interval features. IEEE TBME 51(7). Departs from it in the
    classifier: on records that were not learned from, linear discriminants and logistic regression
    on these features found fewer supraventricular beats.
    """

    gives_probabilities = True
    decides = True

    def __init__(self, *, n_trees: Count = 100, least: Count = 60, balance: Level = 0.5) -> None:
        self.n_trees = n_trees
        self.least = least
        self.balance = balance
        self.finder = KhamisBaseline()

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Fit the trees on the beats of train."""
        (train,) = splits
        rate_hz = train.required_rate_hz
        if rate_hz < LEAST_RATE_HZ:
            raise UserError(
                f"beat_types needs {LEAST_RATE_HZ:g} Hz or more to tell shapes of beats apart, not"
                f" {rate_hz:g} Hz; leave it out of the baselines"
            )
        channel = ecg_channel(train)
        features: list[BeatFeatures] = []
        kinds: list[Integers] = []
        shifts: list[Floats] = []
        for place, ecg, time in self.finder.found(train, channel, labelled=True):
            if len(time):
                features.append(beat_features(ecg, time, rate_hz))
                kind, shift = _nearest_events(train, place, time)
                kinds.append(kind)
                shifts.append(shift)
        n_types = len(train.classes)
        kind = np.concatenate([np.zeros(0, dtype=np.int64), *kinds])
        count = np.bincount(kind, minlength=n_types + 1)
        if not count[:n_types].any():
            raise UserError(
                f"beat_types: none of the {len(kind)} beats found in train lies near an event; it"
                " is made for heart beats, leave it out of the baselines of other events"
            )
        usual_width = np.median([one.width for one in features], axis=0)
        x = np.concatenate([one.values(usual_width) for one in features])
        shift = np.concatenate(shifts)
        weight = (count.sum() / np.maximum(count, 1)) ** self.balance
        trees = fit_trees(x, kind, weight[kind], n_trees=self.n_trees, least=self.least, seed=seed)
        of_types = [shift[kind == k] for k in range(n_types)]
        return trees | {
            "channel": np.array([channel]),
            "usual_width": usual_width,
            "weight": weight,
            "shift_samples": np.array([np.median(s) if len(s) else 0.0 for s in of_types]),
        }

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return the beats of every recording, each with its type."""
        parts = []
        for place, ecg, time in self.finder.found(windows, int(arrays["channel"][0])):
            if not len(time):
                continue
            x = beat_features(ecg, time, windows.required_rate_hz).values(arrays["usual_width"])
            weighted = tree_probabilities(arrays, x, len(windows.classes) + 1)
            kind = weighted[:, :-1].argmax(axis=1)
            likely = weighted / arrays["weight"]
            score = likely[np.arange(len(time)), kind] / likely.sum(axis=1)
            parts.append(
                Candidates.at(
                    np.clip(time + arrays["shift_samples"][kind], 0, len(ecg) - 1),
                    place=place,
                    type=kind,
                    score=np.clip(score, LEAST_SCORE, 1 - LEAST_SCORE),
                )
            )
        return Candidates.joined(parts)


def _nearest_events(train: WindowSet, place: int, time: Floats) -> tuple[Integers, Floats]:
    """Return the type of the event nearest to each beat of a labelled span, and how late it is.

    K where no event lies within the tolerance, or where another beat is nearer to it.
    """
    timeline = train.events
    own = timeline.place == place
    # At both ends an event that is infinitely far, so that every beat lies between two.
    onset = np.pad((timeline.onset[own] - timeline.known_start[place]).astype(np.float64), 1)
    onset[0], onset[-1] = -np.inf, np.inf
    kind = np.pad(timeline.type[own], 1)
    after = np.searchsorted(onset, time)
    nearest = np.where(time - onset[after - 1] <= onset[after] - time, after - 1, after)
    late = onset[nearest] - time
    least = np.full(len(onset), np.inf)
    np.minimum.at(least, nearest, np.abs(late))
    reach = timeline.tolerance_ms * train.required_rate_hz / 1000
    is_own = (np.abs(late) <= reach) & (np.abs(late) == least[nearest])
    return np.where(is_own, kind[nearest], len(train.classes)), late
