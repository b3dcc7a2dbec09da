# make · make demo · make test · make install DESTDIR= PREFIX= · make check-source · make check-translations ·
# make check-format · make bench
# What takes longer: make coverage · make fuzz TIME= · make test-planted · make check-long SEEDS= (tests/tests.mk).
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
LDLIBS += -lzmq -lprotobuf-c -lsqlite3 -lsodium -lzstd -linih -ljansson -lcsv -lm

LIBRARY_SOURCES := $(wildcard daemon/base/*.c daemon/core/*.c daemon/wire/*.c daemon/store/*.c daemon/store/*/*.c daemon/net/*.c)
ifeq ($(PLANTED),)
LIBRARY_SOURCES := $(filter-out daemon/base/planted.c,$(LIBRARY_SOURCES))
endif
CLIENT_SOURCES := $(wildcard client/*.c client/*/*.c)
DAEMON_SOURCES := $(wildcard daemon/*.c)

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIBRARY := $(BUILD)/libnavette.a
GENERATED := $(BUILD)/generated/proto/navette.pb-c.c $(BUILD)/generated/store/migrations.c
GENERATED_OBJECTS := $(GENERATED:.c=.o)

CATALOGUES := $(patsubst client/po/%.po,$(BUILD)/locale/%/LC_MESSAGES/navette.mo,$(wildcard client/po/*.po))

.PHONY: all demo deps check-source check-translations check-format install clean
all: $(BUILD)/navetted $(BUILD)/navette $(CATALOGUES)

# Links what a program's rule names.
define LINK
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
endef

$(BUILD)/navetted: $(call object,$(DAEMON_SOURCES)) $(LIBRARY)
	$(LINK)
$(BUILD)/navette: $(call object,$(CLIENT_SOURCES)) $(LIBRARY)
	$(LINK)

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

# What people are told in other languages. A format that lacks what the English one prints is refused.
$(CATALOGUES): $(BUILD)/locale/%/LC_MESSAGES/navette.mo: client/po/%.po
	@mkdir -p $(@D)
	@echo "mo    $@"
	$(Q)msgfmt --check -o $@ $<

# ---- what people and machines ask for ----

# Tools may be missing on a machine that was just set up, so what needs them is made by a second make.
AGAIN = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

deps:
	@deploy/install-deps

demo: deps
	@+$(AGAIN) all
	@$(PYTHON) deploy/demo/demo.py $(BUILD)

include tests/tests.mk

check-source: $(LIBRARY) $(call object,$(DAEMON_SOURCES) $(CLIENT_SOURCES))
	@deploy/check-source $(BUILD)

check-translations:
	@deploy/check-translations

check-format:
	@$(CLANG_FORMAT) --dry-run -Werror $$(find daemon client tests -name '*.[ch]')
	@echo "The sources are formatted as .clang-format says."

install: all
	$(if $(PLANTED),$(error a build with bugs on purpose is for the tests alone))
	install -D -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/navette $(BUILD)/navetted
	for page in $(wildcard deploy/man/*.[1-8]); do \
	    install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page || exit 1; \
	done
	for catalogue in $(CATALOGUES:$(BUILD)/%=%); do \
	    install -D -m 644 $(BUILD)/$$catalogue $(DESTDIR)$(PREFIX)/share/$$catalogue || exit 1; \
	done
	cd deploy && for file in $$(find schools -type f ! -path '*/__pycache__/*'); do \
	    install -D -m $$([ -x $$file ] && echo 755 || echo 644) $$file $(DESTDIR)$(PREFIX)/share/navette/$$file || exit 1; \
	done
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|g' deploy/navetted.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/navetted.service
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/navetted.service
	install -D -m 644 deploy/navette.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/navette.conf
	install -D -m 644 deploy/navette.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/navette.conf

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
