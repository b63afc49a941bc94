"""The summary table, the page, its figures and tables for papers.

Needs metrics, predictions and histories of every run, and the best models; yields summary.csv,
report.html, and figures (SVG and PDF, their numbers as CSV) and tables as files.
"""


rule report:
    input:
        runs=reported_files,
        trials=later_trials,
        templates=sorted(
            (SRC / "seqbench" / "reporting" / "page" / "templates").iterdir()
        ),
        published=SRC / "seqbench" / "reporting" / "scores" / "published_ucr.csv",
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
                layout.FIGURE.format(dataset=place, figure=figure),
                caption=caption_file(figure),
                category="Figures",
                subcategory=place_label(place),
                labels={"figure": title(figure)},
            )
            for place, figure in figure_names(PLAN)
        ],
        files=[
            pattern.format(dataset=place, figure=figure)
            for place, figure in figure_names(PLAN)
            for pattern in (layout.FIGURE_PDF, layout.FIGURE_TABLE)
        ],
        tables=table_paths(PLAN),
    log:
        layout.log("report"),
    conda:
        "../../envs/seqbench.yaml"
    threads: 1
    params:
        settings=lambda wc: canonical_json(
            BENCHMARK.model_dump(
                mode="json",
                exclude={
                    "device",
                    "memory_limit",
                    "out_of_memory",
                    "state_every_s",
                    "tensorboard",
                },
            )
        ),
        code=lambda wc: CODE.digest("report"),
        captions=[caption(figure) for _, figure in figure_names(PLAN)],
        root=str(FOLDER),
    shell:
        "python -m seqbench.steps report --root {params.root:q}"
        " --summary {output.summary:q} --page {output.page:q} > {log:q} 2>&1"
