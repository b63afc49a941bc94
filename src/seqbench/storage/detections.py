"""What a model found in whole recordings, as detection writes it into `predictions.h5`.

Layout of the group of a split: the columns of `Detections` as arrays of the
same names, candidates under ``candidates/``, thresholds under ``thresholds/``.
Candidates are kept as they were before thresholds and the refractory rule, so
that ways of decoding can be compared without predicting again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from seqbench.storage.records import Record
from seqbench.storage.windows import WindowSet

Decoder = Literal["threshold", "greedy", "optimal", "bounded"]
COLUMNS: dict[str, type] = {  # of candidates
    "place": np.int64,
    "time": np.float64,
    "type": np.int64,
    "score": np.float64,
    "found_at": np.float64,
}


@dataclass(frozen=True, kw_only=True)
class Pace:
    """When the frames of a recording become final while its samples come.

    Parameters
    ----------
    hop_samples
        Samples from frame to frame.
    first_centre
        Frame f stands for the samples around ``first_centre + f * hop_samples``.
    first_samples
        Samples that the first frames need.
    n_together
        Frames that become final together, and then every ``n_together * hop_samples`` samples.
    """

    hop_samples: int
    first_centre: float
    first_samples: int
    n_together: int

    def n_samples(self, n_frames: ArrayLike) -> NDArray[np.float64]:
        """Return the samples after which so many frames, one at least, are final."""
        groups_before = np.ceil(np.asarray(n_frames, dtype=np.float64) / self.n_together) - 1
        step_samples = self.n_together * self.hop_samples
        return self.first_samples + np.maximum(groups_before, 0) * step_samples


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Possible events, before any threshold: at most one per peak of a score.

    Parameters
    ----------
    place
        Position of the recording among those of the split, (M,) int64.
    time
        Onset in samples from the start of the recording, (M,) float64; sub-sample.
    type
        Index of the class, (M,) int64.
    score
        Larger is likelier, in (0, 1), (M,) float64.
    found_at
        Samples of the recording that must have come before it is found, (M,)
        float64; NaN where a method finds nothing before a recording has ended.
    duration
        From onset to end in samples, (M,) float64; NaN where no end is predicted. None: of no
        candidate is one.
    pace
        When a stream has the frames that they are found in; None: there is no stream.
    """

    place: NDArray[np.int64]
    time: NDArray[np.float64]
    type: NDArray[np.int64]
    score: NDArray[np.float64]
    found_at: NDArray[np.float64]
    duration: NDArray[np.float64] | None = None
    pace: Pace | None = None

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def at(
        cls,
        time: ArrayLike,
        *,
        place: ArrayLike,
        type: ArrayLike,
        score: ArrayLike,
        duration: NDArray[np.float64] | None = None,
    ) -> "Candidates":
        """Return candidates at times (M,); a number in place of an array is that of all."""
        time, place, kind, values = np.broadcast_arrays(time, place, type, score)
        unknown = np.full(time.shape, np.nan)
        return cls(
            place=place, time=time, type=kind, score=values, found_at=unknown, duration=duration
        )

    def __getitem__(self, index: NDArray[Any] | slice) -> "Candidates":
        columns = {name: getattr(self, name)[index] for name in COLUMNS}
        duration = None if self.duration is None else self.duration[index]
        return replace(self, **columns, duration=duration)

    def with_ends(self, typical_samples: Sequence[float | None]) -> "Candidates":
        """Return candidates that end after the typical duration of their type, if without ends.

        Parameters
        ----------
        typical_samples
            Of each type, (K,), None: not known; empty: ends do not matter, and are left out.
        """
        if not typical_samples:
            return replace(self, duration=None)
        if self.duration is not None:
            return self
        typical = np.array([one or np.nan for one in typical_samples], dtype=np.float64)
        return replace(self, duration=typical[self.type])

    @classmethod
    def joined(cls, parts: list["Candidates"]) -> "Candidates":
        """Return several lists as one, ordered by place, type and time."""
        columns = {
            name: np.concatenate([np.zeros(0, dtype), *(getattr(part, name) for part in parts)])
            for name, dtype in COLUMNS.items()
        }
        order = np.lexsort((columns["time"], columns["type"], columns["place"]))
        durations = [part.duration for part in parts if part.duration is not None]
        if durations and len(durations) < len(parts):
            raise ValueError("some candidates have durations, others have none")
        return cls(
            **columns,
            duration=np.concatenate(durations) if durations else None,
            pace=parts[0].pace if parts else None,
        )[order]


class DetectionTuning(Record):
    """What val chooses for a detection model, as the header of the model keeps it.

    Attributes
    ----------
    decoder
        The one whose events are the prediction.
    thresholds
        By decoder, the least score of an event of each type, K each.
    wait_ms
        How long the decoder ``bounded`` waits for a likelier candidate.
    timing_bounds_ms
        Interval around the predicted onset that holds 95 % of the matched
        events of a type, K; None where val had too few.
    typical_samples
        Median duration of each type in train, K, None where no end is known, for methods that
        give no ends. Empty: ends do not matter.
    """

    decoder: Decoder
    thresholds: dict[Decoder, tuple[float, ...]]
    wait_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    timing_bounds_ms: tuple[tuple[float, float] | None, ...] = ()
    typical_samples: tuple[Annotated[float, Field(gt=0)] | None, ...] = ()

    def check(self, n_types: int) -> None:
        """Refuse thresholds, bounds or durations of another number of types than `n_types`.

        Raises
        ------
        ValueError
            If there are more or fewer.
        """
        if len(self.thresholds.get(self.decoder, ())) != n_types:
            raise ValueError(f"tuned.thresholds.{self.decoder}: must have {n_types} values")
        if len(self.timing_bounds_ms) != n_types:
            raise ValueError(f"tuned.timing_bounds_ms: must have {n_types} intervals")
        if len(self.typical_samples) not in (0, n_types):
            raise ValueError(f"tuned.typical_samples: must have {n_types} values")


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How candidates become events, frozen in a model after val.

    Parameters
    ----------
    decoder
        The one whose events are the prediction.
    thresholds
        By decoder, the least score of an event of each type, (K,).
    wait_ms
        How long the decoder ``bounded`` waits for a likelier candidate.
    timing_bounds_ms
        Interval around a predicted onset that held 95 % of the matched events of
        val, by type, (K, 2); NaN where val had too few. None: not known.
    """

    decoder: str
    thresholds: dict[str, NDArray[np.float64]]
    wait_ms: float = 0.0
    timing_bounds_ms: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, tuned: DetectionTuning) -> "Decoding":
        """Return the decoding that val chose."""
        thresholds = {str(name): np.array(values) for name, values in tuned.thresholds.items()}
        bounds = [(np.nan, np.nan) if one is None else one for one in tuned.timing_bounds_ms]
        return cls(
            decoder=tuned.decoder,
            thresholds=thresholds,
            wait_ms=tuned.wait_ms,
            timing_bounds_ms=np.array(bounds, dtype=np.float64) if bounds else None,
        )

    def tuning(self, timing_bounds_ms: Sequence[list[float] | None] = ()) -> dict[str, Any]:
        """Return the values of a `DetectionTuning`, with the timing errors of val."""
        thresholds = {name: values.tolist() for name, values in self.thresholds.items()}
        return {
            "decoder": self.decoder,
            "thresholds": thresholds,
            "wait_ms": self.wait_ms,
            "timing_bounds_ms": list(timing_bounds_ms),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Detections:
    """Candidates of the recordings of one split, beside the events that are there.

    Parameters
    ----------
    recording, group
        Names of the recordings, (S,).
    known
        Samples [start, stop) of each recording in which every event is
        labelled, (S, 2); what lies outside is not scored.
    reference_place, reference_onset, reference_type
        Labelled events, (E,): position of the recording, onset in samples
        from its start, index of the class.
    candidates
        What the model found.
    decoding
        How candidates become events.
    refractory_s
        Shortest time between two events of one type; None: none known.
    tolerance_ms
        Tolerance of the headline.
    are_probabilities
        Whether scores are probabilities.
    n_samples
        Length of each recording, (S,).
    ranked_types
        Types whose mean F1 is the headline; None: F1 over all events is.
    reference_duration
        Of labelled events from onset to end in samples, (E,); NaN where the end is not known.
        None: ends do not matter.
    """

    recording: list[str]
    group: list[str]
    known: NDArray[np.int64]
    reference_place: NDArray[np.int64]
    reference_onset: NDArray[np.int64]
    reference_type: NDArray[np.int64]
    candidates: Candidates
    decoding: Decoding
    classes: list[str]
    sampling_rate_hz: float
    refractory_s: float | None
    tolerance_ms: float
    are_probabilities: bool
    n_samples: NDArray[np.int64]
    ranked_types: list[str] | None = None
    reference_duration: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.recording)

    @property
    def has_ends(self) -> bool:
        """Whether the ends of events are scored."""
        return self.reference_duration is not None

    @classmethod
    def of(
        cls,
        windows: WindowSet,
        candidates: Candidates,
        decoding: Decoding,
        *,
        are_probabilities: bool,
        durations: bool = False,
    ) -> "Detections":
        """Join candidates with the recordings and events of a split."""
        timeline = windows.events
        place = timeline.place
        known = np.stack([timeline.known_start, timeline.known_stop], axis=1)
        return cls(
            recording=[windows.names[i] for i in timeline.recording],
            group=[windows.groups[i] for i in timeline.recording],
            known=known - timeline.start[:, None],
            reference_place=place,
            reference_onset=timeline.onset - timeline.start[place],
            reference_type=timeline.type,
            candidates=candidates,
            decoding=decoding,
            classes=windows.classes,
            sampling_rate_hz=windows.required_rate_hz,
            refractory_s=timeline.refractory_s,
            tolerance_ms=timeline.tolerance_ms,
            are_probabilities=are_probabilities,
            n_samples=timeline.stop - timeline.start,
            ranked_types=timeline.ranked_types,
            reference_duration=timeline.duration if durations else None,
        )
