/* SPDX-License-Identifier: MIT */
/* Cron schedules and time zones, with the words of github.com/robfig/cron/v3 (parser.go). */
#include "cluster/api/validate.h"

#include <stdlib.h>
#include <string.h>

struct bounds {
	int min, max;
	const char *const *names;
};

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const struct bounds bounds[] = {
        {0, 59, NULL}, {0, 23, NULL}, {1, 31, NULL}, {1, 12, months}, {0, 6, days}};

/* A number or a name; false with a fault. */
static bool number(const char *s, const struct bounds *b, long *out, struct kt_strs *faults)
{
	char *end;
	for (size_t i = 0; b && b->names && b->names[i]; i++) {
		if (strlen(s) == 3 && (s[0] | 32) == b->names[i][0] && (s[1] | 32) == b->names[i][1] &&
		    (s[2] | 32) == b->names[i][2]) {
			*out = (long)i + b->min;
			return true;
		}
	}
	*out = strtol(s, &end, 10);
	if (!*s || *end || *s == ' ') {
		kt_strs_steal(
		        faults,
		        kt_strf("failed to parse int from %s: strconv.Atoi: parsing \"%s\": invalid syntax",
		                s, s));
		return false;
	}
	if (*out < 0) {
		kt_strs_steal(faults, kt_strf("negative number (%ld) not allowed: %s", *out, s));
		return false;
	}
	return true;
}

struct range {
	long start, end, step;
	bool star;
};

static bool low_and_high(char *text, const char *expr, const struct bounds *b, struct range *r,
                         struct kt_strs *faults)
{
	char *dash = strchr(text, '-');
	if (strcmp(text, "*") == 0 || strcmp(text, "?") == 0) {
		*r = (struct range){b->min, b->max, 1, true};
		return true;
	}
	if (dash)
		*dash++ = '\0';
	if (!number(text, b, &r->start, faults))
		return false;
	r->end = r->start;
	if (dash && strchr(dash, '-')) {
		kt_strs_steal(faults, kt_strf("too many hyphens: %s", expr));
		return false;
	}
	return !dash || number(dash, b, &r->end, faults);
}

static bool range(const char *expr, const struct bounds *b, struct kt_strs *faults)
{
	char *text = kt_strdup(expr), *slash = strchr(text, '/');
	struct range r = {.step = 1};
	bool fine;
	if (slash)
		*slash++ = '\0';
	bool single = !strchr(text, '-');
	fine = low_and_high(text, expr, b, &r, faults);
	if (fine && slash && strchr(slash, '/')) {
		kt_strs_steal(faults, kt_strf("too many slashes: %s", expr));
		fine = false;
	} else if (fine && slash) {
		fine = number(slash, NULL, &r.step, faults);
		if (single && !r.star)
			r.end = b->max; /* "N/step" means "N-max/step" */
	}
	if (fine && r.start < b->min)
		kt_strs_steal(faults, kt_strf("beginning of range (%ld) below minimum (%d): %s", r.start,
		                              b->min, expr));
	else if (fine && r.end > b->max)
		kt_strs_steal(faults,
		              kt_strf("end of range (%ld) above maximum (%d): %s", r.end, b->max, expr));
	else if (fine && r.start > r.end)
		kt_strs_steal(faults, kt_strf("beginning of range (%ld) beyond end of range (%ld): %s",
		                              r.start, r.end, expr));
	else if (fine && r.step == 0)
		kt_strs_steal(faults, kt_strf("step of range should be a positive number: %s", expr));
	kt_free(text);
	return faults->count == 0;
}

static bool field(const char *text, const struct bounds *b, struct kt_strs *faults)
{
	const char *rest = text, *piece;
	size_t len;
	while ((piece = kt_split(&rest, ',', &len)) != NULL) {
		char *expr = kt_strndup(piece, len);
		bool fine = len == 0 || range(expr, b, faults);
		kt_free(expr);
		if (!fine)
			return false;
	}
	return true;
}

static void descriptor(const char *s, struct kt_strs *faults)
{
	static const char *const known[] = {"@yearly", "@annually", "@monthly", "@weekly",
	                                    "@daily",  "@midnight", "@hourly"};
	kt_ns every;
	for (size_t i = 0; i < KT_COUNT(known); i++)
		if (strcmp(s, known[i]) == 0)
			return;
	if (!kt_starts(s, "@every "))
		kt_strs_steal(faults, kt_strf("unrecognized descriptor: %s", s));
	else if (!kt_duration_parse(s + 7, &every))
		kt_strs_steal(faults, kt_strf("failed to parse duration %s: time: invalid duration \"%s\"", s,
		                              s + 7));
}

void v_cron(const char *s, struct kt_strs *out)
{
	struct kt_strs words = {0};
	struct kt_buf list = {0};
	if (!*s) {
		kt_strs_add(out, "empty spec string");
		return;
	}
	if (kt_starts(s, "TZ=") || kt_starts(s, "CRON_TZ=")) {
		s = strchr(s, ' ');
		s = s ? s + 1 : "";
	}
	if (*s == '@') {
		descriptor(s, out);
		return;
	}
	for (const char *c = s; *c;) {
		size_t gap = strspn(c, " \t\n\r"), len = strcspn(c + gap, " \t\n\r");
		if (len > 0)
			kt_strs_steal(&words, kt_strndup(c + gap, len));
		c += gap + len;
	}
	if (words.count != 5) {
		for (size_t i = 0; i < words.count; i++)
			kt_buf_addf(&list, "%s%s", i > 0 ? " " : "", words.items[i]);
		kt_strs_steal(out, kt_strf("expected exactly 5 fields, found %zu: [%s]", words.count,
		                           kt_buf_str(&list)));
	} else {
		for (size_t i = 0; i < 5 && field(words.items[i], &bounds[i], out); i++)
			;
	}
	kt_buf_clear(&list);
	kt_strs_clear(&words);
}

/* Zones by their continents: the list itself is the operating system's. */
void v_time_zone(const char *s, struct kt_strs *out)
{
	static const char *const areas[] = {"Africa/", "America/",  "Antarctica/", "Arctic/",
	                                    "Asia/",   "Atlantic/", "Australia/",  "Brazil/",
	                                    "Canada/", "Chile/",    "Etc/",        "Europe/",
	                                    "Indian/", "Mexico/",   "Pacific/",    "US/"};
	static const char *const names[] = {
	        "UTC",       "GMT",     "EST",       "CET",     "EET",     "WET",   "MET",  "HST",
	        "MST",       "PST8PDT", "EST5EDT",   "CST6CDT", "MST7MDT", "Zulu",  "UCT",  "Universal",
	        "Greenwich", "Japan",   "Singapore", "Israel",  "Turkey",  "Egypt", "Iran", "Poland",
	        "Portugal",  "Cuba",    "Eire",      "GB",      "NZ",      "PRC",   "ROC",  "ROK"};
	for (size_t i = 0; i < KT_COUNT(areas); i++)
		if (kt_starts(s, areas[i]) && s[strlen(areas[i])] >= 'A' && s[strlen(areas[i])] <= 'Z')
			return;
	for (size_t i = 0; i < KT_COUNT(names); i++)
		if (strcmp(s, names[i]) == 0)
			return;
	if (!*s)
		kt_strs_add(out, "timeZone must be nil or non-empty string");
	else if (strlen(s) == 5 && (s[0] | 32) == 'l' && strcmp(s + 1, "ocal") == 0)
		kt_strs_add(out, "timeZone must be an explicit time zone as defined in "
		                 "https://www.iana.org/time-zones");
	else
		kt_strs_steal(out, kt_strf("unknown time zone %s", s));
}
