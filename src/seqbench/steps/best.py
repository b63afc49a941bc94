"""Hand over the model of a dataset that val selects: its files, its ensemble over seeds, a card."""

from pathlib import Path

from seqbench.steps.arguments import TRAINING, add_memory_limit, import_all, path_parser


def run(
    root: Path, dataset: str, folder: Path, device: str, threads: int, memory_limit: str
) -> None:
    """Write the folder of a dataset; config and inputs lie below `root` where `layout` has them."""
    from functools import partial

    from seqbench import layout
    from seqbench.config.benchmark import Benchmark
    from seqbench.plan.plan import Plan
    from seqbench.reporting.page.handover import hand_over
    from seqbench.tasks.ensembles import evaluate_ensemble

    evaluate = partial(evaluate_ensemble, device=device, threads=threads, memory_limit=memory_limit)
    hand_over(Plan(Benchmark.read(root / layout.CONFIG)), root, dataset, folder, evaluate)


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    import_all("seqbench.tasks.ensembles", "seqbench.reporting.page.handover", *TRAINING)


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__name__, "root", "folder")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="threads of one prediction")
    add_memory_limit(parser)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.folder)
    run(**vars(arguments))
