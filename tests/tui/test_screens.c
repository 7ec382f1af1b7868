/* SPDX-License-Identifier: MIT */
#include "tests/tui/screens.h"
#include "tui/pane.h"

static struct kt_json *tasks_message(bool whole, const char *copies, const char *survives, const char *quiet)
{
	struct kt_json *finding = kt_jsonf(
	        "{status: 'failed', expected: 'spec.replicas at least 3', found: "
	        "'1 in deployment shop/web', object: "
	        "'deployment shop/web', path: 'spec.replicas', table: '         a  b\\nweb      ✓  ·!'}");
	struct kt_json *findings = kt_streq(copies, "failed") ? kt_jsonf("[%j]", finding) : kt_json_array();
	if (!kt_streq(copies, "failed"))
		kt_json_free(finding);
	return kt_jsonf(
	        "{told: 'tasks', whole: %b, tasks: [{task: 'copies', status: %s, findings: %j}, {task: "
	        "'survives', status: %s, findings: []}, {task: 'quiet', status: %s, findings: []}]}",
	        (int)whole, copies, findings, survives, quiet);
}

static struct kt_json *world_message(void)
{
	return kt_jsonf(
	        "{told: 'world', nodes: [{name: 'control', control: true, ready: true}, {name: 'general-a1', "
	        "zone: 'a', ready: true, cpu_used: 0.42, memory_used: 0.07}, {name: 'general-b1', zone: 'b', "
	        "ready: false}, {name: "
	        "'general-c1', "
	        "zone: 'c', ready: true, cordoned: true}], pods: [{ns: 'shop', name: 'web-1', app: 'web', "
	        "node: "
	        "'general-a1', state: 'ready'}, {ns: 'shop', name: 'web-2', app: 'web', node: 'general-b1', "
	        "state: 'ending'}, {ns: 'shop', name: 'noise-1', node: 'general-a1', state: 'failing'}, {ns: "
	        "'shop', name: 'web-3', app: 'web', state: 'pending'}, {ns: 'kube-system', name: 'dns', "
	        "node: "
	        "'general-a1', state: 'ready'}], clock: {now: '2026-01-02T00:05:00Z', speed: 1, paused: "
	        "false}, traffic: [{service: 'shop/web', rps: 120, p95: 0.085, availability: 0.985}]}");
}

/* What a drill went through: two of three nodes' pods lost at a minute, back after six. */
static struct kt_json *drills_message(void)
{
	return kt_jsonf("{told: 'drills', timelines: {survives: {span: 480.0, samples: ["
	                "{at: 0.0, ready: {'shop/web': 3, 'shop/api': 1}, down: []},"
	                "{at: 60.0, ready: {'shop/web': 1, 'shop/api': 1}, down: ['general-b1']},"
	                "{at: 350.0, ready: {'shop/web': 2, 'shop/api': 1}, down: ['general-b1']},"
	                "{at: 372.5, ready: {'shop/web': 3, 'shop/api': 1}, down: []}]}}}");
}

static struct kt_json *compared_message(void)
{
	return kt_jsonf(
	        "{told: 'compared', objects: [{kind: 'Deployment', namespace: 'shop', name: 'web', there: "
	        "true, differences: [{path: 'spec.replicas', yours: '4', given: '3'}, {path: "
	        "'spec.template.spec.topologySpreadConstraints[zone].maxSkew', given: '1'}]}, {kind: "
	        "'PodDisruptionBudget', namespace: 'shop', name: 'web', there: false, nearest: 'mine', "
	        "differences: []}, {kind: 'ConfigMap', namespace: 'shop', name: 'none', there: false}]}");
}

static void open_lab(struct fixture *f)
{
	static const char output[] = "$ kubectl get pods\r\nNAME   READY\r\n\033[32mweb-1\033[0m  1/1\r\n$ ";
	fixture_open(f);
	press(f, "jl");
	assert_non_null(f->app.work.lab);
	tell(f, kt_jsonf("{told: 'ready', kubeconfig: '/nowhere'}"));
	tell(f, world_message());
	tell(f, tasks_message(false, "failed", "blocked", "blocked"));
	kt_free(drawn(f, 24, 80)); /* the shell gets its size */
	tui_pane_feed(f->app.work.pane, output, sizeof(output) - 1);
}

static void home_shows_levels_lessons_and_what_is_selected(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	expect_both(&f, "home");
	press(&f, "j");
	expect_both(&f, "home-lesson");
	fixture_close(&f);
}

static void home_shows_what_was_done_yesterday(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	f.app.now = NOW - 86400 * KT_SEC;
	tui_record(&f.app, "lesson-read", kt_jsonf("{lesson: '1.1'}"));
	tui_record(&f.app, "answer", kt_jsonf("{lesson: '1.1', question: 0, answer: '1', right: 0}"));
	tui_record(&f.app, "answer", kt_jsonf("{lesson: '1.1', question: 1, answer: '1', right: 1}"));
	tui_record(&f.app, "lab-start", kt_jsonf("{lab: 'three-pods', provider: 'embedded'}"));
	tui_record(&f.app, "task", kt_jsonf("{lab: 'three-pods', task: 'copies', passed: 1}"));
	tui_record(&f.app, "task",
	           kt_jsonf("{lab: 'three-pods', task: 'survives', passed: 0, finding: 'x'}"));
	tui_record(&f.app, "lesson-read", kt_jsonf("{lesson: '1.2'}"));
	f.app.now = NOW;
	press(&f, "j");
	expect_both(&f, "home-begun");
	press(&f, "p");
	expect_both(&f, "progress");
	fixture_close(&f);
}

static void a_lesson_has_prose_pictures_and_words(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "j\n");
	expect_both(&f, "lesson-prose");
	press(&f, " ");
	expect_both(&f, "lesson-picture");
	press(&f, "w");
	expect_both(&f, "lesson-words");
	press(&f, "w\t");
	expect_screen(&f, "lesson-code", 24, 80);
	fixture_close(&f);
}

static void a_quiz_asks_explains_and_counts(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jz");
	expect_both(&f, "quiz");
	press(&f, "1");
	expect_both(&f, "quiz-wrong");
	press(&f, "\n12");
	expect_screen(&f, "quiz-number", 24, 80);
	tui_app_key(&f.app, TUI_KEY_BACKSPACE);
	press(&f, "\n");
	expect_screen(&f, "quiz-number-right", 24, 80);
	press(&f, "\n");
	expect_both(&f, "quiz-score");
	fixture_close(&f);
}

static void the_workspace_has_tasks_and_a_shell(void **state)
{
	struct fixture f;
	(void)state;
	open_lab(&f);
	expect_both(&f, "lab");
	expect_screen(&f, "lab", 60, 200);
	fixture_close(&f);
}

static void the_workspace_has_panels(void **state)
{
	static const struct {
		int key;
		const char *name;
	} panels[] = {{1, "lab-text"}, {2, "lab-hint"}, {4, "lab-map"}, {5, "lab-why"}, {6, "lab-time"}};
	struct fixture f;
	(void)state;
	open_lab(&f);
	for (size_t i = 0; i < KT_COUNT(panels); i++) {
		tui_app_key(&f.app, TUI_KEY_F0 + panels[i].key);
		expect_both(&f, panels[i].name);
	}
	for (int i = 0; i < 8; i++)
		tui_app_key(&f.app, TUI_KEY_LEFT);
	tui_app_key(&f.app, TUI_KEY_RIGHT);
	assert_true(shows(&f, "2m ago; enter goes there"));
	tui_app_key(&f.app, TUI_KEY_F0 + 5);
	tell(&f,
	     kt_jsonf("{told: 'why', object: 'deployment/shop/web', events: [{at: '2026-01-02T00:01:00Z', "
	              "change: "
	              "'modified', kind: 'Deployment', name: 'web', actor: 'ada', changed: [{path: "
	              "'spec.replicas', from: 3, to: 1}, {path: 'metadata.labels.a', to: 'b'}]}, {at: "
	              "'2026-01-02T00:01:01Z', change: 'modified', kind: 'Deployment', name: 'web', actor: "
	              "'deployment-controller', changed: [{path: 'status.replicas', from: 3, to: 1}]}]}"));
	expect_screen(&f, "lab-why-told", 24, 80);
	tui_app_key(&f.app, TUI_KEY_F0 + 4);
	for (int i = 1; i <= 3; i++) { /* a spark line needs some looks */
		struct kt_json *world = world_message();
		kt_set_path(&world, "traffic.0.rps", kt_json_int(120 * i));
		kt_set(&world, "reach", kt_jsonf("{web: ['api'], api: [], front: ['web', 'api']}"));
		tell(&f, world);
	}
	f.app.work.shell_focus = false;
	press(&f, "j");
	expect_both(&f, "lab-map-chosen");
	expect_screen(&f, "lab-map-chosen", 60, 200);
	fixture_close(&f);
}

static size_t count_changed(struct fixture *f)
{
	size_t count = 0;
	kt_free(drawn(f, 24, 80));
	for (int i = 0; i < 24 * 80; i++)
		count += (f->grid.cells[i].flags & TUI_CHANGED) != 0;
	return count;
}

static void what_changed_is_marked_for_a_second(void **state)
{
	struct fixture f;
	(void)state;
	open_lab(&f);
	tui_app_key(&f.app, TUI_KEY_F0 + 4);
	assert_int_equal(count_changed(&f), 0);
	f.app.now += 10 * KT_SEC;
	struct kt_json *world = world_message();
	kt_set_path(&world, "pods.0.state", kt_json_str("failing"));
	tell(&f, kt_json_ref(world));
	assert_int_equal(count_changed(&f), 1);
	f.app.now += KT_SEC / 2;
	tell(&f, world); /* nothing new: the mark stays as long as it would have */
	assert_int_equal(count_changed(&f), 1);
	f.app.now += KT_SEC / 2;
	assert_int_equal(count_changed(&f), 0);
	fixture_close(&f);
}

static void tasks_turn_green_and_the_result_follows(void **state)
{
	struct fixture f;
	(void)state;
	open_lab(&f);
	tell(&f, tasks_message(false, "passed", "drill", "passed"));
	expect_both(&f, "lab-drill");
	f.app.now += 95 * KT_SEC;
	tell(&f, drills_message());
	tell(&f, tasks_message(true, "passed", "passed", "passed"));
	tell(&f, tasks_message(false, "passed", "blocked", "failed")); /* a look while all settles again */
	expect_both(&f, "result");
	expect_screen(&f, "result", 60, 200);
	press(&f, "s");
	tell(&f, compared_message());
	expect_both(&f, "result-solution");
	fixture_close(&f);
}

static void the_gate_waits_for_its_lines_and_then_for_a_word(void **state)
{
	static const char *const lessons[] = {"1.1", "1.2", "2.1"};
	struct fixture f;
	(void)state;
	fixture_open(&f);
	tui_app_key(&f.app, TUI_KEY_END);
	press(&f, "\n");
	expect_both(&f, "gate");
	press(&f, "EXPERT");
	assert_false(tui_gate_open(&f.app));
	for (size_t i = 0; i < KT_COUNT(lessons); i++)
		tui_record(&f.app, "lesson-read", kt_jsonf("{lesson: %s}", lessons[i]));
	tui_record(&f.app, "task", kt_jsonf("{lab: 'three-pods', task: 'copies', passed: 1}"));
	tui_record(&f.app, "task", kt_jsonf("{lab: 'three-pods', task: 'survives', passed: 1}"));
	assert_false(tui_gate_earned(&f.app));
	tui_record(&f.app, "lab-pass", kt_jsonf("{lab: 'three-pods'}"));
	press(&f, "EXPERX");
	tui_app_key(&f.app, TUI_KEY_BACKSPACE);
	expect_both(&f, "gate-earned");
	press(&f, "T");
	assert_true(tui_gate_open(&f.app));
	expect_both(&f, "gate-open");
	press(&f, "q");
	assert_true(shows(&f, "✓ open"));
	fixture_close(&f);
}

static void tell_round(struct fixture *f, struct kt_json *steal)
{
	tui_predict_told(&f->app, steal);
	kt_json_free(steal);
}

static void open_round(struct fixture *f)
{
	fixture_open(f);
	tui_record(&f->app, "unlock", kt_jsonf("{what: 'EXPERT', roaming: 0}"));
	tui_record(&f->app, "prediction",
	           kt_jsonf("{family: 'two-nodes', seed: 1, question: 1, answer: '2', right: 0, sure: 80}"));
	tui_app_key(&f->app, TUI_KEY_END);
	press(f, "\n\n");
}

static void a_round_is_answered_first_and_then_played(void **state)
{
	struct fixture f;
	(void)state;
	open_round(&f);
	expect_both(&f, "rounds");
	press(&f, "\n");
	expect_both(&f, "predict-asked");
	press(&f, "\n");
	assert_true(shows(&f, "committed themselves"));
	press(&f, "4\n");
	expect_screen(&f, "predict-sure", 24, 80);
	press(&f, "180\n");
	assert_true(shows(&f, "From 0 to 100."));
	for (int i = 0; i < 3; i++)
		tui_app_key(&f.app, TUI_KEY_BACKSPACE);
	press(&f, "80\n2\n\nRunning\n80\n");
	tell_round(&f, kt_jsonf("{told: 'busy', sentence: 'time passes', elapsed: 30.0, limit: 0.0}"));
	expect_both(&f, "predict-played");
	tell_round(&f,
	           kt_jsonf("{told: 'played', result: {answers: [4, 3, 'Failed'], timeline: ["
	                    "{at: 0, ask: 0, value: 4}, {at: 0, ask: 1, value: 4}, {at: 0, ask: 2, value: "
	                    "'Running'}, {at: 50, ask: 1, value: 2}, {at: 70, ask: 1, value: 3}, {at: 72, "
	                    "ask: 2, value: 'Failed'}]}}"));
	tell_round(&f, kt_jsonf("{told: 'failed', error: 'its end'}"));
	expect_both(&f, "predict-verdict");
	expect_screen(&f, "predict-verdict", 60, 200);
	tui_app_key(&f.app, TUI_KEY_END);
	expect_screen(&f, "predict-verdict-end", 24, 80);
	press(&f, "q");
	assert_true(shows(&f, "2 of 4 right") || shows(&f, "1 of 4 right"));
	expect_screen(&f, "rounds-played", 24, 80);
	fixture_close(&f);
}

static void a_round_that_fails_says_why_and_keeps_nothing(void **state)
{
	struct fixture f;
	(void)state;
	open_round(&f);
	press(&f, "\n1\n\n1\n\nx\n\n");
	tell_round(&f, kt_jsonf("{told: 'failed', error: 'no room on the disk'}"));
	assert_true(shows(&f, "✗ no room on the disk"));
	assert_int_equal(kt_count(kt_get(f.app.progress, "predictions")), 1);
	press(&f, "\n");
	assert_true(shows(&f, "your answer: _"));
	fixture_close(&f);
}

static void help_is_made_from_the_keys(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "?");
	expect_both(&f, "help");
	fixture_close(&f);
}

static void a_terminal_that_is_too_small_gets_a_sentence(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	expect_screen(&f, "small", 10, 40);
	for (int rows = 1; rows < 40; rows += 3)
		for (int cols = 1; cols < 130; cols += 7)
			kt_free(drawn(&f, rows, cols));
	fixture_close(&f);
}

static void a_start_says_what_it_does_and_why_it_failed(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jl");
	tell(&f, kt_jsonf("{told: 'busy', sentence: 'starting the cluster', elapsed: 0.2, limit: 1.5}"));
	expect_screen(&f, "starting", 24, 80);
	tell(&f, kt_jsonf("{told: 'failed', error: 'no room on the disk'}"));
	tell(&f, kt_jsonf("{told: 'failed', error: 'its end'}"));
	expect_screen(&f, "starting-failed", 24, 80);
	fixture_close(&f);
}

static void without_unicode_everything_is_ascii(void **state)
{
	struct fixture f;
	(void)state;
	open_lab(&f);
	f.options.ascii = true;
	char *text = drawn(&f, 24, 80);
	for (const char *s = text; *s; s++)
		assert_false((unsigned char)*s & 0x80);
	kt_free(text);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(home_shows_levels_lessons_and_what_is_selected),
	        cmocka_unit_test(home_shows_what_was_done_yesterday),
	        cmocka_unit_test(a_lesson_has_prose_pictures_and_words),
	        cmocka_unit_test(a_quiz_asks_explains_and_counts),
	        cmocka_unit_test(the_workspace_has_tasks_and_a_shell),
	        cmocka_unit_test(the_workspace_has_panels),
	        cmocka_unit_test(what_changed_is_marked_for_a_second),
	        cmocka_unit_test(tasks_turn_green_and_the_result_follows),
	        cmocka_unit_test(the_gate_waits_for_its_lines_and_then_for_a_word),
	        cmocka_unit_test(a_round_is_answered_first_and_then_played),
	        cmocka_unit_test(a_round_that_fails_says_why_and_keeps_nothing),
	        cmocka_unit_test(help_is_made_from_the_keys),
	        cmocka_unit_test(a_terminal_that_is_too_small_gets_a_sentence),
	        cmocka_unit_test(a_start_says_what_it_does_and_why_it_failed),
	        cmocka_unit_test(without_unicode_everything_is_ascii),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
