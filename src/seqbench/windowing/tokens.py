"""Ids of tokens, from a vocabulary that train alone decides."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.lazy_array import AnyArray, blocks

OTHER = "other"


def vocabulary(train: AnyArray) -> NDArray[np.int64]:
    """Return the distinct code points in the signal of train, (n_samples, 1), ascending."""
    found = [np.unique(block) for block in blocks(train)]
    return np.unique(np.concatenate([np.zeros(0, np.float32), *found])).astype(np.int64)


def token_ids(signal: NDArray[np.float32], codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the id of each token of a signal (n_samples, 1).

    Token `codes[i]` has the id i + 1; 0 stands for every other token.
    """
    tokens = signal.astype(np.int64)
    place = np.searchsorted(codes, tokens).clip(max=len(codes) - 1)
    return np.where(codes[place] == tokens, place + 1, 0).astype(np.float32)


def token_names(codes: NDArray[np.int64]) -> list[str]:
    """Return the name of each id: the character, or its number where it cannot be printed."""
    characters = [(code, chr(code)) for code in codes.tolist()]
    return [OTHER, *(c if c.isprintable() else f"U+{code:04X}" for code, c in characters)]


def token_codes(names: Sequence[str]) -> NDArray[np.int64]:
    """Return the code points that `token_names` named."""
    codes = [
        ord(name) if len(name) == 1 else int(name.removeprefix("U+"), 16) for name in names[1:]
    ]
    return np.array(codes, dtype=np.int64)
