/* SPDX-License-Identifier: MIT */
/* file_wrapper.c: wsgi.file_wrapper.  A regular file goes to the kernel as a range of its
 * descriptor, from where the application stands in it; anything else is read in blocks. */
#include "internal.h"

#include <sys/stat.h>

struct file_wrapper {
	PyObject_HEAD PyObject *file;
	Py_ssize_t block_size;
};

static PyObject *wrapper_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
	static char *names[] = { "filelike", "blksize", NULL };
	PyObject *file;
	Py_ssize_t block_size = 32768;

	if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|n:file_wrapper", names, &file,
					 &block_size))
		return NULL;
	struct file_wrapper *w = (struct file_wrapper *)type->tp_alloc(type, 0);
	if (!w)
		return NULL;
	Py_INCREF(file);
	w->file = file;
	w->block_size = block_size > 0 ? block_size : 32768;
	return (PyObject *)w;
}

static void wrapper_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	Py_XDECREF(((struct file_wrapper *)self)->file);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyObject *wrapper_next(PyObject *self)
{
	struct file_wrapper *w = (struct file_wrapper *)self;
	PyObject *size = PyLong_FromSsize_t(w->block_size);
	PyObject *block =
		size ? PyObject_CallMethodOneArg(w->file, interpreter()->names.read, size) : NULL;
	Py_ssize_t n = block ? PyObject_Size(block) : -1;

	Py_XDECREF(size);
	if (n > 0)
		return block;
	Py_XDECREF(block);
	return NULL; /* the end, or an exception */
}

static PyObject *wrapper_close(PyObject *self, PyObject *unused)
{
	PyObject *file = ((struct file_wrapper *)self)->file;
	PyObject *name = interpreter()->names.close;

	(void)unused;
	if (!PyObject_HasAttr(file, name))
		Py_RETURN_NONE;
	return PyObject_CallMethodNoArgs(file, name);
}

static PyMethodDef methods[] = {
	{ "close", wrapper_close, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_new, wrapper_new },        { Py_tp_dealloc, wrapper_dealloc },
	{ Py_tp_iter, PyObject_SelfIter }, { Py_tp_iternext, wrapper_next },
	{ Py_tp_methods, methods },        { 0, NULL },
};

PyTypeObject *file_wrapper_type_new(void)
{
	static PyType_Spec spec = {
		.name = "uwsgi.FileWrapper",
		.basicsize = sizeof(struct file_wrapper),
		.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
		.slots = slots,
	};

	return compat_type_new(&spec, true);
}

/* Whether read() would give just what the descriptor holds: a plain binary file.  Others that
 * have a fileno() may decode or decompress. */
static int is_plain_file(PyObject *file)
{
	static const char *const types[] = { "BufferedReader", "BufferedRandom", "FileIO" };
	PyObject *io = PyImport_ImportModule("io");
	int plain = io ? 0 : -1;

	for (size_t i = 0; plain == 0 && i < sizeof types / sizeof *types; i++) {
		PyObject *type = PyObject_GetAttrString(io, types[i]);

		plain = type ? (PyObject *)Py_TYPE(file) == type : -1;
		Py_XDECREF(type);
	}
	Py_XDECREF(io);
	return plain;
}

/* Where the application stands in the file; what it has written before is in the file then. */
static long long position_of(PyObject *file)
{
	PyObject *flushed = PyObject_CallMethod(file, "flush", NULL);
	PyObject *position = flushed ? PyObject_CallMethod(file, "tell", NULL) : NULL;
	long long at = position ? PyLong_AsLongLong(position) : -1;

	Py_XDECREF(flushed);
	Py_XDECREF(position);
	return at;
}

int file_wrapper_send(struct response *rs, PyObject *wrapper)
{
	PyObject *file = ((struct file_wrapper *)wrapper)->file;
	int plain = is_plain_file(file);
	struct stat st;

	if (plain <= 0)
		return plain;
	int fd = PyObject_AsFileDescriptor(file);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	long long at = position_of(file);
	if (at < 0)
		return -1;
	/* Its size only counts once all is written; that of files in /proc never does. */
	if (fstat(fd, &st) || at >= st.st_size)
		return 0;
	Py_INCREF(wrapper); /* until wsgi_release() */
	uwsgi_response_file(rs, fd, at, st.st_size - at, wrapper);
	return 1;
}
