/* SPDX-License-Identifier: MIT */
#include "tests/tui/screens.h"
#include "tui/pane.h"

static const struct tui_screen *const screens[] = {
        &tui_screen_home,   &tui_screen_lesson,   &tui_screen_quiz,    &tui_screen_starting, &tui_screen_work,
        &tui_screen_result, &tui_screen_progress, &tui_screen_cluster, &tui_screen_ask};

static void every_key_has_a_label_and_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(screens); i++)
		for (const struct tui_binding *b = screens[i]->keys; b->keys[0]; b++) {
			assert_non_null(b->label);
			assert_non_null(b->help);
			assert_non_null(b->run);
			assert_true(b->help[strlen(b->help) - 1] == '.');
		}
}

static void a_key_that_works_always_is_in_the_table_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(screens); i++)
		for (const struct tui_binding *a = screens[i]->keys; a->keys[0]; a++)
			for (const struct tui_binding *b = a + 1; b->keys[0]; b++)
				for (size_t k = 0; !a->when && k < KT_COUNT(a->keys) && a->keys[k]; k++)
					for (size_t m = 0; m < KT_COUNT(b->keys) && b->keys[m]; m++)
						assert_int_not_equal(a->keys[k], b->keys[m]);
}

static void q_goes_back_and_at_home_it_leaves(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "j\nz");
	assert_ptr_equal(tui_top(&f.app), &tui_screen_quiz);
	press(&f, "q");
	assert_ptr_equal(tui_top(&f.app), &tui_screen_lesson);
	press(&f, "q");
	assert_ptr_equal(tui_top(&f.app), &tui_screen_home);
	tui_app_key(&f.app, TUI_KEY_ESC);
	assert_false(f.app.quit);
	press(&f, "q");
	assert_true(f.app.quit);
	fixture_close(&f);
}

static void reading_to_the_last_page_is_kept(void **state)
{
	struct fixture f;
	struct kt_err err = {0};
	(void)state;
	fixture_open(&f);
	press(&f, "j\n");
	tui_app_key(&f.app, TUI_KEY_RIGHT);
	press(&f, "qq");
	tui_app_clear(&f.app);
	assert_int_equal(tui_app_init(&f.app, &f.options, NOW, &err), KT_OK);
	press(&f, "j");
	assert_true(shows(&f, "at page 2 of 3"));
	press(&f, "\n"); /* goes on where one was */
	assert_true(shows(&f, "page 2 of 3"));
	tui_app_key(&f.app, TUI_KEY_RIGHT);
	press(&f, "q");
	assert_true(shows(&f, "read today"));
	fixture_close(&f);
}

static void a_locked_level_asks_before_it_opens(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jjj\nj\n");
	assert_ptr_equal(tui_top(&f.app), &tui_screen_ask);
	press(&f, "n");
	assert_ptr_equal(tui_top(&f.app), &tui_screen_home);
	press(&f, "\ny");
	assert_ptr_equal(tui_top(&f.app), &tui_screen_lesson);
	char *roam = db_setting(f.options.db, "roam");
	assert_string_equal(roam, "on");
	kt_free(roam);
	fixture_close(&f);
}

static void a_search_finds_lessons_by_words(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "/label\n\n");
	assert_true(shows(&f, "1.2  Labels"));
	press(&f, "q/door\n");
	assert_true(shows(&f, "2.1  Doors"));
	press(&f, "/zzz\n");
	fixture_close(&f);
}

static void code_is_copied_without_its_prompts(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "j\n");
	tui_app_key(&f.app, TUI_KEY_RIGHT);
	press(&f, "y");
	assert_string_equal(kt_buf_str(&f.app.clipboard), "kubectl get pods\nkubectl delete pod web\n");
	press(&f, "\ty");
	assert_string_equal(kt_buf_str(&f.app.clipboard), "kind: Pod\nmetadata: {name: web}\n");
	fixture_close(&f);
}

static void answers_come_back_when_they_are_due(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jz1\n1\n\n\n"); /* wrong, right */
	press(&f, "r");
	assert_true(shows(&f, "Nothing is due today"));
	f.app.now += 86400 * KT_SEC;
	assert_true(shows(&f, "due again today: 1 question"));
	f.app.now += 2 * 86400 * KT_SEC;
	press(&f, "r");
	assert_true(shows(&f, "question 1 of 2"));
	press(&f, "2\n1\n");
	press(&f, "\n");
	assert_true(shows(&f, "2 of 2 right"));
	fixture_close(&f);
}

static void hints_are_counted_one_at_a_time(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jl");
	tell(&f, kt_jsonf("{told: 'ready', kubeconfig: '/nowhere'}"));
	tui_app_key(&f.app, TUI_KEY_F0 + 2);
	assert_int_equal(db_hints_used(f.options.db, "three-pods", "copies"), 1);
	tui_app_key(&f.app, TUI_KEY_F0 + 2);
	assert_int_equal(db_hints_used(f.options.db, "three-pods", "copies"), 2);
	tui_app_key(&f.app, TUI_KEY_F0 + 2);
	assert_int_equal(db_hints_used(f.options.db, "three-pods", "copies"), 2);
	assert_true(shows(&f, "These are all."));
	fixture_close(&f);
}

static void letters_belong_to_the_shell_until_the_pane_is_switched(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jl");
	tell(&f, kt_jsonf("{told: 'ready', kubeconfig: '/nowhere'}"));
	press(&f, "q?");
	assert_ptr_equal(tui_top(&f.app), &tui_screen_work);
	assert_false(f.app.help);
	tui_app_key(&f.app, TUI_KEY_SWITCH);
	press(&f, "?");
	assert_true(f.app.help);
	press(&f, "qq");
	assert_ptr_equal(tui_top(&f.app), &tui_screen_home);
	assert_null(f.app.work.lab);
	fixture_close(&f);
}

static void passing_is_kept_with_points_and_time(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jl");
	tell(&f, kt_jsonf("{told: 'ready', kubeconfig: '/nowhere'}"));
	f.app.now += 75 * KT_SEC;
	tell(&f, kt_jsonf("{told: 'tasks', whole: true, tasks: [{task: 'copies', status: 'passed'}, {task: "
	                  "'survives', "
	                  "status: 'passed'}, {task: 'quiet', status: 'passed'}]}"));
	assert_ptr_equal(tui_top(&f.app), &tui_screen_result);
	const struct kt_json *lab = tui_lab_row(&f.app, "three-pods");
	assert_true(kt_get_int(lab, "passed", 0) > 0);
	assert_int_equal(kt_get_int(lab, "points", 0), 5);
	assert_int_equal(kt_get_int(lab, "seconds", 0), 75);
	assert_int_equal(kt_get_int(lab, "attempts", 0), 1);
	fixture_close(&f);
}

static void a_task_that_breaks_again_turns_red_again(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jl");
	tell(&f, kt_jsonf("{told: 'ready', kubeconfig: '/nowhere'}"));
	tell(&f, kt_jsonf("{told: 'tasks', whole: false, tasks: [{task: 'copies', status: 'passed'}]}"));
	assert_string_equal(tui_task_status(&f.app.work, 0), "passed");
	tell(&f, kt_jsonf("{told: 'tasks', whole: false, tasks: [{task: 'copies', status: 'failed'}]}"));
	assert_string_equal(tui_task_status(&f.app.work, 0), "failed");
	/* the record keeps that it was done once */
	assert_true(kt_get_int(tui_task_row(&f.app, "three-pods", "copies"), "passed", 0) > 0);
	fixture_close(&f);
}

static void what_a_worker_says_wrongly_does_no_harm(void **state)
{
	static const char *const lines[] = {
	        "{told: 'tasks'}",
	        "{told: 'tasks', tasks: 7}",
	        "{told: 'world'}",
	        "{told: 'world', nodes: [1, {}], pods: [[], {node: 3}], clock: 5}",
	        "{told: 'why', events: [{}, 3, {changed: [4]}]}",
	        "{told: 'busy'}",
	        "{told: 'said'}",
	        "{told: 'nothing'}",
	        "{}"};
	struct fixture f;
	(void)state;
	fixture_open(&f);
	press(&f, "jl");
	tell(&f, kt_jsonf("{told: 'ready'}"));
	for (size_t i = 0; i < KT_COUNT(lines); i++) {
		tell(&f, kt_jsonf(lines[i]));
		for (int key = 1; key < 10; key++) {
			tui_app_key(&f.app, TUI_KEY_F0 + key);
			kt_free(drawn(&f, 36, 120));
			press(&f, "n");
		}
	}
	fixture_close(&f);
}

/* Whatever is pressed, in whatever order, at whatever size: no crash, no cell outside. */
static void any_keys_at_any_size_are_survived(void **state)
{
	struct fixture f;
	struct kt_random random;
	(void)state;
	fixture_open(&f);
	kt_random_init(&random, 4711);
	for (int i = 0; i < 4000; i++) {
		int key = (int)kt_random_below(&random, 160);
		if (key >= 128)
			key = key < 142 ? TUI_KEY_UP + key - 128 : TUI_KEY_F0 + key - 141;
		tui_app_key(&f.app, key);
		if (f.app.work.lab && !f.app.work.ready)
			tell(&f, kt_jsonf("{told: 'ready', kubeconfig: '/nowhere'}"));
		if (i % 7 == 0)
			tui_app_mouse(&f.app, (int)kt_random_below(&random, 40),
			              (int)kt_random_below(&random, 120),
			              (int)kt_random_below(&random, 3) - 1);
		kt_free(drawn(&f, 10 + (int)kt_random_below(&random, 40),
		              40 + (int)kt_random_below(&random, 120)));
		if (f.app.quit) {
			tui_app_clear(&f.app);
			assert_int_equal(tui_app_init(&f.app, &f.options, NOW, NULL), KT_OK);
		}
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_key_has_a_label_and_a_sentence),
	        cmocka_unit_test(a_key_that_works_always_is_in_the_table_once),
	        cmocka_unit_test(q_goes_back_and_at_home_it_leaves),
	        cmocka_unit_test(reading_to_the_last_page_is_kept),
	        cmocka_unit_test(a_locked_level_asks_before_it_opens),
	        cmocka_unit_test(a_search_finds_lessons_by_words),
	        cmocka_unit_test(code_is_copied_without_its_prompts),
	        cmocka_unit_test(answers_come_back_when_they_are_due),
	        cmocka_unit_test(hints_are_counted_one_at_a_time),
	        cmocka_unit_test(letters_belong_to_the_shell_until_the_pane_is_switched),
	        cmocka_unit_test(passing_is_kept_with_points_and_time),
	        cmocka_unit_test(a_task_that_breaks_again_turns_red_again),
	        cmocka_unit_test(what_a_worker_says_wrongly_does_no_harm),
	        cmocka_unit_test(any_keys_at_any_size_are_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
