/* SPDX-License-Identifier: MIT */
/* What Go's time.Parse says of a text that is no time of a layout. */
#include "base/base.h"

#include <ctype.h>
#include <string.h>

/* The parts of the layout in order; a part is a number of `digits`, or else stands for itself. */
static const struct part {
	const char *text;
	int digits, least, most;
	const char *name; /* "month out of range" is told at once, that of a day at the end */
} parts[] = {
        {"2006", 4, 0, 9999, NULL}, {"-", 0, 0, 0, NULL}, {"01", 2, 1, 12, "month"},  {"-", 0, 0, 0, NULL},
        {"02", 2, 0, 99, NULL},     {"T", 0, 0, 0, NULL}, {"15", 2, 0, 23, "hour"},   {":", 0, 0, 0, NULL},
        {"04", 2, 0, 59, "minute"}, {":", 0, 0, 0, NULL}, {"05", 2, 0, 59, "second"},
};

static bool read_number(const char **s, int digits, int *out)
{
	*out = 0;
	for (int i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)(*s)[i]))
			return false;
		*out = *out * 10 + (*s)[i] - '0';
	}
	*s += digits;
	return true;
}

/* false: cannot parse. *range: what is out of range, or NULL. */
static bool read_part(const struct part *part, const char **s, const char **range)
{
	int number;

	if (!part->digits) {
		if (!kt_starts(*s, part->text))
			return false;
		*s += strlen(part->text);
		return true;
	}
	if (!read_number(s, part->digits, &number))
		return false;
	*range = part->name && (number < part->least || number > part->most) ? part->name : NULL;
	return true;
}

static void skip_fraction(const char **s)
{
	if ((**s == '.' || **s == ',') && isdigit((unsigned char)(*s)[1]))
		for ((*s)++; isdigit((unsigned char)**s);)
			(*s)++;
}

static bool skip_micros(const char **s)
{
	int number;
	const char *digits = *s + 1;

	if (**s != '.' || !read_number(&digits, 6, &number))
		return false;
	*s = digits;
	return true;
}

static bool skip_zone(const char **s)
{
	int number;
	const char *at = *s + 1;

	if (**s == 'Z') {
		*s = at;
		return true;
	}
	if ((**s != '+' && **s != '-') || !read_number(&at, 2, &number) || *at++ != ':' ||
	    !read_number(&at, 2, &number))
		return false;
	*s = at;
	return true;
}

static void cannot(const char *text, bool micro, const char *rest, const char *part, struct kt_buf *out)
{
	kt_buf_addf(out,
	            "parsing time \"%s\" as \"2006-01-02T15:04:05%sZ07:00\": cannot parse \"%s\" as \"%s\"",
	            text, micro ? ".000000" : "", rest, part);
}

void kt_time_fault(const char *text, bool micro, struct kt_buf *out)
{
	const char *s = text, *range = NULL;

	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		if (!read_part(&parts[i], &s, &range)) {
			cannot(text, micro, s, parts[i].text, out);
			return;
		}
		if (range) {
			kt_buf_addf(out, "parsing time \"%s\": %s out of range", text, range);
			return;
		}
	}
	if (!micro)
		skip_fraction(&s);
	else if (!skip_micros(&s)) {
		cannot(text, micro, s, ".000000", out);
		return;
	}
	if (!skip_zone(&s))
		cannot(text, micro, s, "Z07:00", out);
	else if (*s)
		kt_buf_addf(out, "parsing time \"%s\": extra text: \"%s\"", text, s);
	else
		kt_buf_addf(out, "parsing time \"%s\": day out of range", text);
}
