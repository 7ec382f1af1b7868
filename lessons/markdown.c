/* SPDX-License-Identifier: MIT */
/* Markdown (through MD4C) as pages of blocks. A lesson uses headings, paragraphs, quotes, lists, code and
 * pictures; other constructs are errors, so that nothing is written that a screen would not show. */
#include "lessons/lessons_internal.h"

#include <md4c.h>
#include <string.h>

struct reader {
	struct kt_arena *arena;
	struct lesson *lesson;
	const char *refused;    /* the construct that lessons do not use */
	const char *begin, *at; /* the whole text; up to where lines are counted */
	size_t len;
	unsigned line;  /* of `at` */
	unsigned first; /* of the block so far; 0: none yet */
	struct lesson_page *page;
	size_t page_cap, block_cap, span_cap;
	struct lesson_block *blocks;
	struct lesson_page *pages;
	size_t page_count, block_count;
	struct lesson_span *spans;
	size_t span_count;
	enum lesson_block_kind kind;
	enum lesson_style style;
	const char *language;
	unsigned heading, quote, list;
	struct kt_buf text; /* of the span or code block so far */
	unsigned item;      /* number of an ordered list's item; 0: bullets */
};

static void end_span(struct reader *r)
{
	if (!r->text.len)
		return;
	r->spans = kt_grow(r->spans, &r->span_cap, r->span_count + 1, sizeof(*r->spans));
	r->spans[r->span_count++] =
	        (struct lesson_span){r->style, kt_arena_strdup(r->arena, kt_buf_str(&r->text))};
	kt_buf_cut(&r->text, 0);
}

static void *keep(struct reader *r, const void *items, size_t count, size_t size)
{
	void *kept = kt_arena_alloc(r->arena, KT_MAX(count, 1) * size);
	if (count)
		memcpy(kept, items, count * size);
	return kept;
}

static void end_page(struct reader *r)
{
	if (r->page_count) {
		struct lesson_page *page = &r->pages[r->page_count - 1];
		page->blocks = keep(r, r->blocks, r->block_count, sizeof(*r->blocks));
		page->block_count = r->block_count;
	}
	r->block_count = 0;
}

static void add_block(struct reader *r, struct lesson_block block)
{
	if (!r->page_count)
		return; /* text before the first `##` is refused by the caller */
	block.line = r->first;
	r->first = 0;
	r->blocks = kt_grow(r->blocks, &r->block_cap, r->block_count + 1, sizeof(*r->blocks));
	r->blocks[r->block_count++] = block;
}

static void end_prose(struct reader *r, enum lesson_block_kind kind)
{
	end_span(r);
	add_block(r, (struct lesson_block){.kind = kind,
	                                   .spans = keep(r, r->spans, r->span_count, sizeof(*r->spans)),
	                                   .span_count = r->span_count});
	r->span_count = 0;
}

static void end_title(struct reader *r)
{
	end_span(r);
	struct kt_buf title = {0};
	for (size_t i = 0; i < r->span_count; i++)
		kt_buf_adds(&title, r->spans[i].text);
	r->span_count = 0;
	end_page(r);
	r->pages = kt_grow(r->pages, &r->page_cap, r->page_count + 1, sizeof(*r->pages));
	r->pages[r->page_count++] = (struct lesson_page){
	        .title = kt_arena_strdup(r->arena, kt_buf_str(&title)), .line = r->first};
	r->first = 0;
	kt_buf_clear(&title);
}

static void end_code(struct reader *r)
{
	bool picture = kt_streq(r->language, "picture");
	while (r->text.len && r->text.data[r->text.len - 1] == '\n')
		kt_buf_cut(&r->text, r->text.len - 1);
	add_block(r, (struct lesson_block){.kind = picture ? LESSON_PICTURE : LESSON_CODE,
	                                   .language = picture ? NULL : r->language,
	                                   .text = kt_arena_strdup(r->arena, kt_buf_str(&r->text))});
	kt_buf_cut(&r->text, 0);
}

static int refuse(struct reader *r, const char *what)
{
	r->refused = what;
	return 1;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct reader *r = arg;
	switch (type) {
	case MD_BLOCK_DOC:
	case MD_BLOCK_P:
		return 0;
	case MD_BLOCK_QUOTE:
		r->quote++;
		return 0;
	case MD_BLOCK_UL:
		r->list++;
		r->item = 0;
		return 0;
	case MD_BLOCK_OL:
		r->list++;
		r->item = ((MD_BLOCK_OL_DETAIL *)detail)->start;
		return 0;
	case MD_BLOCK_LI:
		if (r->item)
			kt_buf_addf(&r->text, "%u. ", r->item++);
		return 0;
	case MD_BLOCK_H:
		r->heading = ((MD_BLOCK_H_DETAIL *)detail)->level;
		return r->heading == 1
		               ? refuse(r, "a heading of the first rank (the title is in the front matter)")
		               : 0;
	case MD_BLOCK_CODE: {
		const MD_ATTRIBUTE *lang = &((MD_BLOCK_CODE_DETAIL *)detail)->lang;
		char *language = kt_strndup(lang->text, lang->size);
		r->language = lang->size ? kt_arena_strdup(r->arena, language) : NULL;
		kt_free(language);
		return 0;
	}
	case MD_BLOCK_HR:
		return refuse(r, "a ruler");
	case MD_BLOCK_HTML:
		return refuse(r, "HTML");
	default:
		return refuse(r, "a table");
	}
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct reader *r = arg;
	(void)detail;
	switch (type) {
	case MD_BLOCK_P:
		end_prose(r, r->list ? LESSON_LIST : r->quote ? LESSON_QUOTE : LESSON_PARAGRAPH);
		break;
	case MD_BLOCK_LI:
		end_span(r);
		if (r->span_count)
			end_prose(r, LESSON_LIST);
		break;
	case MD_BLOCK_QUOTE:
		r->quote--;
		break;
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		r->list--;
		break;
	case MD_BLOCK_H:
		if (r->heading == 2)
			end_title(r);
		else
			end_prose(r, LESSON_HEADING);
		break;
	case MD_BLOCK_CODE:
		end_code(r);
		break;
	default:
		break;
	}
	return 0;
}

static int enter_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct reader *r = arg;
	(void)detail;
	end_span(r);
	switch (type) {
	case MD_SPAN_EM:
		r->style = LESSON_EMPHASIS;
		return 0;
	case MD_SPAN_STRONG:
		r->style = LESSON_STRONG;
		return 0;
	case MD_SPAN_CODE:
		r->style = LESSON_MONO;
		return 0;
	default:
		return refuse(r, "a link or an image");
	}
}

static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct reader *r = arg;
	(void)type;
	(void)detail;
	end_span(r);
	r->style = LESSON_PLAIN;
	return 0;
}

/* MD4C tells no lines, but hands out pieces of the text itself; some, such as ends of lines, are its own. */
static void note_line(struct reader *r, const char *text)
{
	if (r->first || text < r->at || text >= r->begin + r->len)
		return;
	for (; r->at < text; r->at++)
		r->line += *r->at == '\n';
	r->first = r->line;
}

static int add_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *arg)
{
	struct reader *r = arg;
	note_line(r, text);
	switch (type) {
	case MD_TEXT_BR:
	case MD_TEXT_SOFTBR:
		kt_buf_addc(&r->text, type == MD_TEXT_BR ? '\n' : ' ');
		return 0;
	case MD_TEXT_HTML:
		return refuse(r, "HTML");
	default:
		kt_buf_add_clean(&r->text, text, size);
		return 0;
	}
}

enum kt_code lesson_parse_markdown(struct kt_arena *arena, const char *file, unsigned line, const char *text,
                                   size_t len, struct lesson *lesson, struct kt_err *err)
{
	struct reader r = {
	        .arena = arena, .lesson = lesson, .begin = text, .at = text, .len = len, .line = line};
	const MD_PARSER parser = {.flags = MD_FLAG_NOHTMLBLOCKS | MD_FLAG_NOINDENTEDCODEBLOCKS,
	                          .enter_block = enter_block,
	                          .leave_block = leave_block,
	                          .enter_span = enter_span,
	                          .leave_span = leave_span,
	                          .text = add_text};
	int stopped = md_parse(text, (MD_SIZE)len, &parser, &r);
	end_page(&r);
	enum kt_code rc = KT_OK;
	if (stopped || r.refused) /* MD4C does not report every callback that stopped it */
		rc = kt_fail(err, KT_EINVAL, "%s: lessons do not use %s", file,
		             r.refused ? r.refused : "this");
	else if (!r.page_count)
		rc = kt_fail(err, KT_EINVAL, "%s: a lesson needs at least one page (a heading `## …`)", file);
	lesson->pages = keep(&r, r.pages, r.page_count, sizeof(*r.pages));
	lesson->page_count = r.page_count;
	kt_free(r.pages);
	kt_free(r.blocks);
	kt_free(r.spans);
	kt_buf_clear(&r.text);
	return rc;
}
