# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

# What a newcomer types. Everything else is an environment of tox.ini: .venv/bin/tox list

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench lab-down clean .venv

BIN := .venv/bin
CHECKS := lint,types,floors,docs-check,docs,unit,sim,lab

help:  ## say what there is
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: .venv  ## lose hosts in the lab and watch their servers come back (root; first time 12 minutes)
	@echo "== 1/2 install what the lab runs (kept for the next time)"
	@$(BIN)/python -m lab install
	@echo "== 2/2 play the stories"
	@$(BIN)/python -m lab demo

test: .venv  ## all that CI checks: lint, types, floors, docs, unit, simulation, lab (root)
	@rm -rf build/reports
	@$(BIN)/tox run -e $(CHECKS); failed=$$?; \
	 $(BIN)/python tools/summary.py build/reports && exit $$failed

lint: .venv  ## style, types and floors
	@$(BIN)/tox run -e lint,types,floors,docs-check,docs

format: .venv  ## lay the code out and mend what ruff can
	@$(BIN)/tox run -e format

bench: .venv  ## measure, and print the figures (root)
	@$(BIN)/tox run -e bench

lab-down: .venv  ## stop the lab and leave nothing of it behind
	@$(BIN)/python -m lab down

clean:  ## stop the lab; remove .venv, .tox and build products
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m lab down; fi
	@rm -rf .venv .tox build .coverage .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv: .venv/ready

.venv/ready: tools/venv.sh constraints.txt pyproject.toml
	@sh tools/venv.sh .venv
