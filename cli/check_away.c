/* SPDX-License-Identifier: MIT */
/* A check whose drills take real minutes: it goes on in a process of its own, can be watched, left and taken
 * up again. What it is at lies in HOME/labs/LAB/check: lock (held while it goes on), progress, out.FORMAT,
 * err, and at last code. */
#include "cli/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static char *place_of(const struct cli_call *call, const struct lab *lab, const char *file)
{
	return kt_strf("%s/labs/%s/check%s%s", call->home, lab->lab, file ? "/" : "", file ? file : "");
}

static char *read_small(const struct cli_call *call, const struct lab *lab, const char *file)
{
	char *path = place_of(call, lab, file);
	struct kt_buf text = {0};
	if (!kt_is_file(path) || kt_read_file(path, 4 * 1024 * 1024, &text, NULL))
		kt_buf_clear(&text);
	kt_free(path);
	if (!text.len) /* an empty file has a buffer, too */
		kt_buf_clear(&text);
	return text.len ? kt_buf_take(&text) : NULL;
}

static void write_small(const char *dir, const char *file, const char *text)
{
	char *path = kt_join(dir, file);
	struct kt_err ignored = {0};
	if (kt_write_file(path, text, strlen(text), 0600, &ignored)) {
		/* whoever watches sees less */
	}
	kt_free(path);
}

static void remove_small(const struct cli_call *call, const struct lab *lab, const char *file)
{
	char *path = place_of(call, lab, file);
	(void)unlink(path);
	kt_free(path);
}

/* The lock's descriptor when nobody held it, -1 while a check goes on. */
static int take_lock(const struct cli_call *call, const struct lab *lab)
{
	char *dir = place_of(call, lab, NULL), *path = place_of(call, lab, "lock");
	struct kt_err ignored = {0};
	int fd = kt_make_dirs(dir, 0700, &ignored) ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		(void)close(fd);
		fd = -1;
	}
	kt_free(path);
	kt_free(dir);
	return fd;
}

bool cli_check_is_long(const struct cli_call *call, const struct lab *lab)
{
	static const char *const short_ones[] = {"watch", "no-wait", "no-drills"};
	const char *task = cli_flag(call, "task");
	struct kt_json *state = lab_state(call->home, lab->lab);
	const struct provider *provider = provider_find(kt_str_or(kt_get(state, "provider"), ""));
	bool is_long = false;
	for (size_t i = 0; provider && provider->real_time && i < lab->task_count; i++)
		is_long =
		        is_long || (lab->tasks[i].has_drill && (!task || kt_streq(task, lab->tasks[i].task)));
	for (size_t i = 0; i < KT_COUNT(short_ones); i++)
		is_long = is_long && !cli_flag(call, short_ones[i]);
	kt_json_free(state);
	return is_long;
}

/* --- the process that goes on --- */

static void go_on(struct cli_call *call, const struct lab *lab,
                  int (*grade)(struct cli_call *call, const struct lab *lab)) KT_NORETURN;
static void go_on(struct cli_call *call, const struct lab *lab,
                  int (*grade)(struct cli_call *call, const struct lab *lab))
{
	char *dir = place_of(call, lab, NULL), *err_path = place_of(call, lab, "err"), code[16];
	(void)setsid();
	int null = open("/dev/null", O_RDWR);
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	(void)dup2(null, 2);
	FILE *err = fopen(err_path, "w"), *out = fopen("/dev/null", "w");
	if (!err || !out)
		_exit(1);
	call->err = err;
	call->out = out;
	call->away = dir;
	int answer = grade(call, lab);
	(void)fclose(err);
	(void)fclose(out);
	(void)snprintf(code, sizeof(code), "%d\n", answer);
	write_small(dir, "code", code);
	_exit(0);
}

void cli_away_progress(const struct cli_call *call, const char *sentence, kt_ns elapsed, kt_ns limit)
{
	struct kt_json *json =
	        kt_jsonf("{sentence: %s, elapsed: %l, limit: %l, pid: %l}", sentence,
	                 (int64_t)(elapsed / KT_SEC), (int64_t)(limit / KT_SEC), (int64_t)getpid());
	char *text = kt_json_text(json);
	write_small(call->away, "progress", text);
	kt_free(text);
	kt_json_free(json);
}

/* --- whoever watches --- */

static long show_progress(struct cli_call *call, const struct lab *lab)
{
	char *text = read_small(call, lab, "progress");
	struct kt_json *json = NULL;
	struct kt_err ignored = {0};
	if (text && kt_json_parse(text, strlen(text), NULL, &json, NULL, &ignored))
		json = NULL;
	if (json)
		cli_show_progress(call, kt_str_or(kt_get(json, "sentence"), ""),
		                  kt_get_int(json, "elapsed", 0) * KT_SEC,
		                  kt_get_int(json, "limit", 0) * KT_SEC);
	long pid = (long)kt_get_int(json, "pid", 0);
	kt_json_free(json);
	kt_free(text);
	return pid;
}

/* What it found goes to whoever asked, once. */
static int show_result(struct cli_call *call, const struct lab *lab, const char *format)
{
	char *code = read_small(call, lab, "code"), *file = kt_strf("out.%s", format),
	     *out = read_small(call, lab, file), *err = read_small(call, lab, "err");
	int answer = code ? (int)strtol(code, NULL, 10) : CLI_FAILED;
	cli_end_progress(call);
	if (err)
		cli_print_clean(call->err, err);
	if (out)
		(void)fputs(out, call->out);
	if (!code)
		(void)fputs("ktutor: the check ended before it was done, in the middle of a drill maybe: "
		            "`ktutor lab "
		            "reset` puts the cluster back, `ktutor check` begins anew\n",
		            call->err);
	remove_small(call, lab, "code");
	remove_small(call, lab, "progress");
	kt_free(code);
	kt_free(file);
	kt_free(out);
	kt_free(err);
	return answer;
}

static int watch(struct cli_call *call, const struct lab *lab, const char *format)
{
	for (;;) {
		int fd = take_lock(call, lab);
		if (fd >= 0) {
			(void)close(fd);
			return show_result(call, lab, format);
		}
		(void)show_progress(call, lab);
		if (cli_interrupted()) {
			cli_end_progress(call);
			(void)fputs("left: the check goes on. `ktutor check` shows how far it is, `ktutor "
			            "check --cancel` "
			            "ends it and puts the cluster back.\n",
			            call->err);
			return 130;
		}
		(void)poll(NULL, 0, 200);
	}
}

int cli_check_away(struct cli_call *call, const struct lab *lab, const char *format,
                   int (*grade)(struct cli_call *call, const struct lab *lab))
{
	int fd = take_lock(call, lab);
	char *code = fd >= 0 ? read_small(call, lab, "code") : NULL;
	cli_catch_interrupt();
	if (code) { /* it ended while nobody watched */
		kt_free(code);
		(void)close(fd);
		(void)fputs("this is what the check found that you left; `ktutor check` again grades anew\n",
		            call->err);
		return show_result(call, lab, format);
	}
	if (fd >= 0) {
		static const char *const old[] = {"progress", "err",       "out.text",
		                                  "out.json", "out.junit", "out.tap"};
		for (size_t i = 0; i < KT_COUNT(old); i++)
			remove_small(call, lab, old[i]);
		(void)fflush(NULL);
		pid_t child = fork();
		if (child == 0)
			go_on(call, lab, grade); /* holds the lock */
		(void)close(fd);
		if (child < 0)
			return grade(call, lab); /* no process: here, then */
	}
	return watch(call, lab, format);
}

bool cli_check_cancel(struct cli_call *call, const struct lab *lab)
{
	int fd = take_lock(call, lab);
	bool was = fd < 0;
	long asked = 0;
	while (fd < 0) {
		long pid = show_progress(call, lab);
		if (pid > 0 &&
		    pid != asked) /* once: asked twice, it would end without putting anything back */
			(void)kill((pid_t)pid, SIGTERM);
		asked = pid > 0 ? pid : asked;
		(void)poll(NULL, 0, 500);
		fd = take_lock(call, lab);
	}
	(void)close(fd);
	cli_end_progress(call);
	remove_small(call, lab, "code");
	remove_small(call, lab, "progress");
	return was;
}
