/* SPDX-License-Identifier: MIT */
/* The kubectl of a pod: what its commands share. */
#ifndef SHELL_KUBECTL_H
#define SHELL_KUBECTL_H

#include "cluster/api/api.h"
#include "cluster/kubelet/shell/fetch.h"

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
	const char *replicas, *tail, *timeout, *image, *field_selector, *condition, *raw, *subresource,
	        *dry_run;
	struct kt_strs literals;
	char *own_ns;
	bool all_namespaces, no_headers, quiet, ignore_missing, overwrite, dry, all, show_labels;
	bool listed, pause; /* -l, --all: whom it names; to be asked again in a while */
	kt_ns since;        /* of a wait */
	struct kt_buf input;
	char *told; /* of a rollout, last */
	size_t at;  /* of several objects */
	struct kt_yaml *docs;
	int status;
};
struct kubectl_command {
	const char *name;
	/* Fills `call` for what comes next; false when all is done or wrong (status). */
	bool (*ask)(struct tool_run *r, struct kubectl *s);
	/* The answer, with a good status. */
	void (*tell)(struct tool_run *r, struct kubectl *s, const char *body);
	bool many; /* it takes -l and --all */
};

void kubectl_complain(struct tool_run *r, struct kubectl *s, const char *fmt, ...) KT_PRINTF(3, 4);
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

/* kubectl_wait.c: commands that go on until something is so */
bool kubectl_ask_wait(struct tool_run *r, struct kubectl *s);
void kubectl_tell_wait(struct tool_run *r, struct kubectl *s, const char *body);
/* rollout status */
bool kubectl_ask_status(struct tool_run *r, struct kubectl *s);
void kubectl_tell_status(struct tool_run *r, struct kubectl *s, const char *body);

#endif
