/* SPDX-License-Identifier: MIT */
/* What can be said of a lesson's text by reading it. A rule is a row: what it looks at, and the remedy.
 * How hard a text is to read is told by LIX (C. H. Björnsson, 1968): words in a sentence, plus the share of
 * words of more than six letters in per cent. Below 30 is a children's book, above 50 an official's letter.
 */
#include "lessons/lessons_internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX   76
#define PAGE_MAX      60 /* lines on the screen, about */
#define SENTENCE_MAX  32 /* words */
#define PAGE_LIX_MAX  40
#define LIX_WORDS_MIN 30 /* fewer say nothing about a page */
#define LONG_LETTERS  6
#define QUESTIONS_MIN 3
#define QUESTIONS_MAX 5

struct lint {
	const struct lesson_course *course;
	struct lesson_pencil *pencil;
	struct kt_strs known; /* words of this lesson that were told */
};

void lesson_found(struct lesson_pencil *pencil, const char *file, unsigned line, const char *fmt, ...)
{
	const struct lesson *lesson = pencil->lesson;
	struct kt_buf text = {0};
	va_list ap;
	kt_buf_addf(&text, "lesson %s: %s/%s:%u: ", lesson->id, kt_basename(lesson->dir), file, line);
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	pencil->found++;
	pencil->told(pencil->told_arg, kt_buf_str(&text));
	kt_buf_clear(&text);
}

/* --- reading --- */

struct reading {
	unsigned words, sentences, long_words, longest;
};

/* The prose as it is read: what is set as code counts as one short word. */
static char *read_aloud(const struct lesson_block *block)
{
	struct kt_buf text = {0};
	for (size_t i = 0; i < block->span_count; i++)
		kt_buf_adds(&text, block->spans[i].style == LESSON_MONO ? "x" : block->spans[i].text);
	return kt_buf_take(&text);
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '-' || c == '\'';
}

/* A sentence ends at a mark behind which, but for quotes, there is a space or nothing. */
static bool ends_sentence(const char *at)
{
	if (!strchr(".?!:;", *at))
		return false;
	do
		at++;
	while (*at && strchr("\"')", *at));
	return !*at || isspace((unsigned char)*at);
}

static void read_block(const struct lesson_block *block, struct reading *out)
{
	char *text = read_aloud(block);
	unsigned words = 0;
	for (const char *at = text; *at;) {
		size_t len = 0, letters = 0;
		for (; in_word(at[len]); len++)
			letters += ((unsigned char)at[len] & 0xc0) != 0x80;
		bool word = len && (isalnum((unsigned char)*at) || (unsigned char)*at >= 0xc3);
		words += word;
		out->long_words += word && letters > LONG_LETTERS;
		at += len;
		bool ends = !*at || ends_sentence(at);
		if (ends && words) {
			out->words += words;
			out->sentences++;
			out->longest = KT_MAX(out->longest, words);
			words = 0;
		}
		at += *at != '\0';
	}
	kt_free(text);
}

static unsigned lix(const struct reading *r)
{
	return r->words / r->sentences + 100 * r->long_words / r->words;
}

static bool is_prose(const struct lesson_block *block)
{
	return !block->text;
}

/* --- rules about a block --- */

static void look_at_width(struct lint *l, const struct lesson_block *block)
{
	const char *text = block->text, *line;
	size_t len;
	for (unsigned at = block->line; text && (line = kt_split(&text, '\n', &len)); at++)
		if (kt_width(line, len) > COLUMNS_MAX)
			lesson_found(l->pencil, "lesson.md", at,
			             "%s of %zu columns; it is never wrapped: at most %d fit",
			             block->kind == LESSON_PICTURE ? "a picture" : "a line",
			             kt_width(line, len), COLUMNS_MAX);
}

static void look_at_sentences(struct lint *l, const struct lesson_block *block)
{
	struct reading r = {0};
	if (is_prose(block))
		read_block(block, &r);
	if (r.longest > SENTENCE_MAX)
		lesson_found(l->pencil, "lesson.md", block->line,
		             "a sentence of %u words; cut it: at most %d are read at once", r.longest,
		             SENTENCE_MAX);
}

/* A name of Kubernetes or an abbreviation: two capitals or more, "HorizontalPodAutoscaler", "RPO". */
static bool is_term(const char *word, size_t len)
{
	size_t capitals = 0, small = 0;
	for (size_t i = 0; i < len; i++) {
		capitals += isupper((unsigned char)word[i]) != 0;
		small += islower((unsigned char)word[i]) != 0;
		if (!isalpha((unsigned char)word[i]))
			return false;
	}
	return capitals >= 2 && isupper((unsigned char)*word) && (small || len > 2);
}

static bool is_explained(const struct lint *l, const char *word)
{
	for (size_t i = 0; i < kt_count(l->course->glossary); i++)
		if (lesson_has_word(word, kt_key(l->course->glossary, i)))
			return true;
	return kt_strs_has(&l->known, word);
}

static void look_at_terms(struct lint *l, const struct lesson_block *block)
{
	for (size_t s = 0; s < block->span_count; s++) {
		const char *text = block->spans[s].text;
		for (size_t len; block->spans[s].style != LESSON_MONO && *text; text += len) {
			len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
			char *word = kt_strndup(text, len);
			if (is_term(word, len) && !is_explained(l, word)) {
				lesson_found(l->pencil, "lesson.md", block->line,
				             "nobody explains '%s'; give it a line in glossary.yaml, or use "
				             "another "
				             "word",
				             word);
				kt_strs_add(&l->known, word);
			}
			kt_free(word);
			len = KT_MAX(len, 1);
		}
	}
}

static bool has_level(const struct lesson_course *course, unsigned level)
{
	for (size_t i = 0; i < course->level_count; i++)
		if (course->levels[i].level == level)
			return course->levels[i].lesson_count > 0;
	return false;
}

/* "lesson 6.12" is one of the course; of levels that have no lessons yet nothing is known. */
static void look_at_references(struct lint *l, const struct lesson_block *block)
{
	char *text = lesson_block_text(block);
	for (const char *at = text; (at = strcasestr(at, "lesson ")); at++) {
		unsigned level, number;
		if (sscanf(at + strlen("lesson "), "%u.%u", &level, &number) != 2 ||
		    !has_level(l->course, level))
			continue;
		char *id = kt_strf("%u.%u", level, number);
		if (!lesson_find(l->course, id))
			lesson_found(l->pencil, "lesson.md", block->line,
			             "there is no lesson %s; name one of the course", id);
		kt_free(id);
	}
	kt_free(text);
}

/* --- rules about a page --- */

static size_t lines_of(const struct lesson_block *block)
{
	size_t lines = 1, letters = 0;
	for (const char *c = block->text; c && *c; c++)
		lines += *c == '\n';
	for (size_t i = 0; i < block->span_count; i++)
		letters += strlen(block->spans[i].text);
	return lines + (block->text ? 1 : (letters + COLUMNS_MAX - 1) / COLUMNS_MAX);
}

static void look_at_length(struct lint *l, const struct lesson_page *page)
{
	size_t lines = 0;
	for (size_t b = 0; b < page->block_count; b++)
		lines += lines_of(&page->blocks[b]);
	if (lines > PAGE_MAX)
		lesson_found(l->pencil, "lesson.md", page->line,
		             "the page '%s' has about %zu lines; cut it: at most %d", page->title, lines,
		             PAGE_MAX);
}

static void look_at_reading(struct lint *l, const struct lesson_page *page)
{
	struct reading r = {0};
	for (size_t b = 0; b < page->block_count; b++)
		if (is_prose(&page->blocks[b]))
			read_block(&page->blocks[b], &r);
	if (r.words >= LIX_WORDS_MIN && lix(&r) > PAGE_LIX_MAX)
		lesson_found(
		        l->pencil, "lesson.md", page->line,
		        "the page '%s' is hard to read (LIX %u); shorter sentences and words: at most %d",
		        page->title, lix(&r), PAGE_LIX_MAX);
}

/* --- rules about a lesson --- */

static void look_at_parts(struct lint *l, const struct lesson *lesson)
{
	static const struct {
		enum lesson_block_kind kind;
		const char *what;
	} parts[] = {{LESSON_PICTURE, "picture; draw one between ```picture and ```"},
	             {LESSON_QUOTE, "rule in a box; write the one that surprises behind >"}};
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		bool there = false;
		for (size_t p = 0; p < lesson->page_count; p++)
			for (size_t b = 0; b < lesson->pages[p].block_count; b++)
				there = there || lesson->pages[p].blocks[b].kind == parts[i].kind;
		if (!there)
			lesson_found(l->pencil, "lesson.md", 1, "the lesson has no %s", parts[i].what);
	}
}

static size_t right_of(const struct lesson_question *question)
{
	size_t right = 0;
	while (right < question->choice_count && !question->choices[right].right)
		right++;
	return right;
}

static bool is_longest(const struct lesson_question *question, size_t right)
{
	for (size_t c = 0; c < question->choice_count; c++)
		if (c != right && strlen(question->choices[c].text) >= strlen(question->choices[right].text))
			return false;
	return true;
}

/* Too few, too many; or the place or the length alone tells which answer is right. */
static void look_at_quiz(struct lint *l, const struct lesson *lesson)
{
	size_t choices = 0, same = 0, longest = 0;
	const struct lesson_question *first = NULL;
	if (lesson->question_count < QUESTIONS_MIN || lesson->question_count > QUESTIONS_MAX)
		lesson_found(l->pencil, "quiz.yaml", 1, "%zu questions; a quiz has %d to %d",
		             lesson->question_count, QUESTIONS_MIN, QUESTIONS_MAX);
	for (size_t q = 0; q < lesson->question_count; q++) {
		const struct lesson_question *question = &lesson->questions[q];
		if (!question->choice_count)
			continue;
		first = first ? first : question;
		choices++;
		same += right_of(question) == right_of(first);
		longest += is_longest(question, right_of(question));
	}
	if (choices < QUESTIONS_MIN)
		return;
	if (same == choices)
		lesson_found(l->pencil, "quiz.yaml", first->line,
		             "the right answer is always number %zu; change the order", right_of(first) + 1);
	if (longest == choices)
		lesson_found(l->pencil, "quiz.yaml", first->line,
		             "the right answer is always the longest; say more in a wrong one");
}

/* --- all of them --- */

static void (*const block_rules[])(struct lint *l, const struct lesson_block *block) = {
        look_at_width, look_at_sentences, look_at_terms, look_at_references};
static void (*const page_rules[])(struct lint *l, const struct lesson_page *page) = {look_at_length,
                                                                                     look_at_reading};
static void (*const lesson_rules[])(struct lint *l, const struct lesson *lesson) = {look_at_parts,
                                                                                    look_at_quiz};

static void look_at_lesson(struct lint *l)
{
	const struct lesson *lesson = l->pencil->lesson;
	for (size_t i = 0; i < KT_COUNT(lesson_rules); i++)
		lesson_rules[i](l, lesson);
	for (size_t p = 0; p < lesson->page_count; p++) {
		const struct lesson_page *page = &lesson->pages[p];
		for (size_t i = 0; i < KT_COUNT(page_rules); i++)
			page_rules[i](l, page);
		for (size_t b = 0; b < page->block_count; b++)
			for (size_t i = 0; i < KT_COUNT(block_rules); i++)
				block_rules[i](l, &page->blocks[b]);
	}
	kt_strs_clear(&l->known);
}

/* A word that no lesson uses is explained to nobody. */
static void look_at_glossary(struct lint *l)
{
	const struct lesson_course *course = l->course;
	for (size_t w = 0; w < kt_count(course->glossary); w++) {
		const char *word = kt_key(course->glossary, w);
		bool used = false;
		for (size_t v = 0; v < course->level_count; v++)
			for (size_t i = 0; i < course->levels[v].lesson_count; i++)
				for (size_t p = 0; !used && p < course->levels[v].lessons[i]->page_count; p++)
					used = lesson_page_uses(&course->levels[v].lessons[i]->pages[p],
					                        word);
		if (used)
			continue;
		char *line = kt_strf("glossary.yaml:%u: no lesson uses '%s'; take it out",
		                     kt_yaml_line(course->inner->glossary, kt_at(course->glossary, w)), word);
		l->pencil->found++;
		l->pencil->told(l->pencil->told_arg, line);
		kt_free(line);
	}
}

void lesson_lint(const struct lesson_course *course, struct lesson_pencil *pencil)
{
	struct lint l = {.course = course, .pencil = pencil};
	for (size_t v = 0; v < course->level_count; v++)
		for (size_t i = 0; i < course->levels[v].lesson_count; i++) {
			pencil->lesson = course->levels[v].lessons[i];
			look_at_lesson(&l);
		}
	look_at_glossary(&l);
}
