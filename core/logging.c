/* SPDX-License-Identifier: MIT */
/* logging.c: the options of the server log.  It opens no file and formats no request. */
#include "logging.h"

#include "log.h"
#include "option.h"

#define AT(member) offsetof(struct logging_settings, member)
static const struct option rows[] = {
	{ .name = "log-date",
	  .type = OPT_STRING,
	  .offset = AT(date),
	  .bare = "true",
	  .unit = "FORMAT",
	  .text = true,
	  .help = "begin each line of the server with the time, as strftime(3) formats it, or "
		  "with any other text",
	  .example = "%%Y-%%m-%%d %%H:%%M:%%S",
	  .differs = "\"false\" and \"no\" are no format but none" },
	{ .name = "logdate", .same_as = "log-date" },
	{ .name = "log-prefix", .same_as = "log-date" },
};
#undef AT

const struct option_table logging_options = {
	.module = "log",
	.size = sizeof(struct logging_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

const char *logging_date_format(const struct config *cfg)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);

	return s->date && option_boolean(s->date) < 0 ? s->date : NULL;
}

void logging_use(const struct config *cfg)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);
	bool plain = s->date && option_boolean(s->date) > 0;

	log_set_date(plain ? "%a %b %e %H:%M:%S %Y" : logging_date_format(cfg));
}
