"""Tables for papers: well-formed whatever the names, with the page's own strings."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.config.messages import ConfigError
from seqbench.reporting.figures.catalog import table_paths
from seqbench.reporting.page.paper import leaderboard_table, overall_table, rendered
from seqbench.reporting.read.results import collect
from seqbench.reporting.scores.column_bests import ColumnBests
from seqbench.reporting.scores.leaderboards import leaderboards

HOSTILE = (
    r"\input{/etc/passwd}",
    "a|b",
    "under_score",
    "$x^2$",
    "100 % & more #1 ~",
    "\u202eright to left",
    "two\nlines \\\\ [2cm]",
    "[an option",
    "*starred*",
    "}{",
    '<script>alert("1")</script>',
)
COMMANDS = {
    *("begin", "end", "toprule", "midrule", "bottomrule", "linewidth", "textbf", "pm", "times"),
    *("textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"),
    *("textquotedbl", "textasciigrave", "textsuperscript", "downarrow", "rightarrow", "cdot"),
}


def skill(run):
    return {"majority": 0.5, "minirocket": 0.85}.get(run.architecture, 0.9 - run.seed / 50)


@pytest.fixture
def raw(rich_config):
    return rich_config(arms=["scratch"])


@pytest.fixture
def boards(write_results, raw):
    return leaderboards(collect(write_results(raw, skill=skill), Path()), "waves")


def hostile(board):
    """Return a leaderboard whose models have the names of attackers."""
    rows = [
        replace(board.rows[i % len(board.rows)], architecture=name, arm=name)
        for i, name in enumerate(HOSTILE)
    ]
    return replace(board, rows=tuple(rows))


def latex_rows(text):
    """Return the rows of a table, cells as source, after checking that nothing else is in it."""
    code = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert set(re.findall(r"\\([A-Za-z]+)", code)) <= COMMANDS
    assert set(re.findall(r"\\([^A-Za-z])", code)) <= set(r"\{}$&#%_,")
    assert re.findall(r"\\(begin|end){(\w+)}", code) == [
        ("begin", "adjustbox"),
        ("begin", "tabular"),
        ("end", "tabular"),
        ("end", "adjustbox"),
    ]
    plain = re.sub(r"\\[^A-Za-z]", "", code)
    depth = 0
    for mark in plain:
        depth += {"{": 1, "}": -1}.get(mark, 0)
        assert depth >= 0
    assert depth == 0
    assert not re.search(r"[#%~^<>|\"`]", re.sub(r"\$[^$]*\$", "", plain.replace("_", "?")))
    body = code.partition("\\toprule\n")[2].partition("\\bottomrule")[0]
    rows = [line for line in body.splitlines() if line != "\\midrule"]
    assert all(row.endswith(" \\\\") for row in rows)
    return [re.split(r"(?<!\\)&", row.removesuffix(" \\\\")) for row in rows]


def markdown_rows(text):
    """Return the rows of a table, the rule under its header left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    assert set("".join(rows[1])) == set(":- ")
    return [[cell.strip() for cell in row] for row in (rows[0], *rows[2:])]


def test_a_table_has_a_row_for_each_model_and_fraction_of_labels(boards):
    table = leaderboard_table(boards)

    assert table.headers[:6] == ["labels", "model", "arm", "accuracy", "n", "95 % interval"]
    assert [[row[1].text for row in block] for block in table.blocks] == [
        ["cnn1d", "gru", "minirocket", "majority (floor)"]
    ] * 2
    assert [block[0][0].text for block in table.blocks] == ["100 %", "20 %"]
    # Two seeds, 0.90 and 0.88.
    assert [cell.text for cell in table.blocks[0][0][3:5]] == ["0.890 ± 0.014", "2"]
    low, high = boards[0].rows[0].score.interval
    assert table.blocks[0][0][5].text == f"[{low:.3f}, {high:.3f}]"


def test_what_reads_as_the_best_of_its_column_is_bold(boards):
    [first, _] = leaderboard_table(boards).blocks
    headers = leaderboard_table(boards).headers
    accuracy, log_loss = headers.index("accuracy"), headers.index("log loss ↓")

    assert [row[accuracy].is_bold for row in first] == [True, True, False, False]
    # 2 (1 - accuracy): lower is better.
    assert [row[log_loss].text for row in first] == ["0.220", "0.220", "0.300", "1.000"]
    assert [row[log_loss].is_bold for row in first] == [True, True, False, False]


def test_the_page_sets_bold_what_a_table_does(write_results, raw, page_without_figures):
    plan = write_results(raw, skill=skill)
    [board, *_] = leaderboards(collect(plan, Path()), "waves")
    bests = ColumnBests(board)
    page = page_without_figures()

    # Of the first table: behind on val and the headline comes the margin; of the other, behind ±.
    for start, names, places in (
        ('class="leaderboard', (board.headline, *board.first_metrics), (1, 3, 4, 5, 6)),
        ('aria-label="More metrics', board.other_metrics, (1, 2)),
    ):
        body = page.partition(start)[2].partition("</tbody>")[0]
        rows = [
            re.findall(r"<td[^>]*>", row) for row in re.findall(r"<tr data-run.*?</tr>", body, re.S)
        ]
        assert len(rows) == len(board.rows)
        assert len(names) == len(places)
        for row, cells in zip(board.rows, rows, strict=True):
            expected = [bests.holds(row, name) for name in names]
            assert ["strong" in cells[place] for place in places] == expected


def test_nothing_is_bold_where_all_are_alike(write_results, raw):
    plan = write_results(raw, skill=lambda run: 0.5)
    table = leaderboard_table(leaderboards(collect(plan, Path()), "waves"))

    assert not any(cell.is_bold for block in table.blocks for row in block for cell in row)


def test_a_ceiling_competes_with_nobody(write_events, event_config):
    skills = {"metronome": 0.1, "matched_filter": 0.6, "oracle": 1.0}
    plan = write_events(event_config(), skill=lambda run: skills.get(run.architecture, 0.8))
    [block] = leaderboard_table(leaderboards(collect(plan, Path()), "strikes")).blocks
    by_name = {row[0].text: row[2] for row in block}

    assert "oracle (ceiling)" in by_name
    assert not by_name["oracle (ceiling)"].is_bold
    assert sum(cell.is_bold for cell in by_name.values()) == 1


def test_the_model_and_the_baseline_of_each_dataset_stand_side_by_side(boards):
    table = overall_table([boards[0]])
    row = dict(zip(table.headers, [cell.text for cell in table.blocks[0][0]], strict=True))

    assert row["dataset"] == "waves"
    assert row["score"] == "0.890 ± 0.014"
    assert (row["best baseline"], row["baseline's score"]) == ("minirocket", "0.850")
    assert row["margin"] == "+0.040"
    # Of two seeds that lead by 0.05 and 0.03 a quarter of all draws takes one of them twice.
    assert row["95 % interval of the margin"] == "[+0.030, +0.050]"


@pytest.mark.parametrize("make", [lambda b: leaderboard_table([b]), lambda b: overall_table([b])])
def test_hostile_names_are_text_in_latex(boards, make):
    table = make(hostile(boards[0]))
    header, *rows = latex_rows(rendered(table, "tex"))

    assert len(header) == len(table.headers)
    assert [len(row) for row in rows] == [len(header)] * len(table.blocks[0])
    assert not any(re.match(r"\s*[\[*]", row[0]) for row in rows)  # no option of the row before


def test_a_reader_of_markdown_shows_hostile_names_as_they_are(boards):
    reader = pytest.importorskip("markdown_it").MarkdownIt("gfm-like", {"linkify": False})
    tokens = reader.enable("table").parse(rendered(leaderboard_table([hostile(boards[0])]), "md"))
    cells = [token.children for token in tokens if token.type == "inline" and token.children]
    shown = {"".join(child.content for child in children) for children in cells}

    assert {name for name in HOSTILE if name.isprintable()} <= shown
    assert {child.type for children in cells for child in children} <= {
        *("text", "text_special", "strong_open", "strong_close"),
    }


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex on this machine")
def test_latex_compiles_with_hostile_names(boards, tmp_path):
    table = rendered(leaderboard_table([hostile(boards[0])]), "tex")
    preamble = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs,adjustbox}"
    (tmp_path / "paper.tex").write_text(
        f"{preamble}\\begin{{document}}\n{table}\\end{{document}}\n", encoding="utf-8"
    )

    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-2000:]


def test_the_step_writes_the_tables_that_the_plan_names(write_results, raw, page_without_figures):
    plan = write_results(raw, skill=skill)

    page_without_figures()

    paths = table_paths(plan)
    assert len(paths) == 3 * 3
    assert sorted(paths) == sorted(str(path) for path in Path("results/tables").iterdir())
    assert all(Path(path).read_text(encoding="utf-8").endswith("\n") for path in paths)


def test_no_dataset_can_be_called_like_the_table_over_all():
    name = Path(layout.OVERALL_TABLE.format(form="csv")).stem

    with pytest.raises(ConfigError, match=name):
        Benchmark.load({"runs": [{"datasets": [name], "architectures": ["cnn1d"]}]})


def test_every_string_of_a_table_stands_on_the_page(write_results, raw, page_without_figures):
    write_results(raw, skill=skill)
    page = re.sub(r"<[^>]+>|\s+", "", page_without_figures())

    for row in markdown_rows(Path("results/tables/waves.md").read_text(encoding="utf-8"))[1:]:
        for cell in row:
            assert re.sub(r"[\\*\s]|\(floor\)", "", cell) in page


def test_numbers_of_a_table_are_those_of_the_summary(write_results, raw, page_without_figures):
    write_results(raw, skill=skill)
    page_without_figures()
    summary = pd.read_csv(layout.SUMMARY, float_precision="round_trip")
    own = summary.query("dataset == 'waves' and split == 'test' and labels == 1.0")
    keys = ["architecture", "arm", "metric"]
    expected = own.groupby(keys)["value"].agg(["mean", "std", "count"])

    table = pd.read_csv("results/tables/waves.csv", float_precision="round_trip")
    found = table.query("labels == 1.0").set_index(keys).sort_index()

    assert found.index.equals(expected.index)
    assert found["n"].tolist() == expected["count"].tolist()
    assert found["mean"].tolist() == pytest.approx(expected["mean"].tolist())
    assert found["sd"].fillna(-1).tolist() == pytest.approx(expected["std"].fillna(-1).tolist())
