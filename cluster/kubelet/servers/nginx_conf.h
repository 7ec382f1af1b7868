/* SPDX-License-Identifier: MIT */
/* nginx' configuration language: directives with words, blocks in braces, includes. Known directives, where
 * they may stand and how many words they take are rows of a table (nginx.org/en/docs/dirindex.html); what is
 * wrong is told in nginx' own words, with file and line. What a directive does is not known here. */
#ifndef NGINX_CONF_H
#define NGINX_CONF_H

#include "cluster/kubelet/files.h"

struct nginx_directive {
	const char *name, *file;
	const char **args;
	size_t count; /* of args */
	bool has_block;
	unsigned line;
	struct nginx_directive *block, *next, *parent; /* parent NULL: of the whole file */
};

/* All borrowed strings live in the arena. Zeroed = nothing read. */
struct nginx_conf {
	struct kt_arena arena;
	struct nginx_directive *top;
	unsigned holders;
	const char *problem; /* NULL: fine; else "unknown directive \"x\" in /etc/nginx/nginx.conf:3" */
};

/* Read `path` of a container and what it includes. `globals`: the text of -g, or NULL. False: conf->problem.
 */
bool nginx_conf_read(struct nginx_conf *conf, struct files *files, const char *path, const char *globals);
/* One more holder, and one less; the last one frees it. Zeroed it has none. */
struct nginx_conf *nginx_conf_ref(struct nginx_conf *conf);
void nginx_conf_unref(struct nginx_conf *conf); /* NULL is fine */

/* The first directive of that name in a list (conf->top, or a block), from `in` on; NULL. */
const struct nginx_directive *nginx_find(const struct nginx_directive *in, const char *name);
/* Its first word; NULL: there is no such directive. */
const char *nginx_value(const struct nginx_directive *in, const char *name);

#endif
