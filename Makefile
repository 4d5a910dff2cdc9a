# The two commands: `make demo` and `make test`. Everything that they need is installed by them, into .cache and by apt.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v /usr/bin/python3 || command -v python3)
CACHE := .cache
VENV := $(CACHE)/venv
TREE := $(CACHE)/collections/ansible_collections/lvs/topology
KERNEL ?= uml
SELECT ?=
ONLY ?=
BASE ?=
# The oldest Python of hosts, and the newest. The matrix has those between them.
PYTHONS := 3.8 3.13
OTHER_PYTHONS := 3.9 3.10 3.11 3.12
# Releases of ansible-core, each with a Python of the controller.
CONTROLLERS := 2.18-3.11 2.18-3.13 2.19-3.11 2.19-3.12 2.19-3.13 2.20-3.12 2.20-3.13 2.21-3.12 2.21-3.13
# Which pyroute2 the modules meet in kernel tests: the newest of PyPI, or the one of the guest's release.
PYROUTE2 ?= pypi
KERNEL_PARTS := kernel-ipvs kernel-net
# Those of tests/matrix/firewalls. Those of nftables need the stock kernel, where a pair is a part of its own.
NFT_FIREWALLS := nftables iptables-nft firewalld-nft
FIREWALLS := iptables-legacy ufw firewalld-iptables $(NFT_FIREWALLS) $(NFT_FIREWALLS:%=%-pair)
SCENARIOS := $(sort $(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml)))
# What takes longest begins first, until there are times of this machine to go by.
LONG := ha active reuse mixed dr_routed nat_wlc
SCENARIO ?= $(LONG) $(filter-out $(LONG),$(SCENARIOS))
# What make test leaves to make test-all, because CI ends after 90 minutes and a machine may be three times as slow as another one.
# On several hosts, only these show active directors with BGP, FULLNAT that fails over with its connections, all four methods and
# SCTP at once, FTP, clients behind the router that everyone has, and (nat_wlc) a director that had the VIP and a table before.
LATER := active dr_routed ftp fullnat_pair mixed nat_wlc
# Nothing that a target started outlives it, whatever way it ends.
TOGETHER := exec scripts/together
# Booting and ssh leave processors idle: more jobs than processors.
JOBS ?= $(shell expr $$(nproc) + 1)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(CACHE)/collections
export ANSIBLE_HOME := $(CURDIR)/$(CACHE)/ansible
export PYTHONDONTWRITEBYTECODE := 1
# Ansible wants UTF-8, and a fresh host often names a locale that was never generated.
export LC_ALL := C.UTF-8

.PHONY: help demo demo-down test test-all lint unit unit-all image lab kernel kernel-all kernel-ipvs kernel-net kernel-nft molecule matrix \
	versions two-releases bench chaos adopted build docs release-check lab-up lab-down clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: $(CACHE)/runtime.stamp $(TREE) ## boot a DR topology and get answers through its VIP
	$(TOGETHER) --keep scripts/demo

demo-down: ## take the demo down
	lab/lab down demo

test: export SCENARIO_TESTS = not exhaustive
WAITING :=
test: WAITING = $(if $(filter file,$(origin SCENARIO)),$(LATER:%=molecule-%))
test: ## what CI runs; ONLY="dr lint" for some parts, ONLY=failed for what did not pass
test-all: ## before a release: every scenario, and those of its tests that are marked exhaustive
test test-all: $(CACHE)/development.stamp $(TREE)
	exec scripts/run-suite --jobs=$(JOBS) --logs=$(CACHE)/logs --memory=$(CACHE)/$@.json --only='$(ONLY)' --later='$(WAITING)' \
		image kernel-nft unit-all lint $(KERNEL_PARTS:%=%:image) $(SCENARIO:%=molecule-%:image) \
		$(PYTHONS:%=kernel-python%:image) lab:image

lint: $(CACHE)/development.stamp $(TREE) ## ruff, mypy, ansible-lint, ansible-test sanity, documentation
	$(TOGETHER) scripts/lint

unit: export SELECT = -m 'not slow'
unit: unit-all ## pure tests, but for those that take many seconds

unit-all: $(CACHE)/development.stamp $(CACHE)/prometheus.stamp $(TREE) ## the slow ones too
	$(TOGETHER) pytest -q tests/unit $(SELECT)

image: $(CACHE)/runtime.stamp ## the image of the lab's hosts, built where there is none yet
	$(TOGETHER) lab/lab image

kernel: export SELECT = -m 'not slow'
kernel: kernel-all ## the modules against a real IPVS kernel; KERNEL=stock for Debian's own

# Two kernels side by side, because each has one processor.
kernel-all: $(CACHE)/development.stamp $(TREE) ## the slow ones too
	exec scripts/run-suite --jobs=2 --logs=$(CACHE)/logs/kernel $(KERNEL_PARTS)

kernel-ipvs: $(CACHE)/development.stamp $(TREE)
	$(TOGETHER) lab/kernel-test --kernel $(KERNEL) --pyroute2 $(PYROUTE2) tests/kernel/ipvs $(wildcard tests/kernel/test_*.py) $(SELECT)

kernel-net: $(CACHE)/development.stamp $(TREE)
	$(TOGETHER) lab/kernel-test --kernel $(KERNEL) --pyroute2 $(PYROUTE2) tests/kernel/net $(SELECT)

# The examples of every module on that Python. Where this machine has none (pyenv), it says so.
kernel-python%: $(CACHE)/development.stamp $(TREE)
	$(TOGETHER) lab/kernel-test --python $* --if-present tests/kernel/test_examples.py

kernel-nft: $(CACHE)/development.stamp $(TREE) ## what only the stock kernel has, and tunnels there
	$(TOGETHER) lab/kernel-test --kernel stock tests/kernel/net/test_packet_rules.py tests/kernel/net/test_tunnel_paths.py \
		tests/kernel/net/test_firewall.py::test_a_firewall_of_nftables \
		tests/kernel/net/test_firewall.py::test_a_firewall_of_iptables_in_nf_tables \
		-k "(not every_tunnel or 4-4) and (not [iptables] or create_modify_delete or fullnat or what_a_filter_drops)"

lab: $(CACHE)/development.stamp ## what the lab promises: hosts that boot, reboot, lose their link, and leave nothing
	$(TOGETHER) pytest -q lab/tests

# Lines that are cut into pieces tell nobody what failed, hence the columns.
molecule: $(SCENARIO:%=molecule-%) ## topologies on several hosts; SCENARIO=dr for one

molecule-%: $(CACHE)/development.stamp $(CACHE)/prometheus.stamp $(TREE)
	export COLUMNS=300
	export MOLECULE_EPHEMERAL_DIRECTORY=$(CURDIR)/$(CACHE)/molecule/$*
	mkdir -p "$$MOLECULE_EPHEMERAL_DIRECTORY"
	# Two parts of the matrix have the hosts of ha: the second one waits for the first.
	$(TOGETHER) flock "$$MOLECULE_EPHEMERAL_DIRECTORY/lock" molecule test --scenario-name $*

# Each part prints what it met as "SEEN ...", of which tests/matrix/page.py makes the page.
matrix: $(CACHE)/development.stamp $(TREE) ## other releases of everything, and docs/compatibility.md of what came of them; hours, or ONLY= some
	status=0
	scripts/run-suite --jobs=$(JOBS) --logs=$(CACHE)/logs/matrix --memory=$(CACHE)/matrix.json --only='$(ONLY)' \
		image trixie-image:image versions:image trixie-versions:trixie-image \
		$(CONTROLLERS:%=controller-%:image) $(OTHER_PYTHONS:%=kernel-python%:image) \
		$(KERNEL_PARTS:%=debian-pyroute2-%:image) $(KERNEL_PARTS:%=trixie-%:trixie-image) \
		$(KERNEL_PARTS:%=trixie-debian-pyroute2-%:trixie-image) trixie-kernel-nft \
		two-releases:trixie-image $(SCENARIO:%=trixie-molecule-%:trixie-image) $(FIREWALLS:%=firewall-%:image) || status=$$?
	[ -e $(CACHE)/matrix.json ] || exit $$status
	python3 tests/matrix/page.py $(CACHE)/matrix.json $(CACHE)/logs/matrix tests/matrix/record.json >$(CACHE)/compatibility.md
	mv $(CACHE)/compatibility.md docs/compatibility.md
	exit $$status

versions: $(CACHE)/development.stamp $(TREE)
	$(TOGETHER) lab/kernel-test -s tests/matrix/test_versions.py

controller-%: $(CACHE)/runtime.stamp $(TREE)
	$(TOGETHER) tests/matrix/controller $(subst -, ,$*)

# A pair of directors and real servers behind a firewall, which drops what nobody lets through.
firewall-%: $(CACHE)/runtime.stamp $(TREE)
	$(TOGETHER) python3 tests/matrix/firewall.py $*

# Any target with hosts of Debian 13, with Debian's own pyroute2, or with one director of each release.
trixie-%:
	LAB_RELEASE=trixie exec $(MAKE) --no-print-directory $*

debian-pyroute2-%:
	exec $(MAKE) --no-print-directory $* PYROUTE2=debian

two-releases:
	LAB_RELEASE=lb2=trixie exec $(MAKE) --no-print-directory molecule-ha

bench: $(CACHE)/development.stamp $(TREE) ## ratios: against ipvsadm, builtin modules, and BASE=DIRECTORY, another checkout
	KERNEL=$(KERNEL) BASE='$(BASE)' $(TOGETHER) tests/bench/run

# The scenario reuse has an inventory of its own, and reads it back itself.
adopted: $(CACHE)/development.stamp $(TREE) ## whether adopt reads back of each scenario what its hosts do; SCENARIO=ha for one
	$(TOGETHER) tests/adopted/run $(filter-out reuse,$(SCENARIO))

chaos: $(CACHE)/development.stamp $(CACHE)/prometheus.stamp $(TREE) ## what happens when things fail or are broken by hand: 150 minutes; CASE=split for one
	$(TOGETHER) tests/chaos/run $(CASE)

build: ## the collection as a tarball; needs ansible-galaxy
	ansible-galaxy collection build --force

docs: $(CACHE)/docs.stamp $(TREE) ## all documentation as one site in .cache/docs/html; fails on a broken link
	$(TOGETHER) scripts/docs

release-check: lint docs $(CACHE)/release.stamp ## what can be known of a release before it is published, besides `make test`
	$(TOGETHER) scripts/release-check $(CACHE)/release-venv

lab-up: $(CACHE)/runtime.stamp ## boot a network: make lab-up NETWORK=lab/networks/demo.yml
	$(TOGETHER) --keep lab/lab up $(or $(NETWORK),lab/networks/demo.yml)

lab-down: ## take every lab down
	lab/lab down --all

clean: ## remove everything that was built, images included
	if [ -d $(CACHE)/lab/run ]; then lab/lab down --all; fi
	rm -rf $(CACHE)

$(CACHE)/runtime.stamp: requirements/runtime.txt requirements/apt-lab.txt scripts/install
	scripts/install $(PYTHON) $(VENV) requirements/runtime.txt requirements/apt-lab.txt
	touch $@

$(CACHE)/development.stamp: requirements/development.txt requirements/apt-test.txt $(CACHE)/runtime.stamp
	scripts/install $(PYTHON) $(VENV) requirements/development.txt requirements/apt-test.txt
	touch $@

$(CACHE)/prometheus.stamp: scripts/prometheus
	scripts/prometheus $(CACHE)/prometheus
	touch $@

$(CACHE)/docs.stamp: requirements/docs.txt $(CACHE)/development.stamp
	scripts/install $(PYTHON) $(VENV) requirements/docs.txt requirements/apt-test.txt
	touch $@

$(CACHE)/release.stamp: requirements/release.txt requirements/development.txt $(CACHE)/runtime.stamp
	scripts/install $(PYTHON) $(CACHE)/release-venv requirements/release.txt requirements/apt-test.txt
	touch $@

$(TREE):
	mkdir -p $(@D)
	ln -sfn $(CURDIR) $@
