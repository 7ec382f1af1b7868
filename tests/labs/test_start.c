/* SPDX-License-Identifier: MIT */
/* A lab begins with the same cluster every time, however slow the machine is that sets it up. */
#include "labs/labs.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* What `kubectl get all` shows, and more. */
static const char *const paths[] = {"/api/v1/nodes",
                                    "/api/v1/pods",
                                    "/api/v1/services",
                                    "/api/v1/events",
                                    "/api/v1/serviceaccounts",
                                    "/api/v1/persistentvolumeclaims",
                                    "/apis/apps/v1/deployments",
                                    "/apis/apps/v1/replicasets",
                                    "/apis/apps/v1/statefulsets",
                                    "/apis/apps/v1/daemonsets",
                                    "/apis/autoscaling/v2/horizontalpodautoscalers",
                                    "/apis/coordination.k8s.io/v1/leases",
                                    "/apis/batch/v1/jobs"};

static bool slowly(void *arg, const char *sentence, kt_ns elapsed, kt_ns usual)
{
	(void)sentence;
	(void)elapsed;
	(void)usual;
	(void)poll(NULL, 0, *(const int *)arg);
	return true;
}

/* Times since `birth`; the last part of an Event's name is one, too. */
static struct kt_json *since(const struct kt_json *v, kt_ns birth, bool names)
{
	kt_ns t;
	const char *text = kt_str(v), *dot = text ? strrchr(text, '.') : NULL;
	if (text && kt_time_parse(text, &t))
		return kt_json_int(t - birth);
	if (text && names && dot && strlen(dot) == 17)
		return kt_json_strn(text, (size_t)(dot - text));
	if (!kt_is_object(v) && !kt_is_array(v))
		return kt_json_ref(v);
	struct kt_json *out = kt_is_object(v) ? kt_json_object() : kt_json_array();
	for (size_t i = 0; i < kt_count(v); i++) {
		struct kt_json *one = since(kt_at(v, i), birth, names && kt_is_object(v));
		if (kt_is_object(v))
			kt_set(&out, kt_key(v, i), one);
		else
			kt_push(&out, one);
	}
	return out;
}

static struct kt_json *ask(struct check_client *client, const char *path)
{
	struct check_answer answer = {0};
	struct kt_err err = {0};
	if (check_request(client, "GET", path, NULL, NULL, 0, &answer, &err))
		fail_msg("%s", err.text);
	struct kt_json *json = kt_json_ref(answer.json);
	check_answer_clear(&answer);
	return json;
}

/* All that there is where the lab begins, set up with pauses of `pause` ms wherever it tells something; in
 * *passed the cluster's time since its birth. */
static struct kt_json *begin(const char *dir, int pause, kt_ns *passed)
{
	char home[] = "/tmp/ktutor-start.XXXXXX";
	struct kt_err err = {0};
	struct lab *lab = NULL;
	struct lab_session *session = NULL;
	assert_non_null(mkdtemp(home));
	/* held to the end: what is compared is one moment */
	struct lab_options options = {.home = home, .held = true, .progress = slowly, .progress_arg = &pause};
	if (lab_new(dir, &lab, &err) || lab_start(lab, &options, NULL, &err) ||
	    lab_open(lab, &options, &session, &err))
		fail_msg("%s", err.text);
	struct kt_json *all = kt_json_object(),
	               *ns = ask(lab_client(session), "/api/v1/namespaces/kube-system");
	kt_ns birth = 0;
	assert_true(kt_time_parse(kt_path_str(ns, "metadata.creationTimestamp"), &birth));
	for (size_t i = 0; i < KT_COUNT(paths); i++) {
		struct kt_json *list = ask(lab_client(session), paths[i]);
		const struct kt_json *item;
		struct kt_json *items = kt_json_array();
		bool events = kt_streq(paths[i], "/api/v1/events");
		KT_JSON_EACH (item, kt_get(list, "items"))
			kt_push(&items, since(item, birth, events));
		kt_set(&all, paths[i], items);
		kt_json_free(list);
	}
	kt_ns offset = lab_world(session)->now(lab_world(session)->arg);
	*passed = offset % KT_MIN_NS; /* it is born on a whole minute */
	lab_close(session);
	kt_json_free(ns);
	if (lab_stop(lab, &options, &err))
		fail_msg("%s", err.text);
	lab_free(lab);
	assert_int_equal(kt_remove_tree(home, NULL), KT_OK);
	return all;
}

static void a_lab_begins_the_same_every_time(void **state)
{
	(void)state;
	static const char *const labs[] = {"tests/labs/five-layers", "labs/level-6-pro/game-day"};
	for (size_t i = 0; i < KT_COUNT(labs); i++) {
		kt_ns quick, slow;
		struct kt_json *one = begin(labs[i], 0, &quick), *other = begin(labs[i], 15, &slow);
		assert_true(kt_count(kt_get(one, "/api/v1/pods")) > 2);
		assert_true(kt_count(kt_get(one, "/api/v1/events")) > 20);
		for (size_t k = 0; k < KT_COUNT(paths); k++) {
			char *a = kt_json_text(kt_get(one, paths[k])),
			     *b = kt_json_text(kt_get(other, paths[k]));
			assert_string_equal(a, b);
			kt_free(a);
			kt_free(b);
		}
		assert_int_equal(quick, slow);
		kt_json_free(one);
		kt_json_free(other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_lab_begins_the_same_every_time)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
