/* SPDX-License-Identifier: MIT */
/* A container without a pod, for tests of what programs print. */
#ifndef SHELL_RUN_H
#define SHELL_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cluster/kubelet/process.h"
#include "cluster/network/network.h"

struct shell_run {
	struct cluster *cluster;
	struct container container;
	struct kt_buf out, err;
	struct process *process;
	int code;
	const char *reason;
	bool over;
	bool bash; /* scripts run in bash, not in sh */
};

static inline void shell_run_init(struct shell_run *run, const char *image)
{
	struct cluster_options options = {
	        .name = "test", .seed = 1, .now = 1767225600 * KT_SEC, .workers = 2};
	struct kt_err err = {0};
	memset(run, 0, sizeof(*run));
	assert_int_equal(cluster_new(&options, &run->cluster, &err), KT_OK);
	run->container = (struct container){.cluster = run->cluster,
	                                    .ns = "default",
	                                    .pod = "box",
	                                    .pod_uid = "uid",
	                                    .name = "c",
	                                    .node = "worker-1",
	                                    .host_name = "box",
	                                    .pod_ip = "10.244.1.9",
	                                    .image = image,
	                                    .capabilities = 0xa80425fb,
	                                    .run_as_user = -1};
	run->container.files = files_new(NULL);
}

static inline void shell_run_clear(struct shell_run *run)
{
	process_free(run->process);
	files_free(run->container.files);
	kt_json_free(run->container.env);
	kt_buf_clear(&run->out);
	kt_buf_clear(&run->err);
	cluster_free(run->cluster);
}

static inline void shell_output(void *arg, int fd, const void *data, size_t len)
{
	struct shell_run *run = arg;
	kt_buf_add(fd == 1 ? &run->out : &run->err, data, len);
}

static inline void shell_exited(void *arg, int code, const char *reason)
{
	struct shell_run *run = arg;
	run->code = code;
	run->reason = reason;
	run->over = true;
}

static inline bool shell_start(struct shell_run *run, const char *const *argv, const char *input, bool tty,
                               char **why)
{
	struct process_spec spec = {.container = &run->container,
	                            .argv = argv,
	                            .is_main = true,
	                            .has_stdin = input || tty,
	                            .tty = tty,
	                            .output = shell_output,
	                            .exited = shell_exited,
	                            .arg = run};
	process_free(run->process);
	run->over = false;
	kt_buf_cut(&run->out, 0);
	kt_buf_cut(&run->err, 0);
	run->process = process_start(&spec, why);
	if (run->process && input) {
		process_write(run->process, input, strlen(input));
		if (!tty)
			process_eof(run->process);
	}
	return run->process != NULL;
}

/* A script with `sh -c`, until it ends or a virtual hour is over. */
static inline void shell_script(struct shell_run *run, const char *script, const char *input)
{
	const char *argv[] = {run->bash ? "bash" : "sh", "-c", script, NULL};
	assert_true(shell_start(run, argv, input, false, NULL));
	kt_ns end = cluster_now(run->cluster) + KT_HOUR;
	while (!run->over && cluster_now(run->cluster) < end)
		cluster_advance(run->cluster, cluster_now(run->cluster) + 10 * KT_SEC);
}

static inline void shell_check_record(struct shell_run *run, struct kt_buf *script, struct kt_buf *want)
{
	kt_buf_cut(script, script->len - 1);
	struct kt_buf got = {0};
	shell_script(run, kt_buf_str(script), NULL);
	kt_buf_add(&got, kt_buf_str(&run->out), run->out.len);
	kt_buf_add(&got, kt_buf_str(&run->err), run->err.len);
	if (got.len && got.data[got.len - 1] != '\n')
		kt_buf_addc(&got, '\n');
	if (run->code)
		kt_buf_addf(&got, "[exit %d]\n", run->code);
	if (strcmp(kt_buf_str(&got), kt_buf_str(want)) != 0) {
		/* not fail_msg: cmocka cuts long texts */
		fprintf(stderr, "script:\n%s\nexpected:\n%s\ngot:\n%s\n", kt_buf_str(script),
		        kt_buf_str(want), kt_buf_str(&got));
		fail();
	}
	kt_buf_clear(&got);
	kt_buf_cut(script, 0);
	kt_buf_cut(want, 0);
}

/* A file of scripts and what they print. A record is a script behind "$ " (further lines behind "> "), its
 * output behind two spaces, and "[exit N]" where that is not 0; stderr is part of the output, after it.
 * `fresh`: each in a container of its own. How many there were. */
static inline size_t shell_records(const char *path, const char *image, bool fresh)
{
	struct kt_buf text = {0}, script = {0}, want = {0};
	struct shell_run run;
	struct kt_err err = {0};
	size_t len, count = 0;
	assert_int_equal(kt_read_file(path, 1 << 20, &text, &err), KT_OK);
	const char *rest = kt_buf_str(&text), *line = NULL;
	shell_run_init(&run, image);
	run.bash = kt_starts(image, "bash");
	do {
		line = rest ? kt_split(&rest, '\n', &len) : NULL;
		bool start = !line || (len >= 2 && !strncmp(line, "$ ", 2));
		if (start && script.len) {
			shell_check_record(&run, &script, &want);
			count++;
			if (fresh && line) {
				shell_run_clear(&run);
				shell_run_init(&run, image);
				run.bash = kt_starts(image, "bash");
			}
		}
		if (!line)
			break;
		if (start || (len >= 2 && !strncmp(line, "> ", 2))) {
			kt_buf_add(&script, line + 2, len - 2);
			kt_buf_addc(&script, '\n');
		} else if (len >= 2 && line[0] == ' ') {
			kt_buf_add(&want, line + 2, len - 2);
			kt_buf_addc(&want, '\n');
		} else if (len && line[0] == '[') {
			kt_buf_add(&want, line, len);
			kt_buf_addc(&want, '\n');
		}
	} while (line);
	shell_run_clear(&run);
	kt_buf_clear(&text);
	kt_buf_clear(&script);
	kt_buf_clear(&want);
	return count;
}

#endif
