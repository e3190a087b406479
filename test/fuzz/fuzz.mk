# libFuzzer targets with AddressSanitizer and UndefinedBehaviorSanitizer (clang); what runs them:
# .ci/fuzz-NAME. The phone parser's stands with its tables in src/core/phone_metadata.mk.
INGEST_FUZZ_SRC = $(patsubst %,$(VPATH_SRC)src/core/%.c,preset value_spec call_document event_type instant header_set json_body \
                    merge merge_tree signature signature_scheme signed_text crypto secret_mask redact docerror jansson_object)
build/fuzz/ingest_fuzz: $(VPATH_SRC)test/fuzz/ingest_fuzz.c $(INGEST_FUZZ_SRC) $(wildcard $(VPATH_SRC)src/core/*.h)
	@mkdir -p $(@D)
	$(FUZZ_CC) -std=c11 -D_DEFAULT_SOURCE -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	  -I$(VPATH_SRC)src -o $@ $< $(INGEST_FUZZ_SRC) -ljansson -lcrypto -lm

# The front door's verdict on signatures as a program, for the SDK lane (test/sdk)
build/webhook_verify: $(VPATH_SRC)test/sdk/webhook_verify.c build/libcore.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -o $@ $< build/libcore.a -ljansson -lcrypto -lm
