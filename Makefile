# Everything from a fresh clone: `make run` installs and leaves results/report.html, `make test` tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SNAKEMAKE := $(BIN)/snakemake

.PHONY: help setup run report smoke test test-all test-slurm check docs format lock licences schema architecture pictures bench clean
.DEFAULT_GOAL := help

help:                ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(READY)      ## make .venv with pinned versions

$(READY): pyproject.toml envs/constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("seqbench needs Python 3.11 or newer; name one with PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c envs/constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c envs/constraints.txt -e '.[dev]'
	touch $@

run: $(READY)        ## run the default benchmark: results/report.html, results/summary.csv
	$(SNAKEMAKE)

report: $(READY)     ## make the report anew, without training
	$(SNAKEMAKE) --forcerun report --rerun-triggers mtime

smoke: $(READY)      ## a miniature benchmark that touches every registered name, in build/smoke
	mkdir -p build/smoke
	$(SNAKEMAKE) --directory build/smoke --configfile tests/data/config.smoke.yaml

test: $(READY)       ## run the tests that every change must pass, on all cores
	$(BIN)/pytest

test-all: $(READY)   ## run every test: all kills, the full fuzz, the whole smoke on a cluster
	SEQBENCH_SLURM_CONFIG=$${SEQBENCH_SLURM_CONFIG:-tests/data/config.smoke.yaml} $(BIN)/pytest --full

test-slurm: $(READY) ## run the tests on a cluster started for them; needs Debian's SLURM packages
	$(BIN)/pytest -rs --full tests/slurm

check: $(READY)      ## formats, lint, types, layers, workflow lint, spelling, documentation
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check workflow tests/slurm
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SNAKEMAKE) --lint
	$(BIN)/yamllint --strict .
	$(BIN)/codespell
	$(BIN)/reuse lint --lines
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(BIN)/check-jsonschema --schemafile workflow/schemas/catalog.schema.yaml .snakemake-workflow-catalog.yml
	$(BIN)/python docs/draw_architecture.py --check
	$(BIN)/python docs/list_licences.py --check
	$(MAKE) docs

docs: $(READY)       ## build the documentation site: build/docs/index.html
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --fresh-env --quiet \
	    --doctree-dir build/doctrees docs build/docs

format: $(READY)     ## format Python and Snakemake files
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt workflow tests/slurm

lock: $(READY)       ## write envs/lock.txt: versions of envs/constraints.txt with their hashes
	$(BIN)/uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes --no-annotate \
	    --custom-compile-command 'make lock' --extra all -c envs/constraints.txt -o envs/lock.txt pyproject.toml

licences: $(READY)   ## write docs/reference/licences.md from envs/lock.txt and what is installed
	$(BIN)/python docs/list_licences.py

schema: $(READY)     ## write config/README.md and workflow/schemas/config.schema.yaml from the config's models
	$(BIN)/seqbench schema > workflow/schemas/config.schema.yaml
	$(BIN)/seqbench schema --markdown > config/README.md

architecture: $(READY) ## draw docs/explanation/architecture.svg and its table from the imports
	$(BIN)/python docs/draw_architecture.py

pictures: $(READY)   ## take the pictures of README and site from results/, after `make run`; needs Chromium
	$(BIN)/python docs/draw_pictures.py results

bench: $(READY)      ## measure speed and overhead as ratios in one run: build/bench.md
	$(BIN)/python benchmarks/bench.py

clean:               ## remove results and what tests and benchmarks left
	find results -mindepth 1 ! -name .gitignore -delete
	rm -rf build .snakemake
