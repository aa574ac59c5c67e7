/* SPDX-License-Identifier: MIT */
/* page.h: the live page, which compose.py puts together at build time from the files of page/. */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>

/* Whole and constant: text/html; charset=utf-8. */
extern const char page_html[];
extern const size_t page_html_size;

/* The value of its Content-Security-Policy: a browser runs what is in the page, and nothing else. */
extern const char page_policy[];

#endif
