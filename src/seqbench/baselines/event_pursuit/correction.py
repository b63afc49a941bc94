"""A small network that is added to log-odds and times, where held-out train supports it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.interpolation import Floats, Integers

Arrays = dict[str, NDArray[Any]]
WIDTH, EMBEDDING = 48, 4
STEPS, EVERY, BATCH = 300, 50, 256
PEAK, DECAY, DROPOUT = 3e-3, 0.1, 0.2
NOISE = 0.1  # added to features while training
SHRINKAGE, TIME_WEIGHT = 1e-3, 0.5
LIMIT = 5.0  # deviations at which features are cut
LEAST_DEVIATION = 1e-2
SURE = 2.0  # standard errors by which a correction must gain
WHICH = ("score", "time")


@dataclass(frozen=True)
class Examples:
    """Proposals of train by filters that did not see them, (M,) each.

    Parameters
    ----------
    features
        (M, D).
    type
        Index of the class.
    log_odds
        Of the filter.
    is_event
        Whether it is an event.
    late_ms
        Onset of the event less the time of the proposal; 0 of what is none.
    fold
        Of the recording.
    """

    features: NDArray[np.float32]
    type: Integers
    log_odds: Floats
    is_event: NDArray[np.bool_]
    late_ms: Floats
    fold: Integers

    @classmethod
    def joined(cls, parts: list[Examples]) -> Examples | None:
        """Return several lists as one; None of none."""
        names = [field.name for field in fields(cls)]
        columns = {name: [getattr(part, name) for part in parts] for name in names}
        return cls(**{n: np.concatenate(c) for n, c in columns.items()}) if parts else None


def fit_correction(examples: Examples | None, n_types: int, seed: int) -> Arrays:
    """Train a network for each fold on the others; keep what out-of-fold scores support.

    The step at which training stops is chosen for all networks together, for
    scores by binary cross-entropy and for times by absolute error, the start
    among them. Scores are corrected if proposals that come right at the best
    threshold outnumber those that go wrong by more than two standard errors,
    times if their error falls by more than two; what is not corrected has a
    last layer of zeros.

    Parameters
    ----------
    examples
        Of train; None: there are none, and nothing is corrected.
    n_types
        Classes K.
    seed
        Of weights, batches and noise.

    Returns
    -------
    Arrays
        All that `corrections` needs: of scores and of times, one network a fold.
    """
    import torch

    if examples is None:
        return {}
    middle = examples.features.mean(axis=0)
    deviation = np.maximum(examples.features.std(axis=0), LEAST_DEVIATION)
    x = torch.from_numpy(_scaled(examples.features, middle, deviation))
    n_folds = int(examples.fold.max()) + 1
    marks = range(0, STEPS + 1, EVERY)
    held = np.zeros((len(marks), 2, len(x)), dtype=np.float32)
    states: list[list[Arrays]] = [[] for _ in marks]
    for fold in range(n_folds):
        own = torch.from_numpy(np.flatnonzero(examples.fold == fold))
        others = torch.from_numpy(np.flatnonzero(examples.fold != fold))
        for mark_now, network in enumerate(_training(x, examples, others, n_types, seed, fold)):
            with torch.no_grad():
                held[mark_now][:, own] = torch.stack(network(x[own], _kinds(examples, own))).numpy()
            states[mark_now].append(network.arrays())
    best, of_time = _chosen(held, examples)
    arrays: Arrays = {"middle": middle, "deviation": deviation.astype(np.float32)}
    for name, mark, row in (("score", best, 0), ("time", of_time, 1)):
        for key in KEYS:
            stacked = np.stack([state[key] for state in states[mark or 0]])
            if key.startswith("last"):
                stacked = stacked[..., row] * (mark is not None)
            arrays[f"{name}.{key}"] = stacked
    return arrays


def corrections(
    arrays: Arrays, features: NDArray[np.float32], types: Integers
) -> tuple[Floats, Floats]:
    """Return what is added to log-odds, and to times in milliseconds, (M,) each."""
    from scipy.special import ndtr

    added = []
    for name in WHICH:
        total = np.zeros(len(features))
        last = arrays.get(f"{name}.last_weight", np.zeros(0))
        if last.any() and len(features):
            x = _scaled(features, arrays["middle"], arrays["deviation"])
            layer = {key: arrays[f"{name}.{key}"] for key in KEYS}
            for i in range(len(last)):
                h = np.concatenate([x, layer["embedding"][i][types]], axis=1).astype(np.float64)
                for weight, bias in (("weight1", "bias1"), ("weight2", "bias2")):
                    h = h @ layer[weight][i] + layer[bias][i]
                    h = h * ndtr(h)
                total += (h @ last[i] + layer["last_bias"][i]) / len(last)
        added.append(total)
    return added[0], added[1]


KEYS = ("embedding", "weight1", "bias1", "weight2", "bias2", "last_weight", "last_bias")


def _scaled(
    features: NDArray[np.float32], middle: NDArray[np.float32], deviation: NDArray[np.float32]
) -> NDArray[np.float32]:
    scaled = np.clip((features - middle) / deviation, -LIMIT, LIMIT)
    return scaled.astype(np.float32)


def _kinds(examples: Examples, rows: Any) -> Any:
    import torch

    return torch.from_numpy(examples.type)[rows]


def _training(x: Any, examples: Examples, rows: Any, n_types: int, seed: int, fold: int) -> Any:
    """Yield the network of one fold at every mark, in evaluation."""
    import torch
    import torch.nn.functional as F

    generator = torch.Generator().manual_seed(1000 * seed + fold)
    network = _network(x.shape[1], n_types, generator)
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK, total_steps=STEPS + 1, pct_start=0.1
    )
    odds, true, late = (
        torch.from_numpy(np.asarray(one, dtype=np.float32))[rows]
        for one in (examples.log_odds, examples.is_event, examples.late_ms)
    )
    kinds, x = _kinds(examples, rows), x[rows]
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            yield network
        if step == STEPS or not len(x):
            continue
        batch = torch.randint(0, len(x), (BATCH,), generator=generator)
        noisy = x[batch] + NOISE * torch.randn(BATCH, x.shape[1], generator=generator)
        more, later = network(noisy, kinds[batch], generator)
        loss = F.binary_cross_entropy_with_logits(odds[batch] + more, true[batch])
        error = ((later - late[batch]).abs() * true[batch]).mean()
        loss = loss + TIME_WEIGHT * error + SHRINKAGE * more.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def _network(n_features: int, n_types: int, generator: Any) -> Any:
    """Return two hidden layers on features and an embedding of the type; zero at the start."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def uniform(n_in: int, *shape: int) -> nn.Parameter:
        values = torch.rand(*shape, generator=generator) * 2 - 1
        return nn.Parameter(values / n_in**0.5)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            n_in = n_features + EMBEDDING
            self.embedding = nn.Parameter(
                0.1 * torch.randn(n_types, EMBEDDING, generator=generator)
            )
            self.weight1, self.bias1 = uniform(n_in, n_in, WIDTH), uniform(n_in, WIDTH)
            self.weight2, self.bias2 = uniform(WIDTH, WIDTH, WIDTH), uniform(WIDTH, WIDTH)
            self.last_weight = nn.Parameter(torch.zeros(WIDTH, 2))
            self.last_bias = nn.Parameter(torch.zeros(2))

        def forward(self, x: Any, kinds: Any, dropping: Any = None) -> Any:
            h = torch.cat([x, self.embedding[kinds]], dim=1)
            for weight, bias in ((self.weight1, self.bias1), (self.weight2, self.bias2)):
                h = F.gelu(h @ weight + bias)
                if dropping is not None:
                    kept = torch.rand(h.shape, generator=dropping) >= DROPOUT
                    h = h * kept / (1 - DROPOUT)
            return (h @ self.last_weight + self.last_bias).unbind(1)

        def arrays(self) -> Arrays:
            return {key: getattr(self, key).detach().numpy().copy() for key in KEYS}

    return Network()


def _chosen(held: NDArray[np.float32], examples: Examples) -> tuple[int | None, int | None]:
    """Return the mark of scores and that of times; None: the filter is left as it is."""
    true, odds = examples.is_event, examples.log_odds
    if not len(true) or not true.any():
        return None, None
    losses = [(np.logaddexp(0, odds + more) - true * (odds + more)).mean() for more, _ in held]
    best: int | None = int(np.argmin(losses))
    before, after = _errors(odds, true), _errors(odds + held[best or 0][0], true)
    fixed, broken = (before & ~after).sum(), (after & ~before).sum()
    if fixed - broken <= SURE * np.sqrt(fixed + broken):
        best = None
    errors = np.abs(held[:, 1] - examples.late_ms)[:, true]
    of_time: int | None = int(errors.mean(axis=1).argmin())
    gain = errors[0] - errors[of_time or 0]
    if gain.mean() <= SURE * gain.std() / np.sqrt(len(gain)):
        of_time = None
    return best, of_time


def _errors(score: Floats, true: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which proposals are wrong at the threshold of the best F1, (M,)."""
    order = np.argsort(-score, kind="stable")
    f1 = 2 * true[order].cumsum() / (np.arange(1, len(true) + 1) + true.sum())
    wrong: NDArray[np.bool_] = (score >= score[order[f1.argmax()]]) != true
    return wrong
