#!/bin/sh
# SPDX-License-Identifier: MIT
# What an installation lives through, run in a Debian that has booted with a site of Debian's uWSGI
# (t/packages.py).  ./packages has this server's packages, ./next a higher version.
set -eu
cd /root
export DEBIAN_FRONTEND=noninteractive

page() { curl -sf --max-time 10 http://127.0.0.1:8080/; }
say() { echo "== $*"; }
main_pid() { systemctl show -p MainPID --value uwsgi@shop; }

# until_true COMMAND...: for at most 20 seconds.
until_true() {
	for _ in $(seq 200); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.1
	done
	echo "never true: $*"
	exit 1
}

gone() { ! pgrep -x uwsgi && ! pgrep -x uwsgi-core; }
unchanged_program() { [ "$(readlink "/proc/$(main_pid)/exe")" = /usr/bin/uwsgi ]; }

until_true page
systemctl is-active uwsgi
[ -x /etc/init.d/uwsgi ]
say "the init script of Debian's uWSGI serves: $(uwsgi --version)"

apt-get install --yes ./packages/uwsgi-ng_*.deb ./packages/uwsgi-ng-plugin-python3_*.deb
until_true page
systemctl is-active uwsgi@shop
unchanged_program
say "this package has $(uwsgi --version), is installed over it, and serves the same site"

# Somebody asks all the time; each line of the file is a request without an answer.
: >lost
while [ -e lost ]; do page >/dev/null || echo lost >>lost; done &
pid=$(main_pid)
systemctl reload uwsgi@shop
apt-get install --yes ./next/*.deb
until_true unchanged_program
[ "$(main_pid)" = "$pid" ]
[ "$(grep -c 'has taken over from the old program' /var/log/uwsgi/app/shop.log)" -ge 1 ]
lost=$(wc -l <lost)
say "reload and upgrade: the pid stays, $lost requests are lost"
[ "$lost" = 0 ]
rm lost

echo 'import no_such_module' >/srv/shop/app.py.new
cp /srv/shop/app.py /srv/shop/app.py.old
mv /srv/shop/app.py.new /srv/shop/app.py
if systemctl reload uwsgi@shop; then exit 1; fi
page >/dev/null
mv /srv/shop/app.py.old /srv/shop/app.py
say "a broken release fails the reload, and the old one serves on"

logrotate --force /etc/logrotate.d/uwsgi
page >/dev/null
until_true grep -q 'GET / ' /var/log/uwsgi/app/shop.log
[ -s /var/log/uwsgi/app/shop.log.1 ]
say "the log is rotated"

systemctl restart uwsgi
until_true page
sed 's/^http-socket.*/protocol = http/' /etc/uwsgi/apps-available/shop.ini \
	>/etc/uwsgi/apps-available/second.ini
systemctl start uwsgi-app@second.socket
curl -sf --max-time 20 --unix-socket /run/uwsgi/second.socket http://second/ >/dev/null
say "restart; a socket starts its application"

apt-get remove --yes uwsgi-ng uwsgi-ng-plugin-python3
until_true gone
[ ! -e /run/uwsgi/app/shop ]
[ "$(systemctl list-units --plain --no-legend 'uwsgi*' | grep -c active)" = 0 ]
say "removed: nothing runs"

apt-get purge --yes uwsgi-ng uwsgi-ng-plugin-python3 uwsgi
rm -r /etc/uwsgi/apps-available/shop.ini /etc/uwsgi/apps-available/second.ini \
	/etc/uwsgi/apps-enabled/shop.ini
rmdir /etc/uwsgi/apps-available /etc/uwsgi/apps-enabled /etc/uwsgi 2>/dev/null || true
left=$(find / -xdev -name '*uwsgi*' -not -path '/root/*' -not -path '/var/cache/*' -not -path '/proc/*' \
	-not -path '/sys/*')
[ -z "$left" ] || { echo "left: $left"; exit 1; }
say "purged: nothing is left"
say "passed"
