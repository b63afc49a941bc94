"""Several shapes of one type: events of train divided by two means, while others confirm it."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.detector import FittedEvent
from seqbench.baselines.matched_filter.interpolation import STEPS, Floats, Integers, shifted
from seqbench.baselines.matched_filter.templates import SIDE, without_noise

LEAST_EVENTS = 16  # of a shape that may be divided
LEAST_HALF = 4  # events of which a shape is made
LEAST_GAIN, LEAST_Z = 1.0, 3.0  # nats per event that made neither shape, and how sure
TURNS = 10  # of two means, at most
MOST_DIVIDED = 2000  # events that a division is learned from


def pieces_at(signal: NDArray[np.float32], events: list[FittedEvent], length: int) -> Floats:
    """Return what a whitened signal (C, T) holds from the start of each event on, (n, C L)."""
    made = np.empty((len(events), len(signal), length))
    for row, event in zip(made, events, strict=True):
        start, step = divmod(event.at, STEPS)
        piece = signal[:, start - SIDE : start + length + SIDE]
        row[:] = (shifted(piece, -step / STEPS) if step else piece)[:, SIDE:-SIDE]
    return made.reshape(len(events), len(signal) * length)


def shapes_of(pieces: Floats, most: int, generator: np.random.Generator) -> Integers:
    """Divide the events of one type, (n, D) whitened, by shape.

    Parameters
    ----------
    pieces
        What the signal holds at each event.
    most
        Shapes, at most.
    generator
        Draws which half of the events judges the shapes of the other.

    Returns
    -------
    Integers
        The shape of each event, (n,), from 0 on.

    Notes
    -----
    A shape is divided where two templates, each with the amplitude that fits
    best, explain events that made neither by at least `LEAST_GAIN` nats more
    than one does. Which of the two it is must be known for each event, and
    costs the logarithm of 2.
    """
    shape = np.zeros(len(pieces), dtype=np.int64)
    queue, n_shapes = [0], 1
    while queue and n_shapes < most:
        whole = queue.pop(0)
        rows = np.flatnonzero(shape == whole)
        if len(rows) < LEAST_EVENTS or not _is_confirmed(pieces[rows], generator):
            continue
        templates = _two_means(pieces[generator.permutation(rows)[:MOST_DIVIDED]])
        if templates is None:
            continue
        shape[rows[_likelier(pieces[rows], templates) == 1]] = n_shapes
        queue += [whole, n_shapes]
        n_shapes += 1
    return shape


def _is_confirmed(pieces: Floats, generator: np.random.Generator) -> bool:
    """Return whether two templates made of a half explain the other half better than one."""
    order = generator.permutation(len(pieces))[: 2 * MOST_DIVIDED]
    halves = order[::2], order[1::2]
    gains = []
    for made_of, judged in (halves, halves[::-1]):
        templates = _two_means(pieces[made_of])
        if templates is None:
            return False
        one = _explained(pieces[judged], _cleaned_mean(pieces[made_of]))
        two = np.maximum(*(_explained(pieces[judged], template) for template in templates))
        gains.append(two - np.log(2) - one)
    gain = np.concatenate(gains)
    return bool(gain.mean() >= max(LEAST_GAIN, LEAST_Z * gain.std() / np.sqrt(len(gain))))


def _two_means(pieces: Floats) -> tuple[Floats, Floats] | None:
    """Return the templates of two clusters, (D,) each; None where one would have few events."""
    around = pieces - pieces.mean(axis=0)
    # Sides of the first principal component, from products of events: D may be ten times n.
    side = (np.linalg.eigh(around @ around.T)[1][:, -1] > 0).astype(np.int64)
    for _ in range(TURNS):
        if min(np.bincount(side, minlength=2)) < LEAST_HALF:
            return None
        templates = _cleaned_mean(pieces[side == 0]), _cleaned_mean(pieces[side == 1])
        before, side = side, _likelier(pieces, templates)
        if (side == before).all():
            break
    return templates


def _likelier(pieces: Floats, templates: tuple[Floats, Floats]) -> Integers:
    """Return which of two templates explains each event better, (n,)."""
    return (_explained(pieces, templates[1]) > _explained(pieces, templates[0])).astype(np.int64)


def _explained(pieces: Floats, template: Floats) -> Floats:
    """Return the nats that a template of the likeliest amplitude explains of each event, (n,)."""
    power = float(template @ template)
    along = np.maximum(pieces @ template, 0)
    return 0.5 * along**2 / power if power > 0 else np.zeros(len(pieces))


def _cleaned_mean(pieces: Floats) -> Floats:
    """Return the mean event, (D,), shrunk by the noise that is to be expected in it."""
    mean: Floats = pieces.mean(axis=0)
    return without_noise(mean, len(pieces))
