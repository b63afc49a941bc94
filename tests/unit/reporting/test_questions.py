"""Questions of a config, and the sentences that answer them."""

from pathlib import Path

import pytest

from seqbench.reporting.read.results import collect
from seqbench.reporting.scores import questions


@pytest.fixture
def answered(write_results, config):
    """Answer a question from scores by architecture (or dataset) and seed."""

    def make(compare: list[str], scores: dict[str, list[float]], **changes):
        raw = config(**{"seeds": list(range(len(next(iter(scores.values())))))} | changes)
        raw["questions"] = [{"ask": "Which one?", "compare": compare}]

        def skill(run):
            return scores.get(run.architecture, scores.get(run.dataset, [0.1] * 9))[run.seed]

        plan = write_results(raw, skill=skill)
        [finding] = questions.findings(plan, collect(plan, Path()))
        assert finding.question == "Which one?"
        return finding.comparisons

    return make


def test_candidates_stand_best_first_in_every_dataset(answered):
    found = answered(
        ["cnn1d", "lstm"],
        {"cnn1d": [0.5, 0.6], "lstm": [0.8, 0.9]},
        datasets=["waves", "gun_point"],
        architectures=["cnn1d", "lstm"],
    )

    assert [one.place for one in found] == ["waves", "gun_point"]
    for comparison in found:
        assert [c.name for c in comparison.candidates] == ["lstm", "cnn1d"]
        assert comparison.candidates[0].score.mean == pytest.approx(0.85)
        assert comparison.candidates[0].score.n == 2


@pytest.mark.parametrize(
    ("cnn1d", "lstm", "sentence"),
    [
        # Differences 0.10, 0.09, 0.10: mean 0.0967, 4.303 standard errors of 0.0033 either side.
        (
            [0.50, 0.61, 0.70],
            [0.60, 0.70, 0.80],
            "lstm is ahead of cnn1d by +0.097 accuracy (+0.082 to +0.111, 3 seeds).",
        ),
        ([0.5, 0.9], [0.6, 0.85], ", which chance among 2 seeds can do ("),
        ([0.5], [0.6], "lstm is ahead of cnn1d by +0.100 accuracy, with a single seed."),
        (
            [1.0, 0.9],
            [1.0, 0.9],
            "cnn1d and lstm have the same mean accuracy (0.000 to 0.000, 2 seeds).",
        ),
        (
            [1.0, 0.9],
            [0.9, 1.0],
            "cnn1d and lstm have the same mean accuracy (\N{MINUS SIGN}1.271 to",
        ),
        ([0.9], [0.9], "cnn1d and lstm have the same mean accuracy, with a single seed."),
    ],
)
def test_a_lead_is_stated_with_what_chance_can_do(cnn1d, lstm, sentence, answered):
    [found] = answered(
        ["cnn1d", "lstm"], {"cnn1d": cnn1d, "lstm": lstm}, architectures=["cnn1d", "lstm"]
    )

    assert sentence in found.sentence


def test_datasets_are_compared_architecture_by_architecture(answered):
    [found] = answered(
        ["waves", "gun_point"],
        {"waves": [0.9], "gun_point": [0.7]},
        datasets=["waves", "gun_point"],
        architectures=["lstm"],
    )

    assert found.place == "lstm"
    assert [c.name for c in found.candidates] == ["waves", "gun_point"]
