"""The optimiser."""

import inspect

import torch


class AdamW(torch.optim.AdamW):
    """AdamW of torch without what is there for `torch.compile`, which is not used here.

    The first call of a wrapped method, or of a step, would load torch's compiler: 1.5 processor
    seconds and 76 MB in each training that runs by itself, and in the fork server.
    """

    add_param_group = inspect.unwrap(torch.optim.AdamW.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.AdamW.zero_grad)
    state_dict = inspect.unwrap(torch.optim.AdamW.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.AdamW.load_state_dict)
    step = torch.no_grad()(inspect.unwrap(torch.optim.AdamW.step))
