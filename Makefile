# The ways in. Everything is installed into .venv, and again only when pyproject.toml changed.

VENV := .venv
RINGBACK := $(VENV)/bin/python -m monitor
BENCH := schedule probes stall scrape rollup freeze portfolio verify

.DELETE_ON_ERROR:
.PHONY: help run test lint bench clean

help:
	@echo "make run    start the demo: a lab on loopback, the agent on it, and an outage (Ctrl-C ends it)"
	@echo "make test   run the tests           (ARGS=... goes to pytest)"
	@echo "make lint   ruff and mypy --strict"
	@echo "make bench  run the benchmarks      (BENCH=schedule runs that one)"
	@echo "make clean  remove the environment and everything else that was made"

run: $(VENV)/installed
	@$(RINGBACK) demo $(ARGS)

test: $(VENV)/installed-dev
	@$(VENV)/bin/python -m pytest -n auto --dist loadfile -m "not alone" $(ARGS) || [ $$? -eq 5 ]
	@$(VENV)/bin/python -m pytest -m alone $(ARGS) || [ $$? -eq 5 ]

lint: $(VENV)/installed-dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: $(VENV)/installed-dev
	@for name in $(BENCH); do $(VENV)/bin/python -m benchmarks.$$name || exit 1; done

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python that is new enough and can make environments, unless PYTHON=... names one.
$(VENV)/installed: pyproject.toml
	@python=$$(for name in "$(PYTHON)" python3 python3.11 python3.12 python3.13 python3.14; do \
	    [ -n "$$name" ] && "$$name" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	        >/dev/null 2>&1 && echo "$$name" && break; done); \
	if [ -z "$$python" ]; then \
	    echo "Ringback needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)." >&2; \
	    echo "None was found; name one with make PYTHON=/path/to/python3" >&2; exit 1; fi; \
	echo "Setting up $(VENV) with $$("$$python" --version); this takes a minute, once."; \
	"$$python" -m venv $(VENV)
	@$(VENV)/bin/python -m pip install -qq --upgrade pip
	@$(VENV)/bin/python -m pip install -qq --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "Adding what the tests need."
	@$(VENV)/bin/python -m pip install -qq --group dev
	@touch $@
