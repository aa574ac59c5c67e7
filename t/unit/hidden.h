/* SPDX-License-Identifier: MIT */
/* hidden.h: folders that cannot be read for a while, also where root runs the tests. */
#ifndef T_HIDDEN_H
#define T_HIDDEN_H

#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* Root is another user until show(); a failed assert before it leaves that so. */
static inline void hide(const char *folder)
{
	assert_int_equal(chmod(folder, 0), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
}

static inline void show(const char *folder)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(folder, 0755), 0);
}

#endif
