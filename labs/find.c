/* SPDX-License-Identifier: MIT */
/* Labs below folders: the course's own and those of $KTUTOR_LABS. */
#include "labs/labs_internal.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 3

/* Folders with a lab.yaml, at most DEPTH below `dir`. */
static enum kt_code collect(const char *dir, unsigned depth, struct kt_strs *out, struct kt_err *err)
{
	char *file = kt_join(dir, "lab.yaml");
	bool is_lab = kt_is_file(file);
	kt_free(file);
	if (is_lab) {
		kt_strs_add(out, dir);
		return KT_OK;
	}
	struct kt_strs names = {0};
	enum kt_code rc = depth && kt_is_dir(dir) ? kt_list_dir(dir, &names, err) : KT_OK;
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *below = kt_join(dir, names.items[i]);
		if (names.items[i][0] != '.' && kt_is_dir(below))
			rc = collect(below, depth - 1, out, err);
		kt_free(below);
	}
	kt_strs_clear(&names);
	return rc;
}

static enum kt_code collect_all(const char *dir, struct kt_strs *out, struct kt_err *err)
{
	enum kt_code rc = collect(dir, DEPTH, out, err);
	const char *more = getenv("KTUTOR_LABS"), *piece;
	size_t len;
	while (!rc && more && (piece = kt_split(&more, ':', &len))) {
		char *folder = kt_strndup(piece, len);
		rc = len ? collect(folder, DEPTH, out, err) : KT_OK;
		kt_free(folder);
	}
	return rc;
}

/* By lesson ("6.5" before "6.12"), then by name. */
static int by_lesson(const void *a, const void *b)
{
	const struct lab *x = *(struct lab *const *)a, *y = *(struct lab *const *)b;
	const char *p = x->lesson ? x->lesson : "999", *q = y->lesson ? y->lesson : "999";
	char *p_end, *q_end;
	long m = strtol(p, &p_end, 10), n = strtol(q, &q_end, 10);
	if (m != n)
		return m < n ? -1 : 1;
	m = *p_end == '.' ? strtol(p_end + 1, NULL, 10) : 0;
	n = *q_end == '.' ? strtol(q_end + 1, NULL, 10) : 0;
	return m != n ? (m < n ? -1 : 1) : strcmp(x->lab, y->lab);
}

enum kt_code lab_list(const char *dir, struct lab ***out, size_t *count, struct kt_err *err)
{
	struct kt_strs folders = {0};
	enum kt_code rc = collect_all(dir, &folders, err);
	struct lab **labs = kt_alloc((folders.count + 1) * sizeof(struct lab *));
	size_t n = 0;
	for (size_t i = 0; !rc && i < folders.count; i++) {
		rc = lab_new(folders.items[i], &labs[n], err);
		n += !rc;
	}
	kt_strs_clear(&folders);
	if (rc) {
		lab_list_free(labs, n);
		return rc;
	}
	qsort(labs, n, sizeof(*labs), by_lesson);
	*out = labs;
	*count = n;
	return KT_OK;
}

void lab_list_free(struct lab **labs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		lab_free(labs[i]);
	kt_free(labs);
}

enum kt_code lab_find(const char *dir, const char *name, struct lab **out, struct kt_err *err)
{
	if (strpbrk(name, "/."))
		return lab_new(name, out, err);
	struct kt_strs folders = {0};
	const char **names = NULL;
	enum kt_code rc = collect_all(dir, &folders, err);
	const char *found = NULL;
	names = kt_alloc((folders.count + 1) * sizeof(*names));
	for (size_t i = 0; i < folders.count; i++) {
		names[i] = kt_basename(folders.items[i]);
		found = kt_streq(names[i], name) ? folders.items[i] : found;
	}
	if (!rc && found) {
		rc = lab_new(found, out, err);
	} else if (!rc) {
		const char *near = kt_nearest(name, names, folders.count);
		rc = near ? kt_fail(err, KT_ENOTFOUND, "there is no lab '%s': did you mean '%s'?", name, near)
		          : kt_fail(err, KT_ENOTFOUND,
		                    "there is no lab '%s'; `ktutor lab list` names them all", name);
	}
	kt_strs_clear(&folders);
	kt_free(names);
	return rc;
}
