"""What the site writes from the code is there to be written."""

import re

import pytest
from docutils.utils.math.latex2mathml import tex2mathml

from seqbench.config.registry import METRICS

FORMULA = re.compile(r"^ *\.\. math:: (.*?)(?:\n\n|\Z)", re.M | re.S)
INLINE = re.compile(r":math:`([^`]+)`")


@pytest.mark.parametrize("name", list(METRICS))
def test_a_metric_has_a_formula_that_can_be_drawn(name):
    docstring = METRICS.entry(name).docstring
    formulas = FORMULA.findall(docstring)

    assert formulas
    for formula in [*formulas, *INLINE.findall(docstring)]:
        assert "<math" in tex2mathml(formula)
