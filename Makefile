# Everything a fresh machine needs is installed into .venv by the first target that needs it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV := $(VENV)/.dev
APP := $(VENV)/.app
DOCS := $(VENV)/.docs
KERNELS := $(VENV)/.kernels
# where this is set, each of the hundred programs that the tests start would compile every module anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run app what-ifs test pytest kernels test-slow test-matrix wheel-check wheel-run lint bench docs pages clean

run: $(READY) $(KERNELS)  ## run the dasatinib scenario; the last line printed is the path of the report
	$(BIN)/trialsim run configs/dasatinib.yaml -o runs/dasatinib --sensitivity --force

app: $(APP) $(KERNELS)  ## open the page with the dasatinib scenario
	$(BIN)/trialsim app configs/dasatinib.yaml

what-ifs: $(READY) $(KERNELS)  ## run the what-if library and write one comparison report
	$(BIN)/trialsim whatif configs/what-ifs/*.yaml -o runs/what-ifs --force

test: lint pytest  ## lint, types, floors and tests

pytest: $(DEV) $(KERNELS)  ## the tests alone; each of two workers has its half of the files and takes over what the other has left
	$(BIN)/python -m pytest -n 2 --dist worksteal

kernels: $(READY) $(KERNELS)  ## compile every kernel now, so that workers beside each other find them compiled
	$(BIN)/python tools/kernels.py

test-slow: $(DEV) $(KERNELS)  ## the longer studies
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

test-matrix: $(READY)  ## wheel and quick tests under every promised Python that is found here, and with the lowest versions
	$(BIN)/python tools/matrix.py

wheel-check: $(READY)  ## the main job and the qualification from the built wheel, in an empty environment and an empty folder
	$(BIN)/python tools/wheel.py

wheel-run: $(READY)  ## the main job alone from the built wheel
	$(BIN)/python tools/wheel.py --main-job

lint: $(DEV)
	$(BIN)/ruff check src tests benchmarks tools docs/*.py
	$(BIN)/ruff format --check src tests benchmarks tools docs/*.py
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV) $(KERNELS)  ## speed as ratios against yardsticks in the same run
	$(BIN)/python -m benchmarks.run

pages: $(READY)  ## write the generated tables into the pages of docs/
	$(BIN)/python docs/generated.py

docs: $(DOCS)  ## the pages of docs/; a warning is an error
	$(BIN)/sphinx-build -q -W --keep-going -b html -d docs/_build/doctrees docs docs/_build/html
	@echo docs/_build/html/index.html

clean:
	rm -rf $(VENV) runs docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian's python3 without python3-venv cannot make a venv with pip: say so instead of failing later
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "trialsim needs Python 3.11 or newer (set PYTHON=...)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(APP): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[app]'
	@touch $@

$(DEV): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(DOCS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

# numba's cache does not see an edit of a function that another file's kernel calls
$(KERNELS): $(READY) $(wildcard src/trialsim/kernels/*.py) src/trialsim/codes.py
	@rm -f src/trialsim/kernels/__pycache__/*.nb?
	@touch $@
