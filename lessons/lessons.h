/* SPDX-License-Identifier: MIT */
/* lessons: the course as data: levels, lessons (Markdown pages), quizzes, glossary. No answers in C. */
#ifndef LESSONS_H
#define LESSONS_H

#include "base/base.h"

enum lesson_block_kind {
	LESSON_HEADING,
	LESSON_PARAGRAPH,
	LESSON_CODE,
	LESSON_PICTURE,
	LESSON_QUOTE,
	LESSON_LIST
};
enum lesson_style { LESSON_PLAIN, LESSON_STRONG, LESSON_EMPHASIS, LESSON_MONO };
struct lesson_span {
	enum lesson_style style;
	const char *text;
};
struct lesson_block {
	enum lesson_block_kind kind;
	const char *language;            /* of code: "yaml", "console"; NULL else */
	const char *text;                /* code and pictures: the lines as they are; else NULL */
	const struct lesson_span *spans; /* prose */
	size_t span_count;
	unsigned line; /* of the file, where its text begins */
};
struct lesson_page { /* a section of the Markdown: one `##` */
	const char *title;
	const struct lesson_block *blocks;
	size_t block_count;
	unsigned line;
};
struct lesson_choice {
	const char *text, *because;
	bool right;
};
struct lesson_question {
	const char *ask;
	const struct lesson_choice *choices; /* none: a number is typed */
	size_t choice_count;
	double number;
	const char *because; /* for typed answers */
	unsigned line;       /* of quiz.yaml */
};
struct lesson {
	const char *id;          /* "6.12" */
	const char *dir;         /* where lesson.md and quiz.yaml lie */
	const char *title, *lab; /* lab NULL: none */
	unsigned level, number, minutes;
	const struct lesson_page *pages;
	size_t page_count;
	const struct lesson_question *questions;
	size_t question_count;
};
struct lesson_level {
	unsigned level;
	const char *name, *title, *about;
	const struct lesson *const *lessons; /* by number */
	size_t lesson_count;
};
/* What stands between the levels and what comes after them: lines that are earned, then a word to type. */
struct lesson_gate_line {
	const char *says;
	const char *const *lessons; /* ids, NULL-terminated; the course need not have them yet */
	const char *const *tasks;   /* "LAB/TASK" that earn it besides, NULL-terminated */
};
struct lesson_gate {
	unsigned level; /* it opens when this one is done */
	const char *word, *title, *after;
	const struct lesson_gate_line *lines;
	size_t line_count; /* 0: the course has no gate */
};
struct lesson_course {
	const char *title;
	const struct lesson_level *levels;
	size_t level_count;
	struct lesson_gate gate;
	const struct kt_json *glossary; /* {word: sentence} */
	struct lesson_inner *inner;
};
/* Read `dir` (share/lessons). Errors name file and line. */
KT_MUST_CHECK enum kt_code lesson_course_new(const char *dir, struct lesson_course **out, struct kt_err *err);
void lesson_course_free(struct lesson_course *course);
const struct lesson *lesson_find(const struct lesson_course *course, const char *id);
const struct lesson *lesson_by_lab(const struct lesson_course *course, const char *lab);
/* Does the page use this word of the field (in any case, also with an s)? */
bool lesson_page_uses(const struct lesson_page *page, const char *word);
/* Does this text? */
bool lesson_has_word(const char *text, const char *word);
/* The prose of a block: its spans in one text. New. */
char *lesson_block_text(const struct lesson_block *block);
/* Plain text in reading order, at most `width` columns: for pipes and screen readers. */
void lesson_print(const struct lesson *lesson, size_t width, struct kt_buf *out);
void lesson_print_page(const struct lesson_page *page, size_t width, struct kt_buf *out);

/* Reading the course with a pencil: what is wrong is told, a sentence each: "lesson 6.4:
 * 04-node-pools/lesson.md:31: WHAT; REMEDY". */
struct lesson_pencil {
	void (*told)(void *arg, const char *line);
	void *told_arg;
	const struct lesson *lesson; /* that is read */
	unsigned found;
};
void lesson_found(struct lesson_pencil *pencil, const char *file, unsigned line, const char *fmt, ...)
        KT_PRINTF(4, 5);
/* What is wrong with the text: too wide, too long, too hard, a word that the glossary lacks, a reference to
 * nothing. */
void lesson_lint(const struct lesson_course *course, struct lesson_pencil *pencil);

#endif
