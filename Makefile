# SPDX-License-Identifier: MIT
#
#   make                 build ./uwsgi and plugins/*/*_plugin.so
#   make static          ./uwsgi-static too: the same with Python inside, which runs it faster
#   make check           install what is missing, build, pass every test
#   make fresh           as root: pip, demo and check in minimal Debians 12 and 13 (FRESH=trixie: one)
#   make fresh-deb      as root: the Debian packages, built, installed, used and purged there
#   make container       as root: the images of ini/container/, built and run (CONTAINER=trixie)
#   make dist            dist/: the archive of the sources, what is linked (CycloneDX), SHA256SUMS
#   make deb             dist/deb/: Debian's packages, for the Debian that builds them
#   make reproducible    build twice in two places, and compare every file
#   make lint            what cppcheck and clang-tidy find, some minutes (FILES=core/wire/*.c: there)
#   make format          the sources as clang-format has them; commit before, and look after
#   make coverage        which lines the tests run, a row for each source (TESTS=t/http: of these)
#   make page-check      the live page in a real browser, which this installs
#   make soak            MINUTES=20 of mixed load, reloads, kills; SEED= to do the same again
#   make apps            real applications on this server, uWSGI and gunicorn (APPS="--only django")
#   make bench           install the peers, measure them and this server in turn (BENCH=--full)
#   make fuzz            FUZZ_SECONDS=20 for each parser, then for whole connections of each
#                        protocol, against PROFILE=asan, which ./uwsgi is then; needs clang
#   make demo            install what is missing, build, serve a real application
#   make install         PREFIX=/usr/local DESTDIR=; make uninstall takes it away
#   make PROFILE=debug   another profile of buildconf/ (default, debug, asan, tsan)
#   make PYTHON=/path    another Python than /usr/bin/python3
#   make CROSS=aarch64-linux-gnu    for another processor (docs/installing.md)

PYTHON  ?= /usr/bin/python3
PROFILE ?= default
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib/uwsgi
# Objects of each profile and processor lie apart, so that none is taken for another's.
B       ?= build/$(PROFILE)$(CROSS:%=-%)

# For another processor: Debian's cross compiler, the libraries of that architecture, and what runs the
# program here when it is asked for its options.
PKG_CONFIG := $(if $(CROSS),PKG_CONFIG_LIBDIR=/usr/lib/$(CROSS)/pkgconfig) pkg-config
ifdef CROSS
CC  := $(CROSS)-gcc
AR  := $(CROSS)-ar
RUN ?= qemu-$(firstword $(subst -, ,$(CROSS)))
endif

profile  = $(shell sed -n 's/^$(1) *= *//p' buildconf/$(PROFILE).ini)
PLUGINS := $(call profile,plugins)
VERSION := $(shell cat VERSION)

ARCH    := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
CFLAGS  ?= $(call profile,cflags) $(call profile,cflags_$(ARCH))
LDFLAGS ?= $(call profile,ldflags)
# Asked of the profile once, not for each file that is compiled.
CFLAGS  := $(CFLAGS)
LDFLAGS := $(LDFLAGS)
WARN    := -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wpointer-arith -Wformat=2 -Wundef
# What is built says nothing of where: two builds of a commit are the same.
ANYWHERE := -fdebug-prefix-map=$(CURDIR)=.
BUILD_CPPFLAGS := $(ANYWHERE) -D_GNU_SOURCE -MMD -MP -iquote core -Iinclude
# Asked once, and only when something is linked: `make demo` begins where pkg-config is not installed yet.
CORE_LIBS = $(eval CORE_LIBS := $(shell $(PKG_CONFIG) --libs inih jansson libpcre2-8 libcap) -lev -ldl -lpthread)$(CORE_LIBS)

# From the bottom up: a file includes its own folder of core/ and those before it.
LAYERS  := base settings log exchange wire work process entry
core_c  := $(filter-out %/main.c,$(sort $(wildcard $(LAYERS:%=core/%/*.c))))
core_o  := $(core_c:%.c=$(B)/%.o)
main_o  := $(B)/core/entry/main.o
plugin_o  = $(patsubst %.c,$(B)/%.o,$(sort $(wildcard plugins/$(1)/*.c)) $(addprefix plugins/,$($(1)_also))) \
	$($(1)_made)
plugin_so := $(foreach p,$(PLUGINS),plugins/$(p)/$(p)_plugin.so)

# Sources of another plugin that one takes in, too; it includes their header by its folder.
inspect_also := $(patsubst %,http/%.c,find parse fields target) route/credentials.c stats/report.c \
	stats/vassals.c
route_also := $(patsubst %,http/%.c,parse fields target chunked packet reply job answer)
metrics_also := stats/report.c
otlp_also := metrics/destination.c
inspect_made := $(B)/plugins/inspect/page.o

http_libs := -lev
inspect_libs = -lev $(shell $(PKG_CONFIG) --libs jansson)
route_libs := -lcrypt -lev -lpthread
gzip_libs := -lz
metrics_libs = -lev -lpthread $(shell $(PKG_CONFIG) --libs jansson)
otlp_libs = -lev -lpthread $(shell $(PKG_CONFIG) --libs jansson)
stats_libs = -lev $(shell $(PKG_CONFIG) --libs jansson)

# buildconf/embed.py says what the words mean.
python_says = $(shell $(CROSS:%=_PYTHON_SYSCONFIGDATA_NAME=_sysconfigdata__%) $(PYTHON) buildconf/embed.py $(1))
python_cppflags = $(eval python_cppflags := $(call python_says,compile))$(python_cppflags)
python_libs = $(call python_says,link)

# What a command that failed has begun to write is not taken for made.
.DELETE_ON_ERROR:
.PHONY: FORCE all static best build-only clean install uninstall docs check lint cppcheck format fresh fresh-deb soak coverage apps bench demo unit page-check fuzz run-fuzz blackbox reproducible container dist deb rolling site
all: uwsgi $(plugin_so) plugins/manifest

# ---- the binary and its plugins: linked where they are run, built under build/ ----
stamp := $(B)/flags

# A file that holds this text, written when the text is another one.  Reading the Makefile writes
# nothing: also `make -n` and `make clean` do that.
define remember
$(1): $(shell echo '$(2)' | cmp -s - $(1) 2>/dev/null || echo FORCE)
	@mkdir -p $(dir $(1))
	@echo '$(2)' > $(1)
endef
$(eval $(call remember,$(stamp),$(CC) $(BUILD_CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(PYTHON) $(PREFIX) $(LIBDIR) $(PLUGINS)))
$(eval $(call remember,build/linked,$(B)))
FORCE:

uwsgi: $(core_o) $(main_o) buildconf/exports.list build/linked
	$(if $(call python_says,shared),$(link_program),$(link_with_python))

define link_program
$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--dynamic-list=buildconf/exports.list -o $@ \
	$(core_o) $(main_o) $(CORE_LIBS)
endef

# ---- the same with Python inside: position-dependent, as Python's own program, and as fast.  Without
# ---- a shared library of Python ./uwsgi itself is this ----
python_lacks = $(strip $(call python_says,lacks))

define link_with_python
@missing="$(python_lacks)"; [ -z "$$missing" ] || { echo "$(PYTHON) cannot be linked into" \
	"the server: its installation lacks $$missing"; exit 1; }
$(CC) $(CFLAGS) $(LDFLAGS) -no-pie -Wl,--export-dynamic -o $@ $(core_o) $(main_o) \
	$(call python_says,inside) $(CORE_LIBS)
endef

static: all uwsgi-static
uwsgi-static: $(core_o) $(main_o) build/linked
	$(link_with_python)

define plugin_rule
plugins/$(1)/$(1)_plugin.so: $(call plugin_o,$(1)) build/linked
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -shared -o $$@ $$(filter %.o,$$^) $$($(1)_libs)
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin_rule,$(p))))

# Which of them has which options: the server opens those that its configuration needs.
plugins/manifest: uwsgi $(plugin_so)
	$(RUN) ./uwsgi --plugin-manifest > $@.new
	mv $@.new $@

$(B)/core/%.o: core/%.c $(stamp)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $(BUILD_CPPFLAGS) $($(notdir $*)_cppflags) -fvisibility=hidden -c -o $@ $<
# What becomes of uWSGI's options: a text, as rows of a table.
$(B)/uwsgi_names.inc: core/settings/uwsgi_names.txt buildconf/names.awk
	@mkdir -p $(@D)
	awk -f buildconf/names.awk $< > $@
$(B)/core/settings/uwsgi_names.o: $(B)/uwsgi_names.inc
uwsgi_names_cppflags := -I$(B)
expand_cppflags := -DUWSGI_VERSION='"$(VERSION)"'
# Seen from the program in bin/, so that an installation can be moved.
loader_cppflags := -DUWSGI_LIBDIR='"$(LIBDIR:$(PREFIX)/%=../%)"' -DUWSGI_PLUGINS='"$(PLUGINS)"'
command_cppflags := -DUWSGI_VERSION='"$(VERSION)"'
main_cppflags   := -DUWSGI_VERSION='"$(VERSION)"'
moving_cppflags := -DUWSGI_PYTHON='"$(PYTHON)"'

$(B)/plugins/python/%.o: BUILD_CPPFLAGS += $(python_cppflags) -DUWSGI_PYTHON='"$(PYTHON)"' -I$(B)
# A module in Python, as a string of C.
$(B)/uwsgidecorators.inc: plugins/python/uwsgidecorators.py
	@mkdir -p $(@D)
	sed 's/["\\]/\\&/g; s/.*/"&\\n"/' $< > $@
$(B)/plugins/python/decorators.o: $(B)/uwsgidecorators.inc
$(B)/plugins/inspect/%.o: BUILD_CPPFLAGS += -DUWSGI_VERSION='"$(VERSION)"'
$(B)/plugins/%.o: plugins/%.c $(stamp)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $(BUILD_CPPFLAGS) -iquote plugins -fPIC -fvisibility=hidden -c -o $@ $<

# The live page: one file of several, and as C.
page_sources := $(foreach kind,html css js py,$(wildcard plugins/inspect/page/*.$(kind)))
$(B)/page.c: $(page_sources)
	@mkdir -p $(@D)
	$(PYTHON) plugins/inspect/page/compose.py plugins/inspect/page/index.html > $@
$(B)/plugins/inspect/page.o: $(B)/page.c plugins/inspect/page.h $(stamp)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $(ANYWHERE) -Iplugins/inspect -fPIC -fvisibility=hidden -c -o $@ $<

# ---- unit tests: t/unit/core/*.c against the core, t/unit/<plugin>/*.c against core + plugin ----
unit_c   := $(wildcard t/unit/*/test_*.c)
unit_bin := $(unit_c:t/unit/%.c=$(B)/unit/%)
unit: $(unit_bin)
	@set -e; for t in $(unit_bin); do echo "== $$t"; $$t; done

define unit_rule
$(B)/unit/$(1)/%: t/unit/$(1)/%.c $(B)/core.a $(call plugin_o,$(1)) $(wildcard t/unit/*.h)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(WARN) $$(BUILD_CPPFLAGS) -Iplugins/$(1) -iquote plugins -It/unit \
		$$(LDFLAGS) -o $$@ $$< \
		$(call plugin_o,$(1)) $(B)/core.a $$(CORE_LIBS) $$($(1)_libs) -lcmocka
endef

$(B)/core.a: $(core_o)
	@rm -f $@
	$(AR) rcs $@ $^
$(foreach d,core http uwsgi_proto fastcgi scgi static route gzip inspect,$(eval $(call unit_rule,$(d))))

# ---- fuzzing: each program of t/fuzz for FUZZ_SECONDS, from the inputs of the unit tests; then
# ---- connections to a server, SEED= to send the same again ----
FUZZ_SECONDS ?= 20
fuzz_plugin_http_fuzz    := http
fuzz_plugin_proxied_fuzz := http
fuzz_plugin_reply_fuzz   := http
fuzz_plugin_uwsgi_fuzz   := uwsgi_proto
fuzz_plugin_fastcgi_fuzz := fastcgi
fuzz_plugin_scgi_fuzz    := scgi
fuzz_plugin_static_fuzz  := static
fuzz_plugin_route_fuzz   := route
fuzzers := $(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/*_fuzz.c))

fuzz: $(unit_bin)
	buildconf/dependencies.sh fuzz
	@mkdir -p $(foreach f,$(fuzzers),build/fuzz/corpus/$(f) build/fuzz/seeds/$(f))
	@set -e; $(foreach f,$(fuzzers),$(foreach t,$(filter $(B)/unit/$(fuzz_plugin_$(f))/%,$(unit_bin)), \
		FUZZ_SEEDS=build/fuzz/seeds/$(f) $t >/dev/null 2>&1;))
	@cp t/fixtures/ini/* build/fuzz/seeds/ini_fuzz
	$(MAKE) PROFILE=fuzz CC=clang run-fuzz
	$(MAKE) PROFILE=asan all
	/usr/bin/python3 t/fuzz/connections.py --seconds $(FUZZ_SECONDS) $(SEED:%=--seed %)

run-fuzz: $(fuzzers:%=$(B)/%)
	@set -e; for f in $(fuzzers); do echo "== $$f"; (cd $(B) && ./$$f -max_total_time=$(FUZZ_SECONDS) \
		-max_len=4096 -timeout=10 -print_final_stats=1 corpus/$$f seeds/$$f) >$(B)/$$f.log 2>&1 || \
		{ tail -n 60 $(B)/$$f.log; exit 1; }; grep number_of_executed $(B)/$$f.log; done

define fuzz_rule
$(B)/$(1): t/fuzz/$(1).c $(wildcard t/fuzz/*.h t/unit/*.h) $(B)/core.a $(call plugin_o,$(fuzz_plugin_$(1)))
	$$(CC) $$(CFLAGS) $$(WARN) $$(BUILD_CPPFLAGS) -It/unit -Iplugins/$(fuzz_plugin_$(1)) $$(LDFLAGS) -o $$@ $$< \
		$(call plugin_o,$(fuzz_plugin_$(1))) $(B)/core.a $$(CORE_LIBS) $$($(fuzz_plugin_$(1))_libs)
endef
$(foreach f,$(fuzzers),$(eval $(call fuzz_rule,$(f))))

# ---- black-box tests: real servers ----
# They wait more than they compute, so one more runs at a time than there are processors.  A file's
# tests stay together.
TESTS ?= t
JOBS ?= $(shell expr $$(nproc) + 1)
blackbox: all
	UWSGI_PYTHON=$(PYTHON) UWSGI_SANITIZED=$(filter asan tsan,$(PROFILE)) \
		/usr/bin/python3 -m pytest -q -p no:cacheprovider -n $(JOBS) --dist loadfile $(TESTS)

# In a make of its own, since it asks a Python that the line before may have to install.
best:
	$(MAKE) $(if $(python_lacks),all,static)

check:
	buildconf/dependencies.sh check
	$(MAKE) best
	$(MAKE) unit
	$(MAKE) blackbox

# A browser is large, so `make check` leaves out what needs one where there is none.
page-check:
	buildconf/dependencies.sh page
	$(MAKE) all
	$(MAKE) blackbox TESTS=t/page

# ---- reading the sources: buildconf/cppcheck.txt and .clang-tidy have the exceptions ----
FILES ?= $(wildcard core/*/*.c plugins/*/*.c)
lint_flags = $(filter-out -MMD -MP,$(BUILD_CPPFLAGS)) $(python_cppflags) \
	$(foreach m,VERSION LIBDIR PLUGINS PYTHON,-DUWSGI_$(m)='""') -I$(B)
lint: cppcheck $(B)/uwsgi_names.inc
	@printf '%s\n' $(FILES) | xargs -P 2 -I{} clang-tidy --quiet {} -- -std=gnu11 $(lint_flags)

# The quick half of it, some seconds.
cppcheck: $(B)/uwsgidecorators.inc
	buildconf/dependencies.sh lint
	cppcheck --quiet --error-exitcode=1 --enable=warning,performance --std=c11 \
		--library=posix,gnu,buildconf/cppcheck.cfg --suppressions-list=buildconf/cppcheck.txt \
		-D_GNU_SOURCE -DPY_VERSION_HEX=0x030b0000 -Icore -Iinclude -I$(B) $(FILES)

# The version of Debian 12; others break some lines otherwise.
format:
	buildconf/dependencies.sh lint
	clang-format -i $(wildcard core/*/*.[ch] include/uwsgi/*.h plugins/*/*.[ch] t/*/*.[ch] t/unit/*/*.[ch])

# ---- README's two commands, and pip's three, in minimal Debians, as root: FRESH="bookworm trixie" ----
FRESH ?= bookworm trixie
fresh:
	buildconf/dependencies.sh fresh
	/usr/bin/python3 t/fresh.py $(FRESH)

# ---- Debian's packages in minimal Debians that boot ----
fresh-deb:
	buildconf/dependencies.sh fresh-deb
	/usr/bin/python3 -B t/packages.py $(FRESH)

# ---- the images of ini/container/ ----
CONTAINER ?= bookworm
container:
	buildconf/dependencies.sh container
	/usr/bin/python3 -B t/container.py $(CONTAINER)

# ---- which lines the tests run; not part of check ----
coverage:
	buildconf/dependencies.sh check
	$(MAKE) PROFILE=coverage all
	find build/coverage -name '*.gcda' -delete
	-umask 0; $(MAKE) PROFILE=coverage unit >build/coverage/unit.log
	-umask 0; $(MAKE) PROFILE=coverage blackbox
	@gcov -n $$(find build/coverage/core build/coverage/plugins -name '*.gcda') 2>/dev/null | \
		sed -n "N; s/^File '\([cp][^']*\.c\)'\nLines executed:\([0-9.]*\)% of \([0-9]*\)/\2 % of \3 lines  \1/p; D" | \
		sort -n

# ---- what a release consists of ----
dist_name := uwsgi_ng-$(VERSION)
make_sdist = cd buildconf/pip && $(PYTHON) -B -c 'import backend; backend.build_sdist("$(CURDIR)/$(1)")'
dist: all
	@mkdir -p dist
	$(call make_sdist,dist)
	$(PYTHON) -B buildconf/sbom.py uwsgi $(plugin_so) > dist/$(dist_name).cdx.json
	cd dist && sha256sum $(dist_name).tar.gz $(dist_name).cdx.json > SHA256SUMS

# ---- Debian's packages, from the archive of the sources ----
deb_folder := build/deb/$(dist_name)
deb:
	buildconf/dependencies.sh deb
	rm -rf build/deb dist/deb
	mkdir -p build/deb dist/deb
	$(call make_sdist,build/deb)
	tar -x -f $(deb_folder).tar.gz -C build/deb
	cd $(deb_folder) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -j$$(nproc)
	mv build/deb/uwsgi-ng* dist/deb

# ---- two builds from nothing, in folders of other names, are the same ----
reproducible:
	$(PYTHON) -B buildconf/pip/reproducible.py

# ---- minutes of load and trouble; not part of check ----
MINUTES ?= 20
soak:
	buildconf/dependencies.sh check
	$(MAKE) all
	/usr/bin/python3 t/soak/soak.py --minutes $(MINUTES) $(SEED:%=--seed %)

# ---- restarts behind HAProxy and nginx; not part of check: ROUNDS=30 DELAY=0 ----
ROUNDS ?= 30
rolling:
	buildconf/dependencies.sh check
	$(MAKE) all
	/usr/bin/python3 t/soak/rolling.py --rounds $(ROUNDS) $(DELAY:%=--delay %)

# ---- real applications, here and on the peers; from the Python index ----
apps:
	buildconf/dependencies.sh apps
	$(MAKE) all
	timeout -k 30 5400 /usr/bin/python3 t/compatibility/compatibility.py --markdown docs/compatibility.md $(APPS)

# ---- figures, beside those of the peers ----
bench:
	buildconf/dependencies.sh bench
	$(MAKE) best
	/usr/bin/python3 t/compatibility/venvs.py
	/usr/bin/python3 t/bench/bench.py --markdown BENCHMARKS.md $(BENCH)
	@echo "BENCHMARKS.md and build/bench.json hold the figures"

# ---- a real application, served ----
DEMO_PORT ?= 8080
demo:
	buildconf/dependencies.sh demo
	$(MAKE) all
	@echo "Serving ini/demo/app.py on http://127.0.0.1:$(DEMO_PORT)/ - Ctrl-C ends it"
	@trap : INT; ./uwsgi --ini ini/demo/demo.ini --set port=$(DEMO_PORT); \
		code=$$?; cat ini/demo/next.txt; exit $$code

# Everything compiled, nothing put in the place of what is run: for a second compiler.
build-only: $(unit_bin) $(core_o) $(main_o) $(foreach p,$(PLUGINS),$(call plugin_o,$(p)))

# Plugins for several Pythons lie side by side: plugin = python312 asks for one.
python_number = $(shell $(PYTHON) -c 'import sys; print("%d%d" % sys.version_info[:2])')
bin_dir  = $(DESTDIR)$(PREFIX)/bin
bash_dir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zsh_dir  = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
man_dir  = $(DESTDIR)$(PREFIX)/share/man
# For plugins from elsewhere: <uwsgi/plugin.h>, and where it is and they go, for pkg-config.
include_dir = $(DESTDIR)$(PREFIX)/include/uwsgi
pc_dir   = $(DESTDIR)$(PREFIX)/lib/pkgconfig
abi      = $(shell sed -n 's/^.define UWSGI_ABI \([0-9]*\)u$$/\1/p' include/uwsgi/plugin.h)

# Made of what the option tables say.
document = $(RUN) ./uwsgi --help-json | $(PYTHON) buildconf/documents.py $(1)

install: all
	install -d $(bin_dir) $(DESTDIR)$(LIBDIR) $(bash_dir) $(zsh_dir) $(man_dir)/man1 $(man_dir)/man5 $(include_dir) \
		$(pc_dir)
	install -m 755 uwsgi $(bin_dir)
	ln -sf uwsgi $(bin_dir)/uwsgi_python3
	test ! -x uwsgi-static || install -m 755 uwsgi-static $(bin_dir)
	install -m 755 $(plugin_so) $(DESTDIR)$(LIBDIR)
	install -m 644 plugins/manifest $(DESTDIR)$(LIBDIR)
	install -d $(DESTDIR)$(LIBDIR)/migrate
	install -m 644 migrate/*.py $(DESTDIR)$(LIBDIR)/migrate
	install -m 755 plugins/python/python_plugin.so \
		$(DESTDIR)$(LIBDIR)/python$(python_number)_plugin.so
	install -m 644 include/uwsgi/plugin.h $(include_dir)
	sed -e 's|@PLUGINDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|; s|@ABI@|$(abi)|; s|@VERSION@|$(VERSION)|' \
		buildconf/uwsgi.pc.in > $(pc_dir)/uwsgi.pc
	$(call document,bash) > $(bash_dir)/uwsgi
	$(call document,zsh) > $(zsh_dir)/_uwsgi
	$(call document,man) > $(man_dir)/man1/uwsgi.1
	$(PYTHON) buildconf/manpage.py < docs/ini-language.md > $(man_dir)/man5/uwsgi.ini.5

# With the PREFIX, LIBDIR and DESTDIR of the installation; the plugins of all Pythons go.
uninstall:
	rm -f $(bin_dir)/uwsgi $(bin_dir)/uwsgi_python3 $(bin_dir)/uwsgi-static $(bash_dir)/uwsgi $(zsh_dir)/_uwsgi \
		$(man_dir)/man1/uwsgi.1 $(man_dir)/man5/uwsgi.ini.5 $(include_dir)/plugin.h $(pc_dir)/uwsgi.pc \
		$(DESTDIR)$(LIBDIR)/python[0-9]*_plugin.so \
		$(foreach p,$(PLUGINS),$(DESTDIR)$(LIBDIR)/$(p)_plugin.so) $(DESTDIR)$(LIBDIR)/manifest \
		$(patsubst %,$(DESTDIR)$(LIBDIR)/%,$(wildcard migrate/*.py))
	rmdir --ignore-fail-on-non-empty $(wildcard $(DESTDIR)$(LIBDIR)/migrate $(DESTDIR)$(LIBDIR) $(include_dir)) 2>/dev/null || true

# The reference page of all options, from their tables; a test compares the two.
docs: all
	$(call document,markdown) > docs/options.md

# The pages as a site in build/site/, which needs no server and fetches nothing; not part of check.
site:
	buildconf/dependencies.sh site
	mkdocs build --quiet --strict -f buildconf/site/mkdocs.yml
	@echo "build/site/index.html is its first page"

clean:
	rm -rf build dist uwsgi uwsgi-static plugins/*/*_plugin.so plugins/manifest

-include $(wildcard $(B)/core/*/*.d $(B)/plugins/*/*.d $(B)/unit/*/*.d)
