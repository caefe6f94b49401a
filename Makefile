# edgeseg: `make demo` runs the main job, `make test` proves the code; both install what they need into .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OUT ?= build
INPUTS ?= 10000
PIP := $(BIN)/python -m pip --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links --fork-strategy fewest --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: web pytest test-web measure-web web-screenshots help install demo check baseline test test-wheel test-device fuzz docs reference ship-artifacts check-artifacts lint format lock clean test-android screenshots apk apk-page test-apk apk-rehearsal

help:  ## Show this list.
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

install: $(STAMP)  ## Create .venv and install edgeseg into it from requirements.lock.

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
		echo "edgeseg needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)."; \
		echo "Name another one: make PYTHON=python3.12 ..."; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot create virtual environments."; \
		echo "On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; } >&2
	@echo "Installing into $(VENV) from requirements.lock; the first time downloads about 1 GB." >&2
	@$(PYTHON) -m venv $(VENV)
	@# what is imported is compiled then; most of the packages never are
	@$(PIP) install --quiet --no-compile --only-binary :all: --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)  ## Build the default network for tflite-int8 from what edgeseg ships: no data, no training needed.
	$(BIN)/python -m edgeseg build --target tflite-int8 --no-r2 --out $(OUT)

check: $(STAMP)  ## Hold what `make demo` built against .ci/baseline.json.
	$(BIN)/python -m edgeseg check $(OUT) --baseline .ci/baseline.json --require-trust $(CHECK_OPTIONS)

baseline: demo  ## Make what ships the baseline of `make check`: make baseline REASON='new weights'.
	$(BIN)/python -m edgeseg check $(OUT) --baseline .ci/baseline.json --update --reason '$(REASON)'

test: lint pytest  ## Format check, lint, types, floors and tests, on up to 4 processors: all that CI runs.

pytest: $(STAMP)  ## Only the tests of `make test`.
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

test-wheel: $(STAMP)  ## Build sdist and wheel, and use the base install on each supported Python of this machine.
	@$(BIN)/python tools/test_wheel.py $(PYTHONS)

test-device: $(STAMP)  ## Run int8 on emulated Arm and in WebAssembly, DATA=DIR for patients too; minutes, needs a network.
	@$(BIN)/python benchmarks/device/evidence.py $(if $(DATA),--data $(DATA)) $(if $(BUILD),--build $(BUILD)) \
		$(if $(BUILD_X86),--build-x86 $(BUILD_X86))

fuzz: $(STAMP)  ## Give every reader damaged input, INPUTS=10000 each, and write docs/measured/hostile.md; an hour.
	@$(BIN)/python tools/fuzz.py --inputs $(INPUTS) --into docs/measured/hostile.md

docs: $(STAMP)  ## Build the documentation into build/site and check every link, in docs/ and outside.
	@# without --quiet, which would keep --strict from seeing the warnings
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@$(BIN)/python -m pytest -q tests/test_docs.py

reference: $(STAMP)  ## Write the pages of docs/reference that follow from the code anew.
	@$(BIN)/python tools/counted.py
	@$(BIN)/python tools/reference.py

ship-artifacts: $(STAMP)  ## Convert the networks in models/ whose weights, ranges or choice changed; NETWORKS='tiny micro' for some.
	@$(BIN)/python tools/ship_artifacts.py $(NETWORKS)

check-artifacts: $(STAMP)  ## Convert one network that ships again, NETWORKS=micro; it must be the same.
	@$(BIN)/python tools/ship_artifacts.py --check $(or $(NETWORKS),micro)

lint: $(STAMP)  ## Only the static part of `make test`.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## Format the code and fix what ruff can fix.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-android:  ## Compile the tablet app and test it on the JVM; needs a JDK 17, Maven, aapt and android-framework-res.
	mvn -q -B -f android-demo test

screenshots: test-android  ## Draw the app's screens anew into android-demo/screenshots.
	rm -f android-demo/target/screenshots/scratch.png android-demo/screenshots/*.png
	cp android-demo/target/screenshots/*.png android-demo/screenshots/

apk:  ## Pack the tablet app into a signed APK, android-demo/target/edgeseg-demo-arm64.apk.
	android-demo/package.sh

apk-page: apk $(STAMP)  ## Write the APK's size and digest into android-demo/README.md.
	@$(BIN)/python android-demo/apk_page.py android-demo/target/edgeseg-demo-arm64.apk android-demo/target/apk/aligned.apk android-demo/README.md

test-apk: apk $(STAMP)  ## Run the APK's own library on an emulated Arm processor: its codes must be Python's.
	@$(BIN)/python android-demo/apk_codes.py android-demo/target/edgeseg-demo-arm64.apk android-demo/target/apk-codes
	@mvn -q -B -f android-demo -P apk test-compile || { \
		echo "test-apk: Maven could not get the emulator (unidbg) or what compiles the test, or it does not compile; see above." >&2; exit 2; }
	mvn -q -B -f android-demo -P apk test

apk-rehearsal:  ## Try the packing where ONNX Runtime's Android library cannot be had; LIBRARY=FILE for the size with it.
	android-demo/rehearse.sh $(if $(LIBRARY),--library "$(LIBRARY)")

web/node_modules: web/package-lock.json web/package.json
	npm --prefix web ci --no-audit --no-fund --ignore-scripts --silent
	@touch $@

web: web/dist/index.html  ## Build the web page that `edgeseg web` writes, into web/dist; needs Node.js 20 and npm.

# left alone while no source is newer, since tests may be reading it
web/dist/index.html: web/index.html $(wildcard web/*.json web/vite.config.ts) $(shell find web/src web/public -type f) | web/node_modules
	@npm --prefix web run --silent build

test-web: web $(STAMP)  ## Test the page in Node.js and in Chromium, its masks against the runner's pixel by pixel.
	@$(BIN)/python web/tests/fixtures.py web/generated/fixtures
	@PYTHON=$(abspath $(BIN)/python) npm --prefix web run --silent test

web-screenshots: test-web  ## Draw the page's screens anew into web/screenshots.
	@$(BIN)/python web/tests/shrink.py web/generated/screenshots web/screenshots

measure-web: web $(STAMP)  ## Measure the page on this machine and write docs/measured/web.md; let nothing else run.
	@$(BIN)/python web/tests/fixtures.py web/generated/fixtures
	@npm --prefix web run --silent steps
	@PYTHON=$(abspath $(BIN)/python) node web/tests/measure.mjs docs/measured/web.md

lock: $(STAMP)  ## Write the lock files anew from pyproject.toml; UPGRADE=1 takes the newest versions.
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra build --extra dev --output-file requirements.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --constraints requirements.lock --output-file requirements-run.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra serve --extra nifti --extra dicom --constraints requirements.lock \
		--output-file requirements-serve.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra node --constraints requirements.lock \
		--output-file requirements-node.lock

clean:  ## Remove .venv, build/ and every cache in the checkout.
	rm -rf $(VENV) build dist android-demo/target web/node_modules web/dist web/generated .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
