/* SPDX-License-Identifier: MIT */
/* router.h: the router process behind the option http. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include <uwsgi/plugin.h>

extern const struct gateway router_gateway;

#endif
