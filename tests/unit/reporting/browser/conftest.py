"""Two pages of the report, and a browser that opens them."""

import pytest

from fixtures.browser import Seen, started_browser
from fixtures.pages import NAMES, TITLE

DATASET = "a" + 63 * "_"  # as long as a name may be, and nowhere to break
SKILLS = {"cnn1d": 0.9, "gru": 0.8, "majority": 0.3, "metronome": 0.1, "oracle": 1.0}


def skill(run):
    return SKILLS[run.architecture] - run.seed / 50 - (run.dataset == "gun_point") / 20


@pytest.fixture(scope="package")
def pages(make_page):
    """Paths of a page of classification with hostile names, and of one of detection."""
    grid = {
        "datasets": ["waves", "gun_point", DATASET],
        "architectures": ["cnn1d", "gru"],
        "arms": ["scratch", "contrastive_finetune"],
        "labels": [0.2, 1.0],
        "seeds": [0, 1],
    }
    raw = {
        "title": TITLE,
        "baselines": ["majority"],
        "runs": [grid],
        "datasets": {DATASET: {"source": "waves"}},
        "finetune": {"epochs": 40},
        "architectures": {"gru": {"finetune": {"learning_rate": 0.01}}},
    }
    classes = make_page(
        raw, figures=False, skill=skill, classes=dict.fromkeys(grid["datasets"], NAMES)
    )
    events = {
        "title": "Events",
        "baselines": ["metronome", "oracle"],
        "runs": [{"datasets": ["strikes"], "architectures": ["cnn1d", "gru"], "seeds": [0, 1]}],
        "datasets": {"strikes": {"source": "strikes_windows", "seed": 3}},
    }
    return {
        "classes": classes,
        "events": make_page(events, events=True, skill=skill, classes=tuple(NAMES)),
    }


@pytest.fixture(scope="package")
def browser():
    """The browser."""
    with started_browser() as browser:
        yield browser


@pytest.fixture
def see(browser, pages):
    """Return what opens a page; at the end there is no message and no request."""
    seen = []

    def open_page(name="classes", **options):
        seen.append(Seen(browser, pages[name], **options))
        return seen[-1]

    yield open_page
    for one in seen:
        assert one.urls <= {path.as_uri() for path in pages.values()}
        assert one.messages == []
        one.context.close()
