/* SPDX-License-Identifier: MIT */
/* A container without a pod, for tests of what programs print. */
#ifndef SHELL_RUN_H
#define SHELL_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
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
	const char *argv[] = {"sh", "-c", script, NULL};
	assert_true(shell_start(run, argv, input, false, NULL));
	kt_ns end = cluster_now(run->cluster) + KT_HOUR;
	while (!run->over && cluster_now(run->cluster) < end)
		cluster_advance(run->cluster, cluster_now(run->cluster) + 10 * KT_SEC);
}

#endif
