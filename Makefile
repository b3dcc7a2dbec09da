# make · make demo · make test · make fuzz · make check-source · make check-format · make bench
# make install DESTDIR= PREFIX=
# SAN=address,undefined builds a variant with sanitizers in a folder of its own; V=1 shows the commands.
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
DESTDIR ?=
SAN ?=
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
PYTHON ?= /usr/bin/python3
CLANG_FORMAT ?= clang-format
JOBS ?= $(shell nproc)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wvla -Wswitch-enum -Wimplicit-fallthrough -Werror
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -Idaemon -I. -I$(BUILD)/generated
ALL_CFLAGS := -std=c17 $(CFLAGS) $(WARNINGS) -fstack-protector-strong -fPIE $(SANITIZE)
LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANITIZE)
LDLIBS += -lzmq -lprotobuf-c -lsqlite3 -lsodium -lzstd -linih -ljansson -lm

LIBRARY_SOURCES := $(wildcard daemon/base/*.c daemon/core/*.c daemon/wire/*.c daemon/store/*.c daemon/store/*/*.c daemon/net/*.c)
CLIENT_SOURCES := $(wildcard client/*.c)
DAEMON_SOURCES := $(wildcard daemon/*.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
# Random schedules against a model: they run after the unit tests, under a heading of their own.
PROPERTY_TESTS := $(filter $(BUILD)/tests/unit/test_merge_%,$(UNIT_TESTS))
UNIT_HELPERS := $(filter-out tests/unit/test_%.c,$(wildcard tests/unit/*.c))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/bench_*.c))
BENCH_HELPERS := $(filter-out tests/bench/bench_%.c,$(wildcard tests/bench/*.c))
# Each target runs over its corpus as a test, with a main of ours; with FUZZING=1 libFuzzer drives it.
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_HELPERS := tests/fuzz/parts.c tests/fuzz/messages.c tests/fuzz/node.c tests/fuzz/schema_store.c $(if $(FUZZING),,tests/fuzz/replay.c) daemon/config.c \
                $(addprefix tests/unit/,dice.c merge_schedule.c model.c)

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIBRARY := $(BUILD)/libnavette.a
GENERATED := $(BUILD)/generated/proto/navette.pb-c.c $(BUILD)/generated/store/migrations.c
GENERATED_OBJECTS := $(GENERATED:.c=.o)

.PHONY: all demo test run-tests test-unit test-property test-fuzz test-system fuzzers fuzz fuzz-seeds check-source check-format bench install clean deps
all: $(BUILD)/navetted $(BUILD)/navette

$(BUILD)/navetted: $(call object,$(DAEMON_SOURCES)) $(LIBRARY)
$(BUILD)/navette: $(call object,$(CLIENT_SOURCES)) $(LIBRARY)
$(UNIT_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(call object,$(UNIT_HELPERS)) $(LIBRARY)
$(UNIT_TESTS): LDLIBS += -lcmocka
$(BENCHES): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(call object,$(BENCH_HELPERS)) $(LIBRARY)
$(FUZZERS): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(call object,$(FUZZ_HELPERS)) $(LIBRARY)
$(FUZZERS): LDFLAGS += $(if $(FUZZING),-fsanitize=fuzzer)
$(BUILD)/tests/fuzz/seeds: $(call object,tests/fuzz/seeds.c tests/fuzz/parts.c tests/fuzz/messages.c tests/unit/dice.c) $(LIBRARY)
$(BUILD)/navetted $(BUILD)/navette $(UNIT_TESTS) $(BENCHES) $(FUZZERS) $(BUILD)/tests/fuzz/seeds:
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
	@+$(AGAIN) all $(UNIT_TESTS) $(FUZZERS)
	@+$(MAKE) --no-print-directory run-tests

# One after the other: the first group that fails ends the run.
run-tests:
	@$(MAKE) --no-print-directory test-unit
	@$(MAKE) --no-print-directory test-property
	@$(MAKE) --no-print-directory test-fuzz
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

# What the fuzzers keep in the tree, each file whole, cut short and with bits turned.
test-fuzz: $(FUZZERS)
	@echo "== corpora of the fuzzers"
	@set -e; for fuzzer in $(FUZZERS); do \
	    name=$$(basename $$fuzzer); $(TEST_ENVIRONMENT) $$fuzzer tests/fuzz/corpus/$${name#fuzz_}; \
	done

test-system: all
	@echo "== system tests"
	@$(TEST_ENVIRONMENT) $(PYTHON) -m pytest -q -p no:cacheprovider tests/system

fuzzers: $(FUZZERS)

# make fuzz TIME=60 TARGET=op FUZZ_JOBS=2: each target, or that one, for so many seconds, so many at once.
TIME ?= 60
TARGET ?=
FUZZ_JOBS ?= 1
FUZZ_BUILD := build-fuzz
fuzz:
	@deploy/install-deps libclang-rt-14-dev
	@+$(AGAIN) CC=clang SAN=fuzzer-no-link,address,undefined BUILD=$(FUZZ_BUILD) FUZZING=1 fuzzers
	@tests/fuzz/run $(FUZZ_BUILD) $(TIME) $(FUZZ_JOBS) $(TARGET)

# Writes the corpora that come from our own encoders anew.
fuzz-seeds: $(BUILD)/tests/fuzz/seeds
	@$< tests/fuzz/corpus

bench: all $(BENCHES)
	@$(BUILD)/tests/bench/bench_store
	@$(TEST_ENVIRONMENT) $(BUILD)/tests/bench/bench_daemons

check-source: $(LIBRARY) $(call object,$(DAEMON_SOURCES) $(CLIENT_SOURCES))
	@deploy/check-source $(BUILD)

check-format:
	@$(CLANG_FORMAT) --dry-run -Werror $$(find daemon client tests -name '*.[ch]')
	@echo "The sources are formatted as .clang-format says."

install: all
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
