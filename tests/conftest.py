"""How tests are chosen, ordered and spread over workers, and the builders that all may use."""

import os
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = [
    "fixtures.checkouts",
    "fixtures.databases",
    "fixtures.experts",
    "fixtures.other_device",
    "fixtures.processes",
    "fixtures.trainings",
    "fixtures.windows",
]

# Tiny tensors gain nothing from threads, and lose much where other work runs beside the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # numba's setting is torch's as well

N_WORKERS = 2  # trainings of the workflow tests use two cores besides
hypothesis.settings.register_profile(
    "quick",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,  # tests write over what they wrote
    ],
)
hypothesis.settings.register_profile(
    "full", hypothesis.settings.get_profile("quick"), max_examples=200, derandomize=False
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run every test, as `make test-all` does")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("full" if config.getoption("full") else "quick")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Workers pay for themselves where whole folders are tested, not for a file or two."""
    paths = [Path(word.split("::")[0]) for word in config.args]
    return N_WORKERS if any(path.is_dir() for path in paths) else 0


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is `full`; start the longest first, and give a worker whole files."""
    if not config.getoption("full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
    # The smoke run takes both cores while the cluster, which takes none, is waited for.
    first = [lambda item: item.get_closest_marker("xdist_group").args == ("smoke",)]
    first += [
        lambda item, mark=mark: item.get_closest_marker(mark) for mark in ("slurm", "workflow")
    ]
    items.sort(key=lambda item: [not matches(item) for matches in first])
