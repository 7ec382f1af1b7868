/* SPDX-License-Identifier: MIT */
/* The tutor in a terminal: the loop between keys, time, the worker and frames. */
#include "tui/app.h"
#include "tui/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME (12 * KT_MS) /* no more than one frame in this time, however much a program writes */

struct running {
	struct tui_app app;
	struct tui_terminal *terminal;
	struct kt_loop *loop;
	struct tui_grid grid;
	kt_ns drawn, ticked;
	unsigned eager; /* frames that need not wait: a key's own, and its echo's */
	bool ended;
};

static void draw(struct running *r)
{
	int rows, cols;
	tui_terminal_size(r->terminal, &rows, &cols);
	tui_app_draw(&r->app, &r->grid, rows, cols);
	tui_terminal_put(r->terminal, &r->grid);
	if (r->app.clipboard.len) {
		tui_terminal_copy(r->terminal, r->app.clipboard.data, r->app.clipboard.len);
		kt_buf_cut(&r->app.clipboard, 0);
	}
	r->drawn = kt_monotonic();
}

static void take_key(struct running *r, const struct tui_event *event)
{
	if (!event->key) {
		tui_app_mouse(&r->app, event->row, event->col, event->wheel);
		return;
	}
	if (event->key == 12)
		tui_terminal_redraw(r->terminal);
	tui_app_key(&r->app, event->key);
	if (r->app.suspend) {
		r->app.suspend = false;
		tui_terminal_suspend(r->terminal);
	}
}

static void on_input(int fd, int events, void *arg)
{
	struct running *r = arg;
	struct tui_event event;
	(void)fd;
	r->app.now = kt_clock_real().now(NULL);
	if (events & KT_LOOP_ERROR) { /* the terminal is gone */
		r->ended = true;
		kt_loop_stop(r->loop);
		return;
	}
	while (!r->app.quit && tui_terminal_read(r->terminal, &event))
		take_key(r, &event);
	r->eager = 2;
	if (r->app.quit)
		kt_loop_stop(r->loop);
}

static void on_end(int signo, void *arg)
{
	struct running *r = arg;
	(void)signo;
	r->ended = true;
	kt_loop_stop(r->loop);
}

static void on_resize(int signo, void *arg)
{
	struct running *r = arg;
	(void)signo;
	tui_terminal_resized(r->terminal);
	r->drawn = 0;
}

/* After each round of events: a frame, unless there was one just now. */
static kt_ns on_idle(void *arg)
{
	struct running *r = arg;
	kt_ns now = kt_monotonic(), since = now - r->drawn;
	if (r->app.quit || r->ended)
		return 0;
	kt_ns next = tui_app_tick(&r->app, kt_clock_real().now(NULL));
	if (r->drawn && since < FRAME && !r->eager)
		return FRAME - since;
	r->eager -= r->eager > 0;
	draw(r);
	return next;
}

static const char *theme_of(const struct tui_options *options, char **kept)
{
	const char *none = getenv("NO_COLOR");
	if (options->theme)
		return options->theme;
	if (none && *none)
		return "none";
	*kept = options->db ? db_setting(options->db, "theme") : NULL;
	return tui_is_theme(*kept) ? *kept : "dark";
}

static void listen_to(struct running *r)
{
	static const int ends[] = {SIGTERM, SIGHUP, SIGINT};
	for (size_t i = 0; i < KT_COUNT(ends); i++)
		kt_loop_signal(r->loop, ends[i], on_end, r);
	kt_loop_signal(r->loop, SIGWINCH, on_resize, r);
	kt_loop_watch(r->loop, STDIN_FILENO, KT_LOOP_READ, on_input, r);
	kt_loop_idle(r->loop, on_idle, r);
}

static enum kt_code run(struct running *r, const struct tui_options *options, struct kt_err *err)
{
	char *kept = NULL;
	enum kt_code rc = tui_app_init(&r->app, options, kt_clock_real().now(NULL), err);
	if (rc)
		return rc;
	rc = tui_terminal_new(theme_of(options, &kept), &r->terminal, err);
	kt_free(kept);
	if (!rc) {
		r->loop = kt_loop_new();
		r->app.loop = r->loop;
		(void)signal(SIGPIPE, SIG_IGN);
		listen_to(r);
		draw(r);
		kt_loop_run(r->loop);
	}
	tui_app_clear(&r->app);
	tui_terminal_free(r->terminal);
	kt_loop_free(r->loop);
	tui_grid_clear(&r->grid);
	return rc;
}

enum kt_code tui_run(const struct tui_options *options, struct kt_err *err)
{
	struct running r = {0};
	struct tui_options own = *options;
	/* Characters by the locale; numbers stay as JSON has them. */
	(void)setlocale(LC_CTYPE, "");
	const char *charset = nl_langinfo(CODESET);
	if (!kt_streq(charset, "UTF-8") && !kt_streq(charset, "utf8")) {
		own.ascii = true;
	}
	return run(&r, &own, err);
}

enum kt_code tui_print_overview(const struct tui_options *options, struct kt_buf *out, struct kt_err *err)
{
	struct tui_app app;
	enum kt_code rc = tui_app_init(&app, options, kt_clock_real().now(NULL), err);
	if (rc)
		return rc;
	tui_overview(&app, out);
	tui_app_clear(&app);
	return KT_OK;
}
