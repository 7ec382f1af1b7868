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

static void keep_line(void *arg, const char *line)
{
	kt_buf_addf(arg, "%s\n", line);
}

#define BOX      "\n> A rule.\n\n```picture\n[ ]\n```\n"
#define CHOICE   "      - {text: a, because: b}\n"
#define RIGHT    "      - {text: it is, because: b, right: true}\n"
#define QUESTION "  - ask: a\n    choices:\n"
#define FINE                                                                                                 \
	"quiz: \"1.1\"\nquestions:\n" QUESTION CHOICE RIGHT QUESTION RIGHT CHOICE QUESTION CHOICE            \
	"      - {text: b, because: b, right: true}\n"
#define SEVENTY "0123456789012345678901234567890123456789012345678901234567890123456789"
#define ELEVEN  "a b c d e f g h i j k "

/* What is found, with file, line and remedy; NULL: nothing. */
static void lint_finds_what_is_hard_to_read_or_not_explained(void **state)
{
	static const struct {
		const char *lesson, *quiz, *glossary, *said;
	} rows[] = {
	        {HEAD "## P\n\nA pod ends." BOX, FINE, NULL, NULL},
	        {HEAD "## P\n\n> A rule.\n\n```picture\nok\n" SEVENTY "-------\n```\n", FINE, NULL,
	         "lesson 1.1: 01-one/lesson.md:14: a picture of 77 columns; it is never wrapped: at most 76 "
	         "fit\n"},
	        {HEAD "## P\n\n```console\n$ " SEVENTY "-----\n```\n" BOX, FINE, NULL,
	         "lesson.md:11: a line of 77 columns"},
	        {HEAD "## P\n\nShort.\n\nThe " ELEVEN ELEVEN ELEVEN "end." BOX, FINE, NULL,
	         "lesson.md:12: a sentence of 35 words; cut it"},
	        {HEAD "## P\n\nThe RPO is small. The RPO!" BOX, FINE, NULL,
	         "lesson.md:10: nobody explains 'RPO'; give it a line in glossary.yaml, or use another "
	         "word\n"},
	        {HEAD "## P\n\nThe RPO is small." BOX, FINE, "RPO: What may be lost.\n", NULL},
	        {HEAD "## P\n\nTwo ReplicaSets." BOX, FINE, "ReplicaSet: Keeps pods.\n", NULL},
	        {HEAD "## P\n\nA `RPO` of II." BOX, FINE, NULL, NULL},
	        {HEAD "## P\n\nA pod." BOX, FINE, "RTO: How long.\n",
	         "glossary.yaml:1: no lesson uses 'RTO'; take it out\n"},
	        {HEAD "## P\n\nSee lesson 1.7, and lesson 4.2." BOX, FINE, NULL,
	         "lesson.md:10: there is no lesson 1.7; name one of the course\n"},
	        {HEAD
	         "## P\n\nIncomprehensible terminological constructions notwithstanding, infrastructural "
	         "considerations predominantly necessitate organisational restructuring. Practitioners "
	         "unquestionably appreciate comprehensible documentation. Nevertheless, specifications "
	         "frequently incorporate indecipherable circumlocutions regarding uncontroversial "
	         "functionality, disproportionately inconveniencing inexperienced participants." BOX,
	         FINE, NULL, "lesson.md:8: the page 'P' is hard to read (LIX "},
	        {HEAD "## P\n\nA pod.\n\n> A rule.\n", FINE, NULL, "lesson.md:1: the lesson has no picture"},
	        {HEAD "## P\n\n```picture\n[ ]\n```\n", FINE, NULL,
	         "lesson.md:1: the lesson has no rule in a box"},
	        {HEAD "## P\n\nA pod." BOX, "quiz: \"1.1\"\nquestions:\n" QUESTION CHOICE RIGHT, NULL,
	         "quiz.yaml:1: 1 questions; a quiz has 3 to 5"},
	        {HEAD "## P\n\nA pod." BOX,
	         "quiz: \"1.1\"\nquestions:\n" QUESTION CHOICE RIGHT QUESTION CHOICE RIGHT QUESTION CHOICE
	         "      - {text: b, because: b, right: true}\n",
	         NULL, "quiz.yaml:3: the right answer is always number 2; change the order\n"},
	        {HEAD "## P\n\nA pod." BOX,
	         "quiz: \"1.1\"\nquestions:\n" QUESTION CHOICE RIGHT QUESTION RIGHT CHOICE QUESTION CHOICE
	                 RIGHT,
	         NULL, "quiz.yaml:3: the right answer is always the longest; say more in a wrong one\n"},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char *dir = make_course(rows[i].lesson, rows[i].quiz), *words = kt_join(dir, "glossary.yaml");
		struct kt_err err = {0};
		struct kt_buf said = {0};
		struct lesson_course *course = NULL;
		struct lesson_pencil pencil = {.told = keep_line, .told_arg = &said};
		if (rows[i].glossary)
			assert_int_equal(
			        kt_write_file(words, rows[i].glossary, strlen(rows[i].glossary), 0600, &err),
			        KT_OK);
		if (lesson_course_new(dir, &course, &err))
			fail_msg("row %zu: %s", i, err.text);
		lesson_lint(course, &pencil);
		if (rows[i].said ? !strstr(kt_buf_str(&said), rows[i].said) || pencil.found != 1
		                 : pencil.found || said.len)
			fail_msg("row %zu: %u found: %s", i, pencil.found, kt_buf_str(&said));
		lesson_course_free(course);
		kt_buf_clear(&said);
		kt_free(words);
		drop_course(dir);
	}
}

static void every_lesson_of_the_course_is_sound(void **state)
{
	(void)state;
	struct kt_err err = {0};
	struct kt_buf said = {0};
	struct lesson_course *course = NULL;
	struct lesson_pencil pencil = {.told = keep_line, .told_arg = &said};
	if (lesson_course_new("lessons", &course, &err))
		fail_msg("%s", err.text);
	size_t count = 0;
	for (size_t l = 0; l < course->level_count; l++)
		for (size_t i = 0; i < course->levels[l].lesson_count; i++, count++)
			assert_in_range(course->levels[l].lessons[i]->minutes, 5, 12);
	lesson_lint(course, &pencil);
	if (pencil.found)
		fail_msg("%s", kt_buf_str(&said));
	assert_true(count > 0);
	kt_buf_clear(&said);
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
	        cmocka_unit_test(lint_finds_what_is_hard_to_read_or_not_explained),
	        cmocka_unit_test(every_lesson_of_the_course_is_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
