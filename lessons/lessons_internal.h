/* SPDX-License-Identifier: MIT */
/* What the files of lessons/ share. */
#ifndef LESSONS_INTERNAL_H
#define LESSONS_INTERNAL_H

#include "lessons/lessons.h"

/* Everything of a course lives in one arena. */
struct lesson_inner {
	struct kt_arena arena;
	struct kt_yaml *glossary; /* knows the lines of course->glossary; NULL: there is none */
};

/* The Markdown below the front matter, cut into pages at each `##`. `line` is that of the first line of
 * `text` in the file. */
KT_MUST_CHECK enum kt_code lesson_parse_markdown(struct kt_arena *arena, const char *file, unsigned line,
                                                 const char *text, size_t len, struct lesson *lesson,
                                                 struct kt_err *err);
/* quiz.yaml of `lesson`. */
KT_MUST_CHECK enum kt_code lesson_read_quiz(struct kt_arena *arena, const char *path, struct lesson *lesson,
                                            struct kt_err *err);

/* `gate` of course.yaml; without one all stays zeroed. */
KT_MUST_CHECK enum kt_code lesson_read_gate(struct kt_arena *arena, const struct kt_yaml *yaml,
                                            struct lesson_gate *gate, struct kt_err *err);

#endif
