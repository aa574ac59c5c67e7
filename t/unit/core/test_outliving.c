/* SPDX-License-Identifier: MIT */
/* test_outliving.c: who asks for the same memory gets it with what is in it, who asks for another
 * definition gets another one, and the last user frees it. */
#include "unit.h"

#include "process/outliving.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct shared *take(struct outliving *o, const char *name, uint64_t definition, size_t size)
{
	struct error e;
	struct shared *s = outliving_take(o, name, definition, size, &e);

	assert_non_null(s);
	return s;
}

static void test_the_same_name_and_definition_is_the_same_memory(void **unused)
{
	struct outliving o = { 0 };
	struct shared *old = take(&o, "cache one", 1, 5000);

	(void)unused;
	strcpy(old->p, "kept");
	struct shared *new = take(&o, "cache one", 1, 5000);
	outliving_give_back(&o, old);
	assert_string_equal(new->p, "kept");
	assert_ptr_equal(new, old);
	outliving_give_back(&o, new);
	assert_null(o.objects);
}

static void test_another_definition_lives_beside_the_old_one(void **unused)
{
	struct outliving o = { 0 };
	struct shared *old = take(&o, "cache", 1, 5000);

	(void)unused;
	strcpy(old->p, "old");
	struct shared *new = take(&o, "cache", 2, 5000), *larger = take(&o, "cache", 2, 9000);
	assert_string_equal(new->p, "");
	assert_string_equal(larger->p, "");
	assert_string_equal(old->p, "old");
	outliving_give_back(&o, old);
	/* The old definition begins anew, once nobody had it any more. */
	assert_string_equal(take(&o, "cache", 1, 5000)->p, "");
	outliving_fini(&o);
}

static void test_a_child_writes_to_it_and_a_reader_cannot(void **unused)
{
	struct outliving o = { 0 };
	struct shared *s = take(&o, "numbers", 1, 4096);
	struct error e;
	int status;

	(void)unused;
	pid_t pid = fork();
	if (pid == 0) {
		outliving_enter_child(&o);
		strcpy(s->p, "said");
		_exit(s->fd);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 255);
	assert_string_equal(s->p, "said");
	assert_int_equal(shared_give_up_writing(s, &e), 0);
	assert_string_equal(s->p, "said");
	assert_int_equal(mprotect(s->p, s->size, PROT_READ | PROT_WRITE), -1);
	outliving_fini(&o);
}

static void test_too_much_is_refused_with_the_reason(void **unused)
{
	struct outliving o = { 0 };
	struct error e;

	(void)unused;
	assert_null(outliving_take(&o, "huge", 1, SIZE_MAX / 4, &e));
	assert_non_null(strstr(e.text, "cannot map"));
	assert_null(o.objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_name_and_definition_is_the_same_memory),
		cmocka_unit_test(test_another_definition_lives_beside_the_old_one),
		cmocka_unit_test(test_a_child_writes_to_it_and_a_reader_cannot),
		cmocka_unit_test(test_too_much_is_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
