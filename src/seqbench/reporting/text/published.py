"""Text of the page on scores beside published ones, in sentences."""

from seqbench.reporting.evidence.published import Published


def published_sentences(published: Published) -> list[str]:
    """Return what is compared, and in what the two differ."""
    if not published.pairs:
        return ["No dataset of the UCR archive is comparable with published results."]
    found = [
        "Accuracy on test of the UCR archive's default split, with all labels: the mean over our"
        " runs, beside what others published."
    ]
    if any(not pair.model.is_baseline for pair in published.pairs):
        found.append(
            "Published networks learned from all of train, and most chose their epoch by the loss"
            " there; ours hold out a part of train as val, which chooses it and which a refit gives"
            " back."
        )
    return found
