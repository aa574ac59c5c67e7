#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing to build, demonstrate or test the server on Debian and Ubuntu, and names
# the packages elsewhere.   usage: dependencies.sh build | demo | check | page | lint | deb | fresh | fresh-deb | container | fuzz | bench | apps | site
# Installs nothing, says what a build for this Python lacks, and ends with 1 if it lacks something:
#                           usage: dependencies.sh missing /usr/bin/python3
set -eu

build="gcc make pkg-config libev-dev libjansson-dev libinih-dev libpcre2-dev libcrypt-dev
libcap-dev zlib1g-dev python3-dev"
demo="$build python3-flask"
check="$build libcmocka-dev python3-pytest python3-pytest-xdist python3-venv python3-flask
python3-django python3-pyramid gunicorn nginx-light apache2-bin curl strace mandoc python3-pastedeploy uwsgi-core
uwsgi-plugin-python3 python3-uwsgidecorators haproxy python3-yaml"

# Its browser, the site of docs/, and the promtool that reads ini/observing/.
page="$check chromium chromium-driver python3-selenium prometheus mkdocs"

site="make mkdocs"

deb="$build debhelper libcmocka-dev"

fresh="debootstrap git python3"
fresh_deb="$fresh dpkg-dev systemd-container"
container="$fresh buildah"

bench="$build python3-flask python3-django uwsgi-core uwsgi-plugin-python3 gunicorn
python3-venv python3-waitress python3-cheroot nginx-light wrk apache2-utils valgrind"

apps="$build python3-venv postgresql redis-server"

lint="$build clang-tidy clang-format cppcheck"

# can HEADER [FLAG ...]: whether the compiler finds it.
can() {
	header=$1
	shift
	echo "#include <$header>" | $compiler -DPCRE2_CODE_UNIT_WIDTH=8 "$@" -E - >/dev/null 2>&1
}

# lacking NAME PACKAGE: what it is called, and Debian's package.
lacking() {
	names="$names${names:+, }$1"
	packages="$packages $2"
}

say_missing() {
	compiler=${CC:-cc} names= packages=
	command -v "${compiler%% *}" >/dev/null || lacking "a C compiler" gcc
	command -v make >/dev/null || lacking make make
	command -v pkg-config >/dev/null || lacking pkg-config pkg-config
	# Without a compiler nobody knows about the others.
	if command -v "${compiler%% *}" >/dev/null; then
		can ev.h || lacking libev libev-dev
		can jansson.h || lacking jansson libjansson-dev
		can ini.h || lacking inih libinih-dev
		can pcre2.h || lacking PCRE2 libpcre2-dev
		can crypt.h || lacking libcrypt libcrypt-dev
		can sys/capability.h || lacking libcap libcap-dev
		can zlib.h || lacking zlib zlib1g-dev
		can Python.h $("$1" "$(dirname "$0")/embed.py" compile) || lacking "Python for C" python3-dev
	else
		names="$names, and perhaps more" packages=$build
	fi
	[ -n "$names" ] || return 0
	echo "uwsgi-ng cannot be built here; this is missing: $names" >&2
	echo "on Debian and Ubuntu:  apt-get install" $packages >&2
	command -v apt-get >/dev/null || echo "elsewhere the packages have other names;" \
		"those with headers are often called -dev or -devel" >&2
	return 1
}

wants=${1:-build}
case $wants in
missing) say_missing "${2:-python3}"; exit ;;
build) wanted=$build ;;
demo) wanted=$demo ;;
check) wanted=$check ;;
page) wanted=$page ;;
lint) wanted=$lint ;;
deb) wanted=$deb ;;
fresh) wanted=$fresh ;;
fresh-deb) wanted=$fresh_deb ;;
container) wanted=$container ;;
fuzz) wanted="$build libcmocka-dev clang" ;;
bench) wanted=$bench ;;
apps) wanted=$apps ;;
site) wanted=$site ;;
*) echo "usage: $0 build | demo | check | page | lint | deb | fresh | fresh-deb | container | fuzz | bench | apps | site" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null; then
	echo "This system has no apt-get. The following must be there, whatever it calls them:"
	echo "  a C compiler, make, pkg-config, and the headers of libev, jansson, inih,"
	echo "  PCRE2, libcap, zlib and Python 3"
	[ "$wants" = build ] || echo "  and of Debian's packages:" $wanted
	exit 0
fi

install_missing() {
	missing=
	for package; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok' ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	echo "Installing with apt-get:$missing"
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq
	# Services such as nginx are wanted as programs, not started.
	$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq $missing >/dev/null
}

install_missing $wanted
# libFuzzer is a package of its own, one for each version of clang.
[ "$wants" != fuzz ] || install_missing "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
