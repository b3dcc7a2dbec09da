# make · make demo · make test · make check-source · make bench · make install DESTDIR= PREFIX=
# SAN=address,undefined builds a variant with sanitizers in a folder of its own; V=1 shows the commands.
CC ?= gcc
PREFIX ?= /usr/local
SAN ?=
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
PYTHON ?= /usr/bin/python3

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wvla -Wswitch-enum -Wimplicit-fallthrough -Werror
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -Idaemon -I. -I$(BUILD)/generated
ALL_CFLAGS := -std=c17 $(CFLAGS) $(WARNINGS) -fstack-protector-strong -fPIE $(SANITIZE)
LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANITIZE)
LDLIBS += -lzmq -lprotobuf-c -lsqlite3 -lsodium -lzstd -linih -ljansson -lm

LIBRARY_SOURCES := $(wildcard daemon/base/*.c daemon/core/*.c daemon/wire/*.c daemon/store/*.c daemon/net/*.c)
CLIENT_SOURCES := $(wildcard client/*.c)
DAEMON_SOURCES := $(wildcard daemon/*.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_HELPERS := $(filter-out tests/unit/test_%.c,$(wildcard tests/unit/*.c))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/bench_*.c))
BENCH_HELPERS := $(filter-out tests/bench/bench_%.c,$(wildcard tests/bench/*.c))

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIBRARY := $(BUILD)/libnavette.a
GENERATED := $(BUILD)/generated/proto/navette.pb-c.c $(BUILD)/generated/store/migrations.c
GENERATED_OBJECTS := $(GENERATED:.c=.o)

.PHONY: all demo test test-unit test-system check-source check-format bench install clean deps
all: $(BUILD)/navetted $(BUILD)/navette

$(BUILD)/navetted: $(call object,$(DAEMON_SOURCES)) $(LIBRARY)
$(BUILD)/navette: $(call object,$(CLIENT_SOURCES)) $(LIBRARY)
$(UNIT_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(call object,$(UNIT_HELPERS)) $(LIBRARY)
$(UNIT_TESTS): LDLIBS += -lcmocka
$(BENCHES): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(call object,$(BENCH_HELPERS)) $(LIBRARY)
$(BUILD)/navetted $(BUILD)/navette $(UNIT_TESTS) $(BENCHES):
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

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
