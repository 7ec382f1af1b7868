/* SPDX-License-Identifier: MIT */
/* CEL's words, and how a generated parser (ANTLR's, which cel-go uses) tells what it expected instead of
 * them. */
#ifndef CEL_LEX_H
#define CEL_LEX_H

#include "cluster/cel/cel_internal.h"

/* In the order of the grammar's tokens: sets of what was expected are told in it. */
enum cel_word {
	CEL_W_EOF,
	CEL_W_EQUALS,
	CEL_W_NOT_EQUALS,
	CEL_W_IN,
	CEL_W_LESS,
	CEL_W_LESS_EQUALS,
	CEL_W_GREATER_EQUALS,
	CEL_W_GREATER,
	CEL_W_AND,
	CEL_W_OR,
	CEL_W_LBRACKET,
	CEL_W_RBRACKET,
	CEL_W_LBRACE,
	CEL_W_RBRACE,
	CEL_W_LPAREN,
	CEL_W_RPAREN,
	CEL_W_DOT,
	CEL_W_COMMA,
	CEL_W_MINUS,
	CEL_W_NOT,
	CEL_W_QUESTION,
	CEL_W_COLON,
	CEL_W_PLUS,
	CEL_W_STAR,
	CEL_W_SLASH,
	CEL_W_PERCENT,
	CEL_W_TRUE,
	CEL_W_FALSE,
	CEL_W_NULL,
	CEL_W_FLOAT,
	CEL_W_INT,
	CEL_W_UINT,
	CEL_W_STRING,
	CEL_W_BYTES,
	CEL_W_IDENTIFIER,
	CEL_W_ESCAPED,
	CEL_W_COUNT
};
struct cel_token {
	enum cel_word word;
	uint32_t at, len;
};
#define CEL_BIT(w) ((uint64_t)1 << (w))
/* What an operand begins with. */
#define CEL_OPERAND                                                                                          \
	(CEL_BIT(CEL_W_LBRACKET) | CEL_BIT(CEL_W_LBRACE) | CEL_BIT(CEL_W_LPAREN) | CEL_BIT(CEL_W_DOT) |      \
	 CEL_BIT(CEL_W_MINUS) | CEL_BIT(CEL_W_NOT) | CEL_BIT(CEL_W_TRUE) | CEL_BIT(CEL_W_FALSE) |            \
	 CEL_BIT(CEL_W_NULL) | CEL_BIT(CEL_W_FLOAT) | CEL_BIT(CEL_W_INT) | CEL_BIT(CEL_W_UINT) |             \
	 CEL_BIT(CEL_W_STRING) | CEL_BIT(CEL_W_BYTES) | CEL_BIT(CEL_W_IDENTIFIER))

/* All of a text's words; the last is CEL_W_EOF. What is no word is told and left out. */
struct cel_token *cel_lex(struct kt_arena *arena, const char *text, struct cel_faults *faults);
/* "'['", or "{'[', '('}" of several. */
void cel_words_print(uint64_t words, struct kt_buf *out);

#endif
