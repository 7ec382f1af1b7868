/* SPDX-License-Identifier: MIT */
/* Labs below folders: the course's own, those of $KTUTOR_LABS, and packs that were added (HOME/packs). */
#include "labs/expert.h"
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

/* A file whose top says `prediction:`. */
static bool is_round(const char *path)
{
	struct kt_buf text = {0};
	bool is = kt_ends(path, ".yaml") && kt_is_file(path) &&
	          !kt_read_file(path, 256 * 1024, &text, NULL) &&
	          (kt_starts(kt_buf_str(&text), "prediction:") || strstr(kt_buf_str(&text), "\nprediction:"));
	kt_buf_clear(&text);
	return is;
}

/* Files with predictions, at most `depth` folders below `dir`; there are none in a lab. */
static enum kt_code collect_rounds(const char *dir, unsigned depth, struct kt_strs *out, struct kt_err *err)
{
	struct kt_strs names = {0};
	char *lab = kt_join(dir, "lab.yaml");
	enum kt_code rc = kt_is_dir(dir) && !kt_is_file(lab) ? kt_list_dir(dir, &names, err) : KT_OK;
	kt_free(lab);
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *below = kt_join(dir, names.items[i]);
		if (names.items[i][0] != '.' && is_round(below))
			kt_strs_add(out, below);
		else if (names.items[i][0] != '.' && depth && kt_is_dir(below))
			rc = collect_rounds(below, depth - 1, out, err);
		kt_free(below);
	}
	kt_strs_clear(&names);
	return rc;
}

static char *packs_file(void)
{
	char *home = NULL, *path = NULL;
	if (!kt_home(&home, NULL))
		path = kt_join(home, "packs");
	kt_free(home);
	return path;
}

enum kt_code lab_packs(struct kt_strs *out, struct kt_err *err)
{
	struct kt_buf text = {0};
	char *path = packs_file();
	enum kt_code rc = path && kt_is_file(path) ? kt_read_file(path, 64 * 1024, &text, err) : KT_OK;
	const char *at = kt_buf_str(&text), *line;
	size_t len;
	while (!rc && (line = kt_split(&at, '\n', &len)))
		if (len)
			kt_strs_steal(out, kt_strndup(line, len));
	kt_buf_clear(&text);
	kt_free(path);
	return rc;
}

static enum kt_code write_packs(const struct kt_strs *packs, struct kt_err *err)
{
	struct kt_buf text = {0};
	char *path = packs_file();
	for (size_t i = 0; i < packs->count; i++)
		kt_buf_addf(&text, "%s\n", packs->items[i]);
	enum kt_code rc = path ? kt_write_file(path, kt_buf_str(&text), text.len, 0600, err)
	                       : kt_fail(err, KT_ENOTFOUND, "there is no home to keep it in");
	kt_buf_clear(&text);
	kt_free(path);
	return rc;
}

enum kt_code lab_pack_add(const char *folder, struct kt_err *err)
{
	struct kt_strs packs = {0}, labs = {0};
	enum kt_code rc = kt_is_dir(folder) ? collect(folder, DEPTH, &labs, err)
	                                    : kt_fail(err, KT_ENOTFOUND, "there is no folder '%s'", folder);
	if (!rc)
		rc = collect_rounds(folder, DEPTH, &labs, err);
	if (!rc && !labs.count)
		rc = kt_fail(err, KT_ENOTFOUND, "no lab.yaml lies in '%s', nor three folders below it",
		             folder);
	if (!rc)
		rc = lab_packs(&packs, err);
	if (!rc && !kt_strs_has(&packs, folder)) {
		kt_strs_add(&packs, folder);
		rc = write_packs(&packs, err);
	}
	kt_strs_clear(&packs);
	kt_strs_clear(&labs);
	return rc;
}

enum kt_code lab_pack_remove(const char *folder, struct kt_err *err)
{
	struct kt_strs packs = {0}, left = {0};
	enum kt_code rc = lab_packs(&packs, err);
	for (size_t i = 0; i < packs.count; i++)
		if (!kt_streq(packs.items[i], folder))
			kt_strs_add(&left, packs.items[i]);
	if (!rc && left.count == packs.count)
		rc = kt_fail(err, KT_ENOTFOUND, "'%s' was not added", folder);
	if (!rc)
		rc = write_packs(&left, err);
	kt_strs_clear(&packs);
	kt_strs_clear(&left);
	return rc;
}

/* Whatever `in` collects in `dir`, in the folders of $KTUTOR_LABS and in the packs that were added. */
static enum kt_code collect_all(enum kt_code (*in)(const char *, unsigned, struct kt_strs *, struct kt_err *),
                                const char *dir, struct kt_strs *out, struct kt_err *err)
{
	struct kt_strs packs = {0};
	enum kt_code rc = in(dir, DEPTH, out, err);
	const char *more = getenv("KTUTOR_LABS"), *piece;
	size_t len;
	while (more && (piece = kt_split(&more, ':', &len)))
		if (len)
			kt_strs_steal(&packs, kt_strndup(piece, len));
	if (!rc)
		rc = lab_packs(&packs, err);
	for (size_t i = 0; !rc && i < packs.count; i++)
		rc = in(packs.items[i], DEPTH, out, err);
	kt_strs_clear(&packs);
	return rc;
}

enum kt_code lab_round_files(const char *dir, struct kt_strs *out, struct kt_err *err)
{
	return collect_all(collect_rounds, dir, out, err);
}

enum kt_code lab_round_files_below(const char *folder, struct kt_strs *out, struct kt_err *err)
{
	return collect_rounds(folder, DEPTH, out, err);
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

/* One wrong lab does not take the others with it: it is told in `wrong`. */
static void read_all(const struct kt_strs *folders, struct lab ***out, size_t *count, struct kt_strs *wrong)
{
	struct lab **labs = kt_alloc((folders->count + 1) * sizeof(struct lab *));
	size_t n = 0;
	for (size_t i = 0; i < folders->count; i++) {
		struct kt_err err = {0};
		if (!lab_new(folders->items[i], &labs[n], &err))
			n++;
		else if (wrong)
			kt_strs_add(wrong, err.text);
	}
	qsort(labs, n, sizeof(*labs), by_lesson);
	*out = labs;
	*count = n;
}

enum kt_code lab_list(const char *dir, struct lab ***out, size_t *count, struct kt_strs *wrong,
                      struct kt_err *err)
{
	struct kt_strs folders = {0};
	enum kt_code rc = collect_all(collect, dir, &folders, err);
	if (!rc)
		read_all(&folders, out, count, wrong);
	kt_strs_clear(&folders);
	return rc;
}

enum kt_code lab_list_below(const char *folder, struct lab ***out, size_t *count, struct kt_strs *wrong,
                            struct kt_err *err)
{
	struct kt_strs folders = {0};
	enum kt_code rc = collect(folder, DEPTH, &folders, err);
	if (!rc && !folders.count)
		rc = kt_fail(err, KT_ENOTFOUND, "no lab.yaml lies in '%s', nor %d folders below it", folder,
		             DEPTH);
	if (!rc)
		read_all(&folders, out, count, wrong);
	kt_strs_clear(&folders);
	return rc;
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
	enum kt_code rc = collect_all(collect, dir, &folders, err);
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
