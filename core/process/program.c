/* SPDX-License-Identifier: MIT */
/* program.c: remembers files as they were when they were loaded.  An upgrade puts another file in the
 * place of each, which then has another inode; a link may also lead elsewhere. */
#include "process/program.h"

#include "work/loader.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

struct program_file {
	char *path;
	struct stat was;  /* when it was loaded */
	struct stat seen; /* when it was looked at; zeroed: it is gone */
};

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool is_known(const struct program *p, const char *path)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->files[i].path, path) == 0)
			return true;
	return false;
}

static void add(struct program *p, const char *path)
{
	struct stat now;

	if (is_known(p, path) || stat(path, &now))
		return;
	struct program_file *grown = realloc(p->files, (p->count + 1) * sizeof *grown);
	char *copy = grown ? strdup(path) : NULL;

	if (grown)
		p->files = grown;
	if (copy)
		p->files[p->count++] = (struct program_file){ copy, now, now };
}

/* The program itself has no name there, and what the kernel gives to all no path. */
static int add_object(struct dl_phdr_info *info, size_t size, void *program)
{
	(void)size;
	if (*info->dlpi_name == '/')
		add(program, info->dlpi_name);
	return 0;
}

void program_note(struct program *p)
{
	if (*p->path)
		dl_iterate_phdr(add_object, p);
}

/* The path that was executed, which may be a link that leads to another version by now. */
static bool find_executed(const char *start_folder, char *path, size_t size)
{
	const char *given = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	struct stat named, self;

	if (!given || !strchr(given, '/'))
		return false;
	snprintf(path, size, "%s%s%s", *given == '/' ? "" : start_folder, *given == '/' ? "" : "/",
		 given);
	return stat(path, &named) == 0 && stat("/proc/self/exe", &self) == 0 &&
	       is_same(&named, &self);
}

void program_find(struct program *p, const char *start_folder)
{
	struct stat st;

	*p = (struct program){ 0 };
	if (!find_executed(start_folder, p->path, sizeof p->path))
		loader_find_binary(p->path, sizeof p->path);
	if (stat(p->path, &st))
		*p->path = '\0';
	else
		add(p, p->path);
	program_note(p);
}

static struct stat look(const struct program_file *f)
{
	struct stat now;

	return stat(f->path, &now) == 0 ? now : (struct stat){ 0 };
}

const char *program_changed(struct program *p)
{
	const char *changed = NULL;

	for (size_t i = 0; i < p->count; i++) {
		struct program_file *f = &p->files[i];

		f->seen = look(f);
		if (!changed && !is_same(&f->seen, &f->was))
			changed = f->path;
	}
	return changed;
}

const char *program_foreign(const struct program *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct stat *was = &p->files[i].was, *seen = &p->files[i].seen;
		mode_t others = S_IWGRP | S_IWOTH;

		if (seen->st_mode &&
		    (seen->st_uid != was->st_uid || (seen->st_mode & ~was->st_mode & others)))
			return p->files[i].path;
	}
	return NULL;
}

bool program_is_steady(const struct program *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct stat now = look(&p->files[i]);

		if (!is_same(&now, &p->files[i].seen))
			return false;
	}
	return true;
}

void program_fini(struct program *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->files[i].path);
	free(p->files);
	*p = (struct program){ 0 };
}
