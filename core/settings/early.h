/* SPDX-License-Identifier: MIT */
/* early.h: what must be known while keys are still being read. */
#ifndef UWSGI_EARLY_H
#define UWSGI_EARLY_H

#include "settings/keys_file.h"

/* The value with the names in it replaced as far as they are known by now. */
const char *early_value(struct reader *, const char *value);
/* What conditions and loops ask the keys, the environment and the invocation. */
struct logic_facts early_facts(struct reader *);

#endif
