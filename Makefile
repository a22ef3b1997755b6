# Two commands matter: `make demo` and `make test`. Both make all they need from PyPI in $(VENV).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
# An `ansible_collections` tree in which this checkout is cloudadc.aws and the `ansible` wheel gives the rest.
TREE := $(CURDIR)/.tree
export ANSIBLE_COLLECTIONS_PATH := $(TREE)
export PYTHONPATH := $(CURDIR):$(TREE)
export MYPYPATH := $(TREE)
export PATH := $(BIN):$(PATH)
export LC_ALL := C.UTF-8
PYTEST = $(BIN)/python -m pytest -q
COVERAGE = $(BIN)/python -m coverage
WORKERS ?= 2
# A worker with a lab waits for appliances a third of its time, so there is one more of them; files go to them whole.
LABS ?= 3
BY_FILE = --dist loadfile --no-loadscope-reorder
# What is asked of every row of the matrix besides the unit tests: what playbooks and their modules do in the life of a pair
# and of a group. ROW=tests/integration asks for everything.
ROW ?= $(addprefix tests/integration/,stores $(addprefix playbooks/test_,engine.py in_process.py module_starts.py module_starts_group.py))

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-14s %s\n", $$1, $$2}'

.PHONY: venv
venv: $(VENV)/.done $(TREE)/.done ## the environment: a virtualenv with everything from PyPI, and the collections tree

$(VENV)/.done: requirements.txt tests/requirements.txt tests/gates/venv.sh $(wildcard tests/locks/*.txt)
	@PYTHON="$(PYTHON)" bash tests/gates/venv.sh "$(VENV)"

$(TREE)/.done: $(VENV)/.done tests/gates/tree.sh
	@bash tests/gates/tree.sh "$(TREE)" "$(BIN)"

.PHONY: update
update: ## write tests/locks/<Python>.txt anew: the newest versions of everything, for PYTHON
	@rm -rf .cache/update && mkdir -p .cache
	@UNLOCKED=1 PYTHON="$(PYTHON)" bash tests/gates/venv.sh .cache/update
	@.cache/update/bin/python -m pip freeze --quiet --exclude pip --exclude setuptools > .cache/lock
	@lock=tests/locks/$$(.cache/update/bin/python -c 'import sys; print("3.%d" % sys.version_info[1])').txt; mkdir -p tests/locks; \
	    mv .cache/lock $$lock; echo "$$lock: $$(grep -c == $$lock) packages"

.PHONY: demo
demo: venv ## the story: a pair under client traffic, failed over, broken and repaired; a group decides; a report
	@$(BIN)/python -m tests.demo

# Two things at a time where no time is measured: each of them leaves a processor idle now and then. The longest come first.
BESIDE = $(MAKE) --no-print-directory -j 2 --output-sync=target
.PHONY: test checks samples
test: checks unit integration coverage samples molecule-measured ## every check and every test
	@echo "make test: all passed"
checks: venv
	@$(BESIDE) sanity lint build docs
samples: venv
	@$(BESIDE) test-matrix molecule-others chaos-sample e2e iam-sample

.PHONY: lint
lint: venv ## format, style, types, YAML, Ansible, documentation and changelog
	@$(BIN)/ruff format --check --quiet . || { echo "lint: 'make format' formats the files named above" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy plugins extensions/eda/plugins tests/lab tests/demo tests/modules.py
	@git ls-files -z --cached --others --exclude-standard '*.yml' '*.yaml' | xargs -0 $(BIN)/yamllint --strict
	@$(BIN)/ansible-lint --offline --profile production -q
	@$(BIN)/antsibull-changelog lint
	@bash tests/gates/docs.sh "$(BIN)" lint

.PHONY: format
format: venv ## put the Python files in the form lint wants
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

.PHONY: sanity
sanity: venv ## ansible-test sanity, without an ignore file
	@bash tests/gates/sanity.sh "$(BIN)"

.PHONY: build
build: venv ## build, install into an empty tree, look at it as Galaxy and ansible-builder do
	@bash tests/gates/build.sh "$(BIN)"
	@bash tests/gates/importer.sh "$(BIN)"

.PHONY: docs docs-examples
docs: venv ## the documentation site, in docs/build/html; warnings are errors
	@bash tests/gates/docs.sh "$(BIN)"
docs-examples: venv ## every example of the documentation, carried out
	@DOCS=all $(PYTEST) tests/unit/docs tests/integration/docs tests/integration/aws/test_documented_examples.py

.PHONY: unit
unit: venv ## what decides: pure functions, tables, properties, and a contract suite for each registry
	@bash tests/gates/dynalite.sh
	@rm -f .coverage.unit .coverage.unit.*
	@COVERAGE_FILE=.coverage.unit $(PYTEST) -n $(WORKERS) --cov --cov-report= tests/unit tests/contract

.PHONY: integration
integration: venv ## what speaks: modules against the lab over HTTP, and the lab against its documentation
	@bash tests/gates/browser.sh >/dev/null
	@bash tests/gates/dynalite.sh
	@rm -f .coverage.integration .coverage.integration.*
	@COVERAGE_FILE=.coverage.integration $(PYTEST) -n $(LABS) $(BY_FILE) -m 'not long' --cov --cov-report= tests/integration

.PHONY: e2e
e2e: venv ## what a reader of the documentation types in the first hour, and typical mistakes
	@$(PYTEST) -m 'not long' tests/e2e

.PHONY: test-long
test-long: venv ## stories of groups that take minutes each, and every example of the documentation
	@$(PYTEST) -n $(LABS) $(BY_FILE) -m long tests/integration tests/e2e
	@$(MAKE) --no-print-directory docs-examples

# What is about the data path, with an image that loses nothing: neither the collection nor a test may rely on the losses.
OPTIMISTIC ?= $(addprefix tests/integration/,lab_core/test_ways.py modules/test_vpx_network.py aws/test_several_elastic_ips.py \
  playbooks/test_ha_pair_states.py playbooks/test_group_dns.py)
.PHONY: test-optimistic
test-optimistic: venv ## modules and playbooks of the data path, with an image that sends by source address (LAB_PESSIMISTIC_IMAGE=0)
	@LAB_PESSIMISTIC_IMAGE=0 $(PYTEST) -n $(LABS) $(BY_FILE) $(OPTIMISTIC)

.PHONY: coverage
coverage: venv ## of plugins/, from the unit and integration runs before
	@$(COVERAGE) combine --quiet --keep .coverage.unit .coverage.integration
	@$(COVERAGE) report --fail-under=90

.PHONY: test-matrix test-newest row
test-matrix: venv ## the collection on the newest Python of this machine, with the versions of its lock
	@LABS=$(LABS) bash tests/gates/matrix.sh "$(BIN)"
test-newest: venv ## the same with the newest versions of everything, whatever the lock says (PRE=1: pre-releases of Ansible too)
	@UNLOCKED=1 PRE=$(PRE) LABS=$(LABS) bash tests/gates/matrix.sh "$(BIN)"
# Not in one process: where controller code was imported, as by units about roles, modules warn on the terminal only.
row: venv
	@$(BIN)/ansible --version | sed -n 1p
	@$(PYTEST) -n $(WORKERS) tests/unit tests/contract
	@$(PYTEST) -n $(LABS) $(BY_FILE) $(ROW)

.PHONY: chaos chaos-sample
chaos: venv ## interrupt every playbook after every write and run it again (an hour; KILLS=3: kill each three times)
	@CHAOS=$(or $(KILLS),all) $(PYTEST) -n $(WORKERS) --dist worksteal tests/crash
chaos-sample: venv
	@CHAOS=sample $(PYTEST) -n $(WORKERS) --dist worksteal tests/crash

.PHONY: iam iam-sample
iam: venv ## each action of the policies at its call, and every playbook with exactly its policies
	@IAM=all $(PYTEST) tests/iam
iam-sample: venv
	@IAM=sample $(PYTEST) -n $(WORKERS) --dist worksteal tests/iam

# Where a client measures what it sees, nothing else may run.
MEASURED = role_ha_failover story_autoscale story_ha_pair
MOLECULE = NO_COLOR=1 $(BIN)/molecule test --no-command-borders
.PHONY: molecule molecule-measured molecule-others
molecule: venv ## what is used: roles and stories, as a client and AWS see them
	@$(MOLECULE) --all
molecule-measured: venv
	@$(MOLECULE) $(addprefix --scenario-name ,$(MEASURED))
molecule-others: venv
	@$(MOLECULE) --all $(addprefix --exclude ,$(MEASURED))

.PHONY: bench
bench: venv ## measured against what a user would otherwise take; never gates
	@$(PYTEST) -s tests/benchmarks

.PHONY: lab-up lab-down
lab-up: venv ## start the lab in the background; .lab/env has what to export
	@$(BIN)/python -m tests.lab up
lab-down: venv ## end it and leave nothing running
	@$(BIN)/python -m tests.lab down

.PHONY: clean
clean: ## remove what the targets made
	@if [ -x "$(BIN)/python" ]; then $(BIN)/python -m tests.lab down >/dev/null 2>&1 || true; fi
	@rm -rf docs/build docs/reference .cache .lab .tree .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* demo-report importer_result.json *.tar.gz
