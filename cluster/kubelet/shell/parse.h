/* SPDX-License-Identifier: MIT */
/* What the parser's files share: recursive descent over the characters. parse.c holds lines, pipelines and
 * simple commands, parse_word.c words and what is in them, parse_compound.c if, for, case and their like.
 * Each takes what it understands off `at`; the first failure stays, and ends every loop. */
#ifndef SHELL_PARSE_H
#define SHELL_PARSE_H

#include "cluster/kubelet/shell/syntax.h"

/* A here-document whose text is still to come. */
struct here {
	struct here *next;
	struct sh_redirect *redirect;
	char *end;
	bool quoted, tabs;
};
struct parser {
	const char *at, *end;
	struct kt_arena *arena;
	struct here *here;  /* documents whose text comes after this line */
	bool open_document; /* the text ended before one of them did */
	unsigned line, depth, nodes;
	enum flavour flavour;
	enum sh_parse state;
	char *message;
};
enum { MAX_NESTING = 120, MAX_NODES = 200000, SUM_MAX = 200 };

/* parse.c: what is next */
bool parse_more(const struct parser *p); /* nothing failed, and there is more */
char parse_peek(const struct parser *p, size_t ahead);
bool parse_at_word(const struct parser *p, const char *word); /* a reserved word stands here, whole */
bool parse_take(struct parser *p, const char *word);
void parse_need(struct parser *p, const char *word);
void parse_blanks(struct parser *p); /* and comments */
void parse_lines(struct parser *p);
void parse_fail(struct parser *p, enum sh_parse state, const char *what);
void parse_unexpected(struct parser *p);         /* what stands here */
void *parse_make(struct parser *p, size_t size); /* zeroed, of the arena */
struct sh_node *parse_node(struct parser *p, enum sh_kind kind);
void parse_add(struct sh_node *parent, struct sh_node *child);
/* Commands up to a word of `stop` (not taken) or the end. NULL: none. */
struct sh_node *parse_list(struct parser *p, const char *const *stop);
bool parse_redirect(struct parser *p, struct sh_node *node); /* false: there is none */
struct sh_word *parse_literal(struct parser *p, const char *text);

/* parse_word.c */
bool parse_name_start(char c);
bool parse_name_char(char c);
struct sh_word *parse_word(struct parser *p); /* NULL: none stands here */
/* A word, or what bash's braces make of it. */
struct sh_word *parse_words(struct parser *p);
/* Text up to the matching closer, nested as it comes. */
struct sh_word *parse_until(struct parser *p, const char *stop, bool in_double);
void parse_expect(struct parser *p, char c, const char *what);
/* A here-document's text; `quoted`: as it stands */
struct sh_word *parse_document(struct parser *p, const char *text, size_t len, bool quoted);

/* parse_compound.c; NULL: none stands here */
struct sh_node *parse_compound(struct parser *p);

#endif
