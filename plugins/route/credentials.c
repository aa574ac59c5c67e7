/* SPDX-License-Identifier: MIT */
/* credentials.c: what a client says in HTTP's Basic scheme (RFC 7617), and whether it is the secret. */
#include "credentials.h"

#include <string.h>
#include <strings.h>

static int digit64(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 4648 section 4.  False: it is none, or too long. */
static bool decode(struct slice s, char to[CREDENTIALS_MAX], size_t *n)
{
	unsigned bits = 0;
	int have = 0;

	while (s.n > 0 && s.p[s.n - 1] == '=')
		s.n--;
	*n = 0;
	for (size_t i = 0; i < s.n; i++) {
		int digit = digit64(s.p[i]);

		if (digit < 0 || *n + 1 >= CREDENTIALS_MAX)
			return false;
		bits = (bits << 6 | (unsigned)digit) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			to[(*n)++] = (char)(bits >> have);
		}
	}
	to[*n] = 0;
	return !memchr(to, 0, *n);
}

bool credentials_read(struct slice field, char to[CREDENTIALS_MAX], size_t *n)
{
	if (field.n < 6 || strncasecmp(field.p, "Basic ", 6))
		return false;
	field.p += 6;
	field.n -= 6;
	return decode(field, to, n) && memchr(to, ':', *n);
}

bool is_secret(const char *a, size_t an, const char *b, size_t bn)
{
	unsigned char differs = an != bn;

	for (size_t i = 0; i < an; i++)
		differs |= (unsigned char)(a[i] ^ b[bn ? i % bn : 0]);
	return !differs;
}
