/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include <string.h>
#include <time.h>

static kt_ns clock_ns(clockid_t id)
{
	struct timespec ts = {0};
	clock_gettime(id, &ts);
	return (kt_ns)ts.tv_sec * KT_SEC + ts.tv_nsec;
}

static kt_ns real_now(void *arg)
{
	(void)arg;
	return clock_ns(CLOCK_REALTIME);
}

struct kt_clock kt_clock_real(void)
{
	return (struct kt_clock){.now = real_now};
}

kt_ns kt_monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* --- dates: the proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March --- */

enum { ERA_DAYS = 146097, EPOCH_DAYS = 719468 /* from 0000-03-01 to 1970-01-01 */ };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t days_of(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = floor_div(year, 400), in_era = year - era * 400;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 + in_year - EPOCH_DAYS;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
	days += EPOCH_DAYS;
	int64_t era = floor_div(days, ERA_DAYS), in_era = days - era * ERA_DAYS;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;
	*day = (int)(in_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + era * 400 + (*month <= 2));
}

static void put_two(char *at, int n)
{
	at[0] = (char)('0' + n / 10);
	at[1] = (char)('0' + n % 10);
}

/* Everything up to the seconds, without the zone. */
static void print_seconds(kt_ns t, struct kt_buf *out)
{
	int64_t seconds = floor_div(t, KT_SEC), days = floor_div(seconds, 86400);
	int in_day = (int)(seconds - days * 86400), year, month, day;
	date_of(days, &year, &month, &day);
	if (year < 0 || year > 9999) {
		kt_buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, in_day / 3600,
		            in_day / 60 % 60, in_day % 60);
		return;
	}
	/* by hand: most objects bear times */
	char text[] = "0000-00-00T00:00:00";
	put_two(text, year / 100);
	put_two(text + 2, year % 100);
	put_two(text + 5, month);
	put_two(text + 8, day);
	put_two(text + 11, in_day / 3600);
	put_two(text + 14, in_day / 60 % 60);
	put_two(text + 17, in_day % 60);
	kt_buf_add(out, text, sizeof(text) - 1);
}

void kt_time_print(kt_ns t, struct kt_buf *out)
{
	print_seconds(t, out);
	kt_buf_addc(out, 'Z');
}

void kt_time_print_micro(kt_ns t, struct kt_buf *out)
{
	print_seconds(t, out);
	kt_ns in_second = t % KT_SEC;
	kt_buf_addf(out, ".%06dZ", (int)((in_second < 0 ? in_second + KT_SEC : in_second) / KT_US));
}

/* Exactly `digits` digits, moving behind them. */
static bool read_digits(const char **s, int digits, int *out)
{
	int n = 0;
	for (int i = 0; i < digits; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		n = n * 10 + (**s - '0');
	}
	*out = n;
	return true;
}

static bool read_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool read_fraction(const char **s, int64_t *ns)
{
	if (**s != '.')
		return true;
	const char *p = ++*s;
	int64_t unit = KT_SEC;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		unit /= 10;
		*ns += (**s - '0') * unit;
	}
	return *s > p;
}

/* "Z" or "+01:30", in seconds. */
static bool read_zone(const char **s, int *seconds)
{
	*seconds = 0;
	if (read_char(s, 'Z'))
		return true;
	int sign = **s == '-' ? -1 : 1, hours, minutes;
	if (**s != '-' && **s != '+')
		return false;
	(*s)++;
	if (!read_digits(s, 2, &hours) || !read_char(s, ':') || !read_digits(s, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

bool kt_time_parse(const char *text, kt_ns *out)
{
	int year, month, day, hour, minute, second, zone;
	int64_t fraction = 0;
	const char **s = &text;
	if (!text || !read_digits(s, 4, &year) || !read_char(s, '-') || !read_digits(s, 2, &month) ||
	    !read_char(s, '-') || !read_digits(s, 2, &day) || !read_char(s, 'T'))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return false;
	if (!read_digits(s, 2, &hour) || !read_char(s, ':') || !read_digits(s, 2, &minute) ||
	    !read_char(s, ':') || !read_digits(s, 2, &second) || hour > 23 || minute > 59 || second > 59)
		return false;
	if (!read_fraction(s, &fraction) || !read_zone(s, &zone) || **s)
		return false;
	int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
	if (seconds >= INT64_MAX / KT_SEC)
		*out = INT64_MAX;
	else if (seconds <= INT64_MIN / KT_SEC)
		*out = INT64_MIN;
	else
		*out = seconds * KT_SEC + fraction;
	return true;
}

/* --- durations --- */

static const struct {
	const char *name;
	kt_ns ns;
} units[] = {
        /* Longer names before those that they begin with. */
        {"ns", 1},     {"us", KT_US}, {"µs", KT_US},    {"μs", KT_US},
        {"ms", KT_MS}, {"s", KT_SEC}, {"m", KT_MIN_NS}, {"h", KT_HOUR},
};

static kt_ns read_unit(const char **s)
{
	for (size_t i = 0; i < KT_COUNT(units); i++) {
		if (kt_starts(*s, units[i].name)) {
			*s += strlen(units[i].name);
			return units[i].ns;
		}
	}
	return 0;
}

/* One "12.5h" at *s, added to *sum; false when it is none or too large. */
static bool read_part(const char **s, uint64_t *sum)
{
	const uint64_t limit = (uint64_t)1 << 63;
	uint64_t whole = 0, fraction = 0;
	double scale = 1;
	const char *start = *s;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		if (whole > limit / 10)
			return false;
		whole = whole * 10 + (uint64_t)(**s - '0');
	}
	size_t digits = (size_t)(*s - start);
	if (**s == '.') {
		start = ++*s;
		for (; **s >= '0' && **s <= '9'; (*s)++) {
			if (fraction > (limit - 1) / 10)
				continue; /* far below a nanosecond */
			fraction = fraction * 10 + (uint64_t)(**s - '0');
			scale *= 10;
		}
		digits += (size_t)(*s - start);
	}
	uint64_t unit = digits ? (uint64_t)read_unit(s) : 0;
	if (!unit || whole > limit / unit)
		return false;
	whole *= unit;
	if (fraction)
		whole += (uint64_t)((double)fraction * ((double)unit / scale));
	*sum += whole;
	return whole <= limit && *sum <= limit;
}

bool kt_duration_parse(const char *text, kt_ns *out)
{
	if (!text)
		return false;
	bool negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	if (kt_streq(text, "0")) {
		*out = 0;
		return true;
	}
	uint64_t sum = 0;
	if (!*text)
		return false;
	while (*text)
		if (!read_part(&text, &sum))
			return false;
	if (!negative && sum > (uint64_t)INT64_MAX)
		return false;
	*out = negative ? (kt_ns)(0 - sum) : (kt_ns)sum;
	return true;
}

/* `n` nano-units as a number of units: "1.5". */
static void print_fraction(uint64_t n, uint64_t unit, struct kt_buf *out)
{
	kt_buf_addf(out, "%llu", (unsigned long long)(n / unit));
	uint64_t rest = n % unit;
	if (!rest)
		return;
	kt_buf_addc(out, '.');
	for (unit /= 10; rest; rest %= unit ? unit : 1, unit /= 10)
		kt_buf_addc(out, (char)('0' + rest / unit));
}

void kt_duration_print(kt_ns d, struct kt_buf *out)
{
	uint64_t n = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
	if (d < 0)
		kt_buf_addc(out, '-');
	if (n && n < (uint64_t)KT_SEC) {
		bool ms = n >= (uint64_t)KT_MS, us = n >= (uint64_t)KT_US;
		print_fraction(n, ms ? (uint64_t)KT_MS : us ? (uint64_t)KT_US : 1, out);
		kt_buf_adds(out, ms ? "ms" : us ? "µs" : "ns");
		return;
	}
	uint64_t hours = n / (uint64_t)KT_HOUR, minutes = n / (uint64_t)KT_MIN_NS % 60;
	if (hours)
		kt_buf_addf(out, "%lluh", (unsigned long long)hours);
	if (hours || minutes)
		kt_buf_addf(out, "%dm", (int)minutes);
	print_fraction(n % (uint64_t)KT_MIN_NS, (uint64_t)KT_SEC, out);
	kt_buf_addc(out, 's');
}

/* k8s.io/apimachinery/pkg/util/duration/duration.go HumanDuration: below `until` of the smallest unit, it and
 * the next smaller one (when it is not 0 and `small` is set). */
void kt_duration_print_human(kt_ns d, struct kt_buf *out)
{
	enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR, YEAR = 365 * DAY };
	static const struct {
		int64_t until, big, small;
		char big_name, small_name;
	} rows[] = {
	        {2 * MINUTE, 1, 0, 's', 0},    {10 * MINUTE, MINUTE, 1, 'm', 's'},
	        {3 * HOUR, MINUTE, 0, 'm', 0}, {8 * HOUR, HOUR, MINUTE, 'h', 'm'},
	        {2 * DAY, HOUR, 0, 'h', 0},    {8 * DAY, DAY, HOUR, 'd', 'h'},
	        {2LL * YEAR, DAY, 0, 'd', 0},  {8LL * YEAR, YEAR, DAY, 'y', 'd'},
	        {INT64_MAX, YEAR, 0, 'y', 0},
	};
	int64_t s = d / KT_SEC;
	if (s < -1) {
		kt_buf_adds(out, "<invalid>");
		return;
	}
	s = KT_MAX(s, 0);
	size_t i = 0;
	while (s >= rows[i].until)
		i++;
	kt_buf_addf(out, "%lld%c", (long long)(s / rows[i].big), rows[i].big_name);
	if (rows[i].small && s % rows[i].big / rows[i].small)
		kt_buf_addf(out, "%lld%c", (long long)(s % rows[i].big / rows[i].small), rows[i].small_name);
}
