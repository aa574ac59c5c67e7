/* SPDX-License-Identifier: MIT */
/* outliving.h: memory of the master's that outlives generations.  Each object is found by its name and
 * its definition, a number for all that its layout depends on.  Who asks for the same one after a
 * reload finds what is in it; where the definition has changed, there is a new object beside the old
 * one, which goes with its last user.  Processes forked meanwhile have it mapped at the same place. */
#ifndef UWSGI_OUTLIVING_H
#define UWSGI_OUTLIVING_H

#include "base/carry.h"
#include "base/shared.h"

struct outliving {
	struct outliving_object *objects; /* owned */
};

/* One more user of this object, which is made if there is none; zeroed then.  name is copied, and cut
 * after 31 bytes.  Valid until its last user gives it back.  NULL with the reason. */
struct shared *outliving_take(struct outliving *, const char *name, uint64_t definition,
			      size_t size, struct error *);
void outliving_give_back(struct outliving *, struct shared *);
/* In a child: what it has mapped stays, and the descriptors go. */
void outliving_enter_child(struct outliving *);
/* To another program, where nobody uses the objects yet. */
void outliving_carry(struct outliving *, struct carry *);
/* Those that nobody has taken are freed. */
void outliving_settle(struct outliving *);
void outliving_fini(struct outliving *);

#endif
