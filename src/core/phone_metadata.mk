# Phone metadata: the generated tables, and comparing the engine with its reference.
# Needs node and npm; neither build nor tests do.
PHONE_TOOL = $(VPATH_SRC)src/phone_metadata
PHONE_ROWS ?= 200000
PHONE_SEED ?= 1

# Another version: npm install --package-lock-only google-libphonenumber@VERSION in
# src/phone_metadata, then this; the difference of phone_tables.c shows what changed.
metadata: $(PHONE_TOOL)/node_modules/.package-lock.json
	node $(PHONE_TOOL)/generate.js $(VPATH_SRC)src/core/phone_tables.c
$(PHONE_TOOL)/node_modules/.package-lock.json: $(PHONE_TOOL)/package-lock.json
	cd $(PHONE_TOOL) && npm ci --no-audit --no-fund
	@touch $@

# What the reference says about made-up numbers of every kind, against what we say.
phone-differential: $(PHONE_TOOL)/node_modules/.package-lock.json build/unit/phone_parity_test
	@mkdir -p build
	node $(PHONE_TOOL)/oracle.js --corpus $(PHONE_SEED) $(PHONE_ROWS) > build/phone-differential.tsv
	build/unit/phone_parity_test build/phone-differential.tsv

# libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer (clang); the scripts that
# run it: .ci/fuzz-phone
FUZZ_CC ?= clang
PHONE_FUZZ_SRC = $(wildcard $(VPATH_SRC)src/core/phone*.c $(VPATH_SRC)src/core/caller*.c)
build/fuzz/phone_fuzz: $(VPATH_SRC)test/fuzz/phone_fuzz.c $(PHONE_FUZZ_SRC) $(wildcard $(VPATH_SRC)src/core/phone*.h $(VPATH_SRC)src/core/caller*.h)
	@mkdir -p $(@D)
	$(FUZZ_CC) -std=c11 -D_DEFAULT_SOURCE -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	  -I$(VPATH_SRC)src -o $@ $< $(PHONE_FUZZ_SRC)
.PHONY: metadata phone-differential
