# make demo     a live ward on http://127.0.0.1:8000/ (PORT=8001 for another port)
# make test     the whole suite (ARGS="-k alert" for a part); DATABASE_URL and REDIS_URL put it on real services;
#               in three processes, since many tests wait for clocks and browsers (PROCESSES=0 for one)
# make check    style, types, directions of import, templates, migrations, deployment settings
# make sbom     the bill of materials of what MedQL runs on: sbom.cdx.json, in CycloneDX
# make install  what MedQL runs on, into .venv

PORT ?= 8000
ARGS ?=
PROCESSES ?= 3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

.PHONY: install demo test check sbom

install:
	@rm -f .venv/.runtime
	@$(MAKE) --no-print-directory .venv/.runtime

# A plain command, so that Ctrl-C reaches it without a shell between that would die of it first.
demo: .venv/.runtime
	@$(BIN)/python manage.py demo --port $(PORT)

test: .venv/.dev
	$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy docs/examples
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --check --lint templates medql
	$(BIN)/python manage.py makemigrations --check --dry-run
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') MEDQL_HTTPS=1 \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

sbom: .venv/.dev
	@$(BIN)/python .ci/sbom.py sbom.cdx.json

# The first Python that is new enough and can make a virtual environment; PYTHON= names another.
.venv/bin/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec $$python -m venv .venv; \
		fi; \
	done; \
	echo 'MedQL needs Python 3.11 or newer with venv: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3' >&2; \
	exit 1

# mysqlclient is built from source and needs headers; MedQL runs on SQLite without it.
.venv/.runtime: requirements.txt | .venv/bin/python
	@echo 'Installing what MedQL runs on into .venv'
	@grep -v '^mysqlclient' requirements.txt > .venv/without-mysql.txt
	@$(PIP) -r .venv/without-mysql.txt
	@$(PIP) $$(grep '^mysqlclient' requirements.txt) > .venv/mysqlclient.log 2>&1 || echo \
		'MySQL support left out (mysqlclient did not build); to add it: apt-get install libmariadb-dev pkg-config gcc python3-dev && make install'
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@echo 'Installing what the tests and checks need into .venv'
	@$(PIP) -r requirements-dev.txt
	@touch $@
