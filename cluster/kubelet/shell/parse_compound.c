/* SPDX-License-Identifier: MIT */
/* Commands that hold others: (( )), ( ), { }, if, while, for, case, function. */
#include "cluster/kubelet/shell/parse.h"
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <string.h>

/* One word of a sum; its words are those of `((`. */
static struct sh_node *sum_command(struct parser *p, struct sh_word *sum)
{
	struct sh_node *node = parse_node(p, SH_SIMPLE);
	for (struct sh_part *part = sum->parts; part; part = part->next)
		part->quoted = true;
	node->words = parse_literal(p, "((");
	node->words->next = sum;
	return node;
}

/* Is it (( SUM )), not a subshell in a subshell? */
static bool at_sum(const struct parser *p)
{
	unsigned depth = 0;
	if (p->end - p->at < 4 || p->at[0] != '(' || p->at[1] != '(')
		return false;
	for (const char *c = p->at + 2; c + 1 < p->end; c++) {
		if (*c == '(')
			depth++;
		else if (*c == ')' && depth)
			depth--;
		else if (*c == ')')
			return c[1] == ')';
	}
	return false;
}

static struct sh_node *parse_sum(struct parser *p)
{
	p->at += 2;
	struct sh_word *sum = parse_until(p, "))", true);
	if (p->state == SH_PARSED)
		p->at += 2;
	return sum && sum->parts ? sum_command(p, sum) : NULL;
}

static void parse_do(struct parser *p, struct sh_node *node)
{
	static const char *const done[] = {"done", NULL};
	parse_need(p, "do");
	struct sh_node *body = parse_list(p, done);
	if (!body)
		parse_unexpected(p);
	else
		parse_add(node, body);
	parse_need(p, "done");
}

static void parse_if(struct parser *p, struct sh_node *node)
{
	static const char *const then[] = {"then", NULL};
	static const char *const next[] = {"elif", "else", "fi", NULL};
	static const char *const fi[] = {"fi", NULL};
	bool again = true;
	while (again && p->state == SH_PARSED) {
		struct sh_node *condition = parse_list(p, then);
		if (!condition) {
			parse_unexpected(p);
			return;
		}
		parse_need(p, "then");
		struct sh_node *body = parse_list(p, next);
		if (!body) {
			parse_unexpected(p);
			return;
		}
		parse_add(node, condition);
		parse_add(node, body);
		parse_lines(p);
		again = parse_take(p, "elif");
	}
	if (parse_take(p, "else")) {
		struct sh_node *otherwise = parse_list(p, fi);
		if (!otherwise)
			parse_unexpected(p);
		else
			parse_add(node, otherwise);
	}
	parse_need(p, "fi");
}

/* for ((FIRST; WHILE; NEXT)): sums, of which the last two are one before each round, so that `continue` goes
 * through both. */
static bool parse_counting(struct parser *p, struct sh_node *list)
{
	char sum[3][SUM_MAX] = {"", "1", "0"};
	const char *at = p->at + 2;
	for (size_t i = 0; i < 3; i++) {
		size_t len = 0, depth = 0;
		while (at + len < p->end && (depth || (at[len] != ';' && at[len] != ')'))) {
			depth += at[len] == '(';
			depth -= at[len] == ')';
			len++;
		}
		if (at + len >= p->end || len >= SUM_MAX || at[len] != (i < 2 ? ';' : ')'))
			return false;
		if (strspn(at, " \t\n") < len) {
			memcpy(sum[i], at, len);
			sum[i][len] = '\0';
		}
		at += len + 1;
	}
	if (at >= p->end || *at != ')')
		return false;
	p->at = at + 1;
	char *texts[] = {kt_strf("%s%s_round%u = 0", sum[0], *sum[0] ? ", " : "", p->nodes),
	                 kt_strf("_round%u++ ? (%s) : 0, %s", p->nodes, sum[2], sum[1])};
	struct sh_node *commands[2], *loop;
	for (size_t i = 0; i < 2; i++) {
		struct parser inner = *p;
		char *kept = kt_arena_strdup(p->arena, texts[i]);
		inner.at = kept;
		inner.end = kept + strlen(kept);
		inner.here = NULL;
		struct sh_word *word = parse_until(&inner, "", true);
		p->nodes = inner.nodes;
		if (inner.state != SH_PARSED || !word)
			parse_fail(p, SH_SYNTAX, "bad for loop");
		commands[i] = word ? sum_command(p, word) : NULL;
		kt_free(texts[i]);
	}
	if (p->state != SH_PARSED)
		return true;
	loop = parse_node(p, SH_WHILE);
	parse_add(list, commands[0]);
	parse_add(loop, commands[1]);
	parse_add(list, loop);
	parse_blanks(p);
	if (parse_peek(p, 0) == ';')
		p->at++;
	parse_do(p, loop);
	return true;
}

static void parse_for(struct parser *p, struct sh_node *node)
{
	parse_blanks(p);
	if (parse_peek(p, 0) == '(' && parse_peek(p, 1) == '(') {
		node->kind = SH_LIST;
		if (!parse_counting(p, node))
			parse_unexpected(p);
		return;
	}
	const char *from = p->at;
	while (parse_more(p) && parse_name_char(*p->at))
		p->at++;
	if (p->at == from || isdigit((unsigned char)*from)) {
		parse_unexpected(p);
		return;
	}
	char *name = kt_strndup(from, (size_t)(p->at - from));
	node->name = kt_arena_strdup(p->arena, name);
	kt_free(name);
	parse_blanks(p);
	parse_lines(p);
	if (parse_take(p, "in")) {
		struct sh_word **tail = &node->words;
		node->has_words = true;
		for (parse_blanks(p); parse_more(p) && (*tail = parse_words(p)); parse_blanks(p))
			while (*tail)
				tail = &(*tail)->next;
	}
	parse_blanks(p);
	if (parse_peek(p, 0) == ';')
		p->at++;
	parse_do(p, node);
}

static void parse_case(struct parser *p, struct sh_node *node)
{
	static const char *const stop[] = {";;", "esac", NULL};
	parse_blanks(p);
	node->words = parse_word(p);
	parse_need(p, "in");
	for (parse_lines(p); parse_more(p) && !parse_at_word(p, "esac"); parse_lines(p)) {
		struct sh_node *item = parse_node(p, SH_LIST);
		struct sh_word **tail = &item->words;
		if (*p->at == '(')
			p->at++;
		do {
			parse_blanks(p);
			*tail = parse_word(p);
			if (!*tail) {
				parse_unexpected(p);
				return;
			}
			tail = &(*tail)->next;
			parse_blanks(p);
		} while (parse_more(p) && *p->at == '|' && p->at++);
		parse_expect(p, ')', "expecting \")\"");
		struct sh_node *body = parse_list(p, stop);
		if (body)
			parse_add(item, body);
		parse_add(node, item);
		parse_lines(p);
		if (parse_peek(p, 0) == ';' && parse_peek(p, 1) == ';')
			p->at += 2;
	}
	parse_need(p, "esac");
}

/* function NAME [()] COMPOUND, as bash has it */
static struct sh_node *parse_function(struct parser *p)
{
	struct sh_node *node = parse_node(p, SH_FUNCTION);
	parse_blanks(p);
	const char *from = p->at;
	while (parse_more(p) && (parse_name_char(*p->at) || *p->at == '-' || *p->at == '.'))
		p->at++;
	char *name = kt_strndup(from, (size_t)(p->at - from));
	node->name = kt_arena_strdup(p->arena, name);
	kt_free(name);
	parse_blanks(p);
	if (parse_peek(p, 0) == '(' && parse_peek(p, 1) == ')')
		p->at += 2;
	parse_lines(p);
	struct sh_node *body = p->at > from && *node->name ? parse_compound(p) : NULL;
	if (!body)
		parse_unexpected(p);
	else
		parse_add(node, body);
	return node;
}

struct sh_node *parse_compound(struct parser *p)
{
	static const char *const paren[] = {")", NULL}, *const brace[] = {"}", NULL},
	                         *const doing[] = {"do", NULL};
	struct sh_node *node = NULL, *body;
	parse_blanks(p);
	if (!parse_more(p))
		return NULL;
	if (at_sum(p)) {
		node = parse_sum(p);
	} else if (*p->at == '(' || parse_at_word(p, "{")) {
		bool sub = *p->at == '(';
		node = parse_node(p, sub ? SH_SUBSHELL : SH_GROUP);
		p->at++;
		body = parse_list(p, sub ? paren : brace);
		if (!body)
			parse_unexpected(p);
		else
			parse_add(node, body);
		parse_lines(p);
		parse_expect(p, sub ? ')' : '}', sub ? "missing ')'" : "missing '}'");
	} else if (parse_take(p, "if")) {
		parse_if(p, node = parse_node(p, SH_IF));
	} else if (parse_at_word(p, "while") || parse_at_word(p, "until")) {
		node = parse_node(p, *p->at == 'w' ? SH_WHILE : SH_UNTIL);
		p->at += 5;
		body = parse_list(p, doing);
		if (!body)
			parse_unexpected(p);
		else
			parse_add(node, body);
		parse_do(p, node);
	} else if (parse_take(p, "for")) {
		parse_for(p, node = parse_node(p, SH_FOR));
	} else if (parse_take(p, "case")) {
		parse_case(p, node = parse_node(p, SH_CASE));
	} else if (parse_take(p, "function")) {
		return parse_function(p);
	}
	if (!node)
		return NULL;
	for (parse_blanks(p); parse_more(p) && parse_redirect(p, node); parse_blanks(p))
		;
	return node;
}
