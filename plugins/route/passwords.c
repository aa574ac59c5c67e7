/* SPDX-License-Identifier: MIT */
/* passwords.c: asks files of htpasswd's form, on a thread beside the lane, because good hashes take
 * long: the request waits, its lane goes on.  What was right stays so for a minute, as long as the
 * file does not change. */
#include "route.h"

#include <crypt.h>
#include <ev.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { KEPT = 64, KEPT_MS = 60000 };

/* A question to a file.  Two of the same file's state are the same one. */
struct question {
	struct slice path; /* the configuration's */
	dev_t device;
	ino_t inode;
	struct timespec changed;
	size_t user_size; /* of "user:" */
	char credentials[CREDENTIALS_MAX];
};

struct inquiry {
	struct inquiry *next;
	struct visit *visit; /* NULL: it is over; the lane's thread alone looks at it */
	struct question question;
	bool fits;
};

struct passwords {
	struct ev_loop *loop;
	ev_async answered;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t asked;
	/* Under the lock. */
	struct inquiry *first, **last; /* to be answered, in their order */
	struct inquiry *done;
	bool ends;
	/* The lane's. */
	struct {
		struct question question;
		int64_t until_ms; /* on the clock of uwsgi_now_ms() */
	} kept[KEPT];
	size_t next_kept;
};

/* ---- files ---- */

static const char *refused_hash(const char *hash)
{
	if (!strncmp(hash, "$apr1$", 6))
		return "Apache's MD5";
	if (*hash == '{')
		return "SHA-1";
	return NULL;
}

/* The hash in a line "user:hash", ended with a zero; NULL: there is none. */
static char *hash_of(char *line)
{
	char *colon = strchr(line, ':');

	if (*line == '#' || !colon)
		return NULL;
	colon[1 + strcspn(colon + 1, ":\r\n")] = 0;
	return colon + 1;
}

int passwords_check(struct slice path, struct error *e)
{
	char *name = strndup(path.p, path.n), *line = NULL;
	FILE *f = name ? fopen(name, "re") : NULL;
	size_t size = 0;
	int result = 0;

	while (f && result == 0 && getline(&line, &size, f) > 0) {
		char *hash = hash_of(line);
		const char *refused = hash ? refused_hash(hash) : NULL;

		if (refused)
			result = uwsgi_error_set(e,
						 "%s has a password as %s, which is not read here; "
						 "write it anew with htpasswd -B",
						 name, refused);
	}
	if (f)
		fclose(f);
	free(line);
	free(name);
	return result;
}

static bool fits_hash(const char *password, const char *hash)
{
	struct crypt_data *data;
	const char *made;
	bool fits;

	if (!*hash || refused_hash(hash))
		return false;
	data = calloc(1, sizeof *data);
	made = data ? crypt_r(password, hash, data) : NULL;
	fits = made && *made != '*' && is_secret(made, strlen(made), hash, strlen(hash));
	free(data);
	return fits;
}

static bool ask_file(const struct question *q)
{
	char *name = strndup(q->path.p, q->path.n), *line = NULL;
	FILE *f = name ? fopen(name, "re") : NULL;
	size_t size = 0;
	bool fits = false;

	while (f && getline(&line, &size, f) > 0) {
		if (strncmp(line, q->credentials, q->user_size))
			continue;
		char *hash = hash_of(line);

		fits = hash && fits_hash(q->credentials + q->user_size, hash);
		break;
	}
	if (f)
		fclose(f);
	free(line);
	free(name);
	return fits;
}

/* ---- what was right ---- */

static bool is_same(const struct question *a, const struct question *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
	       uwsgi_same(a->path, b->path) && !strcmp(a->credentials, b->credentials);
}

static bool is_kept(const struct passwords *p, const struct question *q)
{
	int64_t now_ms = uwsgi_now_ms();

	for (size_t i = 0; i < KEPT; i++)
		if (p->kept[i].until_ms > now_ms && is_same(&p->kept[i].question, q))
			return true;
	return false;
}

static void keep(struct passwords *p, const struct question *q)
{
	p->kept[p->next_kept].question = *q;
	p->kept[p->next_kept].until_ms = uwsgi_now_ms() + KEPT_MS;
	p->next_kept = (p->next_kept + 1) % KEPT;
}

/* ---- the thread ---- */

static struct inquiry *take_job(struct passwords *p)
{
	struct inquiry *job;

	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->ends)
		pthread_cond_wait(&p->asked, &p->lock);
	job = p->ends ? NULL : p->first;
	if (job) {
		p->first = job->next;
		if (!p->first)
			p->last = &p->first;
	}
	pthread_mutex_unlock(&p->lock);
	return job;
}

static void *answer_jobs(void *data)
{
	struct passwords *p = data;

	for (struct inquiry *job; (job = take_job(p));) {
		job->fits = ask_file(&job->question);
		pthread_mutex_lock(&p->lock);
		job->next = p->done;
		p->done = job;
		pthread_mutex_unlock(&p->lock);
		ev_async_send(p->loop, &p->answered);
	}
	return NULL;
}

static void free_job(struct inquiry *job)
{
	explicit_bzero(job, sizeof *job);
	free(job);
}

static void on_answered(struct ev_loop *loop, ev_async *w, int events)
{
	struct passwords *p = w->data;
	struct inquiry *job, *next;

	(void)loop;
	(void)events;
	pthread_mutex_lock(&p->lock);
	next = p->done;
	p->done = NULL;
	pthread_mutex_unlock(&p->lock);
	while ((job = next)) {
		next = job->next;
		if (job->visit)
			uwsgi_request_go_on(job->visit->rq);
		else
			free_job(job);
	}
}

/* ---- for the lane ---- */

static enum password send_job(struct passwords *p, struct visit *v, const struct question *q)
{
	struct inquiry *job = malloc(sizeof *job);

	if (!job)
		return PASSWORD_WRONG;
	*job = (struct inquiry){ .visit = v, .question = *q };
	v->inquiry = job;
	pthread_mutex_lock(&p->lock);
	*p->last = job;
	p->last = &job->next;
	pthread_cond_signal(&p->asked);
	pthread_mutex_unlock(&p->lock);
	return PASSWORD_LATER;
}

static enum password take_answer(struct visit *v)
{
	struct inquiry *job = v->inquiry;
	bool fits = job->fits;

	v->inquiry = NULL;
	if (fits)
		keep(v->passwords, &job->question);
	free_job(job);
	return fits ? PASSWORD_RIGHT : PASSWORD_WRONG;
}

enum password passwords_ask(struct visit *v, struct slice path, const char *credentials,
			    size_t user_size)
{
	struct question q = { .path = path, .user_size = user_size };
	char name[4096];
	struct stat s;
	enum password found;

	if (v->inquiry)
		return take_answer(v);
	snprintf(name, sizeof name, "%.*s", (int)path.n, path.p);
	if (stat(name, &s) || !S_ISREG(s.st_mode))
		return PASSWORD_WRONG;
	q.device = s.st_dev;
	q.inode = s.st_ino;
	q.changed = s.st_mtim;
	snprintf(q.credentials, sizeof q.credentials, "%s", credentials);
	if (v->passwords && is_kept(v->passwords, &q))
		found = PASSWORD_RIGHT;
	else if (v->passwords)
		found = send_job(v->passwords, v, &q);
	else
		found = ask_file(&q) ? PASSWORD_RIGHT : PASSWORD_WRONG;
	explicit_bzero(&q, sizeof q);
	return found;
}

void passwords_forget(struct visit *v)
{
	if (v->inquiry)
		v->inquiry->visit = NULL;
	v->inquiry = NULL;
}

struct passwords *passwords_new(struct ev_loop *loop)
{
	struct passwords *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->loop = loop;
	p->last = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->asked, NULL);
	ev_async_init(&p->answered, on_answered);
	p->answered.data = p;
	ev_async_start(loop, &p->answered);
	p->runs = uwsgi_thread_start(&p->thread, answer_jobs, p) == 0;
	if (p->runs)
		return p;
	passwords_free(p);
	return NULL;
}

static void free_jobs(struct inquiry *job)
{
	for (struct inquiry *next; job; job = next) {
		next = job->next;
		free_job(job);
	}
}

void passwords_free(struct passwords *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ends = true;
	pthread_cond_signal(&p->asked);
	pthread_mutex_unlock(&p->lock);
	if (p->runs)
		pthread_join(p->thread, NULL);
	ev_async_stop(p->loop, &p->answered);
	free_jobs(p->first);
	free_jobs(p->done);
	pthread_cond_destroy(&p->asked);
	pthread_mutex_destroy(&p->lock);
	explicit_bzero(p, sizeof *p);
	free(p);
}
