"""A small world of made-up results, written through the real writers."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from fixtures.drawings import blank, write_quick_files
from fixtures.event_results import write_event_world
from fixtures.results import register_made_up_names, write_made_up_results
from seqbench import layout
from seqbench.plan.plan import Plan
from seqbench.reporting.figures import rendering
from seqbench.steps import report

WriteResults = Callable[..., Plan]


@pytest.fixture(autouse=True)
def made_up_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register names that no change to the real ones can take away."""
    register_made_up_names(monkeypatch)


@pytest.fixture(autouse=True)
def quick_files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write no PDF but where a test has the fixture `pdfs`, and wait for no disk."""
    if "pdfs" not in request.fixturenames:
        write_quick_files(monkeypatch)


@pytest.fixture
def pdfs() -> None:
    """Let figures be written as PDF too."""


class Worlds:
    """Made-up results of a session: each world is written once and copied for every test."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.plans: dict[str, Plan] = {}

    def copy(
        self, root: Path, write: Callable[..., Plan], raw: dict[str, Any], settings: dict[str, Any]
    ) -> Plan:
        """Copy what `write` leaves for a config to a folder, and return its plan."""
        key = repr((write.__name__, raw, {name: _key(v) for name, v in settings.items()}))
        key = hashlib.sha256(key.encode()).hexdigest()[:16]
        if key not in self.plans:
            self.plans[key] = write(self.cache / key, raw, **settings)
        shutil.copytree(self.cache / key, root, dirs_exist_ok=True)
        return self.plans[key]


def _key(setting: object) -> object:
    """Return what distinguishes settings; of functions their code and what it closes over."""
    if not isinstance(setting, FunctionType):
        return setting
    code, cells = setting.__code__, setting.__closure__ or ()
    inner = [_key(cell.cell_contents) for cell in cells]
    used = [_key(setting.__globals__.get(name)) for name in code.co_names]
    return code.co_code, repr(code.co_consts), code.co_names, inner, used


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """Return the worlds that were written so far."""
    return Worlds(tmp_path_factory.mktemp("worlds"))


@pytest.fixture
def written(
    tmp_path: Path, worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[..., Plan]], WriteResults]:
    """Return what writes worlds by a function to the folder in which the test now works."""
    monkeypatch.chdir(tmp_path)
    return lambda write: lambda raw, **settings: worlds.copy(tmp_path, write, raw, settings)


@pytest.fixture
def write_results(written: Callable[..., WriteResults]) -> WriteResults:
    """Return `write_made_up_results` for the folder in which the test now works."""
    return written(write_made_up_results)


@pytest.fixture
def write_events(written: Callable[..., WriteResults]) -> WriteResults:
    """Return `write_event_world` for the folder in which the test now works."""
    return written(write_event_world)


@pytest.fixture
def config() -> Callable[..., dict[str, Any]]:
    """Return what makes a config with one grid of runs."""

    def make(baselines: Sequence[str] = ("majority",), **grid: object) -> dict[str, Any]:
        runs = {"datasets": ["waves"], "architectures": ["cnn1d"], "arms": ["scratch"]}
        runs["seeds"] = [0, 1, 2]
        return {"title": "Made up", "baselines": list(baselines), "runs": [runs | grid]}

    return make


@pytest.fixture
def rich_config(config: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what makes a config of which every list has two entries, but for changes."""

    def make(**changes: object) -> dict[str, Any]:
        grid: dict[str, object] = {
            "datasets": ["waves", "gun_point"],
            "architectures": ["cnn1d", "gru"],
            "arms": ["scratch", "contrastive_finetune"],
            "labels": [0.2, 1.0],
            "seeds": [0, 1],
        }
        return config(("majority", "minirocket"), **(grid | changes))

    return make


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare a test of the text the time that figures take."""
    monkeypatch.setattr(rendering, "draw", blank)


@pytest.fixture
def page_without_figures(without_figures: None) -> Callable[[], str]:
    """Return what runs the step without figures, and returns the page."""
    del without_figures

    def make() -> str:
        report.run(Path(), Path(layout.SUMMARY), Path(layout.REPORT))
        return Path(layout.REPORT).read_text(encoding="utf-8")

    return make


@pytest.fixture(scope="session")
def make_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what makes a whole report that several tests may look at, and returns its path."""

    def make(
        raw: dict[str, Any], *, events: bool = False, figures: bool = True, **settings: Any
    ) -> Path:
        root = tmp_path_factory.mktemp("page")
        with pytest.MonkeyPatch.context() as patch:
            register_made_up_names(patch)
            write_quick_files(patch)
            if not figures:
                patch.setattr(rendering, "draw", blank)
            patch.chdir(root)
            (write_event_world if events else write_made_up_results)(root, raw, **settings)
            report.run(Path(), Path(layout.SUMMARY), Path(layout.REPORT))
        return root / layout.REPORT

    return make


@pytest.fixture
def event_config(config: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what makes a config of detection with floor, baseline and ceiling."""

    def make(
        baselines: Sequence[str] = ("metronome", "matched_filter", "oracle"), **grid: object
    ) -> dict[str, Any]:
        raw = config(baselines, **({"datasets": ["strikes"], "seeds": [0, 1]} | grid))
        sources = {
            "strikes": {"source": "strikes_windows", "seed": 3},
            "measured": {"source": "mitdb"},  # nobody knows its truth
        }
        return raw | {"datasets": sources}

    return make
