/* SPDX-License-Identifier: MIT */
#include "tests/tui/screens.h"

static char *text_of(const struct tui_grid *grid)
{
	struct kt_buf text = {0};
	tui_grid_print(grid, &text);
	return kt_buf_take(&text);
}

static void expect_grid(const struct tui_grid *grid, const char *expected)
{
	char *text = text_of(grid);
	assert_string_equal(text, expected);
	kt_free(text);
}

static void text_that_does_not_fit_ends_with_a_sign(void **state)
{
	struct tui_grid grid = {0};
	(void)state;
	tui_grid_size(&grid, 2, 8);
	assert_int_equal(tui_put(&grid, 0, 0, 8, TUI_PLAIN, "eight ch"), 8);
	assert_int_equal(tui_put(&grid, 1, 3, 20, TUI_PLAIN, "too long"), 5);
	expect_grid(&grid, "eight ch\n   too …\n");
	tui_grid_clear(&grid);
}

static void wide_and_combining_characters_keep_their_columns(void **state)
{
	struct tui_grid grid = {0};
	(void)state;
	tui_grid_size(&grid, 2, 6);
	assert_int_equal(tui_put(&grid, 0, 0, 6, TUI_PLAIN, "漢字e\xcc\x81!"), 6);
	tui_put(&grid, 1, 0, 4, TUI_PLAIN, "a漢字");
	expect_grid(&grid, "漢字e\xcc\x81!\na漢…\n");
	assert_string_equal(tui_grid_at(&grid, 0, 1)->text, "");
	tui_grid_clear(&grid);
}

static void escapes_never_reach_a_cell(void **state)
{
	struct tui_grid grid = {0};
	(void)state;
	tui_grid_size(&grid, 1, 30);
	tui_put(&grid, 0, 0, 30, TUI_PLAIN, "a\x1b]52;c;eA==\x07 \xff\xe2\x80\xae z");
	for (int i = 0; i < 30; i++)
		for (const char *s = grid.cells[i].text; *s; s++)
			assert_true((unsigned char)*s >= ' ' && *s != 0x7f);
	tui_grid_clear(&grid);
}

static void nothing_is_drawn_outside(void **state)
{
	struct tui_grid grid = {0};
	(void)state;
	tui_grid_size(&grid, 2, 4);
	assert_int_equal(tui_put(&grid, -1, 0, 9, TUI_PLAIN, "x"), 0);
	assert_int_equal(tui_put(&grid, 2, 0, 9, TUI_PLAIN, "x"), 0);
	assert_int_equal(tui_put(&grid, 0, 4, 9, TUI_PLAIN, "x"), 0);
	tui_hline(&grid, 7, 0, 90);
	tui_vline(&grid, -5, 3, 3);
	tui_mark(&grid, (struct tui_area){-1, -1, 90, 90}, TUI_REVERSE);
	expect_grid(&grid, "\n\n");
	tui_grid_clear(&grid);
}

static void a_terminal_without_unicode_gets_ascii_of_the_same_width(void **state)
{
	struct tui_grid grid = {0};
	(void)state;
	tui_grid_size(&grid, 1, 12);
	tui_put(&grid, 0, 0, 12, TUI_PLAIN, "✓ ✗ ●─▶漢é");
	tui_grid_to_ascii(&grid);
	expect_grid(&grid, "+ x *->?\?\?\n");
	tui_grid_clear(&grid);
}

static void prose_is_wrapped_and_pictures_are_not(void **state)
{
	struct tui_grid grid = {0};
	struct tui_text text;
	(void)state;
	tui_text_init(&text, 12);
	tui_text_prose(&text, TUI_PLAIN, "- ", "  ", "one two three four");
	tui_text_gap(&text);
	tui_text_keep(&text, TUI_PLAIN, "", "a picture of 20 cols\nx\n");
	tui_grid_size(&grid, 6, 14);
	tui_text_draw(&text, &grid, (struct tui_area){0, 0, 6, 14}, 0);
	expect_grid(&grid, "- one two\n  three four\n\na picture of …\nx\n\n");
	tui_text_clear(&text);
	tui_grid_clear(&grid);
}

static void a_word_longer_than_a_line_is_broken(void **state)
{
	struct tui_grid grid = {0};
	struct tui_text text;
	(void)state;
	tui_text_init(&text, 10);
	tui_text_prose(&text, TUI_PLAIN, "", "", "abcdefghijklmnopqrstuvw xyz");
	tui_grid_size(&grid, 4, 10);
	tui_text_draw(&text, &grid, (struct tui_area){0, 0, 4, 10}, 0);
	expect_grid(&grid, "abcdefghij\nklmnopqrst\nuvw xyz\n\n");
	tui_text_clear(&text);
	tui_grid_clear(&grid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(text_that_does_not_fit_ends_with_a_sign),
	        cmocka_unit_test(wide_and_combining_characters_keep_their_columns),
	        cmocka_unit_test(escapes_never_reach_a_cell),
	        cmocka_unit_test(nothing_is_drawn_outside),
	        cmocka_unit_test(a_terminal_without_unicode_gets_ascii_of_the_same_width),
	        cmocka_unit_test(prose_is_wrapped_and_pictures_are_not),
	        cmocka_unit_test(a_word_longer_than_a_line_is_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
