/* SPDX-License-Identifier: MIT */
/* CEL's words: the longest that fits wins; what begins none is told up to the character at which nothing
 * fitted. */
#include "cluster/cel/lex.h"

#include <string.h>

static const char *const names[CEL_W_COUNT] = {
        "<EOF>",  "'=='",  "'!='",       "'in'",          "'<'",    "'<='",      "'>='",    "'>'",
        "'&&'",   "'||'",  "'['",        "']'",           "'{'",    "'}'",       "'('",     "')'",
        "'.'",    "','",   "'-'",        "'!'",           "'?'",    "':'",       "'+'",     "'*'",
        "'/'",    "'%'",   "'true'",     "'false'",       "'null'", "NUM_FLOAT", "NUM_INT", "NUM_UINT",
        "STRING", "BYTES", "IDENTIFIER", "ESC_IDENTIFIER"};

void cel_words_print(uint64_t words, struct kt_buf *out)
{
	bool several = (words & (words - 1)) != 0, first = true;
	if (several)
		kt_buf_addc(out, '{');
	for (int w = 0; w < CEL_W_COUNT; w++) {
		if (!(words & CEL_BIT(w)))
			continue;
		kt_buf_addf(out, "%s%s", first ? "" : ", ", names[w]);
		first = false;
	}
	if (several)
		kt_buf_addc(out, '}');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool is_letter(char c)
{
	return c == '_' || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* How many characters stand behind a backslash: 0 where none may. */
static size_t escape_len(const char *s)
{
	size_t n;
	if (*s && strchr("abfnrtv\"'\\?`", *s))
		return 1;
	if (*s >= '0' && *s <= '3')
		return s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7' ? 3 : 0;
	n = *s == 'x' || *s == 'X' ? 2 : *s == 'u' ? 4 : *s == 'U' ? 8 : 0;
	for (size_t i = 1; i <= n; i++)
		if (!is_hex(s[i]))
			return 0;
	return n ? n + 1 : 0;
}

/* A quoted text at `s` (behind its prefix): its length; 0 and how far it went where it does not end. */
static size_t quoted(const char *s, bool raw, size_t *reached)
{
	char quote = *s;
	bool triple = s[1] == quote && s[2] == quote;
	size_t i = triple ? 3 : 1;
	while (s[i]) {
		if (s[i] == quote && (!triple || (s[i + 1] == quote && s[i + 2] == quote)))
			return i + (triple ? 3 : 1);
		if (!triple && (s[i] == '\n' || s[i] == '\r'))
			break;
		if (s[i] == '\\' && !raw) {
			size_t n = escape_len(s + i + 1);
			if (n == 0) {
				i++;
				break;
			}
			i += n;
		}
		i++;
	}
	*reached = i + (s[i] != '\0');
	/* What looked like three quotes is an empty text all the same. */
	return triple ? 2 : 0;
}

static size_t number(const char *s, enum cel_word *word)
{
	size_t n = 0, e;
	*word = CEL_W_INT;
	if (s[0] == '0' && s[1] == 'x' && is_hex(s[2])) {
		for (n = 2; is_hex(s[n]); n++)
			;
	} else {
		while (is_digit(s[n]))
			n++;
		if (s[n] == '.' && is_digit(s[n + 1])) {
			*word = CEL_W_FLOAT;
			for (n++; is_digit(s[n]); n++)
				;
		}
		e = n + 1 + (s[n] && (s[n + 1] == '+' || s[n + 1] == '-'));
		if ((s[n] | 32) == 'e' && is_digit(s[e])) {
			*word = CEL_W_FLOAT;
			for (n = e; is_digit(s[n]); n++)
				;
		}
	}
	if (*word == CEL_W_INT && (s[n] | 32) == 'u') {
		*word = CEL_W_UINT;
		n++;
	}
	return n;
}

/* The prefixes of a text: r, b, in any order and case. */
static size_t text_prefix(const char *s, bool *raw, bool *bytes)
{
	size_t n = 0;
	*raw = *bytes = false;
	while (n < 2 && ((s[n] | 32) == 'r' || (s[n] | 32) == 'b')) {
		if ((s[n] | 32) == 'r' ? *raw : *bytes)
			break;
		*((s[n] | 32) == 'r' ? raw : bytes) = true;
		n++;
	}
	/* rb'' is none of the grammar's, br'' is */
	if (n == 2 && (s[0] | 32) == 'r')
		return 0;
	return s[n] == '"' || s[n] == '\'' ? n : 0;
}

static size_t sign(const char *s, enum cel_word *word)
{
	static const struct {
		const char *text;
		enum cel_word word;
	} signs[] = {
	        {"==", CEL_W_EQUALS},      {"!=", CEL_W_NOT_EQUALS},
	        {"<=", CEL_W_LESS_EQUALS}, {">=", CEL_W_GREATER_EQUALS},
	        {"&&", CEL_W_AND},         {"||", CEL_W_OR},
	        {"<", CEL_W_LESS},         {">", CEL_W_GREATER},
	        {"[", CEL_W_LBRACKET},     {"]", CEL_W_RBRACKET},
	        {"{", CEL_W_LBRACE},       {"}", CEL_W_RBRACE},
	        {"(", CEL_W_LPAREN},       {")", CEL_W_RPAREN},
	        {".", CEL_W_DOT},          {",", CEL_W_COMMA},
	        {"-", CEL_W_MINUS},        {"!", CEL_W_NOT},
	        {"?", CEL_W_QUESTION},     {":", CEL_W_COLON},
	        {"+", CEL_W_PLUS},         {"*", CEL_W_STAR},
	        {"/", CEL_W_SLASH},        {"%", CEL_W_PERCENT},
	};
	for (size_t i = 0; i < KT_COUNT(signs); i++) {
		if (kt_starts(s, signs[i].text)) {
			*word = signs[i].word;
			return strlen(signs[i].text);
		}
	}
	return 0;
}

static size_t identifier(const char *s, enum cel_word *word)
{
	static const struct {
		const char *text;
		enum cel_word word;
	} own[] = {{"in", CEL_W_IN}, {"true", CEL_W_TRUE}, {"false", CEL_W_FALSE}, {"null", CEL_W_NULL}};
	size_t n = 0;
	while (is_letter(s[n]) || (n > 0 && is_digit(s[n])))
		n++;
	*word = CEL_W_IDENTIFIER;
	for (size_t i = 0; i < KT_COUNT(own); i++)
		if (strlen(own[i].text) == n && memcmp(own[i].text, s, n) == 0)
			*word = own[i].word;
	return n;
}

/* The word at `s`; 0 and how many bytes were looked at where there is none. */
static size_t next_word(const char *s, enum cel_word *word, size_t *reached)
{
	bool raw, bytes;
	size_t prefix = text_prefix(s, &raw, &bytes), n;
	*reached = 1;
	if (prefix || *s == '"' || *s == '\'') {
		n = quoted(s + prefix, raw, reached);
		*reached += prefix;
		*word = bytes ? CEL_W_BYTES : CEL_W_STRING;
		if (n)
			return n + prefix;
		return prefix ? identifier(s, word) : 0;
	}
	if (is_digit(*s) || (*s == '.' && is_digit(s[1]))) {
		n = *s == '.' ? number(s + 1, word) + 1 : number(s, word);
		if (*s == '.')
			*word = CEL_W_FLOAT;
		return n;
	}
	if (is_letter(*s))
		return identifier(s, word);
	if (*s == '`') {
		for (n = 1; is_letter(s[n]) || is_digit(s[n]) || (s[n] && strchr(".-/ ", s[n])); n++)
			;
		*word = CEL_W_ESCAPED;
		*reached = n + (s[n] != '\0');
		return n > 1 && s[n] == '`' ? n + 1 : 0;
	}
	n = sign(s, word);
	if (n == 0 && strchr("=&|", *s))
		*reached = 1 + (s[1] != '\0');
	return n;
}

static size_t whole_character(const char *s, size_t n)
{
	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

struct cel_token *cel_lex(struct kt_arena *arena, const char *text, struct cel_faults *faults)
{
	size_t len = strlen(text), count = 0, at = 0, reached;
	struct cel_token *tokens = kt_arena_alloc(arena, (len + 1) * sizeof(*tokens));
	while (text[at]) {
		enum cel_word word;
		size_t n = strspn(text + at, " \t\r\n\f");
		if (n == 0 && text[at] == '/' && text[at + 1] == '/')
			n = strcspn(text + at, "\n");
		if (n > 0) {
			at += n;
			continue;
		}
		n = next_word(text + at, &word, &reached);
		if (n == 0) {
			reached = whole_character(text + at, reached);
			cel_faults_add(faults, (uint32_t)at,
			               "Syntax error: token recognition error at: '%.*s'", (int)reached,
			               text + at);
			at += reached;
			continue;
		}
		tokens[count++] = (struct cel_token){word, (uint32_t)at, (uint32_t)n};
		at += n;
	}
	tokens[count] = (struct cel_token){CEL_W_EOF, (uint32_t)at, 0};
	return tokens;
}
