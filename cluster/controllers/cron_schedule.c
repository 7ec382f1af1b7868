/* SPDX-License-Identifier: MIT */
/* Schedules as github.com/robfig/cron v3 (ParseStandard) has them: five fields with lists, ranges, steps and
 * names, and the @ words. Zones: UTC, or the system's zoneinfo as far as its table goes. */
#include "cluster/controllers/controllers_internal.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define YEARS_AHEAD 5 /* what is not due in so long is never due */

struct schedule {
	uint64_t minute, hour, day, month, weekday; /* a bit a value */
	bool any_day, any_weekday;
	kt_ns every; /* @every: a duration instead */
};

/* --- parsing --- */
static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
static const struct {
	const char *word, *schedule;
} words[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
};

static bool parse_value(const char **at, int min, const char *const *names, size_t count, int *out)
{
	if (isdigit((unsigned char)**at)) {
		char *end;
		long value = strtol(*at, &end, 10);
		if (end - *at > 4)
			return false;
		*at = end;
		*out = (int)value;
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (strncasecmp(*at, names[i], 3) == 0) {
			*at += 3;
			*out = min + (int)i;
			return true;
		}
	}
	return false;
}

/* "*", "*" "/5", "1-5", "1-5/2", "3", "3/10" and lists of them; "?" is "*". */
static bool parse_field(const char *text, size_t len, int min, int max, const char *const *names,
                        size_t count, uint64_t *bits, bool *any)
{
	const char *at = text, *end = text + len;
	*bits = 0;
	*any = false;
	if (!len)
		return false;
	while (at < end) {
		int low = min, high = max, step = 1;
		bool star = *at == '*' || *at == '?', single = false;
		if (star) {
			at++;
		} else {
			if (!parse_value(&at, min, names, count, &low))
				return false;
			high = low;
			single = true;
			if (at < end && *at == '-') {
				at++;
				single = false;
				if (!parse_value(&at, min, names, count, &high))
					return false;
			}
		}
		if (at < end && *at == '/') {
			at++;
			if (!parse_value(&at, 0, NULL, 0, &step) || step < 1)
				return false;
			if (single)
				high = max;
			star = star && step == 1;
		}
		if (low < min || high > max || low > high || (at < end && *at != ','))
			return false;
		for (int value = low; value <= high; value += step)
			*bits |= (uint64_t)1 << value;
		*any |= star;
		at += at < end;
	}
	return true;
}

static bool parse_fields(const char *text, struct schedule *out)
{
	struct {
		int min, max;
		const char *const *names;
		size_t count;
		uint64_t *bits;
		bool *any;
	} fields[5];
	bool ignored;
	size_t n = 0;
	fields[0].bits = &out->minute, fields[0].min = 0, fields[0].max = 59;
	fields[1].bits = &out->hour, fields[1].min = 0, fields[1].max = 23;
	fields[2].bits = &out->day, fields[2].min = 1, fields[2].max = 31;
	fields[3].bits = &out->month, fields[3].min = 1, fields[3].max = 12;
	fields[4].bits = &out->weekday, fields[4].min = 0, fields[4].max = 6;
	while (*text) {
		size_t len = strcspn(text, " \t");
		if (len && n == 5)
			return false;
		if (len) {
			bool *any = n == 2 ? &out->any_day : n == 4 ? &out->any_weekday : &ignored;
			const char *const *names = n == 3 ? months : n == 4 ? days : NULL;
			size_t count = n == 3 ? 12 : n == 4 ? 7 : 0;
			if (!parse_field(text, len, fields[n].min, fields[n].max, names, count,
			                 fields[n].bits, any))
				return false;
			n++;
		}
		text += len;
		text += strspn(text, " \t");
	}
	return n == 5;
}

static bool parse(const char *text, struct schedule *out)
{
	memset(out, 0, sizeof(*out));
	if (kt_starts(text, "@every "))
		return kt_duration_parse(text + strlen("@every "), &out->every) && out->every >= KT_SEC;
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		if (kt_streq(text, words[i].word))
			return parse_fields(words[i].schedule, out);
	}
	return parse_fields(text, out);
}

/* --- zones --- */
static uint64_t big_endian(const unsigned char *p, size_t len)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | p[i];
	return value;
}

static bool zone_name_ok(const char *zone)
{
	return *zone != '/' && !strstr(zone, "..") && strlen(zone) < 64 &&
	       strspn(zone, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") ==
	               strlen(zone);
}

struct zone {
	unsigned char *data; /* NULL: UTC */
	size_t len;
};

static bool zone_load(const char *name, struct zone *zone)
{
	char path[128];
	size_t cap = 0;
	unsigned char chunk[4096];
	memset(zone, 0, sizeof(*zone));
	if (!name || !*name || kt_streq(name, "UTC") || kt_streq(name, "Etc/UTC"))
		return true;
	if (!zone_name_ok(name))
		return false;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	for (size_t got; (got = fread(chunk, 1, sizeof(chunk), file)) > 0 && zone->len < 65536;) {
		zone->data = kt_grow(zone->data, &cap, zone->len + got, 1);
		memcpy(zone->data + zone->len, chunk, got);
		zone->len += got;
	}
	fclose(file);
	if (zone->len > 44 && memcmp(zone->data, "TZif", 4) == 0)
		return true;
	kt_free(zone->data);
	return false;
}

/* Seconds east of UTC at `t` (RFC 8536). Beyond the table its last year is repeated, which is right as long
 * as the rules stay. */
static int64_t zone_offset(const struct zone *zone, int64_t t)
{
	const unsigned char *p = zone->data;
	if (!p)
		return 0;
	size_t isut = big_endian(p + 20, 4), isstd = big_endian(p + 24, 4), leap = big_endian(p + 28, 4);
	size_t times = big_endian(p + 32, 4), types = big_endian(p + 36, 4), chars = big_endian(p + 40, 4);
	size_t width = 4, at = 44;
	if (p[4] >= '2') {
		at += times * 5 + types * 6 + chars + leap * 8 + isstd + isut;
		if (at + 44 > zone->len)
			return 0;
		times = big_endian(p + at + 32, 4);
		types = big_endian(p + at + 36, 4);
		width = 8;
		at += 44;
	}
	if (!types || at + times * (width + 1) + types * 6 > zone->len)
		return 0;
	const unsigned char *index = p + at + times * width, *rows = index + times;
	if (times) {
		int64_t last = (int64_t)big_endian(p + at + (times - 1) * width, width);
		while (width == 8 && t > last + 365 * 86400)
			t -= 364 * 86400LL; /* the same weekday */
	}
	size_t type = 0;
	for (size_t i = 0; i < times; i++) {
		int64_t from = width == 8 ? (int64_t)big_endian(p + at + i * 8, 8)
		                          : (int32_t)big_endian(p + at + i * 4, 4);
		if (from > t)
			break;
		type = index[i];
	}
	return type < types ? (int32_t)big_endian(rows + type * 6, 4) : 0;
}

/* --- civil time (proleptic Gregorian) --- */
struct civil {
	int64_t day; /* since 1970 */
	int year, month, mday, weekday, hour, minute;
};

static struct civil civil_of(int64_t seconds)
{
	int64_t day = seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400);
	int64_t rest = seconds - day * 86400;
	int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;
	return (struct civil){
	        .day = day,
	        .year = (int)(yoe + era * 400 + (month <= 2)),
	        .month = (int)month,
	        .mday = (int)(doy - (153 * mp + 2) / 5 + 1),
	        .weekday = (int)(((day % 7) + 11) % 7),
	        .hour = (int)(rest / 3600),
	        .minute = (int)(rest / 60 % 60),
	};
}

static bool has(uint64_t bits, int value)
{
	return bits >> value & 1;
}

static bool day_fits(const struct schedule *schedule, const struct civil *civil)
{
	bool mday = has(schedule->day, civil->mday), weekday = has(schedule->weekday, civil->weekday);
	if (!has(schedule->month, civil->month))
		return false;
	if (schedule->any_day || schedule->any_weekday)
		return mday && weekday;
	return mday || weekday;
}

bool controller_cron_next(const char *schedule_text, const char *zone_name, kt_ns after, kt_ns *out)
{
	struct schedule schedule;
	struct zone zone;
	if (!schedule_text || !parse(schedule_text, &schedule) || !zone_load(zone_name, &zone))
		return false;
	*out = 0;
	if (schedule.every) {
		*out = (after / KT_SEC) * KT_SEC + (schedule.every / KT_SEC) * KT_SEC;
		kt_free(zone.data);
		return true;
	}
	int64_t t = (after / KT_SEC / 60 + 1) * 60, limit = t + (int64_t)YEARS_AHEAD * 366 * 86400;
	while (t < limit) {
		int64_t offset = zone_offset(&zone, t);
		struct civil civil = civil_of(t + offset);
		if (!day_fits(&schedule, &civil)) {
			int64_t midnight = (civil.day + 1) * 86400 - offset;
			/* a zone's change in between moves midnight by an hour or so: step back, never over
			 * it */
			int64_t other = zone_offset(&zone, midnight);
			midnight = (civil.day + 1) * 86400 - other;
			t = midnight > t ? midnight : t + 3600;
		} else if (!has(schedule.hour, civil.hour)) {
			t += (60 - civil.minute) * 60;
		} else if (!has(schedule.minute, civil.minute)) {
			t += 60;
		} else {
			*out = t * KT_SEC;
			break;
		}
	}
	kt_free(zone.data);
	return true;
}
