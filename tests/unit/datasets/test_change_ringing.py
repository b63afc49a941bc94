"""Place notation becomes the rows that ringers know."""

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.change_ringing import changes_of, methods_for, touch

HEADER = "Method Name,Number of Bells,Plain Lead,Call Row,Bob,Single\n"
MINOR = HEADER + 'Plain Bob,6,"&x16x16x16,12",0,14,1234\n'


def row_after(changes, n_bells):
    row = np.arange(n_bells)
    for change in changes:
        row = row[change]
    return "".join("1234567890ET"[bell] for bell in row)


@pytest.fixture
def methods(tmp_path):
    def read(text, n_bells):
        path = tmp_path / "methods.csv"
        path.write_text(text)
        return methods_for(n_bells, [path])

    return read


def test_the_leads_of_plain_bob_minor_have_the_ends_of_the_books():
    lead = list(changes_of("&x16x16x16,12", 6))

    assert len(lead) == 12
    ends = [row_after(lead * n, 6) for n in range(1, 6)]
    assert ends == ["135264", "156342", "164523", "142635", "123456"]


def test_places_above_nine_have_a_zero_and_letters():
    lead = list(changes_of("&x1Tx1Tx1Tx1Tx1Tx1T,12", 12))

    assert row_after(lead, 12) == "13527496E8T0"  # the first lead of Plain Bob Maximus


def test_a_bob_takes_the_place_of_the_last_change(methods):
    [method] = methods(MINOR, 6)
    bob, single = method.calls

    assert row_after(method.lead[:-1], 6) == "132546"
    assert row_after([*method.lead[:-1], bob], 6) == "123564"  # places 1 and 4 stay
    assert row_after([*method.lead[:-1], single], 6) == "132564"


def test_methods_of_other_numbers_and_calls_elsewhere_are_left_out(methods):
    text = (
        MINOR
        + 'Plain Bob,5,"&5.1.5.1.5,125",0,145,123\n'
        + 'Grandsire,6,"36,&16x16x16x",0,36.16,36.1236\n'
        + 'Double Bob,6,"&x16x16x56,12",0,,\n'
        + 'Antelope Place,6,"3,&x16",-1,14,1234\n'
    )

    assert [method.name for method in methods(text, 6)] == ["Plain Bob"]


@pytest.mark.parametrize("notation", ["&x16x1Qx16,12", "16.2,12", "7,12", "1.16"])
def test_what_is_no_change_is_refused_with_its_row(methods, notation):
    with pytest.raises(DataError, match=r"methods\.csv, row 3: '.*' is no change of 6 bells"):
        methods(MINOR + f'Odd One,6,"{notation}",0,14,1234\n', 6)


def test_a_table_without_its_columns_is_refused(methods):
    with pytest.raises(DataError, match=r"methods\.csv: it cannot be read"):
        methods("name\nPlain Bob\n", 6)


def test_in_a_touch_bells_move_one_place_at_most_and_touches_differ(methods):
    [method] = methods(MINOR, 6)

    one, other = (touch(np.random.default_rng(seed), method, 100) for seed in (0, 1))

    assert one.shape == (100, 6)
    assert (np.sort(one, axis=1) == np.arange(6)).all()
    assert np.abs(np.diff(np.argsort(one, axis=1), axis=0)).max() == 1
    assert not np.array_equal(one, other)


def test_without_calls_a_touch_is_a_piece_of_the_plain_course(methods, monkeypatch):
    monkeypatch.setattr("seqbench.datasets.change_ringing.CALLED", 0.0)
    [method] = methods(MINOR, 6)

    rows = touch(np.random.default_rng(0), method, 61)

    assert len(np.unique(rows[:60], axis=0)) == 60
    np.testing.assert_array_equal(rows[60], rows[0])
