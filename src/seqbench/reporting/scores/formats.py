"""How numbers are written for readers; an undefined one is a dash."""

from collections.abc import Callable, Sequence

from seqbench.tasks.metric_names import tags

NOTHING = "\N{EN DASH}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
COUNTS = ("refractory_violations", "refractory_violations_before")
QUANTITIES = ("rmse", "mae")  # in the units of the data
RATES = ("false_alarms_per_hour",)
UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def metric_value(value: float | None, metric: str) -> str:
    """Write a metric in its own unit: shares, milliseconds, counts or rates."""
    if value is None:
        return NOTHING
    if metric.endswith("_ms"):
        return milliseconds(value, signed=tags(metric)["better"] == "zero")
    if metric in COUNTS:
        return count(value)
    if metric in QUANTITIES:
        # An exponent stands before what is tiny alone; rounding must not leave a bare point.
        return f"{value:.0f}" if value >= 999.95 else f"{value:#.4g}"
    if tags(metric)["better"] == "zero":
        return signed_score(value)
    return rate(value) if metric in RATES else score(value)


def score(value: float | None) -> str:
    """Write a share between 0 and 1."""
    return NOTHING if value is None else _fixed(value, 3)


def signed_score(value: float | None) -> str:
    """Write a difference of shares with its sign; what rounds to 0 has none."""
    return NOTHING if value is None else _fixed(value, 3, signed=True)


def interval(bounds: tuple[float, float] | None, write: Callable[[float], str]) -> str:
    """Write bounds side by side, each as `write` does it."""
    return NOTHING if bounds is None else f"[{write(bounds[0])}, {write(bounds[1])}]"


def signed_interval(bounds: tuple[float, float]) -> str:
    """Write the bounds of a difference of shares."""
    return " to ".join(map(signed_score, bounds))


def p_value(value: float) -> str:
    """Write a p-value with three decimals; a smaller one is given as < 0.001."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def decided(wins: int, ties: int, losses: int) -> str:
    """Write wins, ties and losses side by side."""
    return NARROW.join(map(str, (wins, "·", ties, "·", losses)))


def percent(value: float | None) -> str:
    """Write a share in percent."""
    return NOTHING if value is None else f"{100 * value:.3g} %"


def relative(value: float | None) -> str:
    """Write a share that may lie outside 0 and 1 in percent, with one decimal."""
    return NOTHING if value is None else f"{_fixed(100 * value, 1)} %"


def milliseconds(value: float | None, *, signed: bool = False) -> str:
    """Write a number of milliseconds with three digits, at most two behind the point."""
    if value is None:
        return NOTHING
    n_decimals = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return _fixed(value, n_decimals, signed=signed)


def count(value: float | None) -> str:
    """Write a count; a small mean keeps a decimal, so that it is not taken for 0."""
    if value is None:
        return NOTHING
    return amount(value) if value >= 10 or value == round(value) else f"{value:.1f}"


def rate(value: float | None) -> str:
    """Write a number per hour."""
    if value is None:
        return NOTHING
    return amount(value) if value >= 10 else f"{value:.2g}"


def decimal(value: float | None) -> str:
    """Write a number with one decimal, or none if it is whole."""
    return NOTHING if value is None else f"{value:.1f}".removesuffix(".0")


def amount(value: float | None) -> str:
    """Write a count exactly up to a hundred thousand, then with a unit."""
    if value is None:
        return NOTHING
    if value < 1e5:
        return f"{value:,.0f}".replace(",", NARROW)
    shown = float(f"{value:.3g}")  # before the unit is chosen: 999 999 is 1 M
    size, unit = next(one for one in UNITS if shown >= one[0])
    return f"{shown / size:g} {unit}"


def seconds(value: float | None) -> str:
    """Write a duration in the unit that fits it."""
    if value is None:
        return NOTHING
    if value < 0.1:
        return f"{1000 * value:.3g} ms"
    if value < 60:
        return f"{value:.2g} s" if value < 10 else f"{value:.1f} s"
    if value < 3599.5:
        return "{} min {:02} s".format(*divmod(round(value), 60))
    return "{} h {:02} min".format(*divmod(round(value / 60), 60))


def durations(values: Sequence[float]) -> tuple[list[str], str]:
    """Write several durations in the unit that fits the longest, and return that unit."""
    longest = max(values, default=0.0)
    size, unit = (3600, "h") if longest >= 7200 else (60, "min") if longest >= 120 else (1, "s")
    return [f"{value / size:.3g}" for value in values], unit


def energy(value_wh: float | None) -> str:
    """Write watt hours in the unit that fits them."""
    if value_wh is None:
        return NOTHING
    if value_wh >= 999.5:
        return f"{value_wh / 1000:.3g} kWh"
    return f"{value_wh:.3g} Wh" if value_wh >= 0.9995 else f"{1000 * value_wh:.3g} mWh"


def grams(value: float) -> str:
    """Write a mass in grams, or kilograms from one on."""
    return f"{value / 1000:.3g} kg" if value >= 999.5 else f"{value:.3g} g"


def memory(value: float | None) -> str:
    """Write a number of bytes."""
    return NOTHING if value is None else f"{value / 2**20:.0f} MiB"


def _fixed(value: float, n_decimals: int, *, signed: bool = False) -> str:
    """Write a number of decimals; what rounds to 0 has no sign."""
    text = f"{value:+.{n_decimals}f}" if signed else f"{value:.{n_decimals}f}"
    return (text if float(text) else text.lstrip("+-")).replace("-", "\N{MINUS SIGN}")
