/* SPDX-License-Identifier: MIT */
/* Quantities, durations, times and encodings: what is read prints as what reads the same. */
#include "tests/fuzz/fuzz.h"

#include "base/codec.h"
#include "base/quantity.h"
#include "base/time.h"

#include <string.h>

static void check_quantity(const char *text)
{
	struct kt_buf first = {0}, second = {0};
	struct kt_quantity a, b;
	if (kt_quantity_canonical(text, &first)) {
		if (!kt_quantity_parse(text, &a) || !kt_quantity_parse(first.data, &b) ||
		    !kt_quantity_canonical(first.data, &second))
			kt_bug("quantity %s became %s", text, first.data);
		if (a.value != b.value || a.milli != b.milli || a.nano != b.nano ||
		    !kt_streq(first.data, second.data))
			kt_bug("quantity %s became %s, then %s", text, first.data, second.data);
		/* The texts may differ once: 100000000 of binary format has no suffix and then reads as
		 * decimal. */
		if (kt_quantity_compare(text, first.data) != 0 || kt_quantity_compare(text, second.data) != 0)
			kt_bug("quantity %s is not equal to %s or %s", text, first.data, second.data);
	} else if (kt_quantity_parse(text, &a) || first.len) {
		kt_bug("quantity %s is one and none", text);
	}
	kt_buf_clear(&first);
	kt_buf_clear(&second);
}

static void check_duration(const char *text)
{
	kt_ns d, back;
	struct kt_buf out = {0};
	if (kt_duration_parse(text, &d)) {
		kt_duration_print(d, &out);
		if (!kt_duration_parse(out.data, &back) || back != d)
			kt_bug("duration %s became %s", text, out.data);
		kt_duration_print_human(d, &out);
	}
	kt_buf_clear(&out);
}

static void check_time(const char *text)
{
	kt_ns t, back;
	struct kt_buf out = {0};
	if (kt_time_parse(text, &t)) {
		kt_time_print_micro(t, &out);
		if (!kt_time_parse(out.data, &back) || (t - back >= KT_US && t != INT64_MAX) ||
		    (back > t && t != INT64_MIN))
			kt_bug("time %s became %s", text, out.data);
	}
	kt_buf_clear(&out);
}

static void check_codecs(const char *text, size_t len)
{
	struct kt_buf out = {0}, encoded = {0}, back = {0};
	if (!kt_unbase64(text, len, &out))
		kt_buf_add(&out, text, len);
	kt_base64url(kt_buf_str(&out), out.len, &encoded);
	if (!kt_unbase64(kt_buf_str(&encoded), encoded.len, &back) || back.len != out.len ||
	    (out.len && memcmp(back.data, out.data, out.len) != 0))
		kt_bug("base64 does not come back");
	kt_buf_clear(&encoded);
	kt_buf_cut(&back, 0);
	kt_unpercent(text, len, true, &back);
	kt_buf_cut(&out, 0);
	kt_buf_add_clean(&out, text, len);
	if (!kt_utf8_valid(kt_buf_str(&out), out.len))
		kt_bug("cleaned text is no UTF-8");
	kt_width(text, len);
	kt_buf_clear(&out);
	kt_buf_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size ? kt_strndup((const char *)data, size) : kt_strdup("");
	check_quantity(text);
	check_duration(text);
	check_time(text);
	check_codecs((const char *)data, size);
	kt_free(text);
	return 0;
}
