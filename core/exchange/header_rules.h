/* SPDX-License-Identifier: MIT */
/* header_rules.h: headers that the configuration adds to every response, and takes away. */
#ifndef UWSGI_HEADER_RULES_H
#define UWSGI_HEADER_RULES_H

#include <uwsgi/plugin.h>

extern const struct option_table header_options;

struct header_rules {
	struct header *add;
	size_t add_count;
	const struct option_list *remove;
	bool close; /* Connection: close is no header to be added, but a wish */
};

/* The texts stay the configuration's. */
int header_rules_init(struct header_rules *, const struct config *, struct error *);
void header_rules_fini(struct header_rules *);
/* In any case of letters. */
bool header_rules_remove(const struct header_rules *, struct slice name);

#endif
