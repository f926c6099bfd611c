# The commands of this repository. Each does its own set-up.
#
#   make demo      build everything, start the emulator, run the C, C++ and streaming examples
#   make test      every test: Rust, installed C and C++, processes, Python wheel
#   make check     format, lints, licences
#   make model     model checks (loom): call state, generation swap, token refresh, permit, router selection
#   make proof     what the library survives, 20 minutes of it (docs/PROOF.md); make proof-short: 3 minutes
#   make fuzz      fuzzing, SECONDS_PER_TARGET=600
#   make bench     paired benchmarks, printed as tables
#   make install   PREFIX=/usr/local: libraries, headers, pkg-config file, CMake package

PREFIX ?= /usr/local
DEMO_PREFIX := $(CURDIR)/build/prefix
EMULATOR := $(CURDIR)/target/debug/gigachat-emulator

.PHONY: demo test model model-build proof proof-short fuzz conformance conformance-ancestor conformance-clients test-python-all test-engines check bench install prefix emulator setup test-rust test-installed test-python fmt clean

demo: setup prefix emulator
	@tools/demo.sh "$(DEMO_PREFIX)" "$(EMULATOR)"

test: setup test-rust test-installed test-python

test-rust:
	cargo test --workspace
	CARGO_TARGET_DIR=target/fuzz cargo test --locked --manifest-path fuzz/Cargo.toml --no-default-features

test-installed: prefix emulator
	GIGACHAT_PREFIX="$(DEMO_PREFIX)" GIGACHAT_EMULATOR="$(EMULATOR)" \
		python3 -m unittest discover --verbose --start-directory tests/installed

test-python: prefix
	GIGACHAT_PREFIX="$(DEMO_PREFIX)" bindings/python/test.sh

# Many prompts on Dask, Ray and Spark, as a pandas column and as parquet. Installs a gigabyte; Spark needs Java.
test-engines:
	ENGINES=1 CHECK_TYPES=0 bindings/python/test.sh \
		tests/test_batch_engines.py tests/test_batch_tables.py tests/test_examples.py

check: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	CARGO_TARGET_DIR=target/fuzz cargo clippy --locked --manifest-path fuzz/Cargo.toml --no-default-features --all-targets -- -D warnings
	python3 tools/licences.py
	python3 tools/target_folders.py
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

bench: setup prefix
	benches/run.sh "$(DEMO_PREFIX)"
	benches/python/run.sh

install:
	packaging/install.sh "$(PREFIX)"

prefix:
	packaging/install.sh "$(DEMO_PREFIX)"

emulator:
	cargo build --package gigachat-emulator

setup:
	@tools/setup.sh

# Only these tests are models; the others do not run under loom.
MODELS := RUSTFLAGS="--cfg gigachat_loom" CARGO_TARGET_DIR=target/model \
	cargo test --package gigachat --lib

model:
	$(MODELS) model::

model-build:
	$(MODELS) --no-run --quiet

proof: setup prefix emulator
	tools/proof.sh

proof-short: setup prefix emulator
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
