/* SPDX-License-Identifier: MIT */
/* settings.h: what the configuration says of HTTP. */
#ifndef HTTP_SETTINGS_H
#define HTTP_SETTINGS_H

#include <uwsgi/plugin.h>

struct http_settings {
	long long timeout_s, head_timeout_s, connect_timeout_s, harakiri_ms;
	long long processes, buffer_size, post_buffering, modifier1, modifier2;
	const char *keepalive;
	struct option_list sockets, routers, to, variables;
	bool proxied, websockets;
};

extern const struct option_table http_options;

const struct http_settings *http_settings(const struct config *);
/* How long an idle connection is kept; 0: none is. */
long long http_keepalive_s(const struct http_settings *);

#endif
