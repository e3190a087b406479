# Self-contained commands: a throw-away server made of the installed PostgreSQL plus
# the files just built, as root or as a plain user, without touching the system's
# own PostgreSQL. PGXS owns the target "check" (it only prints that it is not
# supported), so ours is called "test".
TI   = $(CURDIR)/tmp_install
TC   = $(CURDIR)/tmp_check
TBIN = $(TI)$(bindir)
TCONF = fsync=off\nshared_buffers=128MB\n
# initdb and postgres refuse uid 0
# (SERVER_ENV: more environment for the server and its clients, for sanitizers)
ASUSER = $(abspath $(VPATH_SRC)test/as-user.sh) $(TI) $(TC) $(if $(SERVER_ENV),env $(SERVER_ENV))

CORE_SRC   = $(sort $(wildcard $(VPATH_SRC)src/core/*.c))
UNIT_SRC   = $(sort $(wildcard $(VPATH_SRC)test/unit/*_test.c))
UNIT_BIN   = $(patsubst $(VPATH_SRC)test/unit/%.c,build/unit/%,$(UNIT_SRC))
UNIT_CFLAGS = -std=c11 -g -O1 -D_DEFAULT_SOURCE -Wall -Wextra -Werror -I$(VPATH_SRC)src -DCALLSYNC_VERSION=\"$(EXTVERSION)\" -MMD -MP $(UNIT_EXTRA)
UNIT_OBJ   = $(patsubst $(VPATH_SRC)src/core/%.c,build/core/%.o,$(CORE_SRC))

# What a machine with only git and make can run: what is missing gets installed, then make
# starts anew, now with a pg_config. Suites run one after another, only compiling goes in
# parallel. -k: a failing suite does not hide the ones behind it.
SUBMAKE = $(MAKE) -s -k --no-print-directory -f $(firstword $(MAKEFILE_LIST)) with_llvm=no
test demo bench:
	@sh $(abspath $(VPATH_SRC)test/bootstrap.sh) $@ "$(PG_CONFIG)"
	@echo "Compiling..."
	+@$(SUBMAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) build-$@
	+@$(SUBMAKE) do-$@
build-demo build-bench: all
build-test: all $(UNIT_BIN)
do-test:
	+@rc=0; for suite in unit test-regress test-isolation test-sandbox test-tap; do $(SUBMAKE) $$suite || rc=1; done; exit $$rc
.PHONY: test demo bench build-test build-demo build-bench do-test do-demo do-bench

build/core/%.o: $(VPATH_SRC)src/core/%.c build/flags
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -c -o $@ $<
build/libcore.a: $(UNIT_OBJ)
	rm -f $@ && ar rcs $@ $(UNIT_OBJ)
build/unit/%: $(VPATH_SRC)test/unit/%.c build/libcore.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -o $@ $< build/libcore.a -ljansson -lcrypto -lm
-include $(wildcard build/core/*.d build/unit/*.d)
unit: $(UNIT_BIN)
	@fail=0; for t in $(UNIT_BIN); do $$t || fail=1; done; exit $$fail

# Another PostgreSQL needs another copy of it
build/server: force-check
	@mkdir -p $(@D); echo '$(bindir) $(VERSION)' | cmp -s - $@ || echo '$(bindir) $(VERSION)' > $@
$(TI)/.base: build/server
	rm -rf $(TI) && mkdir -p $(TBIN) $(TI)$(pkglibdir) $(TI)$(datadir)
	cp -L $(bindir)/* $(TBIN)/
	cp -as $(pkglibdir)/. $(TI)$(pkglibdir)/
	cp -as $(datadir)/. $(TI)$(datadir)/
	@# JIT needs an LLVM that a light root does not have, and no test is about it
	rm -f $(TI)$(pkglibdir)/llvmjit.so
	touch $@
ifneq ($(PGXS),)
temp-install: all $(TI)/.base
	@rm -f $(TI)$(datadir)/extension/callsync*
	@$(MAKE) --no-print-directory -s -f $(firstword $(MAKEFILE_LIST)) install DESTDIR=$(TI) with_llvm=no
endif
# pg_regress of 15 looks for expected/ below the output folder, later ones below the
# current one: the link serves both.
test-regress: temp-install
	rm -rf $(TC)/regress && mkdir -p $(TC)/regress && printf "$(TCONF)" > $(TC)/regress/tmp.conf
	ln -s $(abspath $(VPATH_SRC))/expected $(TC)/regress/expected
	$(ASUSER) $(top_builddir)/src/test/regress/pg_regress --temp-instance=$(TC)/regress/inst --temp-config=$(TC)/regress/tmp.conf --bindir=$(TBIN) \
	  --no-locale --encoding=UTF8 $(REGRESS_OPTS) --outputdir=$(TC)/regress $(REGRESS) \
	  || { cat $(TC)/regress/regression.diffs; false; }
test-isolation: temp-install
	rm -rf $(TC)/iso && mkdir -p $(TC)/iso && printf "$(TCONF)max_prepared_transactions=10\n" > $(TC)/iso/tmp.conf
	ln -s $(abspath $(VPATH_SRC))/expected $(TC)/iso/expected
	$(if $(ISOLATION),$(ASUSER) $(top_builddir)/src/test/isolation/pg_isolation_regress --temp-instance=$(TC)/iso/inst --temp-config=$(TC)/iso/tmp.conf --bindir=$(TBIN) \
	  --no-locale --encoding=UTF8 $(ISOLATION_OPTS) --outputdir=$(TC)/iso $(ISOLATION) \
	  || { cat $(TC)/iso/regression.diffs; false; })
# The sandbox CRM tests itself, with node's own runner.
test-sandbox:
	cd $(VPATH_SRC). && node --test --test-reporter=spec $(patsubst $(VPATH_SRC)%,%,$(sort $(wildcard $(VPATH_SRC)test/sandbox/test/*.test.js)))
TAP ?= $(patsubst $(VPATH_SRC)%,%,$(sort $(wildcard $(VPATH_SRC)test/t/*.pl)))
test-tap: temp-install
	rm -rf $(TC)/tap && mkdir -p $(TC)/tap
	$(if $(TAP),cd $(VPATH_SRC). && TESTDIR='$(TC)/tap' TESTDATADIR='$(TC)/tap/data' TESTLOGDIR='$(TC)/tap/log' PATH="$(TBIN):$$PATH" PGPORT=65432 \
	  LANG=C.UTF-8 PG_TEST_INITDB_EXTRA_OPTS='--encoding=UTF8 --no-locale' \
	  PG_REGRESS='$(top_builddir)/src/test/regress/pg_regress' \
	  $(ASUSER) prove $(PROVE_FLAGS) -I $(top_builddir)/src/test/perl/ -I test/t/lib $(TAP))

# The demo's own script starts and stops its server and its sandbox below tmp_check/demo.
do-demo: temp-install
	rm -rf $(TC)/demo && mkdir -p $(TC)/demo
	@cd $(VPATH_SRC). && DEMODIR='$(TC)/demo' PATH="$(TBIN):$$PATH" $(ASUSER) test/demo/run
# Every bench/NAME/run prints its report; all of them together are bench.txt below build/.
do-bench: temp-install
	rm -rf $(TC)/bench && mkdir -p $(TC)/bench build
	@cd $(VPATH_SRC). && BENCHDIR='$(TC)/bench' PATH="$(TBIN):$$PATH" test/run-bench.sh '$(CURDIR)/build/bench.txt' $(ASUSER)
.PHONY: unit temp-install test-regress test-isolation test-sandbox test-tap
