"""A figure is drawn again only if what it is drawn from has changed, and no byte shows which."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from seqbench import layout
from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence import material
from seqbench.reporting.evidence.classification import ClassificationEvidence
from seqbench.reporting.figures import kept, rendering
from seqbench.reporting.figures.catalog import figure_names
from seqbench.reporting.page import assembly
from seqbench.steps import report
from seqbench.storage.hdf5 import reading, writing
from seqbench.storage.metrics import read_metrics, write_metrics

KEPT = Path(layout.DRAWINGS)
OF_WAVES, OF_GUN_POINT = [
    [(dataset, figure) for figure in ("leaderboard", "confusion")]
    for dataset in ("waves", "gun_point")
]
ALL = [(layout.MARGINS, "margins"), *OF_WAVES, *OF_GUN_POINT]
LEADERBOARD = layout.FIGURE.format(dataset="waves", figure="leaderboard")


def skill(run):
    return {"majority": 0.5}.get(run.architecture, 0.9 - run.seed / 50)


def make_report():
    """Make the report as Snakemake does, which removes the outputs first, and return its files."""
    shutil.rmtree("results/figures", ignore_errors=True)
    report.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])
    paths = [*Path("results/figures").rglob("*.*"), Path(layout.REPORT)]
    return {str(path): path.read_bytes() for path in paths}


def make_from_nothing():
    KEPT.unlink()
    return make_report()


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were drawn since the list was last emptied, by place and name."""
    found = []
    draw = rendering.draw

    def recorded(figure, shown):
        found.append((shown.place, figure))
        return draw(figure, shown)

    monkeypatch.setattr(rendering, "draw", recorded)
    return found


@pytest.fixture
def write_world(write_results, config, monkeypatch):
    """Return what writes results of datasets whose page has few figures."""
    few = {figure for _, figure in ALL}
    monkeypatch.setattr(
        assembly, "figure_names", lambda plan: [one for one in figure_names(plan) if one[1] in few]
    )
    return lambda *names: write_results(config(datasets=list(names), seeds=[0, 1]), skill=skill)


@pytest.fixture
def made(write_world, drawn):
    """The plan of two datasets and the files of its report."""
    plan = write_world("waves", "gun_point")
    files = make_report()
    assert drawn == ALL
    drawn.clear()
    return plan, files


def test_nothing_is_drawn_again_after_nothing_changed_and_every_byte_is_as_if_it_was(made, drawn):
    _, files = made

    assert make_report() == files
    assert drawn == []
    assert make_from_nothing() == files


def test_a_changed_score_redraws_the_figures_of_its_dataset_and_those_over_all_alone(made, drawn):
    plan, files = made
    run = next(run for run in plan.trained if run.dataset == "waves")
    path = Path(run.fill(layout.METRICS))
    metrics = read_metrics(path)
    of_test = metrics.scores["test"]
    of_test["accuracy"] = of_test["accuracy"].model_copy(update={"value": 0.625})
    write_metrics(path, metrics)

    changed = make_report()

    assert drawn == [(layout.MARGINS, "margins"), *OF_WAVES]
    assert changed[LEADERBOARD] != files[LEADERBOARD]
    assert changed == make_from_nothing()


def test_a_figure_that_was_edited_by_hand_is_written_anew(made, drawn):
    _, files = made
    Path(LEADERBOARD).write_text("<svg/>")

    report.run(Path(), Path(layout.SUMMARY), Path(layout.REPORT))

    assert Path(LEADERBOARD).read_bytes() == files[LEADERBOARD]
    assert drawn == []


def flip():
    content = bytearray(KEPT.read_bytes())
    content[-100] ^= 1
    KEPT.write_bytes(content)


def seal_what_is_no_text():
    with reading(KEPT, kept.KIND, kept.VERSION) as file:
        parts = {name: part[()] for name, part in next(iter(file.values())).items()}
    parts["csv"] = np.array([0xFF], dtype=np.uint8)
    with writing(KEPT, kept.KIND, kept.VERSION) as file:
        group = file.create_group("key")
        group.attrs.update(place="waves", figure="leaderboard", left_out="")
        for name, part in parts.items():
            group[name] = part


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        seal_what_is_no_text,
        lambda: KEPT.write_bytes(KEPT.read_bytes()[:-1000]),
        lambda: KEPT.write_bytes(b""),
        lambda: KEPT.write_bytes(KEPT.read_bytes().replace(b"drawings 1 ", b"drawings 9 ", 1)),
    ],
    ids=["flipped", "no text", "cut", "empty", "another version"],
)
def test_drawings_of_a_damaged_file_are_drawn_again(made, drawn, damage):
    _, files = made
    damage()

    assert make_report() == files
    assert drawn == ALL
    drawn.clear()
    assert make_report() == files
    assert drawn == []


def test_a_change_of_the_code_of_a_figure_redraws_it_and_no_other(made, drawn, monkeypatch):
    module, digest = FIGURES.entry("leaderboard").module, kept.source_digest
    monkeypatch.setattr(
        kept, "source_digest", lambda *of: "another" if module in of else digest(*of)
    )

    make_report()

    assert drawn == [OF_WAVES[0], OF_GUN_POINT[0]]


def test_other_versions_of_packages_redraw_everything(made, drawn, monkeypatch):
    monkeypatch.setattr(kept, "_versions", lambda: ("matplotlib 9",))

    make_report()

    assert drawn == ALL


def test_what_a_task_has_registered_redraws_the_figures_of_its_datasets(made, drawn, monkeypatch):
    monkeypatch.setattr(kept, "ceiling_of", lambda task: "another")

    make_report()

    assert drawn == [*OF_WAVES, *OF_GUN_POINT]


def test_words_under_a_figure_count_for_it(made, drawn, monkeypatch):
    entry = dataclasses.replace(FIGURES.entry("confusion"), docstring="Other words.")
    monkeypatch.setitem(FIGURES._entries, "confusion", entry)

    changed = make_report()

    assert drawn == [OF_WAVES[1], OF_GUN_POINT[1]]
    assert b"Other words." in changed[layout.REPORT]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvidenceOfAPackage(ClassificationEvidence):
    anything: object


def test_what_has_no_digest_is_drawn_every_time(made, drawn, monkeypatch):
    _, files = made
    gather = material._evidence
    monkeypatch.setattr(
        material, "_evidence", lambda of: EvidenceOfAPackage(**vars(gather(of)), anything=object())
    )

    for _ in range(2):
        drawn.clear()
        assert make_report() == files
        assert drawn == [*OF_WAVES, *OF_GUN_POINT]


def test_no_drawing_of_a_figure_that_is_gone_stays(made, drawn, write_world):
    write_world("waves")

    make_report()

    assert drawn == []
    assert {one.place for one in kept.read_drawings(KEPT).values()} == {"waves"}


def test_results_of_others_bring_no_drawings(made, drawn, tmp_path, monkeypatch):
    _, files = made
    shutil.copytree("results", tmp_path / "theirs" / "results")
    monkeypatch.chdir(tmp_path / "theirs")

    assert make_report() == files
    assert drawn == ALL
