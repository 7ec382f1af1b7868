/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include "base/utf8_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	enum kt_code code;
	const char *name;
} names[] = {
        {KT_OK, "ok"},
        {KT_EINVAL, "invalid"},
        {KT_ENOTFOUND, "not found"},
        {KT_EEXIST, "exists already"},
        {KT_EIO, "input/output error"},
        {KT_EUNREACHABLE, "unreachable"},
        {KT_ELIMIT, "limit exceeded"},
        {KT_ETIMEOUT, "timed out"},
        {KT_EDENIED, "denied"},
        {KT_ECONFLICT, "conflict"},
        {KT_ECANCELLED, "cancelled"},
        {KT_EUNSUPPORTED, "not supported"},
};

/* Put `text` into the error, cut at a character's border if it does not fit. */
static void keep(struct kt_err *err, const char *text, size_t len)
{
	static const char ellipsis[] = "…";
	size_t room = sizeof(err->text) - 1;
	if (len <= room) {
		memcpy(err->text, text, len);
		err->text[len] = 0;
		return;
	}
	size_t cut = kt_utf8_floor(text, room - (sizeof(ellipsis) - 1));
	memcpy(err->text, text, cut);
	memcpy(err->text + cut, ellipsis, sizeof(ellipsis));
}

enum kt_code kt_fail(struct kt_err *err, enum kt_code code, const char *fmt, ...)
{
	if (!err || err->code)
		return code;
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	err->code = code;
	keep(err, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return code;
}

enum kt_code kt_wrap(struct kt_err *err, const char *fmt, ...)
{
	if (!err)
		return KT_EINVAL;
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (*err->text)
		kt_buf_addf(&text, ": %s", err->text);
	if (!err->code)
		err->code = KT_EINVAL;
	keep(err, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return err->code;
}

void kt_err_clear(struct kt_err *err)
{
	if (!err)
		return;
	err->code = KT_OK;
	err->text[0] = 0;
}

const char *kt_code_name(enum kt_code code)
{
	for (size_t i = 0; i < KT_COUNT(names); i++)
		if (names[i].code == code)
			return names[i].name;
	return "unknown";
}
