PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# the newest with a plain CPU wheel; the package itself asks only for torch>=2.11
TORCH ?= torch==2.13.0

.PHONY: demo test lint clean

demo: $(VENV)/.installed
	mkdir -p demo
	$(BIN)/pianalysis arrange space/examples/ode_to_joy.mid --style pop -o demo/ode_to_joy.mid --wav --png

test: $(VENV)/.installed-test lint
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e . '$(TORCH)'
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e '.[test]' '$(TORCH)'
	touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info
