"""Seeds, threads and devices."""

import os
import random
import re

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqbench.errors import UserError


def seed_everything(seed: int) -> torch.Generator:
    """Seed every source of chance and return a generator for the order of batches."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (libraries below may still draw from it)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return where torch's own sources of chance stand, which dropout draws from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def restore_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Return to what `random_state` gave."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)


def choose_device(name: str) -> torch.device:
    """Return the device that a name stands for; `auto` takes a GPU when there is one.

    Raises
    ------
    UserError
        If the name is none, or a GPU is requested and there is none.
    """
    available = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if available else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise UserError(f"device '{name}': write auto, cpu, cuda or cuda:N")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"device '{name}': no GPU is visible here under that name; use auto or cpu")
    return device


def prepare(threads: int | None, device: torch.device, *, precision: str = "auto") -> None:
    """Fix what else decides the digits of a result: threads, algorithms, products of float32.

    None leaves the threads as they are; the precision is that of `OptimizerSettings`.

    Raises
    ------
    UserError
        If the processor computes wrong numbers in the precision.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if device.type == "cpu" and precision == "bfloat16" and not convolves_in_bfloat16():
        raise UserError(
            "precision 'bfloat16': this processor computes some convolutions wrongly in it (oneDNN"
            " with AMX); write precision auto or float32, or train on a GPU"
        )
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        is_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = is_tf32
        torch.use_deterministic_algorithms(True, warn_only=True)


def convolves_in_bfloat16() -> bool:
    """Return whether this processor sums 64 ones to 64 where a convolution is in bfloat16.

    oneDNN of torch 2.13 gives 16 on processors with AMX, as for all kernels of 8 samples over 8 or
    16 channels.
    """
    x, weight = torch.ones(1, 8, 16).bfloat16(), torch.ones(8, 8, 8).bfloat16()
    return bool((F.conv1d(x, weight) == 64).all())
