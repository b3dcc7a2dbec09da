# The tests: what each group is built from, and what runs it. `make test` runs them all, but for what takes long.

# ---- what there is ----

UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
# Random schedules against a model: they run after the unit tests, under a heading of their own.
PROPERTY_TESTS := $(filter $(addprefix $(BUILD)/tests/unit/test_,merge_% counting_%),$(UNIT_TESTS))
UNIT_HELPERS := $(filter-out tests/unit/test_%.c,$(wildcard tests/unit/*.c))

# The simulator: the daemon as it is, but for its loop, over a clock, a network and a disk of the tests' own. Those stand
# before the library on the linker's line, so that the library's are not taken.
SIM_TESTS := $(patsubst tests/sim/%.c,$(BUILD)/tests/sim/%,$(wildcard tests/sim/test_*.c))
SIMULATE := $(BUILD)/tests/sim/simulate
SIM_HELPERS := $(filter-out tests/sim/test_%.c tests/sim/simulate.c,$(wildcard tests/sim/*.c)) \
               tests/unit/counting_model.c tests/unit/dice.c tests/unit/model.c \
               $(filter-out daemon/main.c daemon/notify.c,$(DAEMON_SOURCES))

# Each target runs over its corpus as a test, with a main of ours; with FUZZING=1 libFuzzer drives it.
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_HELPERS := $(addprefix tests/fuzz/,parts.c messages.c node.c node_said.c schema_store.c $(if $(FUZZING),,replay.c)) \
                daemon/config.c $(addprefix tests/unit/,dice.c merge_schedule.c model.c) \
                $(addprefix client/,utf8.c output.c language.c) $(wildcard client/tables/*.c) client/records.c \
                $(addprefix client/import/,csv.c value.c number.c problems.c)
FUZZ_SEEDS := $(BUILD)/tests/fuzz/seeds

# Memory and disks that fail at any call. The linker brings what allocates to tests/fault/memory.c.
FAULT_TESTS := $(patsubst tests/fault/%.c,$(BUILD)/tests/fault/%,$(wildcard tests/fault/test_*.c))
FAULT_HELPERS := $(filter-out tests/fault/test_%.c,$(wildcard tests/fault/*.c tests/sim/disk*.c)) \
                 tests/unit/dice.c tests/unit/wire_samples.c daemon/config.c
WRAPPED := malloc calloc realloc strdup strndup free nv_arena_alloc chmod nv_disk_shm_map \
           $(addprefix nv_disk_file_,make write truncate sync) \
           open openat mkdir fstat fchmod fsync close read write

BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/bench_*.c))
BENCH_HELPERS := $(filter-out tests/bench/bench_%.c,$(wildcard tests/bench/*.c))

$(UNIT_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(call object,$(UNIT_HELPERS)) $(LIBRARY)
	$(LINK)
# The one part of the client that is pure.
$(BUILD)/tests/unit/test_hiding: $(addprefix $(BUILD)/client/report/,hiding.o hiding_shown.o)
$(SIM_TESTS) $(SIMULATE): $(BUILD)/tests/sim/%: $(BUILD)/tests/sim/%.o $(call object,$(SIM_HELPERS)) $(LIBRARY)
	$(LINK)
$(FAULT_TESTS): $(BUILD)/tests/fault/%: $(BUILD)/tests/fault/%.o $(call object,$(FAULT_HELPERS)) $(LIBRARY)
	$(LINK)
$(FUZZERS): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(call object,$(FUZZ_HELPERS)) $(LIBRARY)
	$(LINK)
$(FUZZ_SEEDS): $(call object,$(addprefix tests/fuzz/,seeds.c parts.c messages.c) tests/unit/dice.c) $(LIBRARY)
	$(LINK)
$(BENCHES): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(call object,$(BENCH_HELPERS)) $(LIBRARY)
	$(LINK)
$(UNIT_TESTS) $(SIM_TESTS) $(FAULT_TESTS): LDLIBS += -lcmocka
$(FAULT_TESTS): LDFLAGS += $(WRAPPED:%=-Wl,--wrap=%)
$(FUZZERS): LDFLAGS += $(if $(FUZZING),-fsanitize=fuzzer)

# ---- what runs it ----

.PHONY: test run-tests test-unit test-property test-sim test-fault test-fuzz test-system
.PHONY: test-planted check-long coverage fuzzers fuzz fuzz-seeds bench

# The programs under test, and more patience where sanitizers make them slow.
TEST_ENVIRONMENT := NAVETTE_BUILD=$(abspath $(BUILD)) UBSAN_OPTIONS=print_stacktrace=1
ifneq ($(SAN),)
TEST_ENVIRONMENT += NAVETTE_PATIENCE=$${NAVETTE_PATIENCE:-180} RESIDENT_MIB=$${RESIDENT_MIB:-1024}
endif

test: deps
	@+$(AGAIN) all $(UNIT_TESTS) $(SIM_TESTS) $(SIMULATE) $(FAULT_TESTS) $(FUZZERS)
	@+$(MAKE) --no-print-directory run-tests

# One after the other: the first group that fails ends the run.
run-tests:
	@$(MAKE) --no-print-directory test-unit
	@$(MAKE) --no-print-directory test-property
	@$(MAKE) --no-print-directory test-sim
	@$(MAKE) --no-print-directory test-fault
	@$(MAKE) --no-print-directory test-fuzz
	@$(MAKE) --no-print-directory test-system
	@echo "All tests passed."

test-unit: $(UNIT_TESTS)
	@echo "== unit tests"
	@set -e; for test in $(filter-out $(PROPERTY_TESTS),$(UNIT_TESTS)); do \
	    echo "-- $$(basename $$test)"; $(TEST_ENVIRONMENT) $$test; \
	done

test-property: $(PROPERTY_TESTS)
	@echo "== property tests of the merge, and of what counts"
	@set -e; for test in $(PROPERTY_TESTS); do \
	    echo "-- $$(basename $$test)"; $(TEST_ENVIRONMENT) $$test; \
	done

# SEEDS=1..500: which seeds are simulated.
SEEDS ?= 600
test-sim: $(SIM_TESTS) $(SIMULATE)
	@echo "== simulation"
	@set -e; for test in $(SIM_TESTS); do \
	    echo "-- $$(basename $$test)"; $(TEST_ENVIRONMENT) $$test; \
	done
	@set -e; for plan in $(wildcard tests/sim/found/*.plan); do $(SIMULATE) --plan $$plan --bare; done
	@set -e; for jobs in 1 2; do \
	    $(SIMULATE) --seeds 12 --jobs $$jobs --hashes | grep ^seed | sort >$(BUILD)/tests/sim/hashes.$$jobs; \
	done
	@cmp $(BUILD)/tests/sim/hashes.1 $(BUILD)/tests/sim/hashes.2
	@echo "One seed is one run, whatever ran before it in the same process."
	@$(SIMULATE) --seeds $(SEEDS) --jobs $(JOBS)

# With NAVETTE_FAULT_ALL=1 in the environment: at every allocation and every call, which takes hours.
test-fault: $(FAULT_TESTS)
	@echo "== failing memory and disks"
	@set -e; for test in $(FAULT_TESTS); do \
	    echo "-- $$(basename $$test)"; $(TEST_ENVIRONMENT) $$test; \
	done

# What the fuzzers keep in the tree, each file whole, cut short and with bits turned.
test-fuzz: $(FUZZERS)
	@echo "== corpora of the fuzzers"
	@set -e; for fuzzer in $(FUZZERS); do \
	    name=$$(basename $$fuzzer); $(TEST_ENVIRONMENT) $$fuzzer tests/fuzz/corpus/$${name#fuzz_}; \
	done

test-system: all
	@echo "== system tests"
	@$(TEST_ENVIRONMENT) $(PYTHON) -m pytest -q -p no:cacheprovider tests/system

# ---- what takes longer ----

# The simulation must find every bug that is planted on purpose, in a build of its own, and nothing where none is awake.
PLANTED_BUILD := $(BUILD)$(if $(PLANTED),,-planted)
test-planted: deps
	@+$(AGAIN) PLANTED=1 BUILD=$(PLANTED_BUILD) $(PLANTED_BUILD)/tests/sim/simulate
	@$(PYTHON) tests/sim/planted.py $(PLANTED_BUILD)/tests/sim/simulate

# make check-long SEEDS=20000 KILLS=3000: so many seeds of the simulator, then real processes under real faults; with
# QUICK=1 the simulator alone. More variables: KILLS_A_SECOND JOINS ROUNDS LINE_SECONDS RESIDENT_MIB NAMESPACE_SECONDS
# CLOCK_SECONDS PARTS SEED (tests/long). What is given to make is in the environment of what it calls.
check-long: deps
	@deploy/install-deps nftables iproute2 e2fsprogs libfaketime
	@+$(AGAIN) all $(SIMULATE)
	@$(TEST_ENVIRONMENT) $(PYTHON) tests/long/check-long

# make fuzz TIME=60 TARGET=op FUZZ_JOBS=2: each target, or that one, for so many seconds, so many at once.
TIME ?= 60
TARGET ?=
FUZZ_JOBS ?= 1
FUZZ_BUILD := build-fuzz
fuzzers: $(FUZZERS)
fuzz:
	@deploy/install-deps libclang-rt-14-dev
	@+$(AGAIN) CC=clang SAN=fuzzer-no-link,address,undefined BUILD=$(FUZZ_BUILD) FUZZING=1 fuzzers
	@tests/fuzz/run $(FUZZ_BUILD) $(TIME) $(FUZZ_JOBS) $(TARGET)

# Writes the corpora that come from our own encoders anew.
fuzz-seeds: $(FUZZ_SEEDS)
	@$< tests/fuzz/corpus

# Which branches the tests take, a layer at a time; ends with 1 where a layer has less than it must (deploy/coverage).
# What counts is what these targets run: another one joins by its name. The system tests do not count: a daemon
# that is killed writes no counters, so that the figures would vary with the time of the kill.
COVERED_TESTS := test-unit test-property test-sim test-fault test-fuzz
coverage: export NAVETTE_TEST_SCHEDULES ?= 40
coverage:
	@deploy/install-deps gcovr
	@mkdir -p build-coverage && find build-coverage -name '*.gcda' -delete
	@+set -e; for tests in $(COVERED_TESTS); do $(AGAIN) COVERAGE=1 CC=gcc SEEDS=60 $$tests; done
	@deploy/coverage build-coverage

bench: all $(BENCHES)
	@$(BUILD)/tests/bench/bench_store
	@$(BUILD)/tests/bench/bench_sealed
	@$(TEST_ENVIRONMENT) $(BUILD)/tests/bench/bench_daemons
