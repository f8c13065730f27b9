# `make demo` trains a population, `make test` checks it; both install
# what they need into .venv first. `make help` lists the rest.

SHELL := /bin/sh
UV_VERSION := 0.13.9
BIN := .venv/bin
CORE_BIN := .venv-core/bin
CORE_PYTHON := 3.12
# The pure layers: they run on any recent Python, with today's JAX. Properties of
# formulas, which hypothesis draws cases for, are tested on the full stack alone.
CORE_TESTS = $(ON_TODAYS_JAX) tests/types_test.py tests/pure_imports_test.py \
  tests/ops tests/networks tests/environments tests/wrappers tests/system \
  tests/metrics tests/reproduction/openings_test.py \
  tests/reproduction/runner_test.py tests/reproduction/workers_test.py \
  tests/rollouts/episodes_test.py tests/playing tests/oracles tests/testing \
  tests/reports/run_page_test.py tests/adapters/jaxmarl_test.py \
  --ignore-glob='*_properties_test.py'
# Of them, those that the full stack need not repeat. Of its older JAX it tests
# each part by numbers, derived by hand or an oracle's, and all that meets Acme;
# these hold the rest: commands, what is played of a run, layouts, statistics,
# contracts, other levels and settings.
ON_TODAYS_JAX := $(addprefix tests/training/,practical_test.py alone_test.py \
  command_test.py failures_test.py loop_test.py mesh_test.py moments_test.py \
  processes_test.py resume_test.py seeds_test.py) \
  $(addprefix tests/playing/,evaluate_test.py evaluation_test.py \
  policy_test.py) \
  tests/reports/reproduce_test.py tests/examples/box_trapped_test.py \
  tests/examples/colab_test.py tests/readme_commands_test.py \
  tests/sweeps_page_test.py \
  tests/reproduction/scripted_test.py \
  tests/reproduction/workers_moments_test.py \
  tests/rollouts/layout_test.py tests/rollouts/vector_environment_test.py \
  $(addprefix tests/system/,communication_losses_test.py moa_learns_test.py \
  normalisation_test.py ppo_test.py update_test.py) \
  $(addprefix tests/environments/,box_trapped_contract_test.py cleanup_test.py \
  custom_levels_test.py custom_rules_test.py events_test.py \
  grid_statistics_test.py harvest_test.py matrix_test.py) \
  tests/testing/conformance/functional_test.py tests/testing/fakes_test.py
# A module stays on one worker: what it compiles, it compiles once.
PYTEST := -n 2 --dist loadscope --no-loadscope-reorder -q
# Most of what a test does is compile: XLA makes plainer code in less time.
COMPILE_FAST = XLA_FLAGS="--xla_backend_optimization_level=$(1) \
  --xla_llvm_disable_expensive_passes=true"
# The same programs are compiled by both workers, and by the commands that tests
# start. Today's JAX can keep them, on a CPU too; that of the full stack cannot.
KEEP_COMPILED = rm -rf build/compiled && \
  JAX_COMPILATION_CACHE_DIR=$(CURDIR)/build/compiled \
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0

export JAX_PLATFORMS ?= cpu
export TF_CPP_MIN_LOG_LEVEL ?= 2
# Dozens of programs start, and most of a start is imports: those of whole
# packages take 6 s of a processor without bytecode, 2.5 s with it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install meltingpot demo test test-core test-slow lint format \
  bench report docs clean

help: ## Lists the commands.
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

install: .venv/installed ## Installs everything into .venv (Python 3.10).

meltingpot: .venv/meltingpot ## Adds Melting Pot's substrates to .venv.

DEMO_STEPS := 150000
BOX_STEPS := 300000
demo: .venv/installed ## Trains on Cleanup through Launchpad, then Box Trapped.
	$(BIN)/python examples/cleanup_moa.py \
	  --num_steps=$(DEMO_STEPS) --influence_curriculum_steps=100000
	$(BIN)/python examples/box_trapped.py --num-steps=$(BOX_STEPS)

test: lint ## Runs lint, types and the default tests.
	$(call COMPILE_FAST,0) $(BIN)/pytest $(PYTEST) -m 'not slow' \
	  $(addprefix --ignore=,$(ON_TODAYS_JAX))

# These look how soon a program ends, and wait more than they compute: each test
# goes to whichever worker is free. The longest comes first.
BY_THE_CLOCK := tests/programs/hosts_test.py tests/programs/launch_test.py

test-slow: .venv/meltingpot ## Runs the slow tests.
	$(call COMPILE_FAST,1) $(BIN)/pytest $(PYTEST) -m slow \
	  $(addprefix --ignore=,$(BY_THE_CLOCK) $(ON_TODAYS_JAX))
	$(call COMPILE_FAST,0) $(BIN)/pytest -n 2 -q -m slow $(BY_THE_CLOCK)

test-core: .venv-core/installed ## Runs the pure layers' tests on today's JAX.
	$(KEEP_COMPILED) $(call COMPILE_FAST,0) $(CORE_BIN)/pytest $(PYTEST) \
	  $(CORE_TESTS)

lint: .venv/installed ## Runs the linter, the formatter's check and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy influence_acme examples benchmarks tests

format: .venv/installed ## Formats the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/installed ## Measures speed and memory of training and its parts.
	$(BIN)/python -m benchmarks

report: .venv/installed ## Writes the page of a run, sweep, or runs: RUN="a b".
	@$(BIN)/python -m influence_acme.reports $(RUN)

docs: .venv/installed ## Builds the documentation site in build/site.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict \
	  || { rm -rf build/site; exit 1; }
	@echo "Open build/site/index.html in a browser."

clean: ## Removes what was installed and built.
	rm -rf .venv .venv-core build dist *.egg-info

.venv/installed: requirements/full.txt setup.py
	$(call install,.venv,3.10,requirements/full.txt)

.venv/meltingpot: .venv/installed requirements/meltingpot.txt \
  tools/install_meltingpot.sh
	@echo "Installing Melting Pot into .venv ..."
	@$(BIN)/uv pip install --quiet -p $(BIN)/python -r requirements/meltingpot.txt
	@tools/install_meltingpot.sh $(BIN)/python
	@touch $@

.venv-core/installed: requirements/core.txt setup.py
	$(call install,.venv-core,$(CORE_PYTHON),requirements/core.txt)

# $(1) the environment's folder, $(2) the Python version, $(3) the lock file.
define install
	@echo "Installing into $(1) ..."
	@python=$$(tools/find_python.sh $(2)) && $$python -m venv $(1)
	@$(1)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(1)/bin/uv pip install --quiet -p $(1)/bin/python -r $(3)
	@$(1)/bin/uv pip install --quiet -p $(1)/bin/python --no-deps -e .
	@touch $@
endef
