/* SPDX-License-Identifier: MIT */
/* unit.h: what every cmocka program of t/unit includes first. */
#ifndef T_UNIT_H
#define T_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
