/* SPDX-License-Identifier: MIT */
/* Which variant of a lab was drawn (HOME/labs/LAB/draw), and that variant as a folder
 * (HOME/labs/LAB/drawn/DRAW/LAB): from there it is read as any lab, so that manifests, answers and texts need
 * not know of variants. */
#include "labs/labs_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)

/* What is read as text; all else is copied as it is. */
static bool is_text(const char *name)
{
	return kt_ends(name, ".yaml") || kt_ends(name, ".yml") || kt_ends(name, ".json") ||
	       kt_ends(name, ".md");
}

static enum kt_code copy_file(const char *from, const char *to, const struct kt_json *drawn,
                              struct kt_err *err)
{
	struct kt_buf text = {0};
	enum kt_code rc = kt_read_file(from, FILE_MAX, &text, err);
	char *all = NULL;
	if (!rc && is_text(from))
		rc = lab_put_in(from, kt_buf_str(&text), drawn, &all, err);
	FILE *file = rc ? NULL : fopen(to, "w");
	size_t len = all ? strlen(all) : text.len;
	if (!rc && (!file || fwrite(all ? all : kt_buf_str(&text), 1, len, file) != len))
		rc = kt_fail(err, KT_EIO, "%s: cannot be written", to);
	if (file && fclose(file) && !rc)
		rc = kt_fail(err, KT_EIO, "%s: cannot be written", to);
	kt_free(all);
	kt_buf_clear(&text);
	return rc;
}

static enum kt_code copy_tree(const char *from, const char *to, const struct kt_json *drawn,
                              struct kt_err *err)
{
	struct kt_strs names = {0};
	enum kt_code rc = kt_list_dir(from, &names, err);
	if (!rc)
		rc = kt_make_dirs(to, 0700, err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *one = kt_join(from, names.items[i]), *other = kt_join(to, names.items[i]);
		if (names.items[i][0] != '.' && kt_is_dir(one))
			rc = copy_tree(one, other, drawn, err);
		else if (kt_is_file(one))
			rc = copy_file(one, other, drawn, err);
		kt_free(one);
		kt_free(other);
	}
	kt_strs_clear(&names);
	return rc;
}

/* When what lies in a folder was last written, in it and below it. */
static time_t newest(const char *dir)
{
	struct kt_strs names = {0};
	struct stat st;
	time_t last = stat(dir, &st) ? 0 : st.st_mtime;
	if (kt_list_dir(dir, &names, NULL))
		names.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		char *path = kt_join(dir, names.items[i]);
		time_t when = kt_is_dir(path) ? newest(path) : stat(path, &st) ? 0 : st.st_mtime;
		last = KT_MAX(last, when);
		kt_free(path);
	}
	kt_strs_clear(&names);
	return last;
}

/* Is it there, and of what is written now? */
static bool is_laid(const struct lab *lab, const char *place)
{
	struct stat st;
	return !stat(place, &st) && st.st_mtime >= newest(lab->source);
}

/* Beside it first, so that nobody reads half of it. */
static enum kt_code lay_anew(const struct lab *lab, const char *place, struct kt_err *err)
{
	char *beside = kt_strf("%s.%ld", place, (long)getpid()),
	     *above = kt_strndup(place, (size_t)(kt_basename(place) - place));
	enum kt_code rc = kt_make_dirs(above, 0700, err);
	if (!rc)
		rc = copy_tree(lab->source, beside, lab->drawn, err);
	bool was_faster = is_laid(lab, place); /* another start, which reads it now */
	if (!rc && !was_faster)
		rc = kt_remove_tree(place, err);
	if (!rc && !was_faster && rename(beside, place) &&
	    !kt_is_dir(place)) /* somebody else was first: as good */
		rc = kt_fail(err, KT_EIO, "%s: cannot be written", place);
	if (kt_remove_tree(beside, rc ? NULL : err) && !rc)
		rc = KT_EIO;
	kt_free(above);
	kt_free(beside);
	return rc;
}

enum kt_code lab_lay(const char *home, struct lab **lab, struct kt_err *err)
{
	struct lab *laid = NULL;
	if ((*lab)->draws < 2 || !kt_streq((*lab)->dir, (*lab)->source))
		return KT_OK;
	char *place = kt_strf("%s/labs/%s/drawn/%zu/%s", home, (*lab)->lab, (*lab)->draw, (*lab)->lab);
	enum kt_code rc = is_laid(*lab, place) ? KT_OK : lay_anew(*lab, place, err);
	if (!rc)
		rc = lab_new_drawn(place, (*lab)->draw, &laid, err);
	if (!rc) {
		laid->source = kt_arena_strdup(&laid->inner->arena, (*lab)->source);
		lab_free(*lab);
		*lab = laid;
	}
	kt_free(place);
	return rc ? kt_wrap(err, "lab '%s'", (*lab)->lab) : KT_OK;
}

/* --- which was drawn --- */

static enum kt_code read_again(const char *home, struct lab **lab, size_t draw, struct kt_err *err)
{
	struct lab *other = NULL;
	enum kt_code rc = KT_OK;
	if (draw % (*lab)->draws != (*lab)->draw || !kt_streq((*lab)->dir, (*lab)->source)) {
		rc = lab_new_drawn((*lab)->source, draw, &other, err);
		if (rc)
			return rc;
		lab_free(*lab);
		*lab = other;
	}
	return lab_lay(home, lab, err);
}

enum kt_code lab_as_drawn(const char *home, struct lab **lab, struct kt_err *err)
{
	char *path = kt_strf("%s/labs/%s/draw", home, (*lab)->lab);
	struct kt_buf text = {0};
	enum kt_code rc = KT_OK;
	if ((*lab)->draws > 1 && kt_is_file(path))
		rc = kt_read_file(path, 64, &text, err);
	if (!rc && (*lab)->draws > 1)
		rc = read_again(home, lab, strtoul(kt_buf_str(&text), NULL, 10), err);
	kt_buf_clear(&text);
	kt_free(path);
	return rc;
}

/* The first time the one that the lesson tells of; after that any but the last. */
static size_t next_draw(const struct lab *lab, const char *path)
{
	const char *fixed = getenv("KTUTOR_DRAW");
	struct kt_buf text = {0};
	struct kt_random random;
	if (fixed && *fixed)
		return strtoul(fixed, NULL, 10);
	if (!kt_is_file(path) || kt_read_file(path, 64, &text, NULL))
		return 0;
	size_t last = strtoul(kt_buf_str(&text), NULL, 10) % lab->draws;
	kt_buf_clear(&text);
	kt_random_init(&random, (uint64_t)kt_clock_real().now(NULL));
	return (last + 1 + kt_random_below(&random, (uint32_t)lab->draws - 1)) % lab->draws;
}

enum kt_code lab_draw_anew(const char *home, struct lab **lab, struct kt_err *err)
{
	if ((*lab)->draws < 2)
		return KT_OK;
	char *dir = kt_strf("%s/labs/%s", home, (*lab)->lab), *path = kt_join(dir, "draw");
	size_t draw = next_draw(*lab, path);
	char *text = kt_strf("%zu\n", draw);
	enum kt_code rc = kt_make_dirs(dir, 0700, err);
	if (!rc)
		rc = kt_write_file(path, text, strlen(text), 0600, err);
	if (!rc)
		rc = read_again(home, lab, draw, err);
	kt_free(text);
	kt_free(path);
	kt_free(dir);
	return rc ? kt_wrap(err, "lab '%s'", (*lab)->lab) : KT_OK;
}
