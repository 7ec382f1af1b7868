/* SPDX-License-Identifier: MIT */
#include "tests/tui/screens.h"
#include "tui/pane.h"

struct shell {
	struct kt_loop *loop;
	struct tui_pane *pane;
	struct tui_grid grid;
};

static void open_shell(struct shell *s, const char *program, const char *const *env)
{
	struct kt_err err = {0};
	memset(s, 0, sizeof(*s));
	s->loop = kt_loop_new();
	struct tui_pane_options options = {
	        .shell = program, .env = env, .dir = "/", .rows = 6, .cols = 40, .loop = s->loop};
	if (tui_pane_new(&options, &s->pane, &err))
		fail_msg("%s", err.text);
}

static void close_shell(struct shell *s)
{
	tui_pane_free(s->pane);
	kt_loop_free(s->loop);
	tui_grid_clear(&s->grid);
}

static bool pane_shows(struct shell *s, const char *words)
{
	struct kt_buf text = {0};
	tui_grid_size(&s->grid, 6, 40);
	tui_pane_draw(s->pane, &s->grid, (struct tui_area){0, 0, 6, 40}, true);
	tui_grid_print(&s->grid, &text);
	bool found = strstr(kt_buf_str(&text), words) != NULL;
	kt_buf_clear(&text);
	return found;
}

/* The program's output comes when it comes; not sooner than it is there, not later than ten seconds. */
static void wait_for(struct shell *s, const char *words)
{
	for (int i = 0; i < 1000 && !pane_shows(s, words); i++)
		kt_loop_once(s->loop, 10 * KT_MS);
	if (!pane_shows(s, words))
		fail_msg("'%s' was not shown", words);
}

static void type(struct shell *s, const char *keys)
{
	for (; *keys; keys++)
		tui_pane_key(s->pane, *keys == '\n' ? TUI_KEY_ENTER : *keys);
}

static void a_shell_answers_in_its_own_environment(void **state)
{
	const char *const env[] = {"PS1=> ", "KUBECONFIG=/some/where", NULL};
	struct shell s;
	(void)state;
	open_shell(&s, "/bin/sh", env);
	type(&s, "echo at-$KUBECONFIG-in-$PWD\n");
	wait_for(&s, "at-/some/where-in-/");
	close_shell(&s);
}

static void a_shell_knows_its_size_and_is_told_when_it_changes(void **state)
{
	const char *const env[] = {"PS1=> ", NULL};
	struct shell s;
	(void)state;
	open_shell(&s, "/bin/sh", env);
	type(&s, "stty size\n");
	wait_for(&s, "6 40");
	tui_pane_size(s.pane, 5, 33);
	type(&s, "stty size\n");
	wait_for(&s, "5 33");
	close_shell(&s);
}

static void a_shell_that_ends_says_so(void **state)
{
	struct shell s;
	(void)state;
	open_shell(&s, "/bin/sh", NULL);
	type(&s, "exit\n");
	wait_for(&s, "the shell has ended");
	assert_false(tui_pane_alive(s.pane));
	type(&s, "x");
	close_shell(&s);
}

static void a_program_that_is_not_there_ends_at_once(void **state)
{
	struct shell s;
	(void)state;
	open_shell(&s, "/no/such/shell", NULL);
	wait_for(&s, "the shell has ended");
	close_shell(&s);
}

static void escapes_of_programs_end_in_the_pane(void **state)
{
	static const char nasty[] =
	        "\033]52;c;eA==\007\033]0;title\007\033[31mred\033[0m\033[2J\033[H\033Pq\033\\\x9b"
	        "31mx\xc2\x9b\xe2\x80\xaek";
	struct shell s = {0};
	struct tui_pane_options options = {.rows = 6, .cols = 40};
	struct kt_err err = {0};
	(void)state;
	assert_int_equal(tui_pane_new(&options, &s.pane, &err), KT_OK);
	tui_pane_feed(s.pane, nasty, sizeof(nasty) - 1);
	(void)pane_shows(&s, "x");
	for (int i = 0; i < 240; i++)
		for (const char *c = s.grid.cells[i].text; *c; c++)
			assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
	close_shell(&s);
}

static void lines_that_scrolled_away_can_be_read_again(void **state)
{
	struct shell s = {0};
	struct tui_pane_options options = {.rows = 6, .cols = 40};
	struct kt_err err = {0};
	(void)state;
	assert_int_equal(tui_pane_new(&options, &s.pane, &err), KT_OK);
	for (int i = 0; i < 3000; i++) {
		char *line = kt_strf("line %d\r\n", i);
		tui_pane_feed(s.pane, line, strlen(line));
		kt_free(line);
	}
	assert_true(pane_shows(&s, "line 2999"));
	tui_pane_scroll(s.pane, 100);
	assert_true(pane_shows(&s, "line 2895"));
	tui_pane_scroll(s.pane, 100000);
	assert_true(pane_shows(&s, "line 995"));
	tui_pane_key(s.pane, 'x');
	assert_true(pane_shows(&s, "line 2999"));
	close_shell(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_shell_answers_in_its_own_environment),
	        cmocka_unit_test(a_shell_knows_its_size_and_is_told_when_it_changes),
	        cmocka_unit_test(a_shell_that_ends_says_so),
	        cmocka_unit_test(a_program_that_is_not_there_ends_at_once),
	        cmocka_unit_test(escapes_of_programs_end_in_the_pane),
	        cmocka_unit_test(lines_that_scrolled_away_can_be_read_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
