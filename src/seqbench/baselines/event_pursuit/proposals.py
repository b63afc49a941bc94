"""Possible events of a matched filter, and what the network sees of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.detector import TemplateDetector
from seqbench.baselines.matched_filter.interpolation import (
    GRID,
    STEPS,
    Floats,
    Integers,
    shifted,
)
from seqbench.baselines.matched_filter.pursuit import FLOOR, Found, Pursuit, found_in_blocks
from seqbench.baselines.matched_filter.templates import SIDE
from seqbench.storage.windows import WindowSet

Features = NDArray[np.float32]
SOFT = 4.0  # log-odds at which they are squashed by half
AROUND = 10  # samples to each side whose own log-odds are seen
WIDE = 20  # samples to each side that a time may lie
RIVALS = ((-64, -30), (-30, -8), (-8, 9), (9, 31), (31, 65))  # correlations of other types
N_BLOCKS = 8  # of a template, in which what is left of the signal is seen
FREE = 3  # squares added to a block, so that a short one says little
N_NEIGHBOURS, NEIGHBOURS_S, NEIGHBOUR_S = 6, 0.06, 0.02
LOWEST = -30.0


@dataclass(frozen=True)
class Proposals:
    """Possible events in order of place, type and time, (M,) each.

    Parameters
    ----------
    place
        Position of the recording in the split.
    time
        Onset in samples from the start of the recording.
    type
        Index of the class.
    log_odds
        Of the matched filter.
    is_subtracted
        Whether pursuit took it for an event.
    features
        What the network sees, (M, D).
    """

    place: Integers
    time: Floats
    type: Integers
    log_odds: Floats
    is_subtracted: NDArray[np.bool_]
    features: Features

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def joined(cls, parts: list[Proposals]) -> Proposals:
        """Return several lists as one; of none, one without features."""
        columns = {
            name: np.concatenate([np.zeros(0, kind), *(getattr(part, name) for part in parts)])
            for name, kind in COLUMNS.items()
        }
        features = [part.features for part in parts] or [np.zeros((0, 0), dtype=np.float32)]
        order = np.lexsort((columns["time"], columns["type"], columns["place"]))
        ordered = {name: column[order] for name, column in columns.items()}
        return cls(**ordered, features=np.concatenate(features)[order])


COLUMNS: dict[str, Any] = {
    "place": np.int64,
    "time": np.float64,
    "type": np.int64,
    "log_odds": np.float64,
    "is_subtracted": bool,
}


def proposals(detector: TemplateDetector, windows: WindowSet) -> Proposals:
    """Return every event that the recordings of a split may hold, with features; see `candidates`.

    Log-odds, times and order are those of the candidates of the matched filter.
    """
    wide = np.pad(detector.templates, [(0, 0), (0, 0), (SIDE, SIDE)])
    bank = np.stack([shifted(wide, step / STEPS) for step in range(STEPS)], axis=1)
    parts = [
        Proposals(
            block.place,
            block.time,
            block.type,
            block.found.log_odds[block.rows],
            block.found.removed[block.rows] != 0,
            _features(block.pursuit, block.found, block.rows, block.signal, bank),
        )
        for block in found_in_blocks(detector, windows, peel=True)
    ]
    made = Proposals.joined(parts)
    period_s = windows.events.refractory_s or 0.0
    context = _context(made, windows.required_rate_hz, period_s)
    return replace(made, features=np.concatenate([made.features, context], axis=1))


def _features(
    pursuit: Pursuit,
    found: Found,
    rows: Integers,
    signal: NDArray[np.float32],
    bank: Floats,
) -> Features:
    """Return what proposals look like by themselves, (n, D)."""
    detector = pursuit.detector
    _, n_channels, n_taps = bank.shape[0], bank.shape[2], bank.shape[3]
    margin = 2 * n_taps
    left = np.pad(signal, [(0, 0), (margin, margin)]).astype(np.float64)
    start = found.at // STEPS - pursuit.pad // GRID + margin - SIDE
    step = found.at % STEPS
    for kind, p, first, factor in zip(found.kind, step, start, found.removed, strict=True):
        if factor:
            left[:, first : first + n_taps] -= factor * bank[kind, p]
    reach = max(-RIVALS[0][0], GRID * WIDE)
    own = np.zeros((len(rows), 2 * reach + 1))
    rival = np.zeros((len(rows), len(RIVALS)))
    seen = np.zeros((len(rows), n_channels, n_taps))
    fitted = np.zeros_like(seen)
    for j, i in enumerate(rows.tolist()):
        kind, middle = int(found.kind[i]), int(found.at[i]) // STEPS * GRID
        around = pursuit.correlations[:, middle - reach : middle + reach + 1].copy()
        trace = detector.traces[kind, step[i]]
        around += found.removed[i] * trace[:, pursuit.half - reach : pursuit.half + reach + 1]
        odds = detector.log_odds(around, slice(None))
        own[j] = odds[kind]
        odds[detector.shapes[kind]] = LOWEST
        best = odds.max(axis=0)
        rival[j] = [best[reach + a : reach + b].max() for a, b in RIVALS]
        fitted[j] = found.amplitude[i] * bank[kind, step[i]]
        seen[j] = left[:, start[i] : start[i] + n_taps]
        if not found.removed[i]:
            seen[j] -= fitted[j]
    kind, odds = found.kind[rows], found.log_odds[rows]
    amplitude = found.amplitude[rows] / detector.amplitude[kind] - 1
    groups = [
        _strength(odds),
        np.stack([amplitude, amplitude**2, found.removed[rows] != 0], axis=1),
        np.log(np.where(np.isfinite(detector.norms), detector.norms, 1.0))[kind, None],
        _own_shape(np.maximum(own[:, reach % GRID :: GRID], LOWEST), odds),
        np.arcsinh(np.maximum(rival, -8) / SOFT),
        np.arcsinh((odds - np.maximum(rival, -8).max(axis=1, initial=-8)) / SOFT)[:, None],
        _residual(seen, fitted),
    ]
    return np.concatenate(groups, axis=1).astype(np.float32)


def _strength(odds: Floats) -> Floats:
    return np.stack([np.arcsinh(odds / SOFT), np.tanh(odds / SOFT)], axis=1)


def _own_shape(own: Floats, odds: Floats) -> Floats:
    """Return the log-odds of the own template about a proposal, their sum and their middle."""
    centre = own.shape[1] // 2
    near = own[:, centre - AROUND : centre + AROUND + 1]
    highest = near.max(axis=1)
    total = highest + np.log(np.exp(near - highest[:, None]).sum(axis=1))
    wide = own[:, centre - WIDE : centre + WIDE + 1]
    weight = np.exp(wide - wide.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    middle = (weight.cumsum(axis=1) < 0.5).sum(axis=1) - WIDE
    shape = np.clip(near - odds[:, None], -10, 10) / 5
    return np.concatenate([shape, (total - odds)[:, None], middle[:, None] / 4], axis=1)


def _residual(left: Floats, fitted: Floats) -> Floats:
    """Return how much is left of the signal in all, along the template, and by channel."""
    n, n_channels, n_taps = left.shape
    size = n_taps // N_BLOCKS
    whole, shape = size * N_BLOCKS, (n, n_channels, N_BLOCKS, size)
    power, own = (np.square(one[..., :whole]).reshape(shape) for one in (left, fitted))
    groups = []
    for axes, count in (
        ((1, 2, 3), n_channels * whole),
        ((1, 3), n_channels * size),
        ((2, 3), whole),
    ):
        rest, of_event = (one.sum(axis=axes, keepdims=True) for one in (power, own))
        groups += [np.log((rest + FREE) / (count + FREE)), (rest - count) / (of_event + count)]
    return np.concatenate([one.reshape(n, int(np.prod(one.shape[1:]))) for one in groups], axis=1)


def _context(made: Proposals, rate_hz: float, period_s: float) -> Features:
    """Return what is near proposals: the likeliest neighbours, and rivals of the same type."""
    n = len(made)
    near = np.zeros((n, N_NEIGHBOURS, 4))
    same = np.full((n, 2), FLOOR)
    order = np.lexsort((made.time, made.place))
    place, time, kind, odds = (
        column[order] for column in (made.place, made.time, made.type, made.log_odds)
    )
    far = (time.max() if n else 0.0) + max(NEIGHBOURS_S, period_s) * rate_hz + 1
    line = place * 2 * far + time  # recordings far from one another
    reach, period = NEIGHBOURS_S * rate_hz, period_s * rate_hz
    first, last = np.searchsorted(line, line - reach), np.searchsorted(line, line + reach, "right")
    begin, end = np.searchsorted(line, line - period), np.searchsorted(line, line + period, "right")
    for row in range(n):
        beside = np.r_[first[row] : row, row + 1 : last[row]]
        beside = beside[np.argsort(-odds[beside], kind="stable")[:N_NEIGHBOURS]]
        apart = (time[beside] - time[row]) / (NEIGHBOUR_S * rate_hz)
        columns = [apart, np.abs(apart), np.arcsinh(odds[beside] / SOFT), kind[beside] == kind[row]]
        near[order[row], : len(beside)] = np.stack(columns, axis=1)
        for side, others in enumerate((np.r_[begin[row] : row], np.r_[row + 1 : end[row]])):
            others = others[kind[others] == kind[row]]
            if len(others):
                same[order[row], side] = odds[others].max()
    rivals = np.concatenate([same, made.log_odds[:, None] - same.max(axis=1, keepdims=True)], 1)
    made_of = np.concatenate([near.reshape(n, N_NEIGHBOURS * 4), np.arcsinh(rivals / SOFT)], axis=1)
    return made_of.astype(np.float32)
