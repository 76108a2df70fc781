# Everything a person or CI does here; each target sets up what it needs. Only python3 (3.11 or newer) is required.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# In how many processes the end-to-end tests run, 0 for one after the other: each needs some four cores for itself.
PROCESSES ?= 0
# Those that tell one kind of busy page from another, or look on while somebody else's tests run out of time, have the machine for themselves.
ALONE := $(addprefix tests/e2e/test_,hangs.py pytest_plugin.py)
# Those that start programs and wait for their end: other test runners, agents, reports.
TOOLS := $(wildcard $(addprefix tests/e2e/test_,mcp*.py healing.py locating.py run.py html_report.py))
# As a variable of the environment an address needs no quoting, whatever is in it.
export URL

# In CI these run beside the tests of pages, which mostly wait, and take only what those leave of the machine.
GENTLY := nice -n 19

# Runs a command and shows what it said only when it fails.
define quietly
	@echo "· $(1)"; said=$$($(GENTLY) $(1) 2>&1) || { printf '%s\n' "$$said"; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help install watch test check e2e pages tools alone bench docs clean

help: ## What can be done here
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## /make \1\t/' | expand -t 16

install: $(STAMP) ## The environment: .venv, locked packages, a browser
	@$(BIN)/python scripts/browser

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "· setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "python3 has no venv module here; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

watch: install ## Watch the demo shop, or another page: make watch URL=http://localhost:3000
	@if [ -n "$$URL" ]; then $(BIN)/firstcause watch "$$URL"; else $(BIN)/firstcause demo; fi

test: check e2e ## Everything: check, then the end-to-end tests in a real Chromium

check: install ## Style, types, floors, docs and unit tests
	$(call quietly,$(BIN)/ruff check)
	$(call quietly,$(BIN)/ruff format --check)
	$(call quietly,$(BIN)/pyright)
	$(call quietly,$(BIN)/lint-imports --no-cache)
	$(call quietly,$(BIN)/python scripts/docs --check)
	@$(GENTLY) $(BIN)/python -m pytest --no-header tests/unit

e2e: alone ## The end-to-end tests alone

pages: install
	@$(BIN)/python -m pytest --no-header -n $(PROCESSES) --dist loadfile tests/e2e $(addprefix --ignore ,$(ALONE) $(TOOLS))

tools: install
	@$(GENTLY) $(BIN)/python -m pytest --no-header $(TOOLS)

alone: pages tools
	@$(BIN)/python -m pytest --no-header $(ALONE)

bench: install ## Every benchmark, in its quick form
	@failed=; for bench in bench/[a-z]*.py; do echo "· $$bench"; \
		$(BIN)/python $$bench --quick || failed="$$failed $$bench"; done; \
	[ -z "$$failed" ] || { echo "Missed a must:$$failed"; exit 1; }

docs: install ## Remake the generated reference docs
	@$(BIN)/python scripts/docs

clean: ## Remove the environment and everything built
	@rm -rf $(VENV) build dist reports .hypothesis .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
