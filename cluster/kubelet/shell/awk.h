/* SPDX-License-Identifier: MIT */
/* awk: the language of POSIX, with its functions; not printf's `*`, nor what only gawk has. Programs are
 * parsed into a tree (awk_parse.c), which is walked for each record (awk.c, awk_call.c). A record never
 * waits: input that getline asks for is there before the program begins. */
#ifndef SHELL_AWK_H
#define SHELL_AWK_H

#include "cluster/kubelet/shell/shell.h"

#include <regex.h>

enum awk_kind {
	AWK_NUMBER,
	AWK_STRING,
	AWK_REGEX,
	AWK_NAME,
	AWK_FIELD,
	AWK_INDEX,
	AWK_UNARY,
	AWK_BINARY,
	AWK_ASSIGN,
	AWK_STEP,
	AWK_IN,
	AWK_CHOOSE,
	AWK_CALL,
	AWK_PRINT,
	AWK_PRINTF,
	AWK_IF,
	AWK_WHILE,
	AWK_FOR,
	AWK_FOR_IN,
	AWK_BLOCK,
	AWK_EXPRESSION,
	AWK_NEXT,
	AWK_EXIT,
	AWK_DELETE,
	AWK_BREAK,
	AWK_CONTINUE,
	AWK_DO,
	AWK_RETURN,
	AWK_GETLINE, /* a: the command; b: where to; c: the file */
};
struct awk_node {
	enum awk_kind kind;
	char op[4]; /* of print: > >> | */
	bool prefix;
	char *text;
	double number;
	struct awk_node *a, *b, *c, *d;
	struct awk_node *next; /* statement, argument, item */
	regex_t *regex;
};
struct awk_rule {
	struct awk_rule *next;
	bool begin, end;
	struct awk_node *pattern, *until, *body; /* until: of a range; body NULL: print */
	bool inside;
};
struct awk_function {
	struct awk_function *next;
	char *name;
	struct awk_node *params, *body;
};
enum awk_flow { FLOW_ON, FLOW_NEXT, FLOW_EXIT, FLOW_BREAK, FLOW_CONTINUE, FLOW_RETURN };
/* A text, or a number when that is what it came from. */
struct awk_value {
	char *text; /* owned; NULL: a number */
	double number;
	bool numeric; /* text that looks like a number, from input; or nothing yet */
};
struct awk {
	struct kt_arena arena;
	struct awk_rule *rules;
	struct awk_function *functions;
	struct awk_value returned;
	struct kt_json *variables; /* {NAME: text}, arrays as objects */
	struct kt_strs fields;     /* $1… */
	char *line;
	int64_t records, file_records;
	size_t file; /* which of the inputs the record is of */
	int status;
	size_t steps;
	const char *at;
	unsigned depth;
	bool bad, exiting, parse_print;
	bool asks, slurped; /* it has a plain getline; all input is in `all` */
	struct kt_buf all;
	size_t all_at;
	struct kt_json *written, *piped,
	        *read; /* files begun; what goes into commands; {file or command: rest} */
	unsigned calls;
	struct kt_buf out;
	regex_t *regexes[64];
	size_t regex_count;
	struct tool_run *r;
};
enum { AWK_STEPS = 5000000, AWK_DEPTH = 100 };

/* The program at s->at: its rules and functions; s->bad: it is none. */
void awk_parse(struct awk *s);
char *awk_keep(struct awk *s, const char *from, size_t len); /* as long as the program */

struct awk_value awk_number(double n);
struct awk_value awk_text(const char *text, bool input);
void awk_value_clear(struct awk_value *v);
double awk_to_number(const struct awk_value *v);
char *awk_to_text(const struct awk_value *v); /* owned */
struct awk_value awk_evaluate(struct awk *s, const struct awk_node *n);
char *awk_text_of(struct awk *s, const struct awk_node *n);
double awk_number_of(struct awk *s, const struct awk_node *n);
void awk_assign(struct awk *s, const struct awk_node *place, const struct awk_value *v);
void awk_split_line(struct awk *s, const char *line);
void awk_set_line(struct awk *s, const char *line); /* $0 and its fields */
enum awk_flow awk_execute(struct awk *s, const struct awk_node *n);
/* An expression as a node or as a text: true and `out` to be regfree()d. */
bool awk_regex(struct awk *s, const struct awk_node *n, regex_t *out);

/* What is called: functions of the language and the program's own; print's format; getline. */
struct awk_value awk_call(struct awk *s, const struct awk_node *n);
char *awk_format(struct awk *s, const struct awk_node *args);
struct awk_value awk_getline(struct awk *s, const struct awk_node *n);
/* The next record of a text at *at: RS is a newline, another character, or nothing (paragraphs). False: no
 * more. */
bool awk_record(struct awk *s, const struct kt_buf *text, size_t *at, struct kt_buf *out);
/* A command with that input; what it says goes to stdout. Its exit code. */
int awk_command(struct awk *s, const char *command, const char *in);
void awk_flush(struct awk *s);

#endif
