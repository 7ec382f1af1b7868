/* SPDX-License-Identifier: MIT */
/* A simulated program in a container: what its image and command make it do, on the virtual clock. The
 * kubelet starts them for containers, lifecycle hooks and exec probes; exec, attach and debug start them for
 * people. Understands a shell and the usual tools (kubelet/shell), and well-known servers (kubelet/images). A
 * process that only waits costs a few dozen bytes. */
#ifndef PROCESS_H
#define PROCESS_H

#include "cluster/cluster_internal.h"
#include "cluster/kubelet/files.h"

/* What metrics-server saw of a container at its last look. */
struct container_sample {
	kt_ns at;
	int64_t cpu, rate, memory; /* nanoseconds so far; nanocores; bytes */
	bool seen;                 /* there is a rate */
};
/* What of a container a program can see. Owned by the kubelet's pod worker; outlives its processes. */
struct container {
	struct cluster *cluster;
	const char *ns, *pod, *pod_uid, *name, *node, *pod_ip,
	        *host_name; /* pod_ip NULL until there is one */
	const char *image;
	const struct kt_json *labels;   /* of the pod */
	struct kt_json *env;            /* {NAME: value} resolved, with the Service variables */
	struct files *files;            /* its root: image's files with the volumes mounted */
	const char *working_dir;        /* NULL: the image's */
	int64_t memory_limit;           /* bytes; 0 none */
	int64_t cpu_limit_milli;        /* 0 none */
	int64_t run_as_user;            /* -1: the image's */
	int64_t run_as_group, fs_group; /* -1: none */
	const char *message_path;     /* where its last words go: a file that everybody may write; or NULL */
	const struct kt_json *spec;   /* of the pod: hostAliases, dnsConfig; may be NULL */
	const struct kt_json *groups; /* supplementalGroups */
	uint64_t capabilities;        /* what root may: bit N is Linux' capability N; see identity.h */
	bool read_only_root, host_network, no_new_privileges, seccomp;
	/* Containers whose programs see one another's, in a ring (process_share); NULL: it is alone. Then its
	 * main is PID 1; in a ring that is the first one's main, or the sandbox' pause. */
	struct container *sharing;
	bool paused, guest;        /* PID 1 is pause; it came to another's processes */
	struct process *main;      /* its first program; NULL while not running */
	kt_ns began;               /* when its last main program was started */
	struct process *processes; /* all of it, private to process.c; NULL at the start */
	void *kubelet;             /* private to the kubelet */
	void (*last_gone)(struct container *container); /* it is kept for its processes only: no more are
	                                                   left; or NULL */
	struct kt_json *usage_override;                 /* private to traffic */
	int64_t worked_nano, load_memory;               /* private to process.c */
	struct container_sample sample;                 /* network/usage.c */
};

struct process;
struct process_spec {
	struct container *container;
	const char *const *argv; /* NULL-terminated; NULL: the image's entrypoint and command */
	bool is_main, has_stdin, tty;
	bool instant; /* waiting inside it takes no virtual time (`X-Ktutor-Instant`): its own clock runs
	                 ahead */
	/* How long it has been running already, as far as the cluster is concerned (after a restore): what it
	 * waits for before it serves is over by so much. Its first two waits only: a loop must not run again.
	 */
	kt_ns ran;
	/* Output as it is made. fd 1 or 2. */
	void (*output)(void *arg, int fd, const void *data, size_t len);
	/* It is over; called once, never from inside process_start; the process is freed by the owner with
	 * process_free. `reason` "Completed", "Error", "OOMKilled". */
	void (*exited)(void *arg, int code, const char *reason);
	void *arg;
};
/* Start. NULL and `why` (owned by the caller, may be NULL) when there is no such program: the runtime's words
 * ('exec: "foo": executable file not found in $PATH'), as StartError and exec show them. */
struct process *process_start(const struct process_spec *spec, char **why);
void process_write(struct process *process, const void *data, size_t len); /* to its stdin */
void process_eof(struct process *process);
/* SIGTERM: programs that handle it end after their usual time (nginx: at once, a sh as PID 1: never); SIGKILL
 * ends now with 137. */
void process_signal(struct process *process, int signo);
/* What an exec's program left in the background goes on without an owner while the container runs. */
void process_free(struct process *process);
void container_free_left(struct container *container); /* such processes: the container goes */
/* What its program holds in memory and would have lost after a restore of the simulation (redis' data); NULL:
 * nothing. The kubelet keeps it under this key (owned); the program looks there when it begins with spec.ran.
 */
struct kt_json *process_memory(const struct process *process);
char *process_memory_key(const struct container *container);
/* Of one that is instant: run it to its end now (what does not end is killed). How long it would have taken.
 */
kt_ns process_finish(struct process *process);
/* `container` joins those whose processes `with` sees; `paused`: a pod's that shares them, where pause is PID
 * 1
 * (`with` may be itself: the first). */
void process_share(struct container *container, struct container *with, bool paused);
void process_unshare(struct container *container);
/* Run a program of the container at once, with `in` as all of its input: what it says on stdout, and the time
 * it takes. False: there is no such program. */
bool process_answer(struct container *container, const char *const *argv, const void *in, size_t len,
                    struct kt_buf *out, kt_ns *took, int *code /* may be NULL */);
/* The terminal's size, from a resize. */
void process_resize(struct process *process, unsigned columns, unsigned rows);
/* What a container's programs use: CPU time since the container started (nanoseconds, monotone while it runs)
 * and memory now. The work that requests bring (traffic) is added with container_work. */
void container_usage(const struct container *container, int64_t *cpu_nano, int64_t *memory);
int64_t container_memory(const struct container *container); /* that half alone: cheap */
/* A program of it did work for somebody: `cpu` nanoseconds of one core. */
void container_work(struct container *container, kt_ns cpu);
/* Memory that traffic takes (absolute); above the limit the container dies of OOM (137). */
void container_load(struct container *container, int64_t memory);

/* --- images: the catalogue (kubelet/images.tsv) --- */
struct image {
	const char *name; /* "nginx": any registry prefix docker.io/library/ is cut */
	const char
	        *tag; /* only tags with this word in them ("alpine"); NULL: all. Specific rows come first */
	unsigned newest_major, newest_minor; /* what the registry has; 0: any version */
	const char *versions; /* instead: of each minor version the last patch, "1.26.3 1.27.5" */
	bool tagged_v;        /* tags may begin with a v */
	const char *const *entrypoint, *const *command, *const *env; /* NULL-terminated */
	const char *working_dir, *user;
	int64_t size; /* bytes, for pull times and ImageLocality */
	const char *
	        tools; /* which programs are in it, words: "busybox", "debian", "curl", "none" (distroless) */
	const struct files_seed *files; /* what lies in it; may be NULL */
	unsigned port;                  /* what it listens on by default; 0 none */
	kt_ns start;                    /* from start to serving */
	kt_ns work; /* CPU time that one request takes under load; 0: the usual (network/traffic.c) */
	int64_t memory, cpu_milli; /* when idle */
};
/* `reference` as in a pod spec. NULL with a reason ("ErrImagePull" texts) when the registry has no such image
 * or tag or lacks it by a disturbance. What the catalogue does not know is in no registry. */
const struct image *image_find(struct cluster *cluster, const char *reference, char **why);
/* "docker.io/library/nginx:1.27" for "nginx:1.27"; owned. */
char *image_full_name(const char *reference);
/* Which of the image's versions the tag stands for ("7.0.15" for redis:7.0-alpine); owned, NULL: unknown. */
char *image_version(const struct image *image, const char *reference);
void image_id(const char *reference, char out[128]); /* stable digest: repo@sha256:… */

#endif
