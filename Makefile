PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# the newest with a plain CPU wheel; the package itself asks only for torch>=2.11
TORCH ?= torch==2.13.0

.PHONY: demo test tests lint docs clean

demo: $(VENV)/.installed
	mkdir -p demo
	$(BIN)/pianalysis arrange space/examples/ode_to_joy.mid --style pop -o demo/ode_to_joy.mid --wav --png

# side by side: the type checker takes a minute and a half of one core
test: $(VENV)/.installed-test
	$(MAKE) --jobs=2 lint tests

# worksteal: each process begins with a third of the tests in their order, so that what a file's tests share is made once; a third
# process works while others wait for browsers and sounds
tests: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 3 --dist worksteal

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/page/check.py

# --strict: a warning, such as a link to nowhere, is an error
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -f .ci/mkdocs.yml

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e . '$(TORCH)'
	touch $@

# what the tests need holds the rest, too
$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[test]' '$(TORCH)'
	touch $(VENV)/.installed $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e '.[docs]' '$(TORCH)'
	touch $@

clean:
	rm -rf $(VENV) demo site build *.egg-info
