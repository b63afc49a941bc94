"""Numbers as readers see them."""

import pytest

from seqbench.reporting.scores import formats
from seqbench.reporting.scores.metrics import metric_label


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("f1_at_5ms", 0.12345, "0.123"),
        ("accuracy", 1.0, "1.000"),
        ("onset_mae_ms", 0.0312, "0.03"),
        ("onset_mae_ms", 1.25, "1.25"),
        ("onset_p95_ms", 12.345, "12.3"),
        ("onset_p95_ms", 9.996, "10.0"),
        ("onset_p95_ms", 123.4, "123"),
        ("onset_bias_ms", 0.5, "+0.50"),
        ("onset_bias_ms", -3.21, "\N{MINUS SIGN}3.21"),
        ("onset_bias_ms", -0.001, "0.00"),
        ("refractory_violations", 7.0, "7"),
        ("refractory_violations", 1 / 3, "0.3"),  # one in three seeds: not none
        ("refractory_violations_before", 1234.0, "1\u202f234"),
        ("false_alarms_per_hour", 30.4, "30"),
        ("false_alarms_per_hour", 0.25, "0.25"),
        ("onset_mae_ms", None, "\N{EN DASH}"),
    ],
)
def test_a_metric_is_written_in_its_own_unit(metric, value, text):
    assert formats.metric_value(value, metric) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.02, "20 ms"),
        (1.9, "1.9 s"),
        (59.9, "59.9 s"),
        (61, "1 min 01 s"),
        (3599.7, "1 h 00 min"),
        (7320, "2 h 02 min"),
    ],
)
def test_a_duration_has_the_unit_that_fits_it(seconds, text):
    assert formats.seconds(seconds) == text


def test_several_durations_share_the_unit_of_the_longest():
    assert formats.durations([300, 60, 90]) == (["5", "1", "1.5"], "min")
    assert formats.durations([1, 100]) == (["1", "100"], "s")
    assert formats.durations([7200, 1800]) == (["2", "0.5"], "h")


def test_metrics_have_readable_names():
    names = ("f1_at_5ms", "average_precision_at_0.5ms", "onset_mae_ms", "accuracy", "mcc", "f1_at")

    assert [metric_label(name) for name in names] == [
        "F1 at 5 ms", "average precision at 0.5 ms", "MAE (ms)", "accuracy", "MCC", "F1",
    ]  # fmt: skip


def test_nothing_lost_in_rounding_has_no_sign():
    assert formats.score(-0.0001) == "0.000"
    assert formats.signed_score(-0.0001) == formats.signed_score(0.0) == "0.000"
    assert formats.score(-0.25) == "\N{MINUS SIGN}0.250"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (50.2997, "50.30"),
        (0.13221, "0.1322"),
        (999.96, "1000"),
        (1234.5, "1234"),
        (98765.4, "98765"),
    ],
)
def test_quantities_have_four_digits(value, text):
    assert formats.metric_value(value, "rmse") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (99_999, "99\u202f999"),
        (123_456, "123 k"),
        (999_499, "999 k"),
        (999_999, "1 M"),
        (1_234_567, "1.23 M"),
        (999_999_999, "1 G"),
        (2.5e12, "2.5 T"),
    ],
)
def test_an_amount_is_exact_and_then_has_three_digits_and_a_unit(value, text):
    assert formats.amount(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.000"), (0.0314, "0.031"), (0.001, "0.001"), (0.0009, "< 0.001")]
)
def test_a_small_p_value_is_said_to_be_smaller(value, text):
    assert formats.p_value(value) == text


def test_wins_ties_and_losses_stand_side_by_side():
    assert formats.decided(5, 0, 2).split(formats.NARROW) == ["5", "·", "0", "·", "2"]
