/* SPDX-License-Identifier: MIT */
/* A shell text into its tree: lines, pipelines, simple commands. */
#include "cluster/kubelet/shell/parse.h"
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <string.h>

static const size_t MAX_TEXT = 4u << 20;

void parse_fail(struct parser *p, enum sh_parse state, const char *what)
{
	if (p->state != SH_PARSED)
		return;
	p->state = state;
	size_t len = KT_MIN(strlen(what), (size_t)255);
	memcpy(p->message, what, len);
	p->message[len] = '\0';
}

void parse_unexpected(struct parser *p)
{
	if (p->at >= p->end) {
		parse_fail(p, SH_INCOMPLETE, "unexpected end of file");
		return;
	}
	size_t len = 0;
	const char *at = p->at;
	if (*at == '\n') {
		parse_fail(p, SH_SYNTAX, "unexpected newline");
		return;
	}
	if (strchr(";&|()<>", *at)) {
		len = at + 1 < p->end && at[1] == *at ? 2 : 1;
	} else {
		while (at + len < p->end && len < 40 && !strchr(" \t\n;&|()<>", at[len]))
			len++;
		if (!len)
			len = 1;
	}
	char text[80] = "unexpected \"";
	size_t n = strlen(text);
	memcpy(text + n, at, len);
	memcpy(text + n + len, "\"", 2);
	parse_fail(p, SH_SYNTAX, text);
}

bool parse_more(const struct parser *p)
{
	return p->state == SH_PARSED && p->at < p->end;
}

char parse_peek(const struct parser *p, size_t ahead)
{
	return p->at + ahead < p->end ? p->at[ahead] : '\0';
}

void *parse_make(struct parser *p, size_t size)
{
	if (++p->nodes > MAX_NODES)
		parse_fail(p, SH_SYNTAX, "script too large");
	return kt_arena_alloc(p->arena, size);
}

struct sh_node *parse_node(struct parser *p, enum sh_kind kind)
{
	struct sh_node *node = parse_make(p, sizeof(*node));
	node->kind = kind;
	node->line = p->line;
	return node;
}

void parse_add(struct sh_node *parent, struct sh_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->children = child;
	parent->last = child;
}

/* The text of a here-document starts after the line's end. */
static void read_documents(struct parser *p)
{
	while (p->here && p->state == SH_PARSED) {
		struct here *here = p->here;
		p->here = here->next;
		struct kt_buf text = {0};
		bool found = false;
		while (p->at < p->end && !found) {
			const char *eol = memchr(p->at, '\n', (size_t)(p->end - p->at));
			const char *stop = eol ? eol : p->end;
			const char *from = p->at;
			while (here->tabs && from < stop && *from == '\t')
				from++;
			size_t len = (size_t)(stop - from);
			p->at = eol ? eol + 1 : p->end;
			p->line++;
			if (len == strlen(here->end) && !memcmp(from, here->end, len)) {
				found = true;
			} else {
				kt_buf_add(&text, from, len);
				kt_buf_addc(&text, '\n');
			}
		}
		p->open_document = p->open_document || !found;
		here->redirect->word = parse_document(p, kt_buf_str(&text), text.len, here->quoted);
		kt_buf_clear(&text);
	}
}

static void newline(struct parser *p)
{
	p->at++;
	p->line++;
	read_documents(p);
}

void parse_blanks(struct parser *p)
{
	while (parse_more(p)) {
		if (*p->at == ' ' || *p->at == '\t' || *p->at == '\r') {
			p->at++;
		} else if (*p->at == '\\' && parse_peek(p, 1) == '\n') {
			p->at += 2;
			p->line++;
		} else if (*p->at == '#') {
			while (p->at < p->end && *p->at != '\n')
				p->at++;
		} else {
			break;
		}
	}
}

void parse_lines(struct parser *p)
{
	for (parse_blanks(p); parse_more(p) && *p->at == '\n'; parse_blanks(p))
		newline(p);
}

/* --- commands --- */
bool parse_at_word(const struct parser *p, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(p->end - p->at) < len || strncmp(p->at, word, len) != 0)
		return false;
	return p->at + len == p->end || strchr(" \t\n\r;&|()<>", p->at[len]) != NULL;
}

bool parse_take(struct parser *p, const char *word)
{
	if (p->state != SH_PARSED || !parse_at_word(p, word))
		return false;
	p->at += strlen(word);
	return true;
}

void parse_need(struct parser *p, const char *word)
{
	parse_lines(p);
	if (!parse_take(p, word))
		parse_unexpected(p);
}

static bool parse_at_stop(const struct parser *p, const char *const *stop)
{
	for (; *stop; stop++) {
		if (**stop == ')' ? *p->at == ')'
		                  : (**stop == ';' ? *p->at == ';' && parse_peek(p, 1) == ';'
		                                   : parse_at_word(p, *stop)))
			return true;
	}
	return false;
}

bool parse_redirect(struct parser *p, struct sh_node *node)
{
	const char *at = p->at;
	int fd = -1;
	if (at + 1 < p->end && isdigit((unsigned char)*at) && strchr("<>", at[1])) {
		fd = *at - '0';
		at++;
	}
	if (at >= p->end || !strchr("<>", *at))
		return false;
	static const char *const ops[] = {"<<-", "<<<", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"};
	size_t i = 0;
	while ((size_t)(p->end - at) < strlen(ops[i]) || strncmp(at, ops[i], strlen(ops[i])))
		i++;
	struct sh_redirect *redirect = parse_make(p, sizeof(*redirect)), **tail = &node->redirects;
	if (!strcmp(ops[i], "<<<") && p->flavour != FLAVOUR_BASH) {
		parse_fail(p, SH_SYNTAX,
		           p->flavour == FLAVOUR_DASH ? "redirection unexpected" : "unexpected redirection");
		return true;
	}
	memcpy(redirect->op, ops[i], strlen(ops[i]) + 1);
	redirect->fd = fd >= 0 ? fd : (*at == '>' ? 1 : 0);
	p->at = at + strlen(ops[i]);
	parse_blanks(p);
	const char *from = p->at;
	redirect->word = parse_word(p);
	if (!redirect->word) {
		parse_unexpected(p);
		return true;
	}
	if (!strncmp(redirect->op, "<<", 2) && redirect->op[2] != '<') {
		struct here *here = parse_make(p, sizeof(*here)), **last = &p->here;
		struct kt_buf end = {0};
		for (const char *c = from; c < p->at; c++) {
			if (strchr("'\"\\", *c))
				here->quoted = true;
			else
				kt_buf_addc(&end, *c);
		}
		here->end = kt_arena_strdup(p->arena, kt_buf_str(&end));
		kt_buf_clear(&end);
		here->tabs = redirect->op[2] == '-';
		here->redirect = redirect;
		while (*last)
			last = &(*last)->next;
		*last = here;
		redirect->op[2] = '\0';
	}
	while (*tail)
		tail = &(*tail)->next;
	*tail = redirect;
	return true;
}

/* NAME=…: the name becomes a part of its own. */
static bool is_assignment(const struct parser *p)
{
	const char *at = p->at;
	if (at >= p->end || !parse_name_start(*at))
		return false;
	while (at < p->end && parse_name_char(*at))
		at++;
	return at < p->end && *at == '=';
}

static struct sh_word *parse_assignment(struct parser *p)
{
	const char *from = p->at;
	while (*p->at != '=')
		p->at++;
	struct sh_part *name = parse_make(p, sizeof(*name));
	char *text = kt_strndup(from, (size_t)(p->at - from));
	name->text = kt_arena_strdup(p->arena, text);
	kt_free(text);
	p->at++;
	struct sh_word *value = parse_word(p), *word = parse_make(p, sizeof(*word));
	name->next = value ? value->parts : NULL;
	word->parts = name;
	return word;
}

struct sh_word *parse_literal(struct parser *p, const char *text)
{
	struct sh_word *word = parse_make(p, sizeof(*word));
	word->parts = parse_make(p, sizeof(*word->parts));
	word->parts->quoted = true;
	word->parts->text = kt_arena_strdup(p->arena, text);
	return word;
}

/* What no command line takes as a word, but [[ does. NULL: none of them. */
static struct sh_word *parse_operator(struct parser *p)
{
	static const struct {
		const char *text, *meant;
	} operators[] = {{"&&", "-a"}, {"||", "-o"}, {"(", "("},     {")", ")"},
	                 {"<", "<"},   {">", ">"},   {"!= ", "!=="}, {"= ", "=="}};
	for (size_t i = 0; i < KT_COUNT(operators); i++) {
		size_t len = strlen(operators[i].text);
		if ((size_t)(p->end - p->at) < len || strncmp(p->at, operators[i].text, len) != 0)
			continue;
		p->at += len;
		return parse_literal(p, operators[i].meant);
	}
	return NULL;
}

/* [[ … ]]: && and || stand in it, nothing is split into words, a regular expression goes to the next blank.
 */
static void parse_double_test(struct parser *p, struct sh_word **words)
{
	bool matches = false;
	for (parse_lines(p); parse_more(p); parse_lines(p)) {
		const char *from = p->at;
		struct sh_word *word = matches ? NULL : parse_operator(p);
		bool is_operator = word != NULL;
		if (!word)
			word = matches ? parse_until(p, " \t\n", false) : parse_word(p);
		size_t len = (size_t)(p->at - from);
		if (!word || !len) {
			parse_unexpected(p);
			return;
		}
		for (struct sh_part *part = is_operator ? NULL : word->parts; part; part = part->next)
			part->quoted = true; /* neither split nor taken for names of files */
		*words = word;
		words = &word->next;
		matches = len == 2 && !strncmp(from, "=~", 2);
		if (len == 2 && !strncmp(from, "]]", 2))
			return;
	}
	parse_unexpected(p);
}

/* Behind a name: `[INDEX]=`, `=(`, with + before the =. The characters up to the value; 0: it is none of
 * these. */
static size_t array_mark(const char *at, const char *end)
{
	const char *from = at;
	bool index = at < end && *at == '[';
	for (; index && at < end && *at != ']' && *at != '\n'; at++)
		;
	at += index;
	bool adds = at < end && *at == '+';
	at += adds;
	if (at >= end || *at != '=')
		return 0;
	at++;
	if (!index && (at >= end || *at != '('))
		return 0;
	return (size_t)(at - from) + !index;
}

/* bash: NAME=(WORD…) and NAME[INDEX]=VALUE become words of a command of its own (arrays.c). False: neither
 * stands here. */
static bool parse_array(struct parser *p, struct sh_node *node, struct sh_word **words)
{
	const char *name = p->at, *end = name;
	bool declares = node->words != NULL;
	while (end < p->end && parse_name_char(*end))
		end++;
	size_t mark = p->flavour == FLAVOUR_BASH && parse_name_start(parse_peek(p, 0))
	                      ? array_mark(end, p->end)
	                      : 0;
	bool element = mark && *end == '[';
	if (!mark || (element && declares))
		return false;
	char *text = kt_strndup(name, (size_t)(end - name));
	struct sh_word *index = NULL, **tail = words;
	p->at = end;
	if (element) {
		p->at++;
		index = parse_until(p, "]", false);
		p->at += parse_more(p);
	}
	bool adds = parse_peek(p, 0) == '+';
	p->at += (size_t)adds + 1;
	struct sh_word *command = parse_literal(p, element ? "=element" : "=array");
	*tail = parse_literal(p, text);
	tail = &(*tail)->next;
	kt_free(text);
	if (element) {
		*tail = index ? index : parse_literal(p, "");
		tail = &(*tail)->next;
	}
	*tail = parse_literal(p, adds ? "+=" : "=");
	tail = &(*tail)->next;
	if (element) {
		*tail = parse_word(p);
	} else {
		p->at++;
		for (parse_lines(p); parse_more(p) && *p->at != ')'; parse_lines(p)) {
			*tail = parse_words(p);
			if (!*tail) {
				parse_unexpected(p);
				break;
			}
			while (*tail)
				tail = &(*tail)->next;
		}
		parse_expect(p, ')', "missing ')'");
	}
	command->next = node->words ? node->words : *words;
	node->words = command;
	return true;
}

static struct sh_node *parse_simple(struct parser *p)
{
	struct sh_node *node = parse_node(p, SH_SIMPLE);
	struct sh_word **words = &node->words, **assigns = &node->assigns;
	bool any = false;
	for (parse_blanks(p); parse_more(p); parse_blanks(p)) {
		if (parse_redirect(p, node)) {
			any = true;
			continue;
		}
		bool declares = node->words && node->words->parts && !node->words->parts->next &&
		                (kt_streq(node->words->parts->text, "declare") ||
		                 kt_streq(node->words->parts->text, "local") ||
		                 kt_streq(node->words->parts->text, "readonly") ||
		                 kt_streq(node->words->parts->text, "typeset"));
		if ((!any || declares) && parse_array(p, node, words))
			return node;
		if (!node->words && is_assignment(p)) {
			*assigns = parse_assignment(p);
			assigns = &(*assigns)->next;
			any = true;
			continue;
		}
		const char *from = p->at;
		struct sh_word *word = parse_words(p);
		if (!word)
			break;
		*words = word;
		while (*words)
			words = &(*words)->next;
		any = true;
		size_t len = (size_t)(p->at - from);
		if (node->words == word && len == 2 && !strncmp(from, "[[", 2)) {
			parse_double_test(p, words);
			while (*words)
				words = &(*words)->next;
			continue;
		}
		/* NAME () compound-command */
		bool plain =
		        node->words == word && !node->assigns && !node->redirects && parse_name_start(*from);
		for (size_t i = 0; plain && i < len; i++)
			plain = parse_name_char(from[i]) || from[i] == '-' || from[i] == '.';
		parse_blanks(p);
		if (plain && parse_peek(p, 0) == '(' && p->at < p->end) {
			p->at++;
			parse_blanks(p);
			parse_expect(p, ')', "bad function definition");
			parse_lines(p);
			node->kind = SH_FUNCTION;
			char *name = kt_strndup(from, len);
			node->name = kt_arena_strdup(p->arena, name);
			kt_free(name);
			node->words = NULL;
			struct sh_node *body = parse_compound(p);
			if (!body)
				parse_unexpected(p);
			else
				parse_add(node, body);
			return node;
		}
	}
	if (!any)
		return NULL;
	return node;
}

static struct sh_node *parse_command(struct parser *p)
{
	static const char *const reserved[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}", NULL};
	if (++p->depth > MAX_NESTING) {
		parse_fail(p, SH_SYNTAX, "nesting too deep");
		return NULL;
	}
	parse_blanks(p);
	struct sh_node *node = NULL;
	if (parse_more(p) && !parse_at_stop(p, reserved)) {
		node = parse_compound(p);
		if (!node && p->state == SH_PARSED)
			node = parse_simple(p);
	}
	p->depth--;
	return node;
}

static struct sh_node *parse_pipeline(struct parser *p)
{
	parse_blanks(p);
	bool negate = false;
	while (parse_take(p, "!")) {
		negate = !negate;
		parse_blanks(p);
	}
	struct sh_node *first = parse_command(p);
	if (!first) {
		if (negate)
			parse_unexpected(p);
		return NULL;
	}
	struct sh_node *result = first;
	parse_blanks(p);
	if (parse_peek(p, 0) == '|' && parse_peek(p, 1) != '|') {
		result = parse_node(p, SH_PIPE);
		parse_add(result, first);
		while (parse_more(p) && *p->at == '|' && parse_peek(p, 1) != '|') {
			p->at++;
			parse_lines(p);
			struct sh_node *next = parse_command(p);
			if (!next) {
				parse_unexpected(p);
				return NULL;
			}
			parse_add(result, next);
			parse_blanks(p);
		}
	}
	if (!negate)
		return result;
	struct sh_node *not = parse_node(p, SH_NOT);
	parse_add(not, result);
	return not ;
}

static struct sh_node *parse_and_or(struct parser *p)
{
	struct sh_node *left = parse_pipeline(p);
	for (parse_blanks(p); left && parse_more(p); parse_blanks(p)) {
		bool and = *p->at == '&' && parse_peek(p, 1) == '&',
		     or = *p->at == '|' && parse_peek(p, 1) == '|';
		if (!and&&! or)
			break;
		p->at += 2;
		parse_lines(p);
		struct sh_node *right = parse_pipeline(p), *node = parse_node(p, and? SH_AND : SH_OR);
		if (!right) {
			parse_unexpected(p);
			return NULL;
		}
		parse_add(node, left);
		parse_add(node, right);
		left = node;
	}
	return left;
}

struct sh_node *parse_list(struct parser *p, const char *const *stop)
{
	struct sh_node *list = NULL;
	if (++p->depth > MAX_NESTING)
		parse_fail(p, SH_SYNTAX, "nesting too deep");
	for (parse_lines(p); parse_more(p) && !parse_at_stop(p, stop); parse_lines(p)) {
		struct sh_node *node = parse_and_or(p);
		if (!node) {
			if (p->state == SH_PARSED)
				parse_unexpected(p);
			break;
		}
		if (!list)
			list = parse_node(p, SH_LIST);
		parse_add(list, node);
		parse_blanks(p);
		if (!parse_more(p) || parse_at_stop(p, stop))
			break;
		if (*p->at == '&') {
			/* marked on a wrapper, since and-or nodes may be shared by nobody else */
			node->background = true;
			p->at++;
		} else if (*p->at == ';') {
			p->at++;
		} else if (*p->at != '\n') {
			parse_unexpected(p);
			break;
		}
	}
	p->depth--;
	return list;
}

enum sh_parse sh_parse(const char *text, size_t len, enum flavour flavour, struct sh_program **out,
                       char message[256], unsigned *line)
{
	static const char *const none[] = {NULL};
	struct sh_program *program = kt_alloc(sizeof(*program));
	program->refs = 1;
	message[0] = '\0';
	struct parser p = {.at = text,
	                   .end = text + len,
	                   .arena = &program->arena,
	                   .line = 1,
	                   .flavour = flavour,
	                   .message = message};
	if (len > MAX_TEXT)
		parse_fail(&p, SH_SYNTAX, "script too large");
	program->root = parse_list(&p, none);
	if (p.state == SH_PARSED && p.at < p.end)
		parse_unexpected(&p);
	if (p.state == SH_PARSED && p.here)
		read_documents(&p);
	*line = p.line;
	if (p.state != SH_PARSED) {
		sh_program_unref(program);
		return p.state;
	}
	*out = program;
	return SH_PARSED;
}

bool sh_open_document(const char *text, size_t len)
{
	static const char *const none[] = {NULL};
	char message[256];
	struct kt_arena arena = {0};
	struct parser p = {.at = text, .end = text + len, .arena = &arena, .line = 1, .message = message};
	(void)parse_list(&p, none);
	if (p.state == SH_PARSED && p.here)
		read_documents(&p);
	kt_arena_clear(&arena);
	return p.state == SH_PARSED && p.open_document;
}

struct sh_program *sh_program_ref(struct sh_program *program)
{
	if (program)
		program->refs++;
	return program;
}

void sh_program_unref(struct sh_program *program)
{
	if (!program || --program->refs)
		return;
	kt_arena_clear(&program->arena);
	kt_free(program);
}
