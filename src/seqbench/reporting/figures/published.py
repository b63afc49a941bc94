"""Scores against published ones, a point for each problem."""

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.published import Published
from seqbench.reporting.figures.panels import DOTTED, empty, grid, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import MUTED
from seqbench.reporting.scores.formats import signed_score

PANEL_INCHES = 2.15
FAR, N_NAMED = 0.05, 3  # a problem that is named lies so far off, and at most so many are
ROW = 0.06  # of the axis, for a name


@FIGURES.register(
    "against_published", title="Ours against published accuracies", published=True, order=10
)
def against_published(published: Published) -> Plot:
    """Accuracy on test of the archive's default split, a point for each problem.

    Above the line our model is ahead of the published method, below it behind; the problems
    farthest from it are named. The mean difference is ours less the published.
    """
    numbers = Numbers()
    if not published.pairs:  # values are missing that the plan promised
        figure, _ = grid(0, 1, height=0.5, top=0.2, bottom=0.1)
        return empty(
            figure, numbers, "No problem has a defined accuracy of ours and a published one."
        )
    n_columns = min(3, len(published.pairs))
    figure, panels = grid(
        len(published.pairs), n_columns, height=PANEL_INCHES, top=0.35, bottom=0.65, gap=(0.55, 1.0)
    )
    for pair, axes in zip(published.pairs, panels, strict=True):
        scores = pair.scores
        ours, theirs = scores["accuracy"], scores["published"]
        low = max(0.0, min(ours.min(), theirs.min()) - 0.05)
        axes.set(xlim=(low, 1.02), ylim=(low, 1.02))
        axes.set_box_aspect(1)
        axes.plot([0, 1], [0, 1], zorder=0, **DOTTED)
        [dots] = axes.plot(
            theirs, ours, "o", color=published.colour(pair.model), markersize=4, alpha=0.75,
            markeredgewidth=0,
        )  # fmt: skip
        rows = numbers.add(
            model=pair.model.name, method=pair.method, dataset=scores["dataset"].to_numpy(),
            problem=scores["problem"].to_numpy(), accuracy=ours.to_numpy(),
            published=theirs.to_numpy(), n=scores["n"].to_numpy(),
        )  # fmt: skip
        shown = {"problem": "", "accuracy": "ours", "published": "published"}
        numbers.mark(dots, rows, shown, name=pair.model.name)
        far = (ours - theirs).abs()
        named: list[float] = []
        for index in far[far > FAR].nlargest(N_NAMED).index:
            if any(abs(ours[index] - other) < ROW * (1.02 - low) for other in named):
                continue  # its name would hide another
            named.append(ours[index])
            is_ahead = bool(ours[index] > theirs[index])
            is_right = bool(theirs[index] > (low + 1.02) / 2)
            # Away from the line, along which the others lie, and inside the axes.
            offset, align, valign = {
                (True, True): ((-4, 0), "right", "center"),
                (True, False): ((0, 4), "left", "bottom"),
                (False, True): ((0, -4), "right", "top"),
                (False, False): ((4, 0), "left", "center"),
            }[is_ahead, is_right]
            axes.annotate(
                short(scores["problem"][index], 18), (theirs[index], ours[index]), xytext=offset,
                textcoords="offset points", ha=align, va=valign, fontsize=6.5, color=MUTED,
            )  # fmt: skip
        axes.set_title(
            f"{short(pair.model.architecture, 24)}: {signed_score(pair.mean_difference)}"
        )
        axes.set_xlabel(f"{pair.method}\npublished")
        axes.set_ylabel("ours")
        axes.grid()
    words = "; ".join(
        f"{one.model.name} less {one.method}: {signed_score(one.mean_difference)}"
        for one in published.pairs
    )
    return numbers.plot(figure, f"Mean differences: {words}.")
