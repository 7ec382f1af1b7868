# SPDX-License-Identifier: MIT
# ktutor: `make run` opens the tutor, `make test` runs every test. `make help` lists the rest.
BUILD  ?= build
PREFIX ?= /usr/local
CC     ?= cc
SAN    ?=
JOBS   ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)

ifneq ($(SAN),)
BUILD := $(BUILD)-san
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# Modules in the order of who may include whom; a module's objects are all .c files below its folder.
MODULES := base db cluster lessons checker labs tui cli
DEPS    := ncursesw yaml-0.1 sqlite3 libcurl gnutls zlib vterm md4c

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla \
	-Wcast-qual -Wwrite-strings -Wimplicit-fallthrough
OPT    ?= -O2 -g
# Homebrew keeps some libraries apart from the system's older ones, and its headers where no compiler looks.
ifeq ($(shell uname -s),Darwin)
BREW := $(shell brew --prefix 2>/dev/null)
ifneq ($(BREW),)
export PKG_CONFIG_PATH := $(BREW)/opt/ncurses/lib/pkgconfig:$(BREW)/opt/sqlite/lib/pkgconfig:$(BREW)/opt/curl/lib/pkgconfig:$(PKG_CONFIG_PATH)
CFLAGS += -I$(BREW)/include
LDFLAGS += -L$(BREW)/lib
endif
endif
DEPS_CFLAGS = $(shell pkg-config --cflags $(DEPS) 2>/dev/null)
DEPS_LIBS   = $(shell pkg-config --libs $(DEPS) 2>/dev/null) -lwslay -lm
CFLAGS_ALL = -std=c17 -D_GNU_SOURCE -I. -I$(BUILD)/gen $(DEFS) $(WARN) -fno-common -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2) \
	$(OPT) $(SANFLAGS) $(if $(WERROR),-Werror) $(DEPS_CFLAGS) $(CFLAGS)

sources = $(shell find $(1) -name '*.c' 2>/dev/null | sort)
objects = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))
LIBS    := $(foreach m,$(MODULES),$(if $(filter cli,$(m)),,$(BUILD)/lib$(m).a))
# A linker reads archives once: users first, base last.
LIBS_LINK := $(BUILD)/libtui.a $(BUILD)/liblabs.a $(BUILD)/libchecker.a $(BUILD)/liblessons.a $(BUILD)/libcluster.a $(BUILD)/libdb.a $(BUILD)/libbase.a
TESTS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(shell find tests -name 'test_*.c' 2>/dev/null | sort))

.PHONY: all clean
all: $(BUILD)/ktutor

$(BUILD)/ktutor: $(call objects,cli) $(LIBS_LINK)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(DEPS_LIBS)

define library
$(BUILD)/lib$(1).a: $(call objects,$(1))
	@rm -f $$@
	@mkdir -p $$(@D)
	$(AR) rcs $$@ $$^
endef
$(foreach m,$(filter-out cli,$(MODULES)),$(eval $(call library,$(m))))

# The rows of Kubernetes' kinds and fields as C.
SCHEMA_TABLES := $(addprefix cluster/schema/,fields.tsv more-fields.tsv go.tsv published.tsv text.tsv defaults.tsv storage.tsv kinds.tsv more-kinds.tsv columns.tsv more-columns.tsv)
$(BUILD)/gen/schema_tables.h: tools/schema-gen.awk $(SCHEMA_TABLES)
	@mkdir -p $(@D)
	LC_ALL=C awk -f tools/schema-gen.awk $(SCHEMA_TABLES) >$@.new && mv $@.new $@
$(BUILD)/cluster/schema/tables.o: $(BUILD)/gen/schema_tables.h
# The catalogue of images as C.
IMAGE_TABLES := cluster/kubelet/image-files.tsv cluster/kubelet/images.tsv
$(BUILD)/gen/image_tables.h: tools/images-gen.awk $(IMAGE_TABLES)
	@mkdir -p $(@D)
	LC_ALL=C awk -f tools/images-gen.awk $(IMAGE_TABLES) >$@.new && mv $@.new $@
$(BUILD)/cluster/kubelet/images.o: $(BUILD)/gen/image_tables.h

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Where kt_share() looks for the course; for one file only, so that a compiler cache serves every folder for the rest.
$(BUILD)/base/file.o: DEFS = -DKT_SOURCE_DIR='"$(CURDIR)"' -DKT_PREFIX_SHARE='"$(PREFIX)/share/ktutor"'

# A test is linked with its module and those below it.
libs_of = $(if $(filter base,$(1)),$(BUILD)/libbase.a,$(if $(filter db lessons cluster,$(1)),$(BUILD)/lib$(1).a $(BUILD)/libbase.a,$(LIBS_LINK)))
test_libs = $(call libs_of,$(firstword $(subst /, ,$(patsubst $(BUILD)/tests/%,%,$(1)))))
.SECONDEXPANSION:
$(BUILD)/tests/%: $(BUILD)/tests/%.o $$(call test_libs,$$@)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $< $(call test_libs,$@) -lcmocka $(DEPS_LIBS)

.PRECIOUS: $(BUILD)/%.o
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# The tests of one part: `make test-base`, `make test-cluster/store`.
test-%:
	@$(MAKE) --no-print-directory BUILD=$(BUILD) $(filter $(BUILD)/tests/$*/%,$(TESTS))
	@tests/run-programs $(filter $(BUILD)/tests/$*/%,$(TESTS))
# A pattern without a slash does not see folders within folders.
test-cluster/%:
	@$(MAKE) --no-print-directory BUILD=$(BUILD) $(filter $(BUILD)/tests/cluster/$*/%,$(TESTS))
	@tests/run-programs $(filter $(BUILD)/tests/cluster/$*/%,$(TESTS))

# The commands' tests run the program itself.
$(filter $(BUILD)/tests/cli/%,$(TESTS)): $(BUILD)/ktutor

# What things cost, beside their budgets: programs tests/bench/bench_NAME.c, which are given the program.
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard tests/bench/bench_*.c)))
$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(LIBS_LINK)
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $< $(LIBS_LINK) $(DEPS_LIBS)
.PHONY: bench
bench: $(BUILD)/ktutor $(BENCHES)
	@set -e; for b in $(BENCHES); do $$b $(BUILD)/ktutor; done

# Fuzz targets are tests/fuzz/fuzz_NAME.c, their inputs tests/fuzz/corpus/NAME; those of base need nothing else built.
FUZZ      := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_BASE := json yaml jsonpath scalars
SECONDS   ?= 60
fuzz_libs = $(if $(filter $(FUZZ_BASE),$(1)),,$(BUILD)/libcluster.a) $(BUILD)/libbase.a
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/fuzz_%.o $(if $(FUZZER),,$(BUILD)/tests/fuzz/replay.o) $$(call fuzz_libs,$$*)
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) $(FUZZER) $(LDFLAGS) -o $@ $(filter %.o,$^) $(call fuzz_libs,$*) $(DEPS_LIBS)

.PHONY: fuzz fuzz-blind fuzz-guided fuzz-replay fuzz-replay-run
# Every corpus once, under the sanitizers; any compiler does.
fuzz-replay:
	@$(MAKE) --no-print-directory SAN=address,undefined fuzz-replay-run
fuzz-replay-run: $(addprefix $(BUILD)/fuzz/,$(FUZZ))
	@set -e; for t in $(FUZZ); do $(BUILD)/fuzz/$$t tests/fuzz/corpus/$$t; done
# Look for new inputs with libFuzzer: make fuzz TARGET=json SECONDS=60. What it finds is left in build-fuzz/. Without clang the corpus is
# changed at random, and what was tried last is left in build-san/fuzz/TARGET.last.
fuzz:
	@test -n "$(filter $(TARGET),$(FUZZ))" || { echo "make fuzz TARGET=NAME, one of: $(FUZZ)"; exit 2; }
	@$(MAKE) --no-print-directory $(if $(shell command -v clang),fuzz-guided,fuzz-blind)
fuzz-blind:
	@$(MAKE) --no-print-directory SAN=address,undefined $(BUILD)-san/fuzz/$(TARGET)
	$(BUILD)-san/fuzz/$(TARGET) --mutate $(SECONDS) tests/fuzz/corpus/$(TARGET)
fuzz-guided:
	@$(MAKE) --no-print-directory CC="$(if $(findstring clang,$(CC)),$(CC),clang)" BUILD=$(BUILD)-fuzz SAN=address,undefined,fuzzer-no-link \
		FUZZER=-fsanitize=fuzzer $(BUILD)-fuzz/fuzz/$(TARGET)
	@mkdir -p $(BUILD)-fuzz/found/$(TARGET)
	$(BUILD)-fuzz/fuzz/$(TARGET) -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)-fuzz/ $(BUILD)-fuzz/found/$(TARGET) tests/fuzz/corpus/$(TARGET)

# --- what people type ---
.PHONY: run test test-run install uninstall lint help
LONGEST := tests/golden/test_golden.sh
SCRIPTS := $(filter-out $(LONGEST),$(shell find tests -name 'test_*.sh' 2>/dev/null | sort))

# Open the tutor. Installs what is missing first, and finds or fetches a kubectl.
run:
	@tools/setup build
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@kubectl=$$(tools/kubectl) && PATH="$$PATH:$$(dirname "$$kubectl")"; export PATH; exec $(BUILD)/ktutor

test:
	@tools/setup test
	@$(MAKE) --no-print-directory -s -j$(JOBS) test-run
test-run: all $(TESTS) $(addprefix $(BUILD)/fuzz/,$(FUZZ))
	@KTUTOR=$(CURDIR)/$(BUILD)/ktutor tests/run-programs $(LONGEST) $(TESTS) $(SCRIPTS) # what takes longest begins first

# Every lab on real clusters, where there are Docker or Podman and kind; KTUTOR_KIND_IMAGE names the nodes' image. LABS: only these.
.PHONY: test-kind
test-kind: all
	@KTUTOR=$(CURDIR)/$(BUILD)/ktutor tests/kind/run-kind $(LABS)

# Every solution changed bit by bit, of every lab: what no task notices is a hole, unless survivors.yaml says why. LABS: only these.
.PHONY: mutants
mutants: all
	@$(BUILD)/ktutor course test $(LABS) --mutate --parts solution

lint:
	@tools/setup lint
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@tools/lint $(BUILD)

SHARE = $(DESTDIR)$(PREFIX)/share/ktutor
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)
	install -m 755 $(BUILD)/ktutor $(DESTDIR)$(PREFIX)/bin/ktutor
	find lessons labs -type f \( -name '*.yaml' -o -name '*.md' \) | tar -cf - -T - | tar -xf - -C $(SHARE)
	find $(SHARE) -type d -exec chmod 755 {} + && find $(SHARE) -type f -exec chmod 644 {} +
uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/bin/ktutor $(SHARE)

help:
	@echo "make              build $(BUILD)/ktutor"
	@echo "make run          open the tutor (installs what is missing, asks first)"
	@echo "make test         every test; SAN=address,undefined: under the sanitizers"
	@echo "make test-PART    the tests of a part: test-base, test-cluster/store"
	@echo "make test-kind    every lab on real clusters (needs Docker or Podman, and kind)"
	@echo "make mutants      every lab's solution changed bit by bit: does a task notice?"
	@echo "make bench        what things cost, beside their budgets"
	@echo "make lint         who may include whom, formatting, the tools' opinions"
	@echo "make fuzz-replay  every fuzz corpus once; make fuzz TARGET=json SECONDS=60 looks for more"
	@echo "make install      PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)"

clean:
	rm -rf $(BUILD) $(BUILD)-san $(BUILD)-fuzz
