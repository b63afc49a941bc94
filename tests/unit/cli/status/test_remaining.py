"""The time to come, held against sums by hand."""

from datetime import datetime, timedelta

import pytest

from seqbench.cli.status.job_status import job_statuses
from seqbench.cli.status.remaining import remaining
from seqbench.storage.metrics import Metrics, write_metrics
from seqbench.storage.records import Cost, RunIdentity

NOON = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
METRICS = Metrics(
    run=RunIdentity(dataset="waves", architecture="cnn1d", arm="scratch", labels=1.0, seed=0),
    task="classification", headline="accuracy", scores={},
    cost=Cost(train_s=20.0, train_cpu_s=15.0),
)  # fmt: skip


@pytest.fixture
def rest(folder):
    def of(**settings):
        return remaining(job_statuses(folder.jobs, folder.root), **{"now": NOON} | settings)

    return of


@pytest.fixture
def prepared(folder):
    """Recordings and windows are there, and one of two seeds is trained from scratch."""
    folder.make(folder.job("ingest"), folder.job("window"))
    trained = folder.job("finetune", "scratch/labels1/seed0")
    folder.make(trained)
    folder.log_done(trained, 10, 8, begun="2026-11-22T11:00:00+00:00")
    return folder


def test_without_anything_finished_there_is_no_estimate(rest):
    found = rest()

    assert found.n_unknown == 1 + 1 + 2 + 4 + 1 + 5 + 1 + 1
    assert (found.job_s, found.cpu_s, found.wall_s, found.at_once) == (None, None, None, None)


def test_a_job_to_come_takes_what_its_like_took(prepared, rest):
    found = rest()

    # The other seed is its like; the two of the other arm share dataset and architecture.
    assert (found.n_counted, found.n_finished) == (3, 1)
    assert (found.job_s, found.cpu_s) == (30, 24)


def test_the_same_arm_counts_before_the_same_architecture(prepared, rest):
    other = prepared.job("finetune", "autoencoder_finetune/labels1/seed0")
    prepared.make(prepared.job("pretrain", "seed0"), prepared.job("pretrain", "seed1"), other)
    prepared.log_done(other, 40, 20)

    assert rest().job_s == 10 + 40
    assert rest().cpu_s == 8 + 20


def test_what_is_done_already_is_taken_off(prepared, rest):
    running = prepared.job("finetune", "scratch/labels1/seed1")
    prepared.log(running, begun=(NOON - timedelta(seconds=4)).isoformat())
    assert rest().job_s == pytest.approx(6 + 2 * 10)
    assert rest().cpu_s == pytest.approx(8 * 0.6 + 2 * 8)

    prepared.log(running, begun=(NOON - timedelta(seconds=400)).isoformat())
    assert rest().job_s == pytest.approx(0 + 2 * 10)


def test_with_several_at_a_time_the_rest_takes_less_but_no_less_than_its_longest(prepared, rest):
    assert rest(at_once=2).wall_s == 15
    assert rest(at_once=100).wall_s == 10


def test_as_many_at_a_time_are_expected_as_there_were(prepared, rest):
    # From 11:00:00 to 11:00:10 and from 11:00:05 to 11:00:20: 25 s of work in 20 s.
    prepared.log_done(prepared.job("window"), 15, 1, begun="2026-11-22T11:00:05+00:00")

    assert rest().at_once == pytest.approx(25 / 20)
    assert rest().wall_s == pytest.approx(30 / 1.25)


def test_pauses_in_which_nothing_ran_do_not_count(prepared, rest):
    prepared.log_done(prepared.job("window"), 10, 1, begun="2026-11-20T11:00:00+00:00")

    assert rest().at_once == 1


def resume(folder):
    """Let a training be done in two sittings, and return its run's scores."""
    trained = folder.job("finetune", "scratch/labels1/seed0")
    folder.make(folder.job("ingest"), folder.job("window"), trained)
    folder.log(
        trained,
        "state.safetensors: training goes on after step 2 of epoch 3\n"
        "done after 1.00 s, 1.00 s of processor time\n",
    )
    return folder.job("evaluate", "scratch/labels1/seed0").outputs[-1]


def test_the_last_sitting_of_a_training_counts_for_nothing(folder, rest):
    resume(folder)

    assert rest().job_s is None


def test_all_sittings_of_a_training_are_in_the_costs_of_its_run(folder, rest):
    write_metrics(folder.root / resume(folder), METRICS)

    assert (rest().job_s, rest().cpu_s) == (3 * 20, 3 * 15)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-9],
        lambda text: text.replace('"train_s": 20.0', '"train_s": 2.0'),
        lambda text: text.replace('"train_s": 20.0', '"train_s": NaN'),
    ],
    ids=["cut", "edited", "no number"],
)
def test_costs_that_are_damaged_count_for_nothing(change, folder, rest):
    path = folder.root / resume(folder)
    write_metrics(path, METRICS)
    path.write_text(change(path.read_text()))

    assert rest().job_s is None


def test_what_failed_and_what_needs_it_is_left_out(prepared, rest):
    prepared.log(prepared.job("pretrain", "seed1"), "error: loss is no number\n")

    assert rest().n_counted == 2  # the other seed, and one of the other arm
    assert rest().n_blocked == 5  # itself, its training, its score, the best model and the report
