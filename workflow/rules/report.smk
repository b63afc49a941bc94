"""The summary table, the page and its figures.

Needs metrics, predictions and histories of every run; yields summary.csv,
report.html and the figures as files: SVG and PDF, and the numbers in them as CSV.
"""


rule report:
    input:
        windows=[layout.WINDOWS.format(dataset=name) for name in PLAN.datasets],
        metrics=[run.fill(layout.METRICS) for run in PLAN.runs],
        predictions=[run.fill(layout.PREDICTIONS) for run in PLAN.runs],
        histories=[run.fill(layout.HISTORY) for run in PLAN.trained],
        pretraining=sorted(
            {path for run in PLAN.trained for path in pretraining_history(run)}
        ),
        transfers=[run.fill(layout.TRANSFER) for run in PLAN.trained],
        models=[run.fill(layout.MODEL) for run in template_runs(PLAN)],
        templates=sorted((SRC / "seqbench" / "reporting" / "templates").iterdir()),
    output:
        summary=layout.SUMMARY,
        page=report(
            layout.REPORT,
            caption="../report/page.rst",
            category="Report",
            labels={"content": "the whole page"},
        ),
        figures=[
            report(
                layout.FIGURE.format(dataset=dataset, figure=figure),
                caption=f"../report/{figure}.rst",
                category="Figures",
                subcategory=dataset,
                labels={"figure": figure.replace("_", " ")},
            )
            for dataset, figure in figure_names(PLAN)
        ],
        files=[
            pattern.format(dataset=dataset, figure=figure)
            for dataset, figure in figure_names(PLAN)
            for pattern in (layout.FIGURE_PDF, layout.FIGURE_TABLE)
        ],
    log:
        layout.log("report"),
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    params:
        settings=canonical_json(
            BENCHMARK.model_dump(
                mode="json",
                exclude={"device", "out_of_memory", "state_every_s", "tensorboard"},
            )
        ),
        code=source_digest("seqbench.steps.report"),
        config=layout.CONFIG,
    shell:
        "python -m seqbench.steps.report --config {params.config:q}"
        " --summary {output.summary:q} --page {output.page:q} > {log:q} 2>&1"
