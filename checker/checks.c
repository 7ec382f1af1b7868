/* SPDX-License-Identifier: MIT */
/* Checks: the table, parsing, and looking with patience. */
#include "checker/checker_internal.h"

#include "checker/steps_internal.h"

#include <stdarg.h>
#include <string.h>

#define WITHIN_DEFAULT (20 * KT_SEC)

static const struct check_shape spread_shapes[] = {
        {"over", CHECK_T_TEXT, true, NULL, NULL}, {"skew", CHECK_T_INT, false, NULL, NULL}, {0}};
static const struct check_shape object_shapes[] = {
        {"object", CHECK_T_OBJECT, true, NULL, NULL}, {"has", CHECK_T_PATHS, false, NULL, NULL}, {0}};
static const struct check_shape absent_shapes[] = {{"absent", CHECK_T_OF, true, NULL, NULL}, {0}};
static const struct check_shape objects_shapes[] = {{"objects", CHECK_T_SET, true, NULL, NULL},
                                                    {"count", CHECK_T_EXPECT, false, NULL, NULL},
                                                    {"each", CHECK_T_PATHS, false, NULL, NULL},
                                                    {"some", CHECK_T_PATHS, false, NULL, NULL},
                                                    {"none", CHECK_T_PATHS, false, NULL, NULL},
                                                    {"distinct", CHECK_T_PATHS, false, NULL, NULL},
                                                    {"spread", CHECK_T_STRUCT, false, NULL, spread_shapes},
                                                    {0}};
static const struct check_shape record_shapes[] = {
        {"record", CHECK_T_WORD, true, CHECK_RECORDS, NULL}, {"where", CHECK_T_PATHS, false, NULL, NULL},
        {"count", CHECK_T_EXPECT, false, NULL, NULL},        {"each", CHECK_T_PATHS, false, NULL, NULL},
        {"some", CHECK_T_PATHS, false, NULL, NULL},          {"none", CHECK_T_PATHS, false, NULL, NULL},
        {"distinct", CHECK_T_PATHS, false, NULL, NULL},      {0}};
static const struct check_shape connect_shapes[] = {{"from", CHECK_T_WHO, true, NULL, NULL},
                                                    {"to", CHECK_T_WHOM, true, NULL, NULL},
                                                    {"expect", CHECK_T_WORD, false, "open|closed", NULL},
                                                    {"timeout", CHECK_T_DURATION, false, NULL, NULL},
                                                    {0}};
static const struct check_shape matrix_shapes[] = {{"who", CHECK_T_WHOS, true, NULL, NULL},
                                                   {"whom", CHECK_T_WHOMS, true, NULL, NULL},
                                                   {"open", CHECK_T_LIST, true, NULL, NULL},
                                                   {"timeout", CHECK_T_DURATION, false, NULL, NULL},
                                                   {0}};
static const struct check_shape http_shapes[] = {{"from", CHECK_T_WHO, true, NULL, NULL},
                                                 {"to", CHECK_T_ANY, true, NULL, NULL},
                                                 {"requests", CHECK_T_INT, false, NULL, NULL},
                                                 {"expect", CHECK_T_ANY, false, NULL, NULL},
                                                 {"host", CHECK_T_TEXT, false, NULL, NULL},
                                                 {"timeout", CHECK_T_DURATION, false, NULL, NULL},
                                                 {0}};
static const struct check_shape can_shapes[] = {
        {"who", CHECK_T_ANY, true, NULL, NULL},           {"verb", CHECK_T_TEXTS, true, NULL, NULL},
        {"resource", CHECK_T_TEXTS, false, NULL, NULL},   {"path", CHECK_T_TEXTS, false, NULL, NULL},
        {"subresource", CHECK_T_TEXT, false, NULL, NULL}, {"namespace", CHECK_T_TEXT, false, NULL, NULL},
        {"name", CHECK_T_TEXT, false, NULL, NULL},        {"group", CHECK_T_TEXT, false, NULL, NULL},
        {"expect", CHECK_T_WORD, false, "yes|no", NULL},  {0}};
static const struct check_shape refused_shapes[] = {
        {"manifest", CHECK_T_FILES, true, NULL, NULL}, {"because", CHECK_T_TEXT, false, NULL, NULL}, {0}};
static const struct check_shape value_shapes[] = {{"of", CHECK_T_OF, false, NULL, NULL},
                                                  {"path", CHECK_T_TEXT, false, NULL, NULL},
                                                  {"objects", CHECK_T_SET, false, NULL, NULL},
                                                  {"count", CHECK_T_ANY, false, NULL, NULL},
                                                  {"where", CHECK_T_PATHS, false, NULL, NULL},
                                                  {"record", CHECK_T_WORD, false, CHECK_RECORDS, NULL},
                                                  {"traffic", CHECK_T_TEXT, false, NULL, NULL},
                                                  {"most", CHECK_T_TEXT, false, NULL, NULL},
                                                  {0}};
static const struct check_shape answer_shapes[] = {{"ask", CHECK_T_TEXT, true, NULL, NULL},
                                                   {"value", CHECK_T_STRUCT, false, NULL, value_shapes},
                                                   {"choices", CHECK_T_LIST, false, NULL, NULL},
                                                   {"right", CHECK_T_TEXT, false, NULL, NULL},
                                                   {0}};
static const struct check_shape drill_shapes[] = {{"do", CHECK_T_STEPS, true, NULL, NULL},
                                                  {"hold", CHECK_T_CHECKS, false, NULL, NULL},
                                                  {"for", CHECK_T_DURATION, false, NULL, NULL},
                                                  {"end", CHECK_T_CHECKS, false, NULL, NULL},
                                                  {0}};
#define OPERATOR_SHAPES                                                                                      \
	{"at-least", CHECK_T_ANY, false, NULL, NULL}, {"at-most", CHECK_T_ANY, false, NULL, NULL},           \
	        {"more-than", CHECK_T_ANY, false, NULL, NULL},                                               \
	        {"less-than", CHECK_T_ANY, false, NULL, NULL}, {"between", CHECK_T_LIST, false, NULL, NULL}, \
	        {"one-of", CHECK_T_LIST, false, NULL, NULL}, {"not", CHECK_T_ANY, false, NULL, NULL},        \
	{                                                                                                    \
		"equals", CHECK_T_ANY, false, NULL, NULL                                                     \
	}
static const struct check_shape available_shapes[] = {{"service", CHECK_T_TEXT, true, NULL, NULL},
                                                      {"since", CHECK_T_DURATION, false, NULL, NULL},
                                                      OPERATOR_SHAPES,
                                                      {0}};
static const struct check_shape ready_shapes[] = {{"of", CHECK_T_OF, true, NULL, NULL}, OPERATOR_SHAPES, {0}};
static enum kt_code hold_drill(const struct check_source *source, const struct kt_json *body)
{
	return kt_get(body, "hold") || kt_get(body, "end")
	               ? KT_OK
	               : kt_yaml_fail(source->yaml, body, source->err, "'drill' needs 'hold' or 'end'");
}

static const struct check_shape all_shapes[] = {{"all", CHECK_T_CHECKS, true, NULL, NULL}, {0}};
static const struct check_shape any_shapes[] = {{"any", CHECK_T_CHECKS, true, NULL, NULL}, {0}};
static const struct check_shape not_shapes[] = {{"not", CHECK_T_CHECKS, true, NULL, NULL}, {0}};

const struct check_check_kind check_check_kinds[] = {
        {"object", object_shapes, CHECK_T_OBJECT, false, NULL, NULL, check_look_object},
        {"absent", absent_shapes, CHECK_T_OF, false, NULL, NULL, check_look_absent},
        {"objects", objects_shapes, CHECK_T_SET, false, NULL, NULL, check_look_objects},
        {"record", record_shapes, CHECK_T_WORD, false, NULL, NULL, check_look_record},
        {"connect", connect_shapes, CHECK_T_ANY, true, NULL, NULL, check_look_connect},
        {"matrix", matrix_shapes, CHECK_T_ANY, true, NULL, check_hold_matrix, check_look_matrix},
        {"http", http_shapes, CHECK_T_ANY, true, NULL, check_hold_http, check_look_http},
        {"can", can_shapes, CHECK_T_ANY, true, NULL, check_hold_can, check_look_can},
        {"refused", refused_shapes, CHECK_T_ANY, true, NULL, NULL, check_look_refused},
        {"answer", answer_shapes, CHECK_T_ANY, true, NULL, check_hold_answer, check_look_answer},
        {"drill", drill_shapes, CHECK_T_ANY, true, NULL, hold_drill, check_look_drill},
        {"available", available_shapes, CHECK_T_ANY, true, "traffic", NULL, check_look_available},
        {"ready", ready_shapes, CHECK_T_ANY, true, NULL, NULL, check_look_ready},
        {"all", all_shapes, CHECK_T_CHECKS, false, NULL, NULL, check_look_all},
        {"any", any_shapes, CHECK_T_CHECKS, false, NULL, NULL, check_look_any},
        {"not", not_shapes, CHECK_T_CHECKS, false, NULL, NULL, check_look_not},
};
const size_t check_check_kind_count = KT_COUNT(check_check_kinds);

enum kt_code check_value_hold(const struct kt_yaml *yaml, const struct kt_json *spec, struct kt_err *err)
{
	struct check_source source = {.yaml = yaml, .dir = "", .err = err};
	const char *text = kt_get_str(spec, "path");
	struct kt_jsonpath *path = NULL;
	enum kt_code rc = check_shape_hold(&source, spec, value_shapes, "value");
	if (!rc && text && !kt_get(spec, "traffic") && kt_jsonpath_new(text, &path, err))
		rc = kt_wrap(err, "%s:%u: path '%s'", kt_yaml_file(yaml),
		             kt_yaml_line(yaml, kt_get(spec, "path")), text);
	kt_jsonpath_free(path);
	if (!rc && !kt_get(spec, "objects") && !kt_get(spec, "record") &&
	    !((kt_get(spec, "of") || kt_get(spec, "traffic")) && kt_get(spec, "path")))
		rc = kt_yaml_fail(
		        yaml, spec, err,
		        "'value': expected {objects: SET, count: ready} or {of: OBJECT, path: PATH}");
	return rc;
}

/* --- parsing --- */

static const struct check_check_kind *find_kind(const struct kt_json *node, const struct kt_json **body)
{
	for (size_t k = 0; k < check_check_kind_count; k++) {
		*body = kt_get(node, check_check_kinds[k].name);
		if (*body)
			return &check_check_kinds[k];
	}
	return NULL;
}

/* The keys beside the name (those of the kind, when they stand beside it), or inside its value; `within` may
 * stand in either place. */
static enum kt_code hold_keys(const struct check_source *source, const struct kt_json *node,
                              const struct kt_json *body, const struct check_check_kind *kind)
{
	static const struct check_shape within = {.key = "within", .type = CHECK_T_DURATION};
	struct check_shape shapes[32] = {{0}}, beside[3] = {{0}};
	size_t n = 0;
	for (; kind->shapes[n].key; n++)
		shapes[n] = kind->shapes[n];
	shapes[n] = within;
	if (!kind->inside)
		return check_shape_hold(source, node, shapes, kind->name);
	beside[0] = (struct check_shape){.key = kind->name, .type = CHECK_T_ANY, .required = true};
	beside[1] = within;
	enum kt_code rc = check_shape_hold(source, node, beside, kind->name);
	return rc ? rc : check_shape_hold(source, body, shapes, kind->name);
}

/* "2", 0.99 or 99.9%; what is deeper is an EXPECT of its own. */
static bool is_amount(const struct kt_json *v)
{
	struct kt_quantity quantity;
	const char *text = kt_str(v);
	char *number = text ? kt_strndup(text, strlen(text) - kt_ends(text, "%")) : NULL;
	bool fine = !text || kt_quantity_parse(number, &quantity);
	kt_free(number);
	return fine;
}

/* `ready` and `available` bear an EXPECT beside their subject. */
static enum kt_code hold_operators(const struct check_source *source, const struct check_check_kind *kind,
                                   const struct kt_json *body)
{
	const char *subject = kind->look == check_look_ready ? "of" : "service";
	if (kind->look != check_look_ready && kind->look != check_look_available)
		return KT_OK;
	static const struct check_shape place = {.key = "expect", .type = CHECK_T_EXPECT};
	for (size_t i = 0; i < kt_count(body); i++) {
		const char *key = kt_key(body, i);
		if (kt_streq(key, subject) || kt_streq(key, "since") || kt_streq(key, "within"))
			continue;
		struct kt_json *one = kt_json_object();
		kt_set(&one, key, kt_json_ref(kt_at(body, i)));
		enum kt_code rc = check_type_hold(source, one, &place);
		kt_json_free(one);
		if (!rc && !is_amount(kt_at(body, i)))
			rc = kt_yaml_fail(source->yaml, kt_at(body, i), source->err,
			                  "'%s': expected a number", key);
		if (rc)
			return rc;
	}
	return KT_OK;
}

/* How long it may still settle: what is written, or as long as the most patient of what is inside. */
static kt_ns patience_of(const struct check_check *check)
{
	const struct kt_json *inside = check->kind->inside ? kt_get(check->body, "within") : NULL;
	const struct kt_json *within = kt_get(check->node, "within");
	kt_ns most = WITHIN_DEFAULT;
	for (size_t i = 0; i < check->check_count; i++)
		most = KT_MAX(most, check->checks[i]->within);
	return check_duration(within ? within : inside, most);
}

static enum kt_code read_children(const struct check_source *source, struct check_check *check)
{
	const char *name = check->kind->name;
	struct check_source inner = *source;
	inner.depth++;
	enum kt_code rc = KT_OK;
	if (kt_streq(name, "drill")) {
		rc = check_steps_read(&inner, kt_get(check->body, "do"), &check->steps, &check->step_count);
		if (!rc)
			rc = check_checks_read(&inner, kt_get(check->body, "hold"), &check->checks,
			                       &check->check_count);
		if (!rc)
			rc = check_checks_read(&inner, kt_get(check->body, "end"), &check->end,
			                       &check->end_count);
	} else if (check->kind->scalar == CHECK_T_CHECKS) {
		rc = check_checks_read(&inner, check->body, &check->checks, &check->check_count);
		if (!rc && !check->check_count)
			rc = kt_yaml_fail(source->yaml, check->node, source->err,
			                  "'%s': expected a check or more", name);
	}
	return rc;
}

enum kt_code check_check_parse(const struct check_source *source, const struct kt_json *node,
                               struct check_check **out)
{
	const struct kt_json *body = NULL;
	const struct check_check_kind *kind = kt_is_object(node) ? find_kind(node, &body) : NULL;
	if (!kind) {
		const char *names[KT_COUNT(check_check_kinds)];
		for (size_t k = 0; k < check_check_kind_count; k++)
			names[k] = check_check_kinds[k].name;
		if (!kt_count(node))
			return kt_yaml_fail(source->yaml, node, source->err,
			                    "expected a check, such as `object: deployment shop/web`");
		return check_unknown_key(source, node, kt_key(node, 0), "the list of checks", names,
		                         check_check_kind_count);
	}
	enum kt_code rc = hold_keys(source, node, body, kind);
	if (!rc)
		rc = hold_operators(source, kind, body);
	if (!rc && kind->hold)
		rc = kind->hold(source, body);
	if (rc)
		return rc;
	struct check_check *check = kt_alloc(sizeof(*check));
	*check = (struct check_check){.kind = kind,
	                              .yaml = source->yaml,
	                              .node = node,
	                              .body = body,
	                              .dir = kt_strdup(source->dir)};
	rc = read_children(source, check);
	check->within = patience_of(check);
	check->patient = kt_get(node, "within") || (kind->inside && kt_get(body, "within"));
	if (rc) {
		check_check_free(check);
		return rc;
	}
	*out = check;
	return KT_OK;
}

void check_check_free(struct check_check *check)
{
	if (!check)
		return;
	check_checks_free(check->checks, check->check_count);
	check_checks_free(check->end, check->end_count);
	check_steps_free(check->steps, check->step_count);
	kt_free(check->dir);
	kt_free(check);
}

enum kt_code check_checks_read(const struct check_source *source, const struct kt_json *node,
                               struct check_check ***out, size_t *count)
{
	if (!node) {
		*out = NULL;
		*count = 0;
		return KT_OK;
	}
	size_t n = kt_is_array(node) ? kt_count(node) : 1;
	struct check_check **checks = kt_alloc(KT_MAX(n, 1) * sizeof(struct check_check *));
	for (size_t i = 0; i < n; i++) {
		enum kt_code rc =
		        check_check_parse(source, kt_is_array(node) ? kt_at(node, i) : node, &checks[i]);
		if (rc) {
			check_checks_free(checks, i);
			return rc;
		}
	}
	*out = checks;
	*count = n;
	return KT_OK;
}

enum kt_code check_checks_parse(const struct kt_yaml *yaml, const struct kt_json *node, const char *dir,
                                struct check_check ***out, size_t *count, struct kt_err *err)
{
	return check_checks_read(&(struct check_source){.yaml = yaml, .dir = dir, .err = err}, node, out,
	                         count);
}

void check_checks_free(struct check_check **checks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_check_free(checks[i]);
	kt_free(checks);
}

const char *check_check_needs(const struct check_check *check)
{
	const char *needs = check->kind->needs;
	for (size_t i = 0; !needs && i < check->step_count; i++)
		needs = check_step_needs(check->steps[i]);
	for (size_t i = 0; !needs && i < check->check_count; i++)
		needs = check_check_needs(check->checks[i]);
	for (size_t i = 0; !needs && i < check->end_count; i++)
		needs = check_check_needs(check->end[i]);
	return needs;
}

bool check_touches_nodes(const struct check_check *check)
{
	bool touches = false;
	for (size_t i = 0; !touches && i < check->step_count; i++)
		touches = check->steps[i]->kind->run == check_do_cordon ||
		          check->steps[i]->kind->run == check_do_drain ||
		          check->steps[i]->kind->run == check_do_uncordon;
	for (size_t i = 0; !touches && i < check->check_count; i++)
		touches = check_touches_nodes(check->checks[i]);
	return touches;
}

bool check_has_drill(const struct check_check *check)
{
	bool has = check->kind->look == check_look_drill;
	for (size_t i = 0; !has && i < check->check_count; i++)
		has = check_has_drill(check->checks[i]);
	return has;
}

kt_ns check_drill_span(const struct check_check *check)
{
	kt_ns span = check_duration(kt_get(check->body, "for"), 0);
	if (check->kind->look != check_look_drill)
		span = 0;
	for (size_t i = 0; i < check->step_count; i++)
		if (check->steps[i]->kind->run == check_do_wait && !check->steps[i]->until)
			span += check_duration(check->steps[i]->body, 0);
	for (size_t i = 0; i < check->check_count; i++)
		span += check_drill_span(check->checks[i]);
	return span;
}

static void add_watches(const struct check_check *check, struct kt_json **out)
{
	static const char *const keys[] = {"object", "objects", "absent"};
	const char *words = kt_streq(check->kind->name, "ready") ? kt_get_str(check->body, "of") : NULL;
	for (size_t i = 0; i < KT_COUNT(keys) && !words; i++)
		words = kt_get_str(check->node, keys[i]);
	if (words)
		kt_push(out, kt_json_str(words));
	for (size_t i = 0; i < check->check_count; i++)
		add_watches(check->checks[i], out);
}

struct kt_json *check_watches(struct check_check *const *checks, size_t count)
{
	struct kt_json *out = kt_json_array();
	for (size_t i = 0; i < count; i++)
		add_watches(checks[i], &out);
	return out;
}

/* --- findings --- */

static char *sentence(const char *fmt, va_list ap)
{
	struct kt_buf raw = {0}, clean = {0};
	kt_buf_vaddf(&raw, fmt, ap);
	kt_buf_add_clean(&clean, kt_buf_str(&raw), raw.len);
	kt_buf_clear(&raw);
	return kt_buf_take(&clean);
}

void check_expected(struct check_finding *finding, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	kt_free(finding->expected);
	finding->expected = sentence(fmt, ap);
	va_end(ap);
}

void check_found(struct check_finding *finding, enum check_status status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	kt_free(finding->found);
	finding->found = sentence(fmt, ap);
	finding->status = status;
	va_end(ap);
}

void check_unknown(struct check_finding *finding, const struct kt_err *err)
{
	check_found(finding, CHECK_UNKNOWN, "%s", err->text[0] ? err->text : "the cluster did not answer");
}

void check_where(struct check_finding *finding, const char *object, const char *path)
{
	char *was_object = finding->object, *was_path = finding->path;
	finding->object = kt_strdup(object);
	finding->path = kt_strdup(path);
	kt_free(was_object);
	kt_free(was_path);
}

void check_finding_clear(struct check_finding *finding)
{
	kt_free(finding->expected);
	kt_free(finding->found);
	kt_free(finding->object);
	kt_free(finding->path);
	kt_free(finding->table);
	memset(finding, 0, sizeof(*finding));
}

/* --- looking --- */

void check_look_once(const struct check_run *run, const struct check_check *check,
                     struct check_finding *finding)
{
	check->kind->look(run, check, finding);
	finding->check = check->kind->name;
	if (!finding->at && run->world)
		finding->at = run->world->now(run->world->arg);
	if (!finding->expected)
		check_expected(finding, "%s", check->kind->name);
	if (!finding->found)
		check_found(finding, finding->status, "it is so");
}

static void look_again(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding)
{
	check_finding_clear(finding);
	check_look_once(run, check, finding);
}

/* --- patience: state that is still settling is waited for, until all checks of a task hold at one moment ---
 */
struct patience {
	const struct check_run *run;
	struct check_check *const *checks;
	struct check_finding *findings;
	size_t count;
	kt_ns began;
};

static kt_ns elapsed_of(const struct patience *p)
{
	return p->run->world->now(p->run->world->arg) - p->began;
}

/* Look again at those (but drills) that passed, or that did not. True: all of them pass. */
static bool look_at(const struct patience *p, bool those_that_passed)
{
	bool all = true;
	for (size_t i = 0; i < p->count; i++) {
		if (check_has_drill(p->checks[i]))
			continue;
		if ((p->findings[i].status == CHECK_PASSED) == those_that_passed)
			look_again(p->run, p->checks[i], &p->findings[i]);
		all = all && p->findings[i].status == CHECK_PASSED;
	}
	return all;
}

/* How long the most patient of those that do not pass still waits; *waiting is one of them. A container that
 * is just being made cannot be asked yet: what is unknown is looked at again as well. */
static kt_ns time_left(const struct patience *p, const struct check_finding **waiting)
{
	kt_ns left = 0, elapsed = elapsed_of(p);
	*waiting = NULL;
	for (size_t i = 0; i < p->count; i++)
		if (p->findings[i].status != CHECK_PASSED && !check_has_drill(p->checks[i]) &&
		    p->checks[i]->within > elapsed) {
			left = KT_MAX(left, p->checks[i]->within - elapsed);
			*waiting = &p->findings[i];
		}
	return left;
}

/* What programs do changes no object: it is looked at this often at least. */
#define LOOKS (10 * KT_SEC)

/* What came about only now must last: a container that ends at once was Ready for a moment, too. */
#define STEADY (2 * KT_SEC)

static bool is_steady(const struct patience *p)
{
	kt_ns passed = 0;
	for (kt_ns left = STEADY; left > 0; left -= KT_MAX(passed, KT_MS)) {
		if (check_pass(p->run, left, p->run->world->virtual_time, &passed, NULL))
			return true; /* time does not pass here: nothing to be seen */
		if (!look_at(p, true))
			return false;
	}
	return true;
}

static bool wait_for_all(const struct patience *p)
{
	bool passed = look_at(p, false), waited = false;
	while (!p->run->no_wait && !p->run->once && p->run->world && p->run->world->pass) {
		/* what passed while others were waited for must still hold */
		if (passed && (!waited || (look_at(p, true) && is_steady(p))))
			return true;
		const struct check_finding *waiting;
		kt_ns left = time_left(p, &waiting);
		if (!waiting ||
		    !check_tell(p->run, elapsed_of(p), elapsed_of(p) + left, "waiting for %s",
		                waiting->expected) ||
		    check_pass(p->run, KT_MIN(left, LOOKS), true, NULL, NULL)) {
			if (waited) /* what is told is of one moment: what passed meanwhile may hold no more
			             */
				(void)look_at(p, true);
			return false;
		}
		waited = true;
		passed = look_at(p, false);
	}
	return passed;
}

void check_look(const struct check_run *run, struct check_check *const *checks, size_t count,
                struct check_finding *findings)
{
	struct patience p = {run, checks, findings, count, 0};
	for (size_t i = 0; i < count; i++) {
		check_finding_clear(&findings[i]);
		findings[i].status = CHECK_FAILED; /* not looked at yet */
	}
	p.began = run->settling;
	if (run->world && !p.began)
		p.began = run->world->now(run->world->arg);
	bool passed = wait_for_all(&p);
	for (size_t i = 0; i < count; i++) {
		if (!check_has_drill(checks[i]))
			continue;
		if (passed || run->all_drills) { /* what is wrong already needs no drill */
			look_again(run, checks[i], &findings[i]);
		} else {
			findings[i].check = checks[i]->kind->name;
			check_expected(&findings[i], "it holds through the drill");
			check_found(&findings[i], CHECK_UNKNOWN,
			            "the drill was not run: another check of this task does not hold");
		}
	}
}

/* --- logic --- */

void check_look_all(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding)
{
	for (size_t i = 0; i < check->check_count; i++) {
		look_again(run, check->checks[i], finding);
		if (finding->status != CHECK_PASSED)
			return;
	}
}

/* All that was expected is told, and all that was found. */
void check_look_any(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding)
{
	struct kt_buf expected = {0}, found = {0};
	bool unknown = false, passed = false;
	for (size_t i = 0; i < check->check_count && !passed; i++) {
		look_again(run, check->checks[i], finding);
		passed = finding->status == CHECK_PASSED;
		unknown = unknown || finding->status == CHECK_UNKNOWN;
		kt_buf_addf(&expected, "%s%s", i ? ", or " : "", finding->expected);
		if (!strstr(kt_buf_str(&found), finding->found))
			kt_buf_addf(&found, "%s%s", found.len ? "; " : "", finding->found);
	}
	if (!passed) {
		check_expected(finding, "%s", kt_buf_str(&expected));
		check_found(finding, unknown ? CHECK_UNKNOWN : CHECK_FAILED, "%s", kt_buf_str(&found));
	}
	kt_buf_clear(&expected);
	kt_buf_clear(&found);
}

void check_look_not(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding)
{
	check_look_all(run, check, finding);
	char *expected = kt_strdup(finding->expected), *found = kt_strdup(finding->found);
	check_expected(finding, "not so: %s", expected);
	if (finding->status != CHECK_UNKNOWN)
		check_found(finding, finding->status == CHECK_PASSED ? CHECK_FAILED : CHECK_PASSED, "%s",
		            found);
	kt_free(expected);
	kt_free(found);
}
