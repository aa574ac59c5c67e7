/* SPDX-License-Identifier: MIT */
/* absent.h: why an option of uWSGI will not come to this server, and what does its work. */
#ifndef UWSGI_ABSENT_H
#define UWSGI_ABSENT_H

/* "Perl is not run here; Starman runs it", for a name of uwsgi_names.h that no table has.
 * NULL: nothing is known of it. */
const char *absent_reason(const char *name);

#endif
