/* SPDX-License-Identifier: MIT */
#include "cluster/api/event_flow.h"
#include "tests/cluster/support.h"

static void the_tenth_message_of_a_reason_is_combined(void **state)
{
	struct event_flow *flow = event_flow_new();
	struct event_flow_key key = {.about = 1, .reason = 2};

	(void)state;
	for (uint64_t i = 1; i <= 30; i++) {
		key.message = i;
		assert_int_equal(event_flow_combines(flow, &key, (kt_ns)i * KT_SEC), i >= 10);
	}
	/* one that is known stays what it is, another reason starts anew, ten minutes later all do */
	assert_false(event_flow_combines(flow, &key, 31 * KT_SEC));
	key.reason = 3;
	key.message = 31;
	assert_false(event_flow_combines(flow, &key, 31 * KT_SEC));
	key.reason = 2;
	assert_true(event_flow_combines(flow, &key, 31 * KT_SEC));
	key.message = 32;
	assert_false(event_flow_combines(flow, &key, 632 * KT_SEC));
	event_flow_free(flow);
}

static void an_object_has_25_events_and_then_one_in_five_minutes(void **state)
{
	struct event_flow *flow = event_flow_new();
	struct event_flow_key one = {.about = 7, .reason = 1}, other = {.about = 7 + 512, .reason = 1};

	(void)state;
	for (int i = 0; i < 25; i++)
		assert_true(event_flow_allows(flow, &one, KT_SEC));
	assert_false(event_flow_allows(flow, &one, KT_SEC));
	assert_true(event_flow_allows(flow, &other, KT_SEC));
	assert_false(event_flow_allows(flow, &one, 300 * KT_SEC));
	assert_true(event_flow_allows(flow, &one, 301 * KT_SEC));
	assert_false(event_flow_allows(flow, &one, 301 * KT_SEC));
	event_flow_free(flow);
}

/* More objects than there is room for: those of long ago are forgotten, nothing else happens. */
static void many_objects_have_each_their_own(void **state)
{
	struct event_flow *flow = event_flow_new();

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++) {
		struct event_flow_key key = {.about = i, .reason = i * 31, .message = i};

		assert_true(event_flow_allows(flow, &key, (kt_ns)i));
		assert_false(event_flow_combines(flow, &key, (kt_ns)i));
	}
	event_flow_free(flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_tenth_message_of_a_reason_is_combined),
	        cmocka_unit_test(an_object_has_25_events_and_then_one_in_five_minutes),
	        cmocka_unit_test(many_objects_have_each_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
