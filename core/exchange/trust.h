/* SPDX-License-Identifier: MIT */
/* trust.h: of which peers it is believed what they say of others: of their clients' connections
 * (forwarded-allow-ips) and of who their clients are (proxy-allow-ips). */
#ifndef UWSGI_TRUST_H
#define UWSGI_TRUST_H

#include "base/seldom.h"

extern const struct option_table trust_options;

enum trust_kind { TRUST_FORWARDED, TRUST_PROXY, TRUST_KINDS };

struct trust {
	struct networks {
		struct network *items;
		size_t count;
	} of[TRUST_KINDS];
	/* The server's: a field that is not believed is said in the log. */
	struct seldom *untrusted;
};

/* untrusted is borrowed.  The environment may name who is believed, too. */
int trust_init(struct trust *, const struct config *, struct seldom *untrusted, struct error *);
void trust_fini(struct trust *);
/* The address as struct endpoint has it: of a peer on a UNIX socket, which is always believed, it is
 * empty. */
bool trust_believes(const struct trust *, enum trust_kind, struct slice address);
/* Says, at most once a minute, that this peer's X-Forwarded- fields were not believed. */
void trust_tell(const struct trust *, struct slice address);

#endif
