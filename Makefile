# Everything here sets up what it needs by itself. `make help` lists the commands.
SHELL := /bin/bash
# Each test worker would compile every module again, and so would each program that a test starts.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/installed
ARGS ?=
PROFILE ?= harbor-2
ONLY ?=
LAYOUT ?=
FRESH ?=
LOADED ?=
DEFECT ?=
N ?= 20
MANIFESTS ?=
IMAGES ?=
UP = $(PYTHON) -m lab up --profile $(PROFILE) $(if $(IMAGES),--images $(IMAGES)) \
	$(if $(MANIFESTS),--manifests $(MANIFESTS),$(if $(LAYOUT),--layout $(LAYOUT)))

.DEFAULT_GOAL := help
.PHONY: help verify verify-failover verify-images clients conformance test unit matrix soak mutation bench image up down status lint format docs

help: ## this text
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | grep -v '^help' | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20 | sed 's/^/make /'
	@echo
	@echo "ARGS passes words on to pytest:   make verify ARGS='-k storage'"
	@echo "PROFILE says which Harbor:        make verify PROFILE=harbor-1.2"
	@echo "LAYOUT says how it is deployed:   make verify LAYOUT=single-stores   ($(PYTHON) -m lab layouts lists them)"
	@echo "MANIFESTS verifies your own:      make verify MANIFESTS=rendered.yaml   (what helm template makes of your values)"
	@echo "IMAGES runs Harbor's own programs: make verify IMAGES=harbor-offline-installer.tgz"
	@echo "A cluster of your own needs no make:   see README.md"

verify: $(READY) ## stand the lab up, verify the Harbor in it, show the report
	$(UP)
	$(PYTHON) -m pytest suites --lab --profile $(PROFILE) --collection-pushes 200 \
		$(if $(findstring --check,$(ARGS)),,-m "not extended and not builds") $(ARGS)

verify-failover: $(READY) ## break everything that can be broken in the lab, one after the other
	$(UP)
	$(PYTHON) -m pytest suites/failover --lab --profile $(PROFILE) $(ARGS)

verify-images: $(READY) ## build images in every classic way, and see that they come back and run
	$(UP)
	$(PYTHON) -m lab bases
	$(PYTHON) -m pytest suites/images --lab --profile $(PROFILE) $(ARGS)

conformance: $(READY) ## run the OCI distribution conformance suite at the front door and at each replica
	$(UP)
	$(PYTHON) -m pytest suites/images --lab --profile $(PROFILE) --check 'images.conformance-*' --conformance-program "$$($(PYTHON) -m lab conformance)" $(ARGS)

clients: $(READY) ## let skopeo, crane, oras and others push and pull, each what the other pushed
	$(UP)
	$(PYTHON) -m pytest suites/images --lab --profile $(PROFILE) --check images.clients-read-each-other --clients-dir "$$($(PYTHON) -m lab clients)" $(ARGS)

test: lint unit ## lint and test this software itself (the lab included), in half an hour
	$(PYTHON) -m lab prepare
	$(PYTHON) -m pytest tests/contract --numprocesses 4 --dist loadfile $(ARGS)
	$(PYTHON) -m pytest tests/lab -m "not matrix" --durations=0 --durations-min=5 $(ARGS)

unit: $(READY) ## test what needs no root, no lab and no network
	$(PYTHON) -m pytest tests/unit tests/architecture tests/docs --numprocesses 4 --dist worksteal $(ARGS)

matrix: $(READY) ## plant every defect in the lab, test the lab as a whole, draw what was seen (ONLY=words chooses, as -k; FRESH=1 begins anew)
	$(PYTHON) -m lab prepare
	$(PYTHON) -m lab bases
	$(PYTHON) -m pytest tests/lab -k "$(ONLY)" --matrix=$(if $(FRESH),fresh,resume) $(ARGS)

soak: $(READY) ## verify the lab N times over and tell each wrong verdict (LAYOUT=…, DEFECT=…; LOADED=1: on busy processors)
	$(PYTHON) -m tests.lab.soak --times $(N) --profile $(PROFILE) $(if $(LAYOUT),--layout $(LAYOUT)) $(if $(DEFECT),--defect $(DEFECT)) $(if $(LOADED),--loaded) $(ARGS)

mutation: $(READY) ## mutate the checkers and what draws verdicts, and list what no test noticed (goes on where it was)
	nice -n 19 $(VENV)/bin/mutmut run --max-children 2 $(ARGS) | tr '\r' '\n' | tail --lines=2
	$(VENV)/bin/mutmut results

bench: $(READY) ## measure the lab and the suite, and print the figures
	$(PYTHON) -m bench $(ARGS)

image: $(READY) ## make a container image of the verifier from Debian's packages; prints the archive that docker load takes
	@$(PYTHON) -m lab image

up: $(READY) ## stand the lab up, or mend it
	$(UP)

down: $(READY) ## take the lab down; nothing of it is left
	$(PYTHON) -m lab down

status: $(READY) ## what of the lab is there, part by part
	$(PYTHON) -m lab status

lint: $(READY) ## check style, format and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

docs: $(READY) ## write docs/checks.md from the checks
	$(PYTHON) docs/catalogue.py

format: $(READY) ## mend style and format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# Debian keeps ensurepip, without which a venv has no pip, in a package of its own.
$(READY): requirements.txt requirements-dev.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$(python3 --version)"; exit 1; }
	@python3 -c 'import ensurepip' 2>/dev/null || { apt-get update --quiet=2 && apt-get install --yes --quiet=2 --no-install-recommends python3-venv; }
	@echo "installing the Python packages of requirements-dev.txt into $(VENV)"
	@python3 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@
