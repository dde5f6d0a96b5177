# Two commands do everything: make demo, make test. Both make the environment first.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BOARDS := $(patsubst %/scores.jsonl,%,$(wildcard leaderboard/*/scores.jsonl leaderboard/*/*/scores.jsonl))

.PHONY: attack bench demo test thorough env docs notebooks dist lint types boards clean

# Two processes share the work, a core each: so small an encoder gains little from two threads.
demo: env
	@OMP_NUM_THREADS=1 $(BIN)/xharness run --quiet & other=$$!; \
	OMP_NUM_THREADS=1 $(BIN)/xharness run; code=$$?; wait $$other; exit $$code

# Property tests try the same cases each time; XHARNESS_HYPOTHESIS=long make test tries new ones.
# A file's tests stay on one worker, where they share what is made for them once, and files begin in
# their order: the longest ones are not among the last. pytest comes last: its closing line counts.
test: lint types boards
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# The long versions of checks whose short ones `make test` runs: thousands of simulated studies, data
# sets in their publishers' full counts.
thorough: env
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) -m thorough

# Kills, power cuts, flipped bits, mutated inputs and full disks, by the thousand: an hour. The last
# lines are the figures. ATTACK="--kills 50 --flips 20 --mutants 200" is a short one; with --folder
# DIR one that was stopped goes on.
attack: env
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.attack $(ATTACK)

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,docs,gguf,ray,translate,tensorboard,mlflow,wandb]'
	@touch $@

# Speed side by side with other tools; DATA=DIR names the data root.
bench: env
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks --data-root $(DATA) $(BENCH)

# The site, in build/site: open index.html. Nothing is fetched; a dead link is an error.
notebooks: env
	$(BIN)/python -m tests.docs.notebooks

docs: env
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

lint: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: env
	$(BIN)/mypy

# A committed board must be what its scores give.
boards: env
	$(if $(BOARDS),$(BIN)/xharness leaderboard check $(BOARDS))

# Render all of them again.
rebuild: env
	$(BIN)/xharness leaderboard build $(BOARDS)

# Wheel and sdist in dist/, checked as an index checks them.
dist: env
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(BIN)/python -m hatchling build --target sdist
	$(BIN)/python -m twine check --strict dist/*

clean:
	rm -rf $(VENV)
