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
        ("rmse", 50.2997, "50.30"),
        ("rmse", 0.13221, "0.1322"),
        ("rmse", 999.96, "1000"),
        ("rmse", 98765.4, "98765"),
    ],
)
def test_a_metric_is_written_in_its_own_unit(metric, value, text):
    assert formats.metric_value(value, metric) == text


def test_several_durations_share_the_unit_of_the_longest():
    assert formats.durations([300, 60, 90]) == (["5", "1", "1.5"], "min")
    assert formats.durations([1, 100]) == (["1", "100"], "s")
    assert formats.durations([7200, 1800]) == (["2", "0.5"], "h")


def test_metrics_have_readable_names():
    names = ("f1_at_5ms", "average_precision_at_0.5ms", "onset_mae_ms", "accuracy", "mcc", "f1_at")

    assert [metric_label(name) for name in names] == [
        "F1 at 5 ms", "average precision at 0.5 ms", "MAE (ms)", "accuracy", "MCC", "F1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (formats.seconds, 0.02, "20 ms"),
        (formats.seconds, 1.9, "1.9 s"),
        (formats.seconds, 59.9, "59.9 s"),
        (formats.seconds, 61, "1 min 01 s"),
        (formats.seconds, 3599.7, "1 h 00 min"),
        (formats.seconds, 7320, "2 h 02 min"),
        (formats.score, -0.0001, "0.000"),
        (formats.score, -0.25, "\N{MINUS SIGN}0.250"),
        (formats.signed_score, -0.0001, "0.000"),
        (formats.signed_score, 0.0, "0.000"),
        (formats.signed_interval, (-0.5, 0.25), "\N{MINUS SIGN}0.500 to +0.250"),
        (formats.relative, -0.5, "\N{MINUS SIGN}50.0 %"),
        (formats.amount, 99_999, "99\u202f999"),
        (formats.amount, 123_456, "123 k"),
        (formats.amount, 999_499, "999 k"),
        (formats.amount, 999_999, "1 M"),
        (formats.amount, 1_234_567, "1.23 M"),
        (formats.amount, 999_999_999, "1 G"),
        (formats.amount, 2.5e12, "2.5 T"),
        (formats.p_value, 1.0, "1.000"),
        (formats.p_value, 0.001, "0.001"),
        (formats.p_value, 0.0009, "< 0.001"),
    ],
)
def test_a_number_has_the_digits_and_the_unit_that_fit_it(write, value, text):
    assert write(value) == text
