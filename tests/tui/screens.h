/* SPDX-License-Identifier: MIT */
/* Screens as text, held against kept ones in tests/tui/screens. KTUTOR_KEEP=1 keeps what is drawn now. */
#ifndef TESTS_TUI_SCREENS_H
#define TESTS_TUI_SCREENS_H

#include "tui/app.h"
#include "tui/work_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW ((kt_ns)1767312000 * KT_SEC) /* 2026-01-02T00:00:00Z */

struct fixture {
	struct tui_options options;
	struct tui_app app;
	struct tui_grid grid;
	char home[64];
};

static inline void fixture_open(struct fixture *f)
{
	struct kt_err err = {0};
	memset(f, 0, sizeof(*f));
	memcpy(f->home, "/tmp/ktutor-tui-XXXXXX", sizeof("/tmp/ktutor-tui-XXXXXX"));
	assert_non_null(mkdtemp(f->home));
	/* kind or docker on this machine are not part of the picture */
	assert_int_equal(setenv("PATH", f->home, 1), 0);
	f->options = (struct tui_options){.home = f->home, .share = "tests/tui/share"};
	if (db_progress_open(f->home, &f->options.db, &err) || tui_app_init(&f->app, &f->options, NOW, &err))
		fail_msg("%s", err.text);
}

static inline void fixture_close(struct fixture *f)
{
	struct kt_err err = {0};
	tui_app_clear(&f->app);
	tui_grid_clear(&f->grid);
	db_close(f->options.db);
	assert_int_equal(kt_remove_tree(f->home, &err), KT_OK);
}

static inline void press(struct fixture *f, const char *keys)
{
	for (; *keys; keys++)
		tui_app_key(&f->app, *keys == '\n' ? TUI_KEY_ENTER : *keys);
}

static inline char *drawn(struct fixture *f, int rows, int cols)
{
	struct kt_buf text = {0};
	tui_app_draw(&f->app, &f->grid, rows, cols);
	tui_grid_print(&f->grid, &text);
	return kt_buf_take(&text);
}

static inline bool shows(struct fixture *f, const char *words)
{
	char *text = drawn(f, 24, 80);
	bool found = strstr(text, words) != NULL;
	kt_free(text);
	return found;
}

/* The screen is the one that was kept as NAME-COLSxROWS.txt. */
static inline void expect_screen(struct fixture *f, const char *name, int rows, int cols)
{
	struct kt_err err = {0};
	struct kt_buf kept = {0};
	char *text = drawn(f, rows, cols),
	     *path = kt_strf("tests/tui/screens/%s-%dx%d.txt", name, cols, rows);
	if (getenv("KTUTOR_KEEP"))
		assert_int_equal(kt_write_file(path, text, strlen(text), 0644, &err), KT_OK);
	if (kt_read_file(path, 1 << 20, &kept, &err))
		fail_msg("%s", err.text);
	if (!kt_streq(kt_buf_str(&kept), text))
		fail_msg("%s is no more what is drawn:\n%s", path, text);
	kt_buf_clear(&kept);
	kt_free(path);
	kt_free(text);
}

static inline void expect_both(struct fixture *f, const char *name)
{
	expect_screen(f, name, 24, 80);
	expect_screen(f, name, 36, 120);
}

/* What a worker would have told. */
static inline void tell(struct fixture *f, struct kt_json *steal)
{
	tui_work_told(&f->app, steal);
	kt_json_free(steal);
}

#endif
