# Two commands matter: `make demo` and `make test`. Both make all they need from PyPI in $(VENV).
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
# An `ansible_collections` tree in which this checkout is cloudadc.aws and the `ansible` wheel gives the rest.
TREE := $(CURDIR)/.tree
HERE := $(TREE)/ansible_collections/cloudadc/aws
export ANSIBLE_COLLECTIONS_PATH := $(TREE)
export PATH := $(BIN):$(PATH)
export LC_ALL := C.UTF-8

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-14s %s\n", $$1, $$2}'

.PHONY: venv
venv: $(VENV)/.done $(TREE)/.done ## the environment: a virtualenv with everything from PyPI, and the collections tree

$(VENV)/.done: requirements.txt tests/requirements.txt tests/make_venv.sh
	@PYTHON="$(PYTHON)" bash tests/make_venv.sh "$(VENV)"

$(TREE)/.done: $(VENV)/.done tests/make_tree.sh
	@bash tests/make_tree.sh "$(TREE)" "$(BIN)"
