/* SPDX-License-Identifier: MIT */
#include "lessons/lessons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A course of one lesson in a folder of its own. */
static char *make_course(const char *lesson, const char *quiz)
{
	char dir[] = "/tmp/ktutor-lessons-XXXXXX";
	struct kt_err err = {0};
	assert_non_null(mkdtemp(dir));
	char *folder = kt_strf("%s/level-1-first/01-one", dir);
	assert_int_equal(kt_make_dirs(folder, 0700, &err), KT_OK);
	const char *course = "course: C\nlevels:\n  - {level: 1, name: first, title: First, about: pods}\n";
	const char *const files[][2] = {
	        {"../../course.yaml", course}, {"lesson.md", lesson}, {"quiz.yaml", quiz}};
	for (size_t i = 0; i < KT_COUNT(files); i++) {
		if (!files[i][1])
			continue;
		char *path = kt_join(folder, files[i][0]);
		assert_int_equal(kt_write_file(path, files[i][1], strlen(files[i][1]), 0600, &err), KT_OK);
		kt_free(path);
	}
	kt_free(folder);
	return kt_strdup(dir);
}

static void drop_course(char *dir)
{
	struct kt_err err = {0};
	assert_int_equal(kt_remove_tree(dir, &err), KT_OK);
	kt_free(dir);
}

#define HEAD "---\nlesson: \"1.1\"\ntitle: One\nminutes: 5\nlab: l\n---\n\n"

static void a_lesson_becomes_pages_of_blocks(void **state)
{
	(void)state;
	char *dir = make_course(
	        HEAD
	        "## First\n\nPlain **strong** `mono`.\n\n> A rule.\n\n- one\n- two\n\n```yaml\na: 1\n```\n\n"
	        "```picture\n┌─┐\n```\n\n## Second\n\nText.\n",
	        NULL);
	struct kt_err err = {0};
	struct lesson_course *course = NULL;
	assert_int_equal(lesson_course_new(dir, &course, &err), KT_OK);
	const struct lesson *lesson = lesson_find(course, "1.1");
	assert_non_null(lesson);
	assert_ptr_equal(lesson, lesson_by_lab(course, "l"));
	assert_int_equal(lesson->page_count, 2);
	const struct lesson_page *page = &lesson->pages[0];
	const enum lesson_block_kind kinds[] = {LESSON_PARAGRAPH, LESSON_QUOTE, LESSON_LIST,
	                                        LESSON_LIST,      LESSON_CODE,  LESSON_PICTURE};
	assert_int_equal(page->block_count, KT_COUNT(kinds));
	for (size_t i = 0; i < KT_COUNT(kinds); i++)
		assert_int_equal(page->blocks[i].kind, kinds[i]);
	assert_int_equal(page->blocks[0].spans[1].style, LESSON_STRONG);
	assert_string_equal(page->blocks[0].spans[3].text, "mono");
	assert_string_equal(page->blocks[4].language, "yaml");
	assert_string_equal(page->blocks[5].text, "┌─┐");
	lesson_course_free(course);
	drop_course(dir);
}

static void plain_text_keeps_order_and_width(void **state)
{
	(void)state;
	char *dir = make_course(HEAD "## First\n\nSome words that have to be wrapped.\n\n> A rule that is "
	                             "long too.\n\n```console\n$ kubectl get pods\n```\n",
	                        NULL);
	struct kt_err err = {0};
	struct lesson_course *course = NULL;
	struct kt_buf out = {0};
	assert_int_equal(lesson_course_new(dir, &course, &err), KT_OK);
	lesson_print(lesson_find(course, "1.1"), 16, &out);
	assert_string_equal(kt_buf_str(&out),
	                    "1.1  One  (5 min)\n\n## First\n\nSome words that\nhave to be\nwrapped.\n\n"
	                    "> A rule that is\n> long too.\n\n    $ kubectl get pods\n");
	kt_buf_clear(&out);
	lesson_course_free(course);
	drop_course(dir);
}

static void bad_input_is_named_with_file_and_reason(void **state)
{
	(void)state;
	static const struct {
		const char *lesson, *quiz, *words;
	} cases[] = {
	        {"## No head\n", NULL, "lesson.md:1: expected front matter"},
	        {HEAD "Text without a page.\n", NULL, "needs at least one page"},
	        {HEAD "# One\n", NULL, "first rank"},
	        {HEAD "## P\n\n[a](b)\n", NULL, "a link or an image"},
	        {"---\nlesson: one\ntitle: x\n---\n## P\n", NULL, "expected lesson: \"LEVEL.NUMBER\""},
	        {"---\nlesson: \"2.1\"\ntitle: x\n---\n## P\n", NULL, "lies in the folder of level 1"},
	        {"---\nlesson: \"1.1\"\ntitel: x\n---\n## P\n", NULL,
	         "the front matter has no 'titel': did you mean 'title'?"},
	        {HEAD "## P\n", "quiz: \"1.2\"\nquestions: []\n", "expected quiz: \"1.1\""},
	        {HEAD "## P\n", "quiz: \"1.1\"\nquestions:\n  - {ask: a, chioces: []}\n",
	         "quiz.yaml:3: a question has no 'chioces': did you mean 'choices'?"},
	        {HEAD "## P\n",
	         "quiz: \"1.1\"\nquestions:\n  - ask: a\n    choices:\n      - {text: a, because: b}\n      "
	         "- {text: c, because: d}\n",
	         "exactly one choice must be right, found 0"},
	        {HEAD "## P\n",
	         "quiz: \"1.1\"\nquestions:\n  - {ask: a, type: number, right: x, because: b}\n",
	         "expected 'right' with a number"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		char *dir = make_course(cases[i].lesson, cases[i].quiz);
		struct kt_err err = {0};
		struct lesson_course *course = NULL;
		assert_int_equal(lesson_course_new(dir, &course, &err), KT_EINVAL);
		if (!strstr(err.text, cases[i].words))
			fail_msg("case %zu: %s", i, err.text);
		assert_null(course);
		drop_course(dir);
	}
}

/* The course of one lesson with a gate at its end. */
static char *make_gated(const char *gate)
{
	char *dir = make_course(HEAD "## P\n", NULL), *path = kt_join(dir, "course.yaml"),
	     *text = kt_strf("course: C\nlevels:\n  - {level: 1, name: first, title: First, about: pods}\n%s",
	                     gate);
	struct kt_err err = {0};
	assert_int_equal(kt_write_file(path, text, strlen(text), 0600, &err), KT_OK);
	kt_free(text);
	kt_free(path);
	return dir;
}

static void a_gate_has_lines_and_a_word(void **state)
{
	static const struct {
		const char *gate, *error; /* NULL: it is right */
	} rows[] = {
	        {"gate: {level: 1, word: W, title: T, after: A, lines: [{says: S, lessons: [\"1.1\"]}]}\n",
	         NULL},
	        {"gate: {level: 1, word: W, title: T, after: A, lines: []}\n",
	         "course.yaml:4: expected level, word"},
	        {"gate: {level: 1, wrod: W}\n", "'word'"},
	        {"gate: {level: 1, word: W, title: T, after: A, lines: [{says: S}]}\n",
	         "expected 'says' and 'lessons'"},
	        {"gate: {level: 1, word: W, title: T, after: A, lines: [{says: S, lessons: [1.1]}]}\n",
	         "expected a lesson as \"LEVEL.NUMBER\""},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char *dir = make_gated(rows[i].gate);
		struct kt_err err = {0};
		struct lesson_course *course = NULL;
		enum kt_code rc = lesson_course_new(dir, &course, &err);
		if (rows[i].error ? !rc || !strstr(err.text, rows[i].error) : rc != KT_OK)
			fail_msg("row %zu: %s", i, err.text);
		if (!rc) {
			assert_int_equal(course->gate.line_count, 1);
			assert_string_equal(course->gate.lines[0].lessons[0], "1.1");
		}
		lesson_course_free(course);
		drop_course(dir);
	}
}

static void words_of_the_field_are_found_in_a_page(void **state)
{
	(void)state;
	char *dir = make_course(
	        HEAD "## Of pods\n\nTwo Nodes and `kubectl`.\n\n```yaml\nkind: Deployment\n```\n", NULL);
	struct kt_err err = {0};
	struct lesson_course *course = NULL;
	assert_int_equal(lesson_course_new(dir, &course, &err), KT_OK);
	const struct lesson_page *page = &course->levels[0].lessons[0]->pages[0];
	static const struct {
		const char *word;
		bool used;
	} rows[] = {{"pod", true}, {"node", true}, {"deployment", true}, {"kube", false}, {"zone", false}};
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (lesson_page_uses(page, rows[i].word) != rows[i].used)
			fail_msg("%s", rows[i].word);
	lesson_course_free(course);
	drop_course(dir);
}

static void every_lesson_of_the_course_is_sound(void **state)
{
	(void)state;
	struct kt_err err = {0};
	struct lesson_course *course = NULL;
	if (lesson_course_new("lessons", &course, &err))
		fail_msg("%s", err.text);
	size_t count = 0;
	for (size_t l = 0; l < course->level_count; l++)
		for (size_t i = 0; i < course->levels[l].lesson_count; i++, count++) {
			const struct lesson *lesson = course->levels[l].lessons[i];
			assert_in_range(lesson->question_count, 3, 5);
			assert_in_range(lesson->minutes, 5, 12);
			for (size_t p = 0; p < lesson->page_count; p++)
				for (size_t b = 0; b < lesson->pages[p].block_count; b++) {
					/* pictures must fit 76 columns: they never wrap */
					const struct lesson_block *block = &lesson->pages[p].blocks[b];
					const char *text = block->kind == LESSON_PICTURE ? block->text : NULL,
					           *line;
					size_t len;
					while (text && (line = kt_split(&text, '\n', &len)))
						if (kt_width(line, len) > 76)
							fail_msg("%s: a picture is wider than 76 columns: "
							         "%.*s",
							         lesson->id, (int)len, line);
				}
		}
	assert_true(count > 0);
	lesson_course_free(course);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_lesson_becomes_pages_of_blocks),
	        cmocka_unit_test(plain_text_keeps_order_and_width),
	        cmocka_unit_test(bad_input_is_named_with_file_and_reason),
	        cmocka_unit_test(a_gate_has_lines_and_a_word),
	        cmocka_unit_test(words_of_the_field_are_found_in_a_page),
	        cmocka_unit_test(every_lesson_of_the_course_is_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
