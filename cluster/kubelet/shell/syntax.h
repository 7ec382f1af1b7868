/* SPDX-License-Identifier: MIT */
/* The shell's language: text to tree. POSIX XCU chapter 2, with `local`. No cluster, no clock: a fuzzer can
 * call it. */
#ifndef SHELL_SYNTAX_H
#define SHELL_SYNTAX_H

#include "base/base.h"

enum sh_part_kind { PART_TEXT, PART_PARAM, PART_COMMAND, PART_ARITH };
struct sh_part {
	struct sh_part *next;
	enum sh_part_kind kind;
	bool quoted;           /* inside quotes: no splitting, no globbing */
	char *text;            /* the literal, or the parameter's name */
	char op[4];            /* "-", ":-", "#", "##", "%", "%%", "/", "//", "len", "" */
	struct sh_word *word;  /* behind the operator; of arithmetic: the expression */
	struct sh_word *with;  /* replacement of / and // */
	struct sh_word *index; /* bash: of ${a[i]} */
	char each;             /* '@' or '*': of ${a[@]}; 0 */
	bool keys;             /* ${!a[@]} */
	struct sh_node *command;
};
struct sh_word {
	struct sh_word *next;
	struct sh_part *parts;
};
struct sh_redirect {
	struct sh_redirect *next;
	int fd;               /* that is redirected */
	char op[4];           /* "<", ">", ">>", ">|", "<>", "<&", ">&", "<<" */
	struct sh_word *word; /* target; of a here-document: its text */
};
enum sh_kind {
	SH_SIMPLE,
	SH_LIST, /* children one after the other; those marked `background` not waited for */
	SH_AND,
	SH_OR,
	SH_NOT,
	SH_PIPE,
	SH_GROUP,
	SH_SUBSHELL,
	SH_IF,    /* condition, body, condition, body, [else] */
	SH_WHILE, /* condition, body */
	SH_UNTIL,
	SH_FOR,
	SH_CASE,
	SH_FUNCTION,
	SH_KINDS,
};
struct sh_node {
	enum sh_kind kind;
	unsigned line;
	bool background;
	bool has_words;           /* for NAME without `in`: false */
	struct sh_node *next;     /* sibling */
	struct sh_node *children; /* first child */
	struct sh_node *last;
	struct sh_word *words; /* of a command; of for; of case: the subject; of a case item: its patterns */
	struct sh_word *assigns; /* "NAME" part first, then the value's parts */
	struct sh_redirect *redirects;
	char *name; /* of for and function */
};

/* A parsed text; counted, since functions and running commands hold it. */
struct sh_program {
	unsigned refs;
	struct kt_arena arena;
	struct sh_node *root; /* NULL: nothing to do */
};
/* Which shell it is: they differ in what they take and what they say. */
enum flavour { FLAVOUR_BUSYBOX, FLAVOUR_DASH, FLAVOUR_BASH };
enum sh_parse { SH_PARSED, SH_INCOMPLETE /* more lines could complete it */, SH_SYNTAX };
/* `message` (256 bytes) as the shells put it: `unterminated quoted string`. */
enum sh_parse sh_parse(const char *text, size_t len, enum flavour flavour, struct sh_program **out,
                       char message[256], unsigned *line);
/* A text that parses, but its last here-document has no end yet: more lines may come. */
bool sh_open_document(const char *text, size_t len);
/* The words that braces make of one (bash); itself where there are none. */
void braces_expand(const char *text, size_t len, struct kt_strs *out);
struct sh_program *sh_program_ref(struct sh_program *program);
void sh_program_unref(struct sh_program *program);

#endif
