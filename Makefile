# make · make demo · make test · make coverage · make check-source · make check-format · make bench ·
# make install DESTDIR= PREFIX=
# make check-long SEEDS=20000 KILLS=3000 runs the simulator over so many seeds, then real processes under real faults; with
# QUICK=1 the simulator alone. More variables: ROUNDS LINE_SECONDS NAMESPACE_SECONDS CLOCK_SECONDS PARTS SEED (tests/long).
# SAN=address,undefined builds a variant with sanitizers in a folder of its own, COVERAGE=1 one that counts branches,
# PLANTED=1 one that holds bugs on purpose (daemon/base/planted.h); V=1 shows the commands.
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
DESTDIR ?=
SAN ?=
PLANTED ?=
COVERAGE ?=
BUILD ?= build$(if $(PLANTED),-planted)$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(COVERAGE),-coverage)
comma := ,
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
PYTHON ?= /usr/bin/python3
CLANG_FORMAT ?= clang-format
JOBS ?= $(shell nproc)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wvla -Wswitch-enum -Wimplicit-fallthrough -Werror
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Unoptimised, so that what gcov counts is what the source says; what was generated is not counted.
COUNT := $(if $(COVERAGE),--coverage)
CFLAGS ?= $(if $(COVERAGE),-O0,-O2) -g
CPPFLAGS += -D_GNU_SOURCE $(if $(PLANTED),-DNAVETTE_PLANTED) -Idaemon -I. -I$(BUILD)/generated
ALL_CFLAGS := -std=c17 $(CFLAGS) $(WARNINGS) -fstack-protector-strong -fPIE $(SANITIZE) $(COUNT)
LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANITIZE) $(COUNT)
LDLIBS += -lzmq -lprotobuf-c -lsqlite3 -lsodium -lzstd -linih -ljansson -lm

LIBRARY_SOURCES := $(wildcard daemon/base/*.c daemon/core/*.c daemon/wire/*.c daemon/store/*.c daemon/store/*/*.c daemon/net/*.c)
ifeq ($(PLANTED),)
LIBRARY_SOURCES := $(filter-out daemon/base/planted.c,$(LIBRARY_SOURCES))
endif
CLIENT_SOURCES := $(wildcard client/*.c)
DAEMON_SOURCES := $(wildcard daemon/*.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
# Random schedules against a model: they run after the unit tests, under a heading of their own.
PROPERTY_TESTS := $(filter $(BUILD)/tests/unit/test_merge_%,$(UNIT_TESTS))
UNIT_HELPERS := $(filter-out tests/unit/test_%.c,$(wildcard tests/unit/*.c))
# The simulator: the daemon as it is, but for its loop, over a clock, a network and a disk of the tests' own. Those stand
# before the library on the linker's line, so that the library's are not taken.
SIM_TESTS := $(patsubst tests/sim/%.c,$(BUILD)/tests/sim/%,$(wildcard tests/sim/test_*.c))
SIMULATE := $(BUILD)/tests/sim/simulate
SIM_HELPERS := $(filter-out tests/sim/test_%.c tests/sim/simulate.c,$(wildcard tests/sim/*.c)) \
               tests/unit/dice.c tests/unit/model.c $(filter-out daemon/main.c daemon/notify.c,$(DAEMON_SOURCES))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/bench_*.c))
BENCH_HELPERS := $(filter-out tests/bench/bench_%.c,$(wildcard tests/bench/*.c))

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIBRARY := $(BUILD)/libnavette.a
GENERATED := $(BUILD)/generated/proto/navette.pb-c.c $(BUILD)/generated/store/migrations.c
GENERATED_OBJECTS := $(GENERATED:.c=.o)

.PHONY: all demo test run-tests test-unit test-property test-sim test-system test-planted check-long coverage \
        check-source check-format bench install clean deps
all: $(BUILD)/navetted $(BUILD)/navette

$(BUILD)/navetted: $(call object,$(DAEMON_SOURCES)) $(LIBRARY)
$(BUILD)/navette: $(call object,$(CLIENT_SOURCES)) $(LIBRARY)
$(UNIT_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(call object,$(UNIT_HELPERS)) $(LIBRARY)
$(UNIT_TESTS): LDLIBS += -lcmocka
$(SIM_TESTS) $(SIMULATE): $(BUILD)/tests/sim/%: $(BUILD)/tests/sim/%.o $(call object,$(SIM_HELPERS)) $(LIBRARY)
$(SIM_TESTS): LDLIBS += -lcmocka
$(BENCHES): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(call object,$(BENCH_HELPERS)) $(LIBRARY)
$(BUILD)/navetted $(BUILD)/navette $(UNIT_TESTS) $(SIM_TESTS) $(SIMULATE) $(BENCHES):
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(call object,$(LIBRARY_SOURCES)) $(GENERATED_OBJECTS)
	@echo "ar    $@"
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c $(BUILD)/generated/proto/navette.pb-c.c
	@mkdir -p $(@D)
	@echo "cc    $<"
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Generated code is compiled as it is: our warnings are about our own.
$(GENERATED_OBJECTS): %.o: %.c
	$(Q)$(CC) $(CPPFLAGS) -std=c17 $(CFLAGS) -fPIE $(SANITIZE) -c -o $@ $<

$(BUILD)/generated/proto/navette.pb-c.c: proto/navette.proto
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=proto --c_out=$(@D) $<

$(BUILD)/generated/store/migrations.c: $(sort $(wildcard daemon/store/sql/*.sql)) daemon/store/sql/embed.awk
	@mkdir -p $(@D)
	$(Q)awk -f daemon/store/sql/embed.awk $(filter %.sql,$^) > $@.part && mv $@.part $@

# ---- what people and machines ask for ----

# Tools may be missing on a machine that was just set up, so what needs them is made by a second make.
AGAIN = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))
# The programs under test, and more patience where sanitizers make them slow.
TEST_ENVIRONMENT := NAVETTE_BUILD=$(abspath $(BUILD)) UBSAN_OPTIONS=print_stacktrace=1
ifneq ($(SAN),)
TEST_ENVIRONMENT += NAVETTE_PATIENCE=$${NAVETTE_PATIENCE:-180}
endif

deps:
	@deploy/install-deps

demo: deps
	@+$(AGAIN) all
	@$(PYTHON) deploy/demo/demo.py $(BUILD)

test: deps
	@+$(AGAIN) all $(UNIT_TESTS) $(SIM_TESTS) $(SIMULATE)
	@+$(MAKE) --no-print-directory run-tests

# One after the other: the first group that fails ends the run.
run-tests:
	@$(MAKE) --no-print-directory test-unit
	@$(MAKE) --no-print-directory test-property
	@$(MAKE) --no-print-directory test-sim
	@$(MAKE) --no-print-directory test-system
	@echo "All tests passed."

test-unit: $(UNIT_TESTS)
	@echo "== unit tests"
	@set -e; for test in $(filter-out $(PROPERTY_TESTS),$(UNIT_TESTS)); do \
	    echo "-- $$(basename $$test)"; $(TEST_ENVIRONMENT) $$test; \
	done

test-property: $(PROPERTY_TESTS)
	@echo "== property tests of the merge"
	@set -e; for test in $(PROPERTY_TESTS); do \
	    echo "-- $$(basename $$test)"; $(TEST_ENVIRONMENT) $$test; \
	done

test-sim: $(SIM_TESTS) $(SIMULATE)
	@echo "== simulation"
	@set -e; for test in $(SIM_TESTS); do \
	    echo "-- $$(basename $$test)"; $(TEST_ENVIRONMENT) $$test; \
	done

test-system: all
	@echo "== system tests"
	@$(TEST_ENVIRONMENT) $(PYTHON) -m pytest -q -p no:cacheprovider tests/system

# The simulation must find every bug that is planted on purpose, in a build of its own, and nothing where none is awake.
PLANTED_BUILD := $(BUILD)$(if $(PLANTED),,-planted)
test-planted: deps
	@+$(AGAIN) PLANTED=1 BUILD=$(PLANTED_BUILD) $(PLANTED_BUILD)/tests/sim/simulate
	@$(PYTHON) tests/sim/planted.py $(PLANTED_BUILD)/tests/sim/simulate

# What is given to make is in the environment of what it calls.
check-long: deps
	@deploy/install-deps nftables iproute2 e2fsprogs libfaketime
	@+$(AGAIN) all $(SIMULATE)
	@$(TEST_ENVIRONMENT) $(PYTHON) tests/long/check-long

bench: all $(BENCHES)
	@$(BUILD)/tests/bench/bench_store
	@$(TEST_ENVIRONMENT) $(BUILD)/tests/bench/bench_daemons

# Which branches the tests take, a layer at a time; ends with 1 where a layer has less than it must (deploy/coverage).
# What counts is what these targets run: another one joins by its name. The system tests do not count: a daemon
# that is killed writes no counters, so that the figures would vary with the time of the kill.
COVERED_TESTS := test-unit test-property test-sim
coverage: export NAVETTE_TEST_SCHEDULES ?= 40
coverage:
	@deploy/install-deps gcovr
	@mkdir -p build-coverage && find build-coverage -name '*.gcda' -delete
	@+set -e; for tests in $(COVERED_TESTS); do $(AGAIN) COVERAGE=1 CC=gcc $$tests; done
	@deploy/coverage build-coverage

check-source: $(LIBRARY) $(call object,$(DAEMON_SOURCES) $(CLIENT_SOURCES))
	@deploy/check-source $(BUILD)

check-format:
	@$(CLANG_FORMAT) --dry-run -Werror $$(find daemon client tests -name '*.[ch]')
	@echo "The sources are formatted as .clang-format says."

install: all
	$(if $(PLANTED),$(error a build with bugs on purpose is for the tests alone))
	install -D -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/navette $(BUILD)/navetted
	for page in $(wildcard deploy/man/*.[1-8]); do \
	    install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page || exit 1; \
	done
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|g' deploy/navetted.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/navetted.service
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/navetted.service
	install -D -m 644 deploy/navette.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/navette.conf
	install -D -m 644 deploy/navette.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/navette.conf

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
