"""What is done when the workflow begins and ends, or has nothing to do; no rules.

Needs `PLAN` and what else common.smk yields; yields the hooks of the Snakefile.
"""

from itertools import product

from seqbench.storage.states import remove_state


def begin():
    """Save the merged configuration beside the results, and start the fork server of the steps."""
    atexit.unregister(end_idle)
    PARSED.save(PARSED_MODULES)  # for jobs of a cluster, which read this file too
    write_text(FOLDER / layout.CONFIG, BENCHMARK.to_yaml())
    global end_fork_server
    end_fork_server = start_fork_server(code_of_jobs())


def end():
    """Stop the fork server."""
    end_fork_server()


def end_well():
    """Stop the fork server, remove the states of trainings that are done, and print the results."""
    end()
    for dataset, architecture in PLAN.tuned:
        rungs, trials = (
            range(len(found(architecture))) for found in (PLAN.rungs, PLAN.trials)
        )
        for rung, trial in product(rungs, trials):
            names = {"dataset": dataset, "architecture": architecture}
            names |= {"rung": rung, "trial": trial}
            if (FOLDER / layout.TRIAL.format(**names)).exists():
                remove_state(Path(state_folder("tune").format(**names)))
    for run in PLAN.trained:
        for of, step, made in (
            (PLAN.pretraining(run), "pretrain", layout.ENCODER),
            (run, "finetune", layout.MODEL),
            (run, "refit", layout.REFIT),
        ):
            if of is not None and (FOLDER / of.fill(made)).exists():
                remove_state(Path(of.fill(state_folder(step))))
    if has_page():
        from seqbench.reporting.page.handover import remove_others

        remove_others(PLAN, FOLDER)
        print_results()


def end_idle():
    """Print the results where nothing is left to do, as Snakemake calls no hook then."""
    if workflow.scheduler is None or workflow.dryrun:  # nothing was to be run
        return
    if not len(workflow.dag) and has_page():
        print_results()


def print_results():
    """Print the best model of each dataset, and where the page is."""
    from seqbench.reporting.text.closing import closing_lines  # takes long to load

    print(*closing_lines(PLAN, FOLDER), sep="\n", flush=True)


def has_page():
    """Return whether the page is requested, and all is there: `--touch` makes nothing."""
    return any(
        str(FOLDER / layout.REPORT) in job.output for job in workflow.dag.jobs
    ) and all(
        (FOLDER / path).exists()
        for path in (layout.REPORT, *(run.fill(layout.METRICS) for run in PLAN.runs))
    )


if workflow.is_main_process:
    atexit.register(end_idle)
