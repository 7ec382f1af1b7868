/* SPDX-License-Identifier: MIT */
/* The kubectl of a pod: what its commands share. */
#ifndef SHELL_KUBECTL_H
#define SHELL_KUBECTL_H

#include "cluster/api/api.h"
#include "cluster/kubelet/shell/fetch.h"

#define KUBECTL_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

struct kubectl_call {
	const char *method, *type; /* of the body */
	char *path, *body;
	bool table;
};
struct kubectl {
	struct fetch fetch;
	struct kubectl_call call;
	struct kt_json *headers;
	const struct kubectl_command *command;
	bool prepared;
	/* from the command line */
	const struct schema_kind *kind;
	struct kt_strs words; /* without the options */
	const char *ns, *output, *selector, *token_file, *container, *patch, *patch_type, *file;
	const char *sort_by, *label_columns;
	const char *replicas, *tail, *timeout, *image, *field_selector, *condition, *raw, *subresource,
	        *dry_run;
	struct kt_strs literals;
	struct kt_strs pairs; /* of label, annotate, taint */
	char *own_ns;
	bool all_namespaces, no_headers, quiet, ignore_missing, overwrite, dry, all, show_labels;
	bool listed;             /* -l, --all: whom it names */
	kt_ns pause;             /* before it is asked again */
	struct kt_json *watched; /* get -w: {uid: version} */
	size_t printed;          /* logs -f: bytes; describe: objects */
	bool last_look;
	kt_ns since; /* of a wait */
	struct kt_buf input;
	char *told; /* of a rollout, last */
	size_t at;  /* of several objects */
	struct cluster *cluster;
	struct kt_json *more; /* other options: {name: [values]} */
	struct kt_strs rest;  /* behind -- */
	struct kt_json *seen; /* an object that was asked for first */
	bool many_types;      /* get a,b */
	size_t type_at;
	bool told_types;           /* a table was printed */
	unsigned stage;            /* of what takes several questions */
	const char *what;          /* set, rollout: the second word */
	struct kubectl_exec *exec; /* kubectl_look.c */
	struct kt_yaml *docs;
	int status;
};
struct kubectl_command {
	const char *name;
	/* Fills `call` for what comes next; false when all is done or wrong (status). */
	bool (*ask)(struct tool_run *r, struct kubectl *s);
	/* The answer, with a good status. */
	void (*tell)(struct tool_run *r, struct kubectl *s, const char *body);
	bool many;   /* it takes -l and --all */
	bool staged; /* several questions for one thing: a refusal ends it */
	/* A status that is no error, dealt with; may be NULL. */
	bool (*refused)(struct tool_run *r, struct kubectl *s, int status);
};

/* kubectl_line.c: the words and options of argv; false: complained */
bool kubectl_parse(struct tool_run *r, struct kubectl *s);
char *kubectl_read(const struct tool_run *r,
                   const char *path); /* a file of the container; NULL: there is none */
struct cluster *kubectl_cluster(const struct tool_run *r);
bool kubectl_want_kind(struct tool_run *r, struct kubectl *s, const char *name); /* false: complained */
/* kubectl_create.c */
bool kubectl_ask_create(struct tool_run *r, struct kubectl *s);
void kubectl_tell_create(struct tool_run *r, struct kubectl *s, const char *body);
/* The next document of -f; NULL: there is none, or it cannot be read (complained). */
const struct kt_json *kubectl_document(struct tool_run *r, struct kubectl *s);

void kubectl_complain(struct tool_run *r, struct kubectl *s, const char *fmt, ...) KT_PRINTF(3, 4);
void kubectl_full_name(const struct schema_kind *kind, const char *name, bool slash, struct kt_buf *out);
/* kubectl_print.c, kubectl_go.c: an object, a list or a table as -o wants it */
void kubectl_print(struct tool_run *r, struct kubectl *s, const struct kt_json *object);
void kubectl_print_go(struct tool_run *r, struct kubectl *s, const struct kt_json *object,
                      const char *template);
struct kt_json *kubectl_answer(const char *body); /* new; NULL: it is no JSON */
/* From words[1]: "pods" "x" "y", or "pods/x". The kind, and where names begin. */
bool kubectl_want_objects(struct tool_run *r, struct kubectl *s, size_t *first);
const char *kubectl_name_at(const struct kubectl *s, size_t i); /* words[i] without its type */
char *kubectl_path_of(const struct kubectl *s, const struct schema_kind *kind, const char *ns,
                      const char *name);
void kubectl_told(struct tool_run *r, const struct kubectl *s, const char *name, bool slash,
                  const char *what);
/* One PATCH of words[1..2]; `steal` is its body. */
bool kubectl_patch_with(struct tool_run *r, struct kubectl *s, const char *type, const char *sub,
                        char *steal);
/* A word taken out of the command line. */
void kubectl_drop_word(struct kubectl *s, size_t i);

const struct schema_kind *kubectl_kind_named(const struct kubectl *s, const char *name);
const char *kubectl_option(const struct kubectl *s, const char *name); /* its last value; NULL: not given */
/* kubectl_make.c: what `create TYPE` makes; `known` whether it is one of these types */
struct kt_json *kubectl_made(struct tool_run *r, struct kubectl *s, bool *known);
struct kt_json *kubectl_pairs(const char *text); /* "a=1,b=2" as an object; new */
/* create job NAME --from=cronjob/X: asked for first, then made of it */
bool kubectl_ask_from(struct tool_run *r, struct kubectl *s);
struct kt_json *kubectl_made_from(struct kubectl *s);
bool kubectl_ask_run(struct tool_run *r, struct kubectl *s);
bool kubectl_ask_expose(struct tool_run *r, struct kubectl *s);
bool kubectl_ask_autoscale(struct tool_run *r, struct kubectl *s);
void kubectl_tell_created(struct tool_run *r, struct kubectl *s, const char *body);
void kubectl_tell_expose(struct tool_run *r, struct kubectl *s, const char *body);
/* kubectl_change.c */
bool kubectl_ask_set(struct tool_run *r, struct kubectl *s);
void kubectl_tell_set(struct tool_run *r, struct kubectl *s, const char *body);
bool kubectl_ask_revisions(struct tool_run *r, struct kubectl *s); /* rollout history, undo */
void kubectl_tell_revisions(struct tool_run *r, struct kubectl *s, const char *body);
/* kubectl_alter.c: label, annotate, taint, cordon, uncordon */
bool kubectl_ask_alter(struct tool_run *r, struct kubectl *s);
void kubectl_tell_alter(struct tool_run *r, struct kubectl *s, const char *body);
/* kubectl_drain.c */
bool kubectl_ask_drain(struct tool_run *r, struct kubectl *s);
void kubectl_tell_drain(struct tool_run *r, struct kubectl *s, const char *body);
bool kubectl_drain_refused(struct tool_run *r, struct kubectl *s, int status);
/* kubectl_describe.c */
bool kubectl_ask_describe(struct tool_run *r, struct kubectl *s);
void kubectl_tell_describe(struct tool_run *r, struct kubectl *s, const char *body);
/* kubectl_facts.c */
bool kubectl_ask_resources(struct tool_run *r, struct kubectl *s);
bool kubectl_ask_versions(struct tool_run *r, struct kubectl *s);
bool kubectl_ask_config(struct tool_run *r, struct kubectl *s);
void kubectl_tell_whoami(struct tool_run *r, struct kubectl *s, const char *body);
/* kubectl_follow.c: get -w and logs -f */
bool kubectl_watches(const struct kubectl *s);
struct kt_json *kubectl_changed_rows(struct kubectl *s, const struct kt_json *table); /* new */
bool kubectl_is_news(struct kubectl *s, const struct kt_json *object);
bool kubectl_watch_over(struct tool_run *r, struct kubectl *s);
/* Is `limit`, a duration, over since s->since? NULL, 0 and what is none are no limit. */
bool kubectl_expired(const struct tool_run *r, const struct kubectl *s, const char *limit);
void kubectl_tell_more(struct tool_run *r, struct kubectl *s, const char *body);
bool kubectl_log_over(const struct kt_json *pod, const char *container);
/* kubectl_look.c */
bool kubectl_ask_logs(struct tool_run *r, struct kubectl *s);
void kubectl_tell_logs(struct tool_run *r, struct kubectl *s, const char *body);
bool kubectl_ask_top(struct tool_run *r, struct kubectl *s);
void kubectl_tell_top(struct tool_run *r, struct kubectl *s, const char *body);
bool kubectl_ask_exec(struct tool_run *r, struct kubectl *s);
void kubectl_tell_exec(struct tool_run *r, struct kubectl *s, const char *body);
bool kubectl_exec_start(struct tool_run *r, struct kubectl *s); /* once the server would have it */
int kubectl_exec_run(struct tool_run *r, struct kubectl *s);    /* its code, or TOOL_WAIT */
void kubectl_exec_end(struct kubectl *s);

/* kubectl_wait.c: commands that go on until something is so */
bool kubectl_ask_wait(struct tool_run *r, struct kubectl *s);
void kubectl_tell_wait(struct tool_run *r, struct kubectl *s, const char *body);
/* rollout status */
bool kubectl_ask_status(struct tool_run *r, struct kubectl *s);
void kubectl_tell_status(struct tool_run *r, struct kubectl *s, const char *body);

#endif
