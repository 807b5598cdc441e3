# Everything a person needs is a target here. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOGS := _build/test
PRESET ?= mini
ONLY ?=
DATA ?=
WEIGHTS ?=
RETRAIN ?=
EDITION ?= teacher
RUN ?=
REPOSITORY ?=
PLACES = $(addprefix --data ,$(DATA)) $(addprefix --weights ,$(WEIGHTS))
AGAIN := build/retrain
export DPCLIP_REPOSITORY := $(REPOSITORY)
export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## show this list
	@echo "Targets (options: PYTHON=python3.12 PRESET=smoke ONLY=03 RETRAIN=1 EDITION=student DATA=/data/sketchy WEIGHTS=/data/ViT-B-32.pt):"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: env
env: $(READY) ## create .venv and install the exact versions of constraints.txt

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || { \
	  $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
	    || { echo "Python 3.11 to 3.14 is needed; name one: make env PYTHON=python3.12"; exit 1; }; \
	  echo "creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --constraint constraints.txt --editable '.[prepare,book,lab,test,sweep]' | sed '/already satisfied/d'
	@touch $@

.PHONY: data
data: $(READY) ## build the images of the embedded benchmark (skipped when they are there)
	@$(BIN)/dpclip data build

.PHONY: book
book: data ## run the chapters that changed and build the site; prints the path of index.html
	@$(if $(RETRAIN),$(BIN)/dpclip sweep --preset $(PRESET) --table results --seeds 1 --records $(AGAIN) $(PLACES))
	@$(BIN)/dpclip book make --preset $(PRESET) $(addprefix --only ,$(ONLY)) $(PLACES) $(if $(RETRAIN),--records $(AGAIN)) --edition $(EDITION)

.PHONY: pdf
pdf: data ## print the whole book as _build/PRESET/dp-clip.pdf (needs Chromium); `make book` then offers it for download
	@$(BIN)/dpclip book pdf --preset $(PRESET)

.PHONY: verify
verify: data ## make a committed run again, a random one or RUN=name, and compare it with its record
	@$(BIN)/dpclip records verify $(RUN)

.PHONY: notebooks
notebooks: data ## run the chapters that changed and store their outputs in notebooks/
	@$(BIN)/dpclip book store --preset $(PRESET) $(addprefix --only ,$(ONLY))

.PHONY: class
class: data ## pack this copy with notebooks without solutions, to hand out; prints the path of the zip
	@$(BIN)/dpclip book class

.PHONY: lab
lab: data ## open the chapters in JupyterLab
	@$(BIN)/jupyter lab notebooks

.PHONY: test
test: lint unit programs smoke probes chapters site pages nbval ## everything below that checks; the last lines say what passed
	@echo
	@echo "make test: all passed"
	@echo "  lint      ruff check, ruff format"
	@echo "  unit      $$(tail -n 1 $(LOGS)/unit.log)"
	@echo "  programs  $$(tail -n 1 $(LOGS)/programs.log)"
	@echo "  smoke     $$(tail -n 1 $(LOGS)/smoke.log)"
	@echo "  probes    $$(tail -n 1 $(LOGS)/probes.log)"
	@echo "  chapters  $$(tail -n 1 $(LOGS)/chapters.log)"
	@echo "            $$(tail -n 1 $(LOGS)/dry.log)"
	@echo "  site      $$(tail -n 1 $(LOGS)/site.log)"
	@echo "  pages     $$(tail -n 1 $(LOGS)/pages.log)"
	@echo "  nbval     $$(tail -n 1 $(LOGS)/nbval.log)"

.PHONY: lint
lint: $(READY) ## check style and common mistakes with ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: unit
unit: data ## run the unit tests
	@mkdir -p $(LOGS)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not programs" tests --ignore tests/browser 2>&1 | tee $(LOGS)/unit.log

.PHONY: programs
programs: data ## run the tests that start whole programs: processes to kill, kernels, an installation, what CONTRIBUTING.md shows
	@mkdir -p $(LOGS)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m programs tests --ignore tests/browser 2>&1 | tee $(LOGS)/programs.log

.PHONY: smoke
smoke: data ## make the committed smoke run again and compare it with its record
	@mkdir -p $(LOGS)
	@OMP_NUM_THREADS=1 $(BIN)/dpclip records verify data/records/smoke/*.json 2>&1 | tee $(LOGS)/smoke.log

.PHONY: probes
probes: data ## compute the probe of every record again: does the code still do what it did?
	@mkdir -p $(LOGS)
	@$(BIN)/dpclip records check 2>&1 | tee $(LOGS)/probes.log

.PHONY: chapters
chapters: data ## run every chapter with the preset smoke, and with dry: the preset paper on a stand-in for Sketchy
	@mkdir -p $(LOGS)
	@$(BIN)/python -m tests.stand_in build/stand-in
	@echo "both presets at once, one process each; the log of smoke follows"
	@$(BIN)/dpclip book run --preset smoke --processes 1 > $(LOGS)/chapters.log 2>&1 & \
	  status=0; \
	  $(BIN)/dpclip book run --preset dry --data build/stand-in --processes 1 2>&1 | tee $(LOGS)/dry.log || status=1; \
	  wait $$! || status=1; \
	  cat $(LOGS)/chapters.log; \
	  exit $$status

.PHONY: site
site: data ## build the pages of both editions with warnings as errors, then check links, alt text, sources
	@mkdir -p $(LOGS)
	@echo "both editions at once; the log of the student's follows"
	@$(BIN)/dpclip book site --preset smoke --edition student > $(LOGS)/student.log 2>&1 & \
	  status=0; \
	  $(BIN)/dpclip book site --preset smoke 2>&1 | tee $(LOGS)/site.log || status=1; \
	  wait $$! || status=1; \
	  cat $(LOGS)/student.log; \
	  exit $$status
	@$(BIN)/dpclip book check _build/smoke/html 2>&1 | tee -a $(LOGS)/site.log

.PHONY: pages
pages: data ## look at every page of the built site in a browser: requests, formulas, accessibility, phone, keyboard
	@mkdir -p $(LOGS)
	@DPCLIP_SITE=_build/smoke/html $(BIN)/python -m pytest tests/browser 2>&1 | tee $(LOGS)/pages.log

.PHONY: nbval
nbval: data ## run the stored chapters again and compare the cells tagged for it
	@mkdir -p $(LOGS)
	@$(BIN)/python -m pytest -n auto --dist loadfile --nbval-lax --nbval-current-env -p no:cacheprovider notebooks 2>&1 | tee $(LOGS)/nbval.log

.PHONY: benchmarks
benchmarks: $(READY) ## time a training step and the metrics against slow versions; fails when a ratio is too low
	@$(BIN)/python -m benchmarks

.PHONY: constraints
constraints: $(READY) ## write constraints.txt from what .venv holds now
	@{ echo "# Exact versions, written by \`make constraints\`."; \
	   $(BIN)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9._-]+==' | sed 's/+.*//' | grep -v '^dpclip=='; } > constraints.new
	@mv constraints.new constraints.txt

.PHONY: clean
clean: ## remove built pages and caches (images and .venv stay)
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
