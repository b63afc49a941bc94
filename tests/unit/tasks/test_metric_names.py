"""A family is registered once and has a value at each tolerance."""

import pytest

from seqbench.config.registry import METRICS
from seqbench.config.tolerances import TOLERANCES_MS
from seqbench.tasks.metric_names import expand, family_of, summary, tags


def test_a_family_has_a_name_for_each_tolerance():
    assert expand("f1_at") == [
        "f1_at_0.5ms", "f1_at_1ms", "f1_at_2.5ms", "f1_at_5ms",
        "f1_at_10ms", "f1_at_20ms", "f1_at_50ms", "f1_at_150ms",
    ]  # fmt: skip


def test_a_metric_without_tolerances_is_its_own_family():
    assert expand("accuracy") == ["accuracy"]
    assert family_of("accuracy") == ("accuracy", None)
    assert family_of("onset_mae_ms") == ("onset_mae_ms", None)


@pytest.mark.parametrize("tolerance_ms", TOLERANCES_MS)
def test_a_name_leads_back_to_its_family(tolerance_ms):
    assert family_of(f"macro_f1_at_{tolerance_ms:g}ms") == ("macro_f1_at", tolerance_ms)


@pytest.mark.parametrize("family", list(METRICS))
def test_names_and_families_fit_together(family):
    assert {family_of(name)[0] for name in expand(family)} == {family}


@pytest.mark.parametrize("name", ["f1_at_7ms", "f1_at_5.0ms", "accuracy_5ms", "nothing"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(KeyError, match=f"unknown metric '{name}'"):
        family_of(name)


def test_a_family_is_no_metric_and_the_refusal_lists_its_names():
    with pytest.raises(KeyError, match=r"'f1_at' has a value at each tolerance: f1_at_0\.5ms"):
        family_of("f1_at")


def test_a_metric_has_the_tags_of_its_family():
    assert tags("f1_at_5ms")["better"] == "higher"
    assert tags("onset_mae_ms")["better"] == "lower"
    assert tags("onset_bias_ms")["better"] == "zero"
    assert tags("f1_at_5ms")["tasks"] == ("detection",)


def test_the_summary_names_the_tolerance():
    assert summary("f1_at_2.5ms") == ("F1 over the events of all types, at a tolerance of 2.5 ms.")
    assert summary("onset_p95_ms") == METRICS.entry("onset_p95_ms").summary
