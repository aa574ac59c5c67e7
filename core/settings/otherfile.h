/* SPDX-License-Identifier: MIT */
/* otherfile.h: configurations in formats that are not read here. */
#ifndef UWSGI_OTHERFILE_H
#define UWSGI_OTHERFILE_H

#include "base/text.h"

/* "YAML" or "XML" for the name of an option or of a file; NULL: neither. */
const char *otherfile_of_option(const char *name);
const char *otherfile_of_path(const char *path);

/* The first settings of a flat file as lines of ini: "module = app; processes = 4; …"; "" when
 * there are none. */
void otherfile_as_ini(struct slice bytes, struct text *to);

#endif
