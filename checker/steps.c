/* SPDX-License-Identifier: MIT */
/* Steps: parsing, and doing them in order. What each does is in steps_api.c and steps_world.c. */
#include "checker/steps_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct check_shape patch_shapes[] = {
        {"object", CHECK_T_OBJECT, true, NULL, NULL},     {"merge", CHECK_T_MAP, false, NULL, NULL},
        {"json", CHECK_T_LIST, false, NULL, NULL},        {"strategic", CHECK_T_MAP, false, NULL, NULL},
        {"subresource", CHECK_T_TEXT, false, NULL, NULL}, {0}};
static const struct check_shape scale_shapes[] = {
        {"object", CHECK_T_OBJECT, true, NULL, NULL}, {"replicas", CHECK_T_INT, true, NULL, NULL}, {0}};
static const struct check_shape image_shapes[] = {{"object", CHECK_T_OBJECT, true, NULL, NULL},
                                                  {"container", CHECK_T_TEXT, false, NULL, NULL},
                                                  {"image", CHECK_T_TEXT, true, NULL, NULL},
                                                  {0}};
static const struct check_shape node_shapes[] = {{"is", CHECK_T_WORD, true, "up|down|interrupted", NULL},
                                                 {"pick", CHECK_T_PICK, true, NULL, NULL},
                                                 {0}};
static const struct check_shape zone_shapes[] = {
        {"name", CHECK_T_TEXT, true, NULL, NULL}, {"is", CHECK_T_WORD, true, "up|down", NULL}, {0}};
static const struct check_shape link_shapes[] = {{"between", CHECK_T_LIST, true, NULL, NULL},
                                                 {"is", CHECK_T_ANY, false, NULL, NULL},
                                                 {"slow", CHECK_T_DURATION, false, NULL, NULL},
                                                 {"loss", CHECK_T_TEXT, false, NULL, NULL},
                                                 {0}};
static const struct check_shape load_shapes[] = {
        {"to", CHECK_T_TEXT, true, NULL, NULL},
        {"rps", CHECK_T_NUMBER, false, NULL, NULL},
        {"times", CHECK_T_NUMBER, false, NULL, NULL},
        {"shape", CHECK_T_WORD, false, "step|constant|steady|ramp|wave|spike", NULL},
        {"over", CHECK_T_DURATION, false, NULL, NULL},
        {"host", CHECK_T_TEXT, false, NULL, NULL},
        {"path", CHECK_T_TEXT, false, NULL, NULL},
        {"from", CHECK_T_TEXT, false, NULL, NULL},
        {"timeout", CHECK_T_DURATION, false, NULL, NULL},
        {"retries", CHECK_T_NUMBER, false, NULL, NULL},
        {"work", CHECK_T_MAP, false, NULL, NULL},
        {0}};
static const struct check_shape pod_shapes[] = {{"pick", CHECK_T_PICK, true, NULL, NULL},
                                                {"is", CHECK_T_WORD, true, "killed|oom|deleted", NULL},
                                                {0}};
static const struct check_shape registry_shapes[] = {
        {"name", CHECK_T_TEXT, true, NULL, NULL}, {"is", CHECK_T_WORD, true, "missing|there", NULL}, {0}};
static const struct check_shape wait_shapes[] = {
        {"for", CHECK_T_CHECKS, true, NULL, NULL}, {"within", CHECK_T_DURATION, false, NULL, NULL}, {0}};
static const struct check_shape restart_shapes[] = {{"object", CHECK_T_OBJECT, true, NULL, NULL}, {0}};

/* --- what a shape alone cannot say --- */

static enum kt_code hold_patch(const struct check_source *source, const struct kt_json *body)
{
	int kinds = (kt_get(body, "merge") != NULL) + (kt_get(body, "json") != NULL) +
	            (kt_get(body, "strategic") != NULL);
	return kinds == 1 ? KT_OK
	                  : kt_yaml_fail(source->yaml, body, source->err,
	                                 "'patch' needs one of merge, json and strategic");
}

/* "zone a", "region eu", "node n1" or a name alone. */
static bool is_end(const char *text)
{
	static const char *const kinds[] = {"zone ", "region ", "node "};
	const char *name = text;
	for (size_t i = 0; text && i < KT_COUNT(kinds); i++)
		name = kt_starts(text, kinds[i]) ? text + strlen(kinds[i]) : name;
	return name && *name && !strchr(name, ' ');
}

static enum kt_code hold_link(const struct check_source *source, const struct kt_json *body)
{
	const struct kt_json *is = kt_get(body, "is"), *slow = kt_get(body, "slow"), *end;
	const char *word = kt_str(is);
	KT_JSON_EACH (end, kt_get(body, "between"))
		if (!is_end(kt_str(end)))
			return kt_yaml_fail(source->yaml, end, source->err,
			                    "'between': expected two ends, as in [zone a, zone b]");
	if (kt_count(kt_get(body, "between")) != 2)
		return kt_yaml_fail(source->yaml, body, source->err,
		                    "'between': expected two ends, as in [zone a, zone b]");
	slow = slow ? slow : kt_get(is, "slow");
	bool fine = word ? kt_streq(word, "cut") || kt_streq(word, "ok") || (kt_streq(word, "slow") && slow)
	                 : slow || kt_get(body, "loss");
	return fine ? KT_OK
	            : kt_yaml_fail(source->yaml, body, source->err,
	                           "'link': expected `is: cut`, `is: ok` or `slow: 200ms`");
}

static enum kt_code hold_load(const struct check_source *source, const struct kt_json *body)
{
	if (!kt_get(body, "rps") && !kt_get(body, "times"))
		return kt_yaml_fail(source->yaml, body, source->err, "'load' needs 'rps' or 'times'");
	static const char *const kinds[] = {"service ", "ingress ", "gateway ", "host "};
	for (size_t i = 0; i < KT_COUNT(kinds); i++)
		if (kt_starts(kt_get_str(body, "to") ? kt_get_str(body, "to") : "", kinds[i]))
			return KT_OK;
	return kt_yaml_fail(source->yaml, kt_get(body, "to"), source->err,
	                    "'to': expected `service NAMESPACE/NAME` (or `ingress`, `gateway`, `host NAME`)");
}

const struct check_step_kind check_step_kinds[] = {
        {"apply", NULL, CHECK_T_FILES, NULL, NULL, check_do_apply},
        {"manifest", NULL, CHECK_T_FILES, NULL, NULL, check_do_apply},
        {"delete", NULL, CHECK_T_OFS, NULL, NULL, check_do_delete},
        {"patch", patch_shapes, CHECK_T_ANY, NULL, hold_patch, check_do_patch},
        {"scale", scale_shapes, CHECK_T_ANY, NULL, NULL, check_do_scale},
        {"set-image", image_shapes, CHECK_T_ANY, NULL, NULL, check_do_set_image},
        {"restart", restart_shapes, CHECK_T_OBJECT, NULL, NULL, check_do_restart},
        {"cordon", NULL, CHECK_T_PICK, NULL, NULL, check_do_cordon},
        {"uncordon", NULL, CHECK_T_PICK, NULL, NULL, check_do_uncordon},
        {"drain", NULL, CHECK_T_PICK, NULL, NULL, check_do_drain},
        {"evict", NULL, CHECK_T_PICK, NULL, NULL, check_do_evict},
        {"node", node_shapes, CHECK_T_ANY, "node-failure", NULL, check_do_disturb},
        {"zone", zone_shapes, CHECK_T_ANY, "zones", NULL, check_do_disturb},
        {"region", zone_shapes, CHECK_T_ANY, "zones", NULL, check_do_disturb},
        {"link", link_shapes, CHECK_T_ANY, "zones", hold_link, check_do_disturb},
        {"load", load_shapes, CHECK_T_ANY, "traffic", hold_load, check_do_disturb},
        {"pod", pod_shapes, CHECK_T_ANY, NULL, NULL, check_do_pod},
        {"image", registry_shapes, CHECK_T_ANY, "registry", NULL, check_do_disturb},
        {"wait", wait_shapes, CHECK_T_DURATION, NULL, NULL, check_do_wait},
};
const size_t check_step_kind_count = KT_COUNT(check_step_kinds);

static const struct check_step_kind *find_kind(const struct kt_json *node, const struct kt_json **body)
{
	for (size_t k = 0; k < check_step_kind_count; k++) {
		*body = kt_get(node, check_step_kinds[k].name);
		if (*body)
			return &check_step_kinds[k];
	}
	return NULL;
}

const struct kt_json *check_steps_in(const struct kt_json *doc)
{
	const struct kt_json *body, *first = kt_is_array(doc) ? kt_at(doc, 0) : doc;
	if (kt_get(first, "apiVersion"))
		return NULL;
	if (kt_is_array(doc))
		return doc;
	if (kt_get(doc, "kind"))
		return NULL;
	if (kt_is_array(kt_get(doc, "steps")) && kt_count(doc) == 1)
		return kt_get(doc, "steps");
	return kt_is_object(doc) && find_kind(doc, &body) ? doc : NULL;
}

static enum kt_code hold_step(const struct check_source *source, const struct kt_json *node,
                              const struct check_step_kind *kind, const struct kt_json *body)
{
	if (kt_count(node) != 1)
		for (size_t i = 0; i < kt_count(node); i++)
			if (!kt_streq(kt_key(node, i), kind->name))
				return kt_yaml_fail(source->yaml, kt_at(node, i), source->err,
				                    "step '%s': unexpected key '%s'", kind->name,
				                    kt_key(node, i));
	struct check_shape value = {.key = kind->name, .type = kind->scalar};
	if (kt_is_object(body) && kind->shapes) {
		enum kt_code rc = check_shape_hold(source, body, kind->shapes, kind->name);
		return !rc && kind->hold ? kind->hold(source, body) : rc;
	}
	if (kind->scalar == CHECK_T_ANY)
		return kt_yaml_fail(source->yaml, body, source->err, "step '%s': expected a map", kind->name);
	return check_type_hold(source, body, &value);
}

static enum kt_code read_step(const struct check_source *source, const struct kt_json *node,
                              struct check_step **out)
{
	const struct kt_json *body = NULL;
	const struct check_step_kind *kind = kt_is_object(node) ? find_kind(node, &body) : NULL;
	if (!kind) {
		const char *names[KT_COUNT(check_step_kinds)];
		for (size_t k = 0; k < check_step_kind_count; k++)
			names[k] = check_step_kinds[k].name;
		if (!kt_count(node))
			return kt_yaml_fail(source->yaml, node, source->err,
			                    "expected a step, such as `apply: FILE`");
		return check_unknown_key(source, node, kt_key(node, 0), "the list of steps", names,
		                         check_step_kind_count);
	}
	enum kt_code rc = hold_step(source, node, kind, body);
	if (rc)
		return rc;
	struct check_step *step = kt_alloc(sizeof(*step));
	*step = (struct check_step){.kind = kind,
	                            .yaml = source->yaml,
	                            .node = node,
	                            .body = body,
	                            .dir = kt_strdup(source->dir)};
	if (kind->run == check_do_wait && kt_is_object(body))
		rc = check_checks_read(source, kt_get(body, "for"), &step->until, &step->until_count);
	if (rc) {
		check_steps_free(&(struct check_step *){step}, 1);
		return rc;
	}
	*out = step;
	return KT_OK;
}

static void free_step(struct check_step *step)
{
	if (!step)
		return;
	check_checks_free(step->until, step->until_count);
	kt_free(step->dir);
	kt_free(step);
}

enum kt_code check_steps_read(const struct check_source *source, const struct kt_json *node,
                              struct check_step ***out, size_t *count)
{
	if (!node) {
		*out = NULL;
		*count = 0;
		return KT_OK;
	}
	size_t n = kt_is_array(node) ? kt_count(node) : 1;
	struct check_step **steps = kt_alloc(KT_MAX(n, 1) * sizeof(struct check_step *));
	for (size_t i = 0; i < n; i++) {
		enum kt_code rc = read_step(source, kt_is_array(node) ? kt_at(node, i) : node, &steps[i]);
		if (rc) {
			for (size_t k = 0; k < i; k++)
				free_step(steps[k]);
			kt_free(steps);
			return rc;
		}
	}
	*out = steps;
	*count = n;
	return KT_OK;
}

enum kt_code check_steps_parse(const struct kt_yaml *yaml, const struct kt_json *node, const char *dir,
                               struct check_step ***out, size_t *count, struct kt_err *err)
{
	return check_steps_read(&(struct check_source){.yaml = yaml, .dir = dir, .err = err}, node, out,
	                        count);
}

void check_steps_free(struct check_step **steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_step(steps[i]);
	kt_free(steps);
}

const char *check_step_needs(const struct check_step *step)
{
	return step->kind->needs;
}

bool check_tell(const struct check_run *run, kt_ns elapsed, kt_ns limit, const char *fmt, ...)
{
	if (!run->progress)
		return true;
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	bool go_on = run->progress(run->progress_arg, kt_buf_str(&text), elapsed, limit);
	kt_buf_clear(&text);
	return go_on;
}

enum kt_code check_do(const struct check_run *run, struct check_step *const *steps, size_t count,
                      struct kt_err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct check_step *step = steps[i];
		if (!check_tell(run, 0, 0, "%s (%zu of %zu)", step->kind->name, i + 1, count))
			return kt_fail(err, KT_ECANCELLED, "cancelled");
		enum kt_code rc = step->kind->run(run, step, err);
		if (rc) {
			kt_wrap(err, "%s:%u: %s", kt_yaml_file(step->yaml),
			        kt_yaml_line(step->yaml, step->node), step->kind->name);
			return rc;
		}
	}
	return KT_OK;
}
