# Two commands matter: `make lab` builds a whole network on this machine, `make test` proves the project.
# Both install what they need, work as root on a fresh Debian 12 or 13, and may be repeated.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help venv lab lab-up lab-down check test test-tools lint unit images-and-lint images unit-debian molecule \
  acceptance bench drills docs lock kernel-up kernel-down test-kernel

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMP := $(VENV)/.stamp
export PATH := $(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE := 1
export DEBIAN_FRONTEND := noninteractive
# Python code for a newer interpreter than Debian's is not needed: the system's own serves.
PYTHON ?= /usr/bin/python3
PACKAGES := python3 python3-venv openssh-client iproute2 mmdebstrap ca-certificates git
# What the tests on this machine need: a browser for the portal's, and a database.
TEST_PACKAGES := shellcheck chromium fonts-dejavu-core postgresql
CHECK_PACKAGES := ldnsutils bind9-utils
BENCH_PACKAGES := bind9-dnsutils bird2 caddy dnsperf iperf3 iputils-ping nebula nftables nghttp2-client nsd \
  pdns-backend-lmdb pdns-server procps unbound wireguard-go wireguard-tools yggdrasil

step = @printf '\n== %s (%(%H:%M:%S)T)\n' $(1) -1

help: ## show what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

venv: $(STAMP) ## the tools, in their locked versions, in .venv

$(STAMP): requirements.lock Makefile
	$(call step,'Tools')
	@missing=(); for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing+=($$p); done; \
	if [ $${#missing[@]} -gt 0 ]; then echo "installing $${missing[*]}"; apt-get update -qq; \
	  apt-get install -qqy --no-install-recommends "$${missing[@]}" >/dev/null; fi
	@[ -x $(BIN)/python3 ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@echo $(CURDIR)/src > "$$($(BIN)/python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/altnet.pth"
	@touch $@

images: $(STAMP)
	$(call step,'Docker engine')
	@lab/engine
	$(call step,'The lab: images')
	@lab/build-image

lab-up: images ## start the lab's machines, without running site.yml
	$(call step,'The lab: machines')
	@ansible-playbook playbooks/lab-up.yml

lab: lab-up ## build a whole network on this machine and show it
	$(call step,'The lab: site.yml')
	@ansible-playbook site.yml
	$(call step,'The lab: does every host reach every other?')
	@ansible-playbook playbooks/check.yml

check: $(STAMP) ## prove the lab's network end to end and print the table
	@ansible-playbook playbooks/check.yml

lab-down: ## remove every trace of the lab
	@if [ -x $(BIN)/ansible-playbook ] && docker info >/dev/null 2>&1; then ansible-playbook playbooks/lab-down.yml; fi
	@lab/engine stop

# Nothing is started that is installed here.
test-tools: $(STAMP)
	@missing=(); for p in $(TEST_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing+=($$p); done; \
	if [ $${#missing[@]} -gt 0 ]; then echo "installing $${missing[*]}"; apt-get update -qq; policy=/usr/sbin/policy-rc.d; \
	  [ -e $$policy ] || { trap "rm -f $$policy" EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod 755 $$policy; }; \
	  apt-get install -qqy --no-install-recommends "$${missing[@]}" >/dev/null; fi

lint: test-tools
	$(call step,'Lint')
	ruff check .
	ruff format --check .
	mypy
	yamllint --strict .
	shellcheck -x lab/engine lab/build-image lab/machine.sh lab/vault-password lab/image/lab-init lab/unit-debian \
	  lab/kernel/build-images lab/kernel/build-kernel lab/kernel/get-kernel lab/kernel/suite lab/kernel/guest/lab-machine \
	  molecule/common/traces .ci/run
	ansible-lint --offline --strict

unit: test-tools ## the tests that need no host
	$(call step,'Unit and property tests on this machine')
	pytest -n 2 --dist loadgroup tests/unit

# Both leave a processor idle for most of their time, and are run beside the tests, which do not.
images-and-lint:
	@$(MAKE) --no-print-directory images
	@$(MAKE) --no-print-directory lint

unit-debian: images ## the same on Debian 13, with its own Python, BIRD and WireGuard tools
	$(call step,'Unit and property tests on Debian 13')
	lab/unit-debian

molecule: lab-up ## each role by itself
	$(call step,'Molecule')
	molecule test --all

acceptance: lab ## the lab from outside
	$(call step,'Acceptance')
	@{ command -v ldns-verify-zone && command -v dnssec-verify; } >/dev/null || { apt-get update -qq; \
	  apt-get install -qqy --no-install-recommends $(CHECK_PACKAGES) >/dev/null; }
	pytest --durations=15 tests/acceptance

# Nothing is started that is installed here: none of these daemons is to serve this machine.
bench: $(STAMP) ## what it costs at size, beside others; ONLY=plan,mesh for parts
	$(call step,'Benchmarks')
	@missing=(); for p in $(BENCH_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing+=($$p); done; \
	if [ $${#missing[@]} -gt 0 ]; then echo "installing $${missing[*]}"; apt-get update -qq; policy=/usr/sbin/policy-rc.d; \
	  [ -e $$policy ] || { trap "rm -f $$policy" EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod 755 $$policy; }; \
	  apt-get install -qqy --no-install-recommends "$${missing[@]}" >/dev/null || echo "going on without them"; fi
	@$(BIN)/python3 -m benchmarks.run $(ONLY)

# On another network than the lab: LAB_INVENTORY, LAB_EXEC and LAB_NAT, see tests/drills.
drills: $(STAMP) ## break things, measure what users see (RUNS=30, ONLY=link,relay)
	PYTHONPATH=tests python3 -m drills --runs $(or $(RUNS),30) --only '$(ONLY)'

kernel-up: $(STAMP) ## start the lab's hosts with a kernel of their own, that has WireGuard
	$(call step,'Kernel lab')
	@lab/kernel/suite up

kernel-down: ## remove every trace of them but the kernel and the disks' images
	@if [ -x $(BIN)/python3 ]; then lab/kernel/machines.py down; fi

test-kernel: $(STAMP) ## the network on hosts with a kernel of their own: start, test, take down
	$(call step,'Kernel suite')
	@lab/kernel/suite test

docs: $(STAMP) ## write docs/reference from the specifications
	$(BIN)/python3 docs/generate.py

lock: ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header --extra dev --extra registry pyproject.toml --upgrade -o requirements.lock

# Images are fetched and unpacked while the first tests compute; whatever installs packages here comes before. Tests on
# Debian and molecule mostly wait, for daemons and for hosts; what counts seconds on the lab has the machine for itself.
test: test-tools ## everything; what CI calls
	@lab/engine
	@$(MAKE) --no-print-directory -j2 images-and-lint unit
	@$(MAKE) --no-print-directory --output-sync=line -j2 unit-debian molecule
	@$(MAKE) --no-print-directory acceptance
	$(call step,'Done')
