"""The profiles as Snakemake reads them."""

from pathlib import Path

import pytest
import yte

PROFILES = Path(__file__).parents[2] / "workflow/profiles"
RULES = {
    "data": ["ingest"],
    "windows": ["window"],
    "overlaps": ["overlap"],
    "crossed_windows": ["cross_window"],
    "tuning": ["tune"],
    "baseline_tuning": ["tune_baseline"],
    "pretraining": ["pretrain"],
    "training": ["finetune", "evaluate"],
    "baseline": ["fit_baseline", "evaluate"],
    "crossed_models": ["cross_evaluate"],
    "crossed_baselines": ["cross_evaluate"],
}


@pytest.fixture
def profile(monkeypatch):
    """Return a function that reads a profile under settings of the environment."""

    def read(name, **environment):
        for key, value in {"CUDA_VISIBLE_DEVICES": "0", **environment}.items():
            monkeypatch.setenv(key, value)
        return yte.process_yaml((PROFILES / name / "config.yaml").read_text())

    return read


def minutes(found, group, attempt):
    """Return the time that a full pack asks for."""
    of_member = sum(
        eval(found["set-resources"][rule]["runtime"], {"attempt": attempt, "min": min, "int": int})
        for rule in RULES[group]
    )
    return found["group-components"][group] * of_member


@pytest.mark.parametrize("limit", [5, 15, 60, 100, 240, 5000])
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_no_pack_asks_for_more_time_than_the_partition_gives(limit, attempt, profile):
    found = profile("slurm", SEQBENCH_LIMIT_MIN=str(limit))

    for group in RULES:
        assert 0 < minutes(found, group, attempt) <= limit


def test_packs_are_as_large_as_their_partition_allows(profile):
    found = profile("slurm", SEQBENCH_LIMIT_MIN="60", SEQBENCH_PACK="8")
    assert found["group-components"] == {
        "data": 4, "windows": 4, "pretraining": 3, "training": 2, "baseline": 3,
        "tuning": 3, "baseline_tuning": 3, "overlaps": 4, "crossed_windows": 4,
        "crossed_models": 6, "crossed_baselines": 6,
    }  # fmt: skip
    assert minutes(found, "training", 1) == 60


def test_without_a_limit_packs_are_those_of_the_setting(profile, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no sinfo
    found = profile("slurm", SEQBENCH_PACK="5", SEQBENCH_LIMIT_MIN="")

    assert found["group-components"]["training"] == 5
    assert [minutes(found, "training", attempt) for attempt in (1, 2, 3)] == [150, 300, 450]


@pytest.mark.parametrize(
    ("answer", "n"), [("1:00:00", 2), ("45:00", 1), ("1-00:00:00", 8), ("infinite\n2:00:00", 4)]
)
def test_the_limit_of_a_partition_is_that_of_sinfo(answer, n, profile, monkeypatch, tmp_path):
    (tmp_path / "sinfo").write_text(f"#!/bin/sh\ncat <<END\n{answer}\nEND\n")
    (tmp_path / "sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert profile("slurm", SEQBENCH_LIMIT_MIN="")["group-components"]["training"] == n


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("default", "SEQBENCH_JOBS_PER_GPU"),
        ("slurm", "SEQBENCH_PACK"),
        ("slurm", "SEQBENCH_POLL_S"),
    ],
)
def test_a_setting_that_is_no_number_is_named_and_an_empty_one_is_none(name, setting, profile):
    with pytest.raises(Exception, match=f"{setting}=none: give a whole number"):
        profile(name, **{setting: "none"})
    assert profile(name, **{setting: ""})


@pytest.mark.parametrize(
    ("visible", "n"),
    [("0", 1), ("2, 0", 2), ("GPU-7a1,GPU-9b2", 2), ("0,1,-1,2", 2), ("-1", 0), ("", 0),
     ("NoDevFiles", 0)],
)  # fmt: skip
def test_jobs_use_as_many_gpus_at_once_as_cuda_shows_times_those_that_share_one(
    visible, n, profile
):
    found = profile("default", CUDA_VISIBLE_DEVICES=visible, SEQBENCH_JOBS_PER_GPU="3")

    assert found.get("resources") == (f"gpu={3 * n}" if n else None)
