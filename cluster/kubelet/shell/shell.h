/* SPDX-License-Identifier: MIT */
/* Inside a process: tasks (what the container's ps shows), their file descriptors, the stack machine that
 * runs shell programs, and the interface of tools. No threads: a task runs until it must wait (time, bytes, a
 * child, an answer of the network) and is stepped again when something changed. */
#ifndef SHELL_H
#define SHELL_H

#include "cluster/kubelet/images.h"
#include "cluster/kubelet/shell/syntax.h"
#include "cluster/network/network.h"

/* --- channels: what a file descriptor stands for --- */
enum chan_kind {
	CHAN_NULL,
	CHAN_OUTPUT,
	CHAN_INPUT,
	CHAN_PIPE,
	CHAN_FILE,
	CHAN_ZERO,
	CHAN_RANDOM,
	CHAN_CAPTURE
};
struct chan {
	unsigned refs, readers, writers;
	enum chan_kind kind;
	int fd; /* CHAN_OUTPUT: 1 or 2 */
	struct process *process;
	char *path; /* CHAN_FILE */
	bool append;
	size_t offset;      /* CHAN_FILE: reading */
	struct kt_buf data; /* bytes on the way */
	int64_t taken;      /* CHAN_CAPTURE: all of them, kept or not */
	char lock;          /* CHAN_FILE: flock's, s(hared) or x; 0: none */
};
struct fd {
	struct chan *chan; /* NULL: closed */
	bool writes;
};
enum { FD_MAX = 10 };

struct chan *chan_new(struct process *process, enum chan_kind kind);
void fd_put(struct fd *fd, struct chan *chan, bool writes); /* closes what was there; takes a reference */
void fd_close(struct fd *fd);
void fds_copy(struct fd *to, const struct fd *from); /* to: closed ones */
/* True while a writer should wait: the reader is behind. */
bool chan_full(const struct chan *chan);

/* --- tasks --- */
struct frame;
struct variables {
	struct kt_json *all, *hidden; /* {NAME: text}, and those that are not exported {NAME: true} */
	struct kt_json *readonly;
	struct kt_json *arrays, *maps; /* bash: {NAME: {KEY: text}}, {NAME: true} of those by text */
};
struct function {
	char *name;
	struct sh_program *program;
	const struct sh_node *body;
};
enum { SIGNALS = 32 };
enum jump { JUMP_NONE, JUMP_BREAK, JUMP_CONTINUE, JUMP_RETURN, JUMP_EXIT };
struct task {
	struct task *next;
	struct process *process;
	int pid, ppid;
	int shell_pid;                /* $$: of the shell that forked it */
	bool done, orphan, executing; /* executing: its frames are in use, freed later */
	bool wrapped;                 /* the image's entrypoint stands before its program */
	int status;                   /* $?, and the exit code at the end */
	int signo;                    /* it died of */
	struct fd fds[FD_MAX];
	char *dir;
	struct variables vars;
	struct kt_strs args;
	char *name;    /* $0 */
	char *command; /* for ps */
	struct function *functions;
	size_t function_count, function_cap;
	char *err_trap; /* of ERR, which is no signal; NULL: none */
	char **traps;   /* SIGNALS of them, [0]: EXIT; NULL: none was ever set, as in all that is no shell */
	unsigned pending;
	bool errexit, nounset, xtrace, interactive, pipefail, noglob, noclobber;
	unsigned umask;
	enum flavour flavour;
	unsigned line;
	int last_background;
	enum jump jump;
	int jump_count;
	struct frame *stack;
	size_t depth, cap;
	kt_ns wake;        /* INT64_MAX: only a change wakes it */
	kt_ns busy;        /* CPU time since it last waited */
	kt_ns slice;       /* CPU time since this run began */
	kt_ns nap_until;   /* it used up its slice */
	bool broken;       /* wrote into a pipe that nobody reads */
	int64_t memory;    /* bytes that its tool holds */
	int64_t cpu_milli; /* what its tool burns all the time */
	kt_ns started;
};

/* A text that a command substitution gave. */
struct subst {
	const struct sh_part *part;
	char *text;
};
enum frame_kind { FRAME_NODE, FRAME_TOOL, FRAME_CALL, FRAME_SOURCE, FRAME_INPUT };
struct frame {
	enum frame_kind kind;
	const struct sh_node *node;
	struct sh_program *program;
	unsigned phase, pc;
	bool no_errexit, keep_status, flag;
	int child;                /* pid waited for; 0 none */
	const struct sh_node *at; /* iteration */
	struct fd *saved;         /* FD_MAX of them, before the redirections */
	struct subst *substs;
	size_t subst_count, subst_cap, subst_seen;
	struct kt_strs words;
	size_t word;
	struct tool_run *tool;
	struct kt_strs saved_args;
	struct kt_json *locals; /* FRAME_CALL: {NAME: old value or null} */
	struct kt_json *hidden;
	int saved_status;
	struct fd capture; /* of the command substitution under way */
	const struct sh_part *part;
	struct kt_buf text; /* FRAME_INPUT: lines so far */
	char *err_trap;     /* FRAME_SOURCE: the trap that it is, put back after it */
};

struct process {
	struct process_spec spec;
	struct process *next; /* of the container */
	struct cluster *cluster;
	const struct image *image;
	kt_ns ahead; /* instant: its own clock is so much further */
	kt_ns ran;   /* left of spec.ran */
	unsigned waits;
	struct task *tasks;
	int next_pid, first_pid;
	unsigned changes;
	uint64_t timer;
	bool over, told, running;
	bool ended; /* its first program has, what that left in the background goes on */
	bool left;  /* and nobody owns it any more */
	int code;
	const char *reason;
	struct chan *in, *out, *err;
	int64_t cpu_nano; /* used up to `counted` */
	kt_ns counted;
	unsigned columns, rows;
	struct kt_buf line; /* tty: the line being typed */
	size_t steps;
};

/* The environment that it starts with: {NAME: value}, new. */
struct kt_json *process_env(const struct process *process);
kt_ns process_now(const struct process *process);
void process_changed(struct process *process);
struct task *process_task(struct process *process, int pid);
/* The processes that programs of the container see, one after the other: begin with NULL. */
struct process *process_next_seen(const struct container *container, const struct process *process);
/* A task of any of them; NULL: none, or pause (process_is_pause). */
struct task *container_task(const struct container *container, int pid);
bool process_is_pause(const struct container *container, int pid);
void process_out_of_memory(struct process *process);
void process_end(struct process *process, int code, const char *reason);
/* Its first program is over. What an exec left in the background goes on, as long as the container does. */
void process_first_ended(struct process *process, int code);

struct task *task_new(struct process *process, const struct task *parent);
/* What a shell does on a signal, "" nothing; NULL: what is usual. */
const char *task_trap(const struct task *task, int signo);
void task_set_trap(struct task *task, int signo, char *steal);
void task_clear_traps(struct task *task);
void task_free(struct task *task);
/* A copy that runs `node`, as ( … ) and & and pipes do. */
struct task *task_fork(struct task *parent, const struct sh_node *node, struct sh_program *program);
/* Replace what the task runs by a program; argv[0] is looked up. 0, or 126/127 with `why` owned (may be
 * NULL). */
int task_become(struct task *task, const struct kt_strs *argv, char **why);
/* A program of the image lies there. */
bool task_program_at(const struct task *task, const char *path);
void task_use_umask(const struct task *task);
void task_end(struct task *task, int status);
void task_strip(struct task *task);
void task_signal(struct task *task, int signo);
/* Run until it waits, ends, or has used up its slice. */
void task_run(struct task *task);
bool task_is_shell(const struct task *task);
/* A finished child: its status, and it is gone. False while it runs (or with status 127 if there is none). */
bool task_reap(struct task *task, int pid, int *status);
/* The same in the foreground of a shell, which tells of a signal: "Killed". */
bool task_reap_told(struct task *task, int pid, int *status);
const char *task_var(const struct task *task, const char *name);
bool task_set_var(struct task *task, const char *name, const char *value); /* false: read-only */
char *task_path(const struct task *task, const char *path);                /* absolute, owned */
void task_write(struct task *task, int fd, const void *data, size_t len);
void task_error(struct task *task, const char *fmt, ...) KT_PRINTF(2, 3); /* as the shell itself complains */
/* Have the shell run a text next (eval, ., trap). False and a message when it does not parse. */
bool task_source(struct task *task, const char *text, size_t len, bool keep_status);
void task_forget(struct task *task);    /* exec: drop what it does, keep its files */
void task_interrupt(struct task *task); /* ^C in an interactive shell */
struct frame *task_push(struct task *task, enum frame_kind kind);
enum { MAX_STACK = 400 };
void task_push_node(struct task *task, const struct sh_node *node, struct sh_program *program,
                    bool no_errexit);

/* --- expansion --- */
/* The fields of a word list; false after an error (told). */
bool expand_words(struct task *task, const struct frame *frame, const struct sh_word *words,
                  struct kt_strs *out);
char *expand_text(struct task *task, const struct frame *frame,
                  const struct sh_part *parts); /* no splitting; NULL: error */
char *expand_pattern(struct task *task, const struct frame *frame,
                     const struct sh_part *parts); /* quoted characters escaped */
/* The next command substitution that this word needs and the frame has no text for. */
const struct sh_part *expand_missing(struct task *task, const struct frame *frame,
                                     const struct sh_word *words);
bool arithmetic(struct task *task, const char *text, int64_t *out, char message[128]);
/* Shell patterns: * ? [..] and \ escapes. */
bool pattern_match(const char *pattern, const char *text);
bool pattern_matchn(const char *pattern, const char *text, size_t len);
void glob_expand(struct task *task, const char *pattern, const char *plain, struct kt_strs *out);

/* --- tools --- */
enum { TOOL_WAIT = -1, TOOL_AGAIN = -2 };
struct tool_run {
	struct task *task;
	const struct tool *tool;
	struct kt_strs argv;
	struct kt_json *env; /* assignments in front of it, {NAME: text}, or NULL */
	void *state;         /* state_size zeroed bytes */
	unsigned pc;
	kt_ns until; /* tool_sleep's */
	int child;
	/* inputs: files named by arguments, or stdin */
	size_t file, file_end;
	bool use_stdin, opened, ended, whole, endless, random; /* endless: /dev/zero; random: /dev/urandom */
	struct kt_buf in;
	size_t in_at, scanned; /* scanned: bytes behind in_at without a newline */
	const char *in_name;
	int in_status;
};
typedef int tool_fn(struct tool_run *r); /* exit code, TOOL_WAIT or TOOL_AGAIN */
struct tool {
	const char *name;
	const char *sets; /* which images have it: words of struct image.tools */
	tool_fn *run;
	size_t state_size;
	void (*end)(struct tool_run *r); /* frees what hangs on state, stops listening; may be NULL */
	int term;   /* its exit code after SIGTERM + 1; 0: does not handle it (143; ignored as PID 1) */
	bool shell; /* a shell */
	/* What it does after a signal before it ends with `term`; may be NULL. */
	void (*terminating)(struct tool_run *r);
	void (*hangup)(struct tool_run *r);            /* what it does at SIGHUP, and goes on; may be NULL */
	struct kt_json *(*memory)(struct tool_run *r); /* for process_memory; may be NULL */
};
const struct tool *tool_find(const struct image *image, const char *name);
const struct tool *tool_at(size_t i); /* NULL behind the last */
bool tool_in(const struct tool *tool, const struct image *image);
struct tool_run *tool_run_new(struct task *task, const struct tool *tool, struct kt_strs *take_argv,
                              struct kt_json *steal_env);
void tool_run_free(struct tool_run *r);

int tool_nothing(struct tool_run *r); /* a tool that does nothing, and well */
bool tool_busybox(const struct tool_run *r);
const char *tool_env(const struct tool_run *r, const char *name);
struct kt_json *tool_env_all(const struct tool_run *r);
void tool_out(struct tool_run *r, const void *data, size_t len);
void tool_outs(struct tool_run *r, const char *text);
void tool_outf(struct tool_run *r, const char *fmt, ...) KT_PRINTF(2, 3);
void tool_err(struct tool_run *r, const char *fmt, ...) KT_PRINTF(2, 3); /* to stderr, as it stands */
void tool_errf(struct tool_run *r, const char *fmt, ...)
        KT_PRINTF(2, 3); /* with "name: " in front and \n behind */
int tool_fail(struct tool_run *r, int code, const char *fmt, ...) KT_PRINTF(3, 4);
/* Options as getopt: `spec` "n:c" ; returns the letter, 0 at the end, '?' after complaining. `*at` starts
 * at 1. A long option --name=value is given as '-' with *value at its name. */
int tool_option(struct tool_run *r, size_t *at, size_t *in, const char *spec, const char **value);
/* Options that are flags only, their letters into `flags`; the first argument behind them, 0 after a
 * complaint. */
size_t tool_flags(struct tool_run *r, const char *spec, char flags[32]);
void tool_inputs(struct tool_run *r, size_t first);
/* One line without its newline (1), the end (0), or nothing yet (TOOL_WAIT). */
int tool_line(struct tool_run *r, struct kt_buf *line);
int tool_bytes(struct tool_run *r, struct kt_buf *out); /* what there is: 1, 0 at the end, TOOL_WAIT */
int tool_all(struct tool_run *r, struct kt_buf *out);   /* adds until the end: 0 or TOOL_WAIT */
/* Wait `delay` once: TOOL_WAIT, then 0 when it is over (and can be used again). */
int tool_sleep(struct tool_run *r, kt_ns delay);
/* Run another program as a child with the tool's files; 0 done with *status, TOOL_WAIT. */
int tool_run_child(struct tool_run *r, const struct kt_strs *argv, int *status);
char *tool_path(const struct tool_run *r, const char *path);
const char *tool_strerror(int err);
/* A file's bytes, those of /proc and /sys made up. An errno value or 0. */
int special_file(const struct task *task, const char *path, struct kt_buf *out);
/* A setting of the kernel ("net.core.somaxconn") and a newline; false: it is not known. */
bool task_sysctl(const struct task *task, const char *name, struct kt_buf *out);
/* What is mounted, as /proc/mounts has it (plain) or as mount prints it. */
void task_mounts(const struct task *task, bool plain, struct kt_buf *out);
int64_t tool_node_memory(const struct tool_run *r);
int64_t tool_node_cpus(const struct tool_run *r);
struct network_peer task_peer(const struct task *task);
/* What its /etc/resolv.conf says now. */
void task_resolver(const struct task *task, struct network_resolver *out);
/* network_resolve() as a program of the task does it. */
bool task_resolve(const struct task *task, const char *name, struct kt_strs *addresses, char **canonical,
                  enum network_outcome *outcome);
struct container *tool_container(const struct tool_run *r);
/* Is the user root, and was the container left this capability? */
bool tool_may(const struct tool_run *r, const char *capability);
/* 10, 1.5, 2m, 1h, infinity; false: none of these. */
bool tool_delay(const char *text, kt_ns *out);
int64_t tool_size(const char *text); /* bytes of "64", "1K", "2M", "1G" */

/* The table's rows, by file here and in kubelet/servers. */
extern const struct tool tools_awk[], tools_bc[], tools_sort[], tools_text[], tools_files[], tools_list[],
        tools_kubectl[], tools_diff[], tools_system[], tools_network[], tools_names[], tools_curl[],
        tools_filter[], tools_dump[], tools_servers[], tools_agnhost[], tools_databases[], tools_redis[],
        tools_mongo[], tools_pack[], tools_date[], tools_sed[], tools_ends[], tools_lines[], tools_sums[],
        tools_time[], tools_process[], tools_disk[], tools_work[], tools_expr[], tools_find[], tools_wrap[],
        tools_getopt[];
/* echo, printf, test are in the shell too. */
void echo_text(const struct kt_strs *argv, bool escapes, struct kt_buf *out);
int printf_text(const struct kt_strs *argv, struct kt_buf *out, char message[160]);
int test_words(struct task *task, char *const *words, size_t count, char message[160]);
void unescape(const char *text, size_t len, bool octal0, struct kt_buf *out, bool *stop);

/* Memory that a task or its tool holds from now on; the container may die of it. */
void task_memory(struct task *task, int64_t bytes);
void tool_memory(struct tool_run *r, int64_t bytes);
void tool_cpu(struct tool_run *r, int64_t milli); /* what it burns until told otherwise */

int run_hog(struct tool_run *r); /* takes memory until there is no more */
/* agnhost stress: so much memory, step by step (hoard.c). */
struct hoard {
	int64_t total, step;
	kt_ns pause;
	bool ready;
};
int run_hoard(struct tool_run *r, struct hoard *hoard);
/* "@7", an RFC 3339 time, "2024-02-29 12:00:00" and shorter; for GNU's also "yesterday", "2 days ago", "+1
 * hour", from *now on. False: it is none. */
bool tool_date(const char *text, bool gnu, kt_ns *now);
void tool_time(kt_ns now, const char *format, struct kt_buf *out); /* as date prints it, in UTC */

/* run_simple.c: the command of a frame. Its phases are 0 substitutions, 1 redirections, then the command. */
enum step { STEP_AGAIN, STEP_WAIT, STEP_POP };
enum step task_substitute(struct task *task, struct frame *frame);
bool task_redirect(struct task *task, struct frame *frame);
enum step task_run_simple(struct task *task, struct frame *frame);
/* arrays.c: bash's. The array, borrowed; NULL: it is none. */
const struct kt_json *array_of(const struct task *task, const char *name);
char *array_key(struct task *task, const char *name, const char *index); /* owned; NULL: complained */
const char *array_value(const struct task *task, const char *name, const char *key);
void array_put(struct task *task, const char *name, const char *key, const char *value);
void array_declare(struct task *task, const char *name, bool map);
void array_unset(struct task *task, const char *name); /* NAME, or NAME[INDEX] */
int array_assign(struct task *task, const struct kt_strs *argv);
int array_assign_one(struct task *task, const struct kt_strs *argv);
/* builtins.c: run builtin `name`; false: none of that name. *step as of the machine. */
bool builtin_run(struct task *task, struct frame *frame, const struct kt_strs *argv, enum step *step);
bool builtin_is(const char *name);
int signal_number(const char *name); /* "TERM", "SIGTERM", "15", "EXIT" (0); -1 */
const char *signal_name(int signo);

#endif
