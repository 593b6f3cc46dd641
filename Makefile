# Plain `make` lists the commands. Everything is installed into .venv and console/node_modules.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Each of two processes has engines of its own; the tests of a file stay together, as they share what they set up.
# Tests are shuffled; another SEED gives another order. What failed beside others is run once more by itself: on two
# cores the processes starve each other at times, and a failure that stays is one.
SEED ?= 1
PYTEST = $(BIN)/python -m pytest -m "not slow" --randomly-seed $(SEED)
define run_tests
$(PYTEST) --numprocesses 2 --dist loadfile || { [ $$? -eq 1 ] && echo "Once more, by themselves:" && \
  $(PYTEST) --last-failed --last-failed-no-failures none; }
endef
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: ## install, start everything, analyse a contract live; ONCE=1 exits after the report
	@$(MAKE) --no-print-directory -j2 .venv/run.stamp console/dist/index.html
	@$(BIN)/mainspring demo $(if $(ONCE),--once)

test: .venv/dev.stamp ## run the tests
	@$(run_tests)

check: .venv/dev.stamp console/dist/index.html ## lint, types, import rules, tests, console: what CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.lint.house
	PYTHONPATH=. $(BIN)/lint-imports --config importlinter.toml
	$(BIN)/pyright
	cd console && npm run check && npm test
	$(run_tests)
	$(MAKE) --no-print-directory test-browser
	$(BIN)/python -m bench.contracts --limit 3
	$(BIN)/python -m bench.pipelines --steps 1000
	$(MAKE) --no-print-directory bench-queue SHORT=1
	$(BIN)/python -m bench.streams --short
	$(BIN)/python -m bench.chaos --runs 60 --seconds 12
	$(BIN)/python -m bench.gateway --short
	$(BIN)/python -m bench.knowledge --short
	$(MAKE) --no-print-directory test-clients

test-browser: .venv/dev.stamp console/dist/index.html ## the main journey in headless Chromium, with screenshots
	$(BIN)/python -m pytest -m slow tests/journeys

test-chaos: .venv/dev.stamp ## kill workers, API, Valkey and Postgres, at length
	$(BIN)/python -m pytest -m slow tests/chaos

chaos: .venv/dev.stamp ## 1,000 runs on a fleet whose processes are killed at random; counts what was promised
	@$(BIN)/python -m bench.chaos

test-langgraph: .venv/dev.stamp ## the integration suite of langgraph-sdk against us; LANGGRAPH=folder of a checkout of langgraph
	@$(BIN)/python -m tools.langgraph_suite $(LANGGRAPH)

test-clients: .venv/clients.stamp tests/clients/node/node_modules/.stamp ## unmodified SDKs and frameworks, Python and Node, against the gateway
	MAINSPRING_TEST_CLIENTS=1 .venv/clients/bin/python -m pytest tests/clients

bench: bench-pipelines bench-queue bench-streams bench-quality bench-contracts bench-limits bench-cache bench-routing bench-gateway bench-retrieval bench-knowledge ## every benchmark

bench-contracts: .venv/dev.stamp ## analyse the labelled contracts through the API; quality and speed
	@$(BIN)/python -m bench.contracts

bench-quality: .venv/dev.stamp ## classifier, extraction and chunking against the labelled contracts
	@$(BIN)/python -m bench.classifier
	@$(BIN)/python -m bench.extraction
	@$(BIN)/python -m bench.chunking

bench-pipelines: .venv/dev.stamp ## steps per second, latency and fairness of the pipeline engine
	@$(BIN)/python -m bench.pipelines

bench-queue: .venv/queues.stamp ## the queue beside procrastinate, pgqueuer, celery, taskiq and streaq; with a kill test
	@$(BIN)/python -m bench.queue $(if $(SHORT),--short)

bench-streams: .venv/dev.stamp ## a thousand clients that follow runs on one API process, directly and through nginx
	@$(BIN)/python -m bench.streams

bench-gateway: .venv/dev.stamp ## the gateway with everything on, beside other gateways; needs cc and taskset
	@$(BIN)/python -m bench.gateway

bench-limits: .venv/dev.stamp ## calls per second through the limits, and what each check costs
	@$(BIN)/python -m bench.limits

bench-cache: .venv/dev.stamp ## hits and wrong hits of the semantic cache on labelled questions
	@$(BIN)/python -m bench.semantic_cache

bench-routing: .venv/dev.stamp ## learned routing against always-the-best, random and the known best
	@$(BIN)/python -m bench.routing

bench-asking: .venv/dev.stamp ## questions about labelled contracts, answered without a model: are the right clauses cited
	@$(BIN)/python -m bench.asking

bench-knowledge: .venv/dev.stamp ## a million chunks of a thousand tenants: every way to index them, search and ingestion
	@$(BIN)/python -m bench.knowledge

bench-retrieval: .venv/dev.stamp ## what searches find in the labelled contracts: by words, meaning, both, and with labels
	@$(BIN)/python -m bench.retrieval

openapi: .venv/dev.stamp console/node_modules/.stamp ## write the API description that the console is generated from
	@$(BIN)/python -m tools.write_openapi
	cd console && npm run --silent generate

reference: .venv/dev.stamp ## write the generated pages of docs/reference
	@$(BIN)/python -m tools.write_reference

format: .venv/dev.stamp ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

wheel: .venv/run.stamp console/dist/index.html ## build the package with the console in it, into dist/
	@rm -rf src/mainspring/entry/console && cp -r console/dist src/mainspring/entry/console
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . ; built=$$?; rm -rf src/mainspring/entry/console; exit $$built
	@ls dist/*.whl

lock: ## resolve the dependencies again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra embedded pyproject.toml requirements/build.in -o requirements/run.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra embedded --extra dev pyproject.toml requirements/build.in -c requirements/run.lock -o requirements/dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-deps requirements/data.in -o requirements/data.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/clients.in -c requirements/run.lock -o requirements/clients.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/queues.in -c requirements/run.lock -o requirements/queues.lock

clean: ## remove what was built and installed; data in .mainspring stays
	rm -rf .venv console/node_modules console/dist tests/clients/node/node_modules

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Python 3.11 or newer is needed; run: make PYTHON=python3.12" && exit 1)
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/run.stamp: requirements/run.lock requirements/data.lock pyproject.toml | .venv/bin/python
	@echo "Installing Python packages ..."
	@$(PIP) -r requirements/run.lock -r requirements/data.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements/dev.lock .venv/run.stamp
	@echo "Installing development packages ..."
	@$(PIP) -r requirements/dev.lock
	@touch $@

# $(call beneath,ENVIRONMENT): have our packages found in an environment, behind its own.
define beneath
ours=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
  theirs=$$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
  echo "import site; site.addsitedir('$$ours')" > "$$theirs/beneath.pth"
endef

# The clients want other versions of what we use: they lie above our packages, in an environment of their own.
.venv/clients.stamp: requirements/clients.lock .venv/dev.stamp
	@echo "Installing client packages ..."
	@rm -rf .venv/clients && $(BIN)/python -m venv --without-pip .venv/clients
	@$(call beneath,.venv/clients)
	@$(BIN)/python -m pip --python .venv/clients/bin/python --disable-pip-version-check install -qq --no-deps -r requirements/clients.lock
	@touch $@

# So do the queues that ours is measured beside.
.venv/queues.stamp: requirements/queues.lock .venv/dev.stamp
	@echo "Installing the queues that are measured beside ours ..."
	@rm -rf .venv/queues && $(BIN)/python -m venv --without-pip .venv/queues
	@$(call beneath,.venv/queues)
	@$(BIN)/python -m pip --python .venv/queues/bin/python --disable-pip-version-check install -qq --no-deps -r requirements/queues.lock
	@touch $@

tests/clients/node/node_modules/.stamp: tests/clients/node/package-lock.json
	@echo "Installing client packages for Node ..."
	@cd tests/clients/node && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

console/node_modules/.stamp: console/package-lock.json
	@echo "Installing console packages ..."
	@cd console && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

console/dist/index.html: console/node_modules/.stamp $(shell find console/src console/public console/index.html console/vite.config.ts console/tsconfig.json -type f 2>/dev/null)
	@echo "Building the console ..."
	@cd console && npm run --silent build -- --logLevel warn
	@touch $@

.PHONY: wheel openapi reference help demo test check test-browser test-chaos test-clients format lock clean
.PHONY: bench bench-quality bench-contracts bench-pipelines bench-gateway bench-limits bench-cache bench-routing
.PHONY: bench-knowledge bench-retrieval bench-queue bench-streams bench-asking chaos test-langgraph
