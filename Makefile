# The two commands that anyone needs: `make demo` and `make test`. Each sets up what it needs, and is quick when repeated.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.8
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
PYTHON := .venv/bin/python
LOCKS := dev torch det-yolov5-tmi det-mmdetection-tmi det-mmyolo-tmi rot-mmrotate-tmi seg-all-in-one-tmi
CONTAINER_TOOL ?= docker
unexport PYTHONDONTWRITEBYTECODE # without its cache, every process of the tests compiles the frameworks that it imports
# What a page of the site would load from another host.
ELSEWHERE := '<(link|script|img|iframe|source|use|embed|object)[^>]* (href|src|data)=["'"'"']?(https?:)?//[^ >]*'
# A module of tests stays in one process; tests/image/conftest.py orders them.
DEALT := -n 2 --dist loadscope --no-loadscope-reorder

.PHONY: help setup demo demo-rotated demo-semantic demo-instance test test-fast test-exhaustive faults seeded-faults check fix bench bench-models bench-training docs images images-test weights-sums lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s $$'\t'

.tools/bin/uv:
	@echo "installing uv $(UV_VERSION) into .tools (once)"
	@python3 -m venv .tools
	@.tools/bin/pip --quiet --disable-pip-version-check install uv==$(UV_VERSION)

$(PYTHON): | $(if $(findstring .tools,$(UV)),.tools/bin/uv)
	@$(UV) venv --python '>=3.11,<3.13' .venv

# The environment of one image and the workbench: no compiler needed, minutes at most.
.venv/.demo: requirements/det-yolov5-tmi.lock requirements/workbench.lock | $(PYTHON)
	@echo "installing the environment of det-yolov5-tmi (once)"
	@$(UV) pip install --python $(PYTHON) --require-hashes -r requirements/det-yolov5-tmi.lock -r requirements/workbench.lock
	@touch $@

# Everything, pinned and hash-checked. Compiles mmcv once (8 to 30 minutes of processor time), then uv has it in its cache.
.venv/.dev: requirements/dev.lock pyproject.toml | $(PYTHON)
	@echo "installing the environment of all images; the first time this compiles mmcv, which takes minutes"
	@$(UV) pip sync --python $(PYTHON) --require-hashes requirements/dev.lock
	@touch $@ .venv/.demo

setup: .venv/.dev ## install the whole development environment into .venv

demo: .venv/.demo ## train, mine and infer on rendered data; ends with a picture
	@$(PYTHON) -m workbench demo

demo-rotated: .venv/.dev ## the same with rotated boxes, in build/demo-rotated
	@$(PYTHON) -m workbench demo --image rot-mmrotate-tmi --folder build/demo-rotated

demo-semantic: .venv/.dev ## the same with classes of pixels, in build/demo-semantic
	@$(PYTHON) -m workbench demo --image seg-all-in-one-tmi --object-type semantic --folder build/demo-semantic

demo-instance: .venv/.dev ## the same with masks of objects, in build/demo-instance
	@$(PYTHON) -m workbench demo --image seg-all-in-one-tmi --object-type instance --folder build/demo-instance

test: test-fast ## all tests that CI runs: the fast ones, then the images end to end on the CPU
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest tests/image -m 'not faults and not exhaustive' $(DEALT) --durations=25

test-fast: .venv/.dev ## the tests that need no torch; seconds
	@$(PYTHON) -m pytest tests --ignore=tests/image --ignore=tests/containers -n 2 --dist worksteal

test-exhaustive: .venv/.dev ## the tests of images again, for the models that others stand for in `make test`
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest tests/image -m exhaustive $(DEALT)

faults: .venv/.dev ## kill tasks at random moments, many times
	@$(PYTHON) -m pytest tests/image -m faults

seeded-faults: .venv/.dev ## put known faults into a copy of the code, and see that the tests notice each; minutes
	@PYTHONPATH=tests $(PYTHON) -m seeded_faults

check: .venv/.dev ## lint, format, types, layers of imports, recipe of the images, rendered files; writes nothing
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@PYTHONPATH=. .venv/bin/lint-imports --no-logo --no-cache
	@.venv/bin/hadolint dockerfiles/executor.dockerfile
	@.venv/bin/shellcheck .ci/run dockerfiles/build dockerfiles/start.sh
	@$(PYTHON) -m workbench render --check

fix: .venv/.dev ## repair what check complains about, where a tool can
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m workbench render

bench: .venv/.dev ## measure, and write benchmarks/results.md
	@$(PYTHON) -m benchmarks

bench-models: .venv/.dev ## how fast the default model of each image is; writes benchmarks/models.md; minutes
	@$(PYTHON) -m benchmarks.models

bench-training: .venv/.dev ## train models from scratch, ours and the framework's recipe; writes benchmarks/training.md; an hour
	@$(PYTHON) -m benchmarks.training

docs: .venv/.dev ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict
	@! grep -rioE $(ELSEWHERE) --include='*.html' site || { echo "loaded from another host: see above"; exit 1; }

images: ## build the container images: make images CONTAINER_TOOL=docker|podman|buildah
	@dockerfiles/build $(CONTAINER_TOOL)

images-test: .venv/.dev ## build the images for CPUs, and run each as the platform does; the same CONTAINER_TOOL
	@CONTAINER_TOOL=$(CONTAINER_TOOL) $(PYTHON) -m pytest tests/containers --durations=0

weights-sums: | $(PYTHON) ## print the SHA-256 sums that releases state of files without a recorded one, as lines to add to the table
	@$(PYTHON) -m common.weights.digests seg-all-in-one-tmi

lock: | $(PYTHON) ## compile requirements/*.lock from pyproject.toml
	@for name in dev $(filter-out dev,$(LOCKS)) workbench; do \
	  constraint=$$([ $$name = dev ] || echo "--constraints requirements/dev.lock"); \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command 'make lock' --extra $$name $$constraint pyproject.toml -o requirements/$$name.lock; done
	@for group in compiler mmcv; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command 'make lock' $$([ $$group = compiler ] || echo --no-deps) --group $$group \
	    -o requirements/$$group.lock; done

clean: ## remove what was built, and the environment
	@rm -rf .venv .tools build site
