# callsync: PGXS build. "make", "make install", "make installcheck" as any extension.
# "make test" and "make demo" need nothing but git and make: they install what is missing
# (test/bootstrap.sh) and bring their own throw-away server (test/self_contained.mk).
EXTENSION   = callsync
VPATH_SRC   = $(dir $(firstword $(MAKEFILE_LIST)))
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(VPATH_SRC)callsync.control)
MODULE_big  = callsync

SRC_ROWS  = core pg store fn engine worker
OBJS      = $(patsubst $(VPATH_SRC)%.c,%.o,$(sort $(wildcard $(SRC_ROWS:%=$(VPATH_SRC)src/%/*.c))))
SQL_PARTS = $(sort $(wildcard $(VPATH_SRC)sql/[0-9][0-9]_*.sql))
CONNECTORS = $(sort $(wildcard $(VPATH_SRC)sql/connectors/*.json))
PRESETS    = $(sort $(wildcard $(VPATH_SRC)sql/presets/*.json))

DATA_built  = callsync--$(EXTVERSION).sql
DATA        = $(wildcard $(VPATH_SRC)sql/upgrade/callsync--*.sql)
EXTRA_CLEAN = callsync--$(EXTVERSION).sql callsync--$(EXTVERSION).sql.tmp tmp_check tmp_install results output_iso \
              regression.diffs regression.out build $(OBJS:.o=.d)

REGRESS      = $(patsubst $(VPATH_SRC)test/sql/%.sql,%,$(sort $(wildcard $(VPATH_SRC)test/sql/*.sql)))
REGRESS_OPTS = --inputdir=$(VPATH_SRC)test --load-extension=pgcrypto --load-extension=callsync
ISOLATION      = $(patsubst $(VPATH_SRC)test/specs/%.spec,%,$(sort $(wildcard $(VPATH_SRC)test/specs/iso_*.spec)))
ISOLATION_OPTS = --inputdir=$(VPATH_SRC)test --outputdir=. --load-extension=pgcrypto --load-extension=callsync

PG_CPPFLAGS = -I$(VPATH_SRC)src -DCALLSYNC_VERSION=\"$(EXTVERSION)\"
PG_CFLAGS   = -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-declaration-after-statement \
              -MMD -MP $(CALLSYNC_CFLAGS)
# json_object() exists in the server too: src/pg/jansson_server.h
SHLIB_LINK  = -lcurl -ljansson -lcrypto -Wl,--wrap=json_object

PG_CONFIG ?= pg_config
# pgxs.mk alone comes with Debian's client package; the headers make it a build environment
PGXS := $(if $(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h),$(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null)))
ifneq ($(PGXS),)
include $(PGXS)
ifneq ($(filter 9.% 10 11 12 13 14,$(MAJORVERSION)),)
$(error callsync needs PostgreSQL 15 or newer, $(PG_CONFIG) is of $(MAJORVERSION))
endif

# One install script from numbered parts; connector documents are data and go in as jsonb.
callsync--$(EXTVERSION).sql: $(SQL_PARTS) $(CONNECTORS) $(PRESETS) $(VPATH_SRC)sql/build-script.sh $(VPATH_SRC)callsync.control
	@$(VPATH_SRC)sql/build-script.sh $(SQL_PARTS) -- $(CONNECTORS) $(PRESETS) > $@.tmp && mv $@.tmp $@

# A header edit rebuilds its users (the .d files that -MMD writes; bitcode, which PGXS compiles
# without our flags, follows its object), and so does another PostgreSQL, other flags, or another version.
-include $(wildcard $(OBJS:.o=.d))
$(OBJS): build/flags
SERVER_OBJS = $(filter-out src/core/%,$(OBJS))
$(SERVER_OBJS) $(SERVER_OBJS:.o=.bc): private CPPFLAGS += -include $(VPATH_SRC)src/pg/jansson_server.h
$(OBJS:.o=.bc): %.bc: %.o
ifneq ($(VPATH_SRC),./)
ifneq ($(wildcard $(addprefix $(VPATH_SRC),$(OBJS) $(DATA_built))),)
$(error $(VPATH_SRC) holds files of a build of its own, which make would take for ours: run "make clean" there first)
endif
# VPATH builds (pg_buildext): objects need their folders, pg_regress looks for expected/ below "."
$(shell mkdir -p $(SRC_ROWS:%=src/%) && ln -sfn $(abspath $(VPATH_SRC))/expected expected)
endif
else
# make, make install and the like without a server to build for
PGXS_TARGETS = all install installdirs uninstall installcheck temp-install
.DEFAULT_GOAL = all
$(PGXS_TARGETS):
	@echo 'callsync: no PostgreSQL server development files: "$(PG_CONFIG)" names no server headers (postgres.h).' >&2; \
	 echo 'Install them (Debian: postgresql-server-dev-NN), or say make PG_CONFIG=/path/to/pg_config,' >&2; \
	 echo 'or run make test or make demo, which install what they need.' >&2; exit 1
clean distclean maintainer-clean:
	rm -rf callsync.so $(OBJS) $(OBJS:.o=.bc) $(EXTRA_CLEAN)
.PHONY: $(PGXS_TARGETS) clean distclean maintainer-clean
endif

build/flags: force-check
	@mkdir -p $(@D); echo '$(VERSION) $(EXTVERSION) $(CC) $(subst ','\'',$(CPPFLAGS) $(CFLAGS) $(UNIT_EXTRA))' > $@.new; \
	 if cmp -s $@.new $@; then rm -f $@.new; else mv -f $@.new $@; fi
.PHONY: force-check

include $(VPATH_SRC)test/self_contained.mk
include $(VPATH_SRC)src/core/phone_metadata.mk
include $(VPATH_SRC)test/fuzz/fuzz.mk
