"""Formulas of metrics can be drawn, and configs that pages show are legal."""

import re

import pytest
import yaml
from docutils.utils.math.latex2mathml import tex2mathml

from fixtures.documents import ROOT, blocks
from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import METRICS

FORMULA = re.compile(r"^ *\.\. math:: (.*?)(?:\n\n|\Z)", re.M | re.S)
INLINE = re.compile(r":math:`([^`]+)`")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONFIGS = [(page, block) for page in PAGES for block in blocks(page) if block.language == "yaml"]
SOURCE = {"source": "strikes_continuous"}
ELSEWHERE = {  # keys of which a page shows a part alone
    "runs": [{"datasets": ["my_bells"], "architectures": ["event_rnn"]}],
    "datasets": {"my_bells": SOURCE, "their_bells": SOURCE},
}


@pytest.mark.parametrize("name", list(METRICS))
def test_a_metric_has_a_formula_that_can_be_drawn(name):
    docstring = METRICS.entry(name).docstring
    formulas = FORMULA.findall(docstring)

    assert formulas
    for formula in [*formulas, *INLINE.findall(docstring)]:
        assert "<math" in tex2mathml(formula)


@pytest.mark.parametrize(("page", "block"), CONFIGS, ids=lambda one: getattr(one, "stem", None))
def test_every_config_of_a_page_is_legal(page, block):
    raw = yaml.safe_load(block.text)

    benchmark = Benchmark.load(merged(ELSEWHERE, raw.get("seqbench", raw)))

    assert benchmark.runs


def merged(whole, part):
    if not (isinstance(whole, dict) and isinstance(part, dict)):
        return part
    return whole | {key: merged(whole.get(key), value) for key, value in part.items()}
