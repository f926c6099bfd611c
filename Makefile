# The commands of this repository. Each does its own set-up.
#
#   make demo      build the shared library and the emulator, run the C, C++ and streaming examples
#   make t         T=name: one test, a Rust name, a Python file or a C or C++ program
#   make test      every test: Rust, installed C and C++, processes, Python wheel
#   make test-languages    the packages of Go, Node and Java (in progress): their tests, the short fault matrix
#   make setup-languages   installs Go, Node, a JDK and Maven where they are missing
#   make packages          what users of Go, Node and Java install, in build/packages, each tried from outside
#   make check     format, lints, licences, advisories
#   make model     model checks (loom): call state, generation swap, token refresh, permit, router selection
#   make proof     what the library survives, 20 minutes of it (docs/PROOF.md); make proof-short: 3 minutes
#   make fuzz      fuzzing, SECONDS_PER_TARGET=600
#   make bench     paired benchmarks, printed as tables
#   make install   PREFIX=/usr/local: libraries, headers, pkg-config file, CMake package; also DESTDIR, LIBDIR,
#                  INCLUDEDIR, DOCDIR; make uninstall removes what the same variables installed
#   make emulator-wheel    (in progress) the emulator as a wheel with a pytest fixture, in build/packages, tried from outside
#   make docs      the site, English and Russian, in build/docs/site
#   make debian    (in progress) Debian packages in build/debian, judged by lintian and used in a fresh root (as root)

PREFIX ?= /usr/local
# A release, for tests, proofs and benchmarks; and what `make demo` and `make t` build in less time.
RELEASE_PREFIX := $(CURDIR)/build/prefix
DEMO_PREFIX := $(CURDIR)/build/demo
EMULATOR := $(CURDIR)/target/debug/gigachat-emulator

.PHONY: demo t test model proof proof-short fuzz conformance conformance-ancestor conformance-clients test-python-all test-engines check bench install uninstall debian docs emulator-wheel prefix emulator setup setup-test setup-languages test-languages generate-languages packages test-rust test-installed test-python fmt clean

demo: setup
	PROFILE=dev packaging/install.sh --shared-only --with gigachat-emulator "$(DEMO_PREFIX)"
	@tools/demo.sh "$(DEMO_PREFIX)" "$(EMULATOR)"

t: setup
	@GIGACHAT_PREFIX="$(DEMO_PREFIX)" tools/one_test.sh "$(T)"

test: setup-test test-rust test-installed test-python

test-rust:
	cargo test --workspace
	cargo test --locked --manifest-path fuzz/Cargo.toml --no-default-features

test-installed: prefix emulator
	GIGACHAT_PREFIX="$(RELEASE_PREFIX)" GIGACHAT_EMULATOR="$(EMULATOR)" \
		python3 -m unittest discover --verbose --start-directory tests/installed

test-python: prefix
	GIGACHAT_PREFIX="$(RELEASE_PREFIX)" bindings/python/test.sh

test-languages: prefix emulator
	GIGACHAT_PREFIX="$(RELEASE_PREFIX)" GIGACHAT_EMULATOR="$(EMULATOR)" tools/languages.sh test

setup-languages:
	tools/languages.sh setup

# What the packages of Go, Node and Java have from api/gigachat.json.
generate-languages:
	tools/languages.sh generate

packages: prefix emulator
	GIGACHAT_PREFIX="$(RELEASE_PREFIX)" GIGACHAT_EMULATOR="$(EMULATOR)" tools/packages.sh

# Many prompts on Dask, Ray and Spark, as a pandas column and as parquet. Installs a gigabyte; Spark needs Java.
test-engines:
	ENGINES=1 CHECK_TYPES=0 bindings/python/test.sh \
		tests/test_batch_engines.py tests/test_batch_tables.py tests/test_examples.py

check: setup-test
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --locked --manifest-path fuzz/Cargo.toml --no-default-features --all-targets -- -D warnings
	tools/deny.sh
	tools/reference.sh
	python3 bindings/python/generate.py --check
	python3 tools/target_folders.py
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

bench: setup-test prefix
	benches/run.sh "$(RELEASE_PREFIX)"
	benches/python/run.sh

install:
	packaging/install.sh "$(PREFIX)"

uninstall:
	packaging/install.sh --uninstall "$(PREFIX)"

debian:
	packaging/debian.sh

# The site, English and Russian, in build/docs/site.
docs:
	tools/docs.sh

emulator-wheel:
	packaging/emulator_wheel.sh

prefix:
	packaging/install.sh "$(RELEASE_PREFIX)"

emulator:
	@tools/emulator.sh

# What building needs, and what tests, proofs and benchmarks need as well.
setup:
	@tools/setup.sh

setup-test:
	@tools/setup.sh test

model:
	tools/models.sh

proof: setup-test prefix emulator
	tools/proof.sh

proof-short: setup-test prefix emulator
	tools/proof.sh short

fuzz: setup
	fuzz/run.sh $(or $(SECONDS_PER_TARGET),600)

# The ancestor's own tests, which its repository has (git access, or CONFORMANCE_SOURCE); and foreign clients, from
# the registries, against the emulator.
conformance: conformance-ancestor conformance-clients

conformance-ancestor:
	bindings/python/conformance/run.sh

conformance-clients:
	tests/emulator/clients/run.sh

# The Python tests on every CPython at hand, a hundred exits in each situation.
test-python-all:
	bindings/python/test_matrix.sh

fmt:
	cargo fmt --all

clean:
	cargo clean
	rm -rf build
