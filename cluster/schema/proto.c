/* SPDX-License-Identifier: MIT */
/* Kubernetes' protobuf on its way in: "k8s\0" and runtime.Unknown{typeMeta=1, raw=2}, decoded by the numbers
 * in the tables (k8s.io/api generated.proto). Only in: clients take JSON as an answer. */
#include "cluster/schema/schema_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 64, FEW_FIELDS = 64 };
enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

struct reader {
	const unsigned char *at, *end;
};
/* One field as it lies on the wire. */
struct wire_field {
	uint32_t number;
	enum wire wire;
	uint64_t value;      /* of a number */
	struct reader bytes; /* of BYTES */
};
struct proto {
	struct kt_err *err;
	unsigned depth;
};

static bool refuse(struct proto *p, const char *why)
{
	(void)kt_fail(p->err, KT_EINVAL, "proto: %s", why);
	return false;
}

static bool read_varint(struct reader *r, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		unsigned char byte = *r->at++;
		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool read_fixed(struct reader *r, size_t size, uint64_t *out)
{
	if ((size_t)(r->end - r->at) < size)
		return false;
	*out = 0;
	for (size_t i = size; i-- > 0;)
		*out = *out << 8 | r->at[i];
	r->at += size;
	return true;
}

/* The next field; false at the end or, with the error set, on rubbish. */
static bool next_field(struct proto *p, struct reader *r, struct wire_field *f)
{
	uint64_t tag, len;
	if (r->at == r->end)
		return false;
	if (!read_varint(r, &tag) || tag >> 3 == 0 || tag >> 3 > 536870911)
		return refuse(p, "illegal tag");
	f->number = (uint32_t)(tag >> 3);
	f->wire = (enum wire)(tag & 7);
	switch (f->wire) {
	case VARINT:
		return read_varint(r, &f->value) || refuse(p, "unexpected EOF");
	case FIXED64:
		return read_fixed(r, 8, &f->value) || refuse(p, "unexpected EOF");
	case FIXED32:
		return read_fixed(r, 4, &f->value) || refuse(p, "unexpected EOF");
	case BYTES:
		if (!read_varint(r, &len) || len > (uint64_t)(r->end - r->at))
			return refuse(p, "unexpected EOF");
		f->bytes = (struct reader){r->at, r->at + len};
		r->at += len;
		return true;
	}
	return refuse(p, "wrong wireType");
}

static bool failed(const struct proto *p)
{
	return p->err->code != KT_OK;
}

static size_t length(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

/* Number 1 of a message, as bytes; empty if it is not there. */
static struct reader first_bytes(struct proto *p, struct reader r, uint32_t number)
{
	struct reader found = {NULL, NULL};
	struct wire_field f;
	while (next_field(p, &r, &f))
		if (f.number == number && f.wire == BYTES)
			found = f.bytes;
	return found;
}

static struct kt_json *text_value(struct proto *p, struct reader r)
{
	if (length(&r) && (!kt_utf8_valid((const char *)r.at, length(&r)) || memchr(r.at, 0, length(&r)))) {
		refuse(p, "a string is not UTF-8");
		return NULL;
	}
	return kt_json_strn(length(&r) ? (const char *)r.at : "", length(&r));
}

/* Timestamp{seconds=1, nanos=2}; an empty one is no time. */
static struct kt_json *time_value(struct proto *p, struct reader r, bool micro)
{
	int64_t seconds = 0, nanos = 0;
	struct wire_field f;
	struct kt_buf buf = {0};
	if (!length(&r))
		return kt_json_null();
	while (next_field(p, &r, &f)) {
		if (f.number == 1 && f.wire == VARINT)
			seconds = (int64_t)f.value;
		if (f.number == 2 && f.wire == VARINT)
			nanos = (int64_t)f.value;
	}
	if (seconds < 0 || seconds > INT64_MAX / KT_SEC - 1 || nanos < 0 || nanos >= KT_SEC)
		return kt_json_null();
	if (micro)
		kt_time_print_micro(seconds * KT_SEC + nanos, &buf);
	else
		kt_time_print(seconds * KT_SEC, &buf);
	struct kt_json *v = kt_json_str(kt_buf_str(&buf));
	kt_buf_clear(&buf);
	return v;
}

/* Duration{duration=1}, nanoseconds. */
static struct kt_json *duration_value(struct proto *p, struct reader r)
{
	int64_t duration = 0;
	struct wire_field f;
	struct kt_buf buf = {0};
	while (next_field(p, &r, &f))
		if (f.number == 1 && f.wire == VARINT)
			duration = (int64_t)f.value;
	kt_duration_print(duration, &buf);
	struct kt_json *v = kt_json_str(kt_buf_str(&buf));
	kt_buf_clear(&buf);
	return v;
}

/* IntOrString{type=1, intVal=2, strVal=3}; type 1 is a string. */
static struct kt_json *int_or_string_value(struct proto *p, struct reader r)
{
	uint64_t type = 0;
	int32_t number = 0;
	struct reader text = {NULL, NULL};
	struct wire_field f;
	while (next_field(p, &r, &f)) {
		if (f.number == 1 && f.wire == VARINT)
			type = f.value;
		if (f.number == 2 && f.wire == VARINT)
			number = (int32_t)f.value;
		if (f.number == 3 && f.wire == BYTES)
			text = f.bytes;
	}
	return type == 1 ? text_value(p, text) : kt_json_int(number);
}

/* {raw=1}: JSON as it stands. */
static struct kt_json *raw_value(struct proto *p, struct reader r)
{
	struct reader raw = first_bytes(p, r, 1);
	struct kt_json *v = NULL;
	if (!length(&raw) || kt_json_parse((const char *)raw.at, length(&raw), NULL, &v, NULL, NULL))
		return kt_json_null();
	return v;
}

static struct kt_json *base64_value(struct reader r)
{
	struct kt_buf buf = {0};
	kt_base64(length(&r) ? r.at : (const unsigned char *)"", length(&r), &buf);
	struct kt_json *v = kt_json_str(kt_buf_str(&buf));
	kt_buf_clear(&buf);
	return v;
}

/* {items=1 repeated} */
static struct kt_json *strings_value(struct proto *p, struct reader r)
{
	struct kt_json *list = kt_json_array();
	struct wire_field f;
	while (next_field(p, &r, &f))
		if (f.number == 1 && f.wire == BYTES)
			kt_push(&list, text_value(p, f.bytes));
	return list;
}

static struct kt_json *number_value(const struct schema_type *type, const struct wire_field *f)
{
	double real;
	switch (type->scalar) {
	case SCHEMA_BOOL:
		return kt_json_bool(f->value != 0);
	case SCHEMA_INT32:
		return kt_json_int((int32_t)f->value);
	case SCHEMA_INT64:
		return kt_json_int((int64_t)f->value);
	case SCHEMA_DOUBLE:
		memcpy(&real, &f->value, sizeof(real));
		return f->wire == FIXED64 ? kt_json_real(real) : NULL;
	default:
		return NULL;
	}
}

static struct kt_json *message_value(struct proto *p, const struct schema_type *type, struct reader r);

/* NULL: nothing of use (another wire type than the field's, or an error). */
static struct kt_json *value_of(struct proto *p, const struct schema_type *type, const struct wire_field *f)
{
	if (f->wire != BYTES)
		return number_value(type, f);
	switch (type->scalar) {
	case SCHEMA_MESSAGE:
		return message_value(p, type, f->bytes);
	case SCHEMA_STRING:
		return text_value(p, f->bytes);
	case SCHEMA_BYTES:
		return base64_value(f->bytes);
	case SCHEMA_QUANTITY:
		return text_value(p, first_bytes(p, f->bytes, 1));
	case SCHEMA_TIME:
		return time_value(p, f->bytes, false);
	case SCHEMA_MICROTIME:
		return time_value(p, f->bytes, true);
	case SCHEMA_DURATION:
		return duration_value(p, f->bytes);
	case SCHEMA_INT_OR_STRING:
		return int_or_string_value(p, f->bytes);
	case SCHEMA_STRINGS:
		return strings_value(p, f->bytes);
	case SCHEMA_RAW:
	case SCHEMA_FIELDS_V1:
	case SCHEMA_ANY:
		return raw_value(p, f->bytes);
	default:
		return NULL;
	}
}

/* One entry of a map: {key=1, value=2}. */
static void add_entry(struct proto *p, const struct schema_type *type, struct reader r, struct kt_json **map)
{
	struct kt_json *key = NULL, *value = NULL;
	struct wire_field f;
	while (next_field(p, &r, &f)) {
		struct kt_json **slot = f.number == 1 ? &key : f.number == 2 ? &value : NULL;
		if (!slot)
			continue;
		kt_json_free(*slot);
		*slot = f.number == 1 && f.wire == BYTES ? text_value(p, f.bytes)
		        : f.number == 2                  ? value_of(p, type, &f)
		                                         : NULL;
	}
	if (!value && type->scalar == SCHEMA_STRING)
		value = kt_json_str("");
	if (key && value)
		kt_set(map, kt_str(key), kt_json_ref(value));
	kt_json_free(key);
	kt_json_free(value);
}

/* Numbers of a list in one piece. */
static void add_packed(const struct schema_type *type, struct reader r, struct kt_json **list)
{
	struct wire_field f = {.wire = VARINT};
	while (r.at < r.end && read_varint(&r, &f.value)) {
		struct kt_json *v = number_value(type, &f);
		if (!v)
			return;
		kt_push(list, v);
	}
}

static void add_value(struct proto *p, const struct schema_field *field, const struct wire_field *f,
                      struct kt_json **slot)
{
	bool number = field->type->scalar == SCHEMA_INT32 || field->type->scalar == SCHEMA_INT64 ||
	              field->type->scalar == SCHEMA_BOOL;
	if (field->shape == SCHEMA_MAP) {
		if (f->wire == BYTES)
			add_entry(p, field->type, f->bytes, slot);
		return;
	}
	if (field->shape == SCHEMA_LIST && number && f->wire == BYTES) {
		add_packed(field->type, f->bytes, slot);
		return;
	}
	struct kt_json *v = value_of(p, field->type, f);
	if (v && field->shape == SCHEMA_LIST) {
		kt_push(slot, v);
	} else if (v) {
		kt_json_free(*slot);
		*slot = v;
	}
}

/* The fields of `type` whose numbers begin with `prefix` ("" or that of an inlined message, "2."). */
static void gather(struct proto *p, const struct schema_type *type, const char *prefix, struct reader r,
                   struct kt_json **values)
{
	struct wire_field f;
	char path[64];
	if (++p->depth > MAX_DEPTH)
		refuse(p, "too deep");
	while (!failed(p) && next_field(p, &r, &f)) {
		int len = snprintf(path, sizeof(path), "%s%" PRIu32, prefix, f.number);
		if (len < 0 || (size_t)len >= sizeof(path) - 1)
			continue;
		for (size_t i = 0; i < type->field_count; i++) {
			const char *number = type->fields[i].proto;
			if (strncmp(number, path, (size_t)len) != 0)
				continue;
			if (!number[len]) {
				add_value(p, &type->fields[i], &f, &values[i]);
				break;
			}
			if (number[len] == '.' && f.wire == BYTES) {
				path[len] = '.';
				path[len + 1] = 0;
				gather(p, type, path, f.bytes, values);
				break;
			}
		}
	}
	p->depth--;
}

static struct kt_json *message_value(struct proto *p, const struct schema_type *type, struct reader r)
{
	struct kt_json *few[FEW_FIELDS] = {NULL}, **values = few, *out = kt_json_object();
	if (type->field_count > FEW_FIELDS)
		values = kt_alloc(type->field_count * sizeof(*values));
	gather(p, type, "", r, values);
	for (size_t i = 0; i < type->field_count; i++)
		if (values[i])
			kt_set(&out, type->fields[i].name, values[i]);
	if (values != few)
		kt_free(values);
	return out;
}

static char *owned_text(struct reader r)
{
	return kt_strndup(length(&r) ? (const char *)r.at : "", length(&r));
}

static enum kt_code decode_body(const struct schema_type *type, const char *api_version, const char *kind,
                                struct reader raw, struct kt_json **out, struct kt_err *err)
{
	struct proto p = {.err = err};
	struct kt_json *wild = message_value(&p, type, raw), *head = NULL;
	enum kt_code rc = failed(&p) ? KT_EINVAL : KT_OK;
	if (!rc) {
		kt_set(&wild, "kind", kt_json_str(kind));
		kt_set(&wild, "apiVersion", kt_json_str(api_version));
		rc = schema_decode_type(type, wild, &head, NULL, err);
	}
	kt_json_free(wild);
	if (!rc)
		*out = head;
	return rc;
}

enum kt_code schema_decode_proto(const struct schema *schema, const void *data, size_t len,
                                 struct kt_json **out, struct kt_err *err)
{
	struct kt_err local = {0};
	struct proto p = {.err = &local};
	struct reader r = {data, NULL}, raw = {NULL, NULL}, type_meta = {NULL, NULL};
	struct wire_field f;
	if (len < 4 || memcmp(data, "k8s", 4) != 0)
		return kt_fail(err, KT_EINVAL,
		               "provided data does not appear to be a protobuf message, expected prefix [107 "
		               "56 115 0]");
	r.end = r.at + len;
	r.at += 4;
	while (next_field(&p, &r, &f)) {
		if (f.number == 1 && f.wire == BYTES)
			type_meta = f.bytes;
		if (f.number == 2 && f.wire == BYTES)
			raw = f.bytes;
	}
	char *api_version = owned_text(first_bytes(&p, type_meta, 1));
	char *kind = owned_text(first_bytes(&p, type_meta, 2));
	const struct schema_type *type = schema_type_for(schema, api_version, kind);
	enum kt_code rc;
	if (failed(&p))
		rc = kt_fail(err, KT_EINVAL, "%s", local.text);
	else if (!type || !type->id)
		rc = kt_fail(err, KT_EINVAL, "no kind \"%s\" is registered for version \"%s\"", kind,
		             api_version);
	else
		rc = decode_body(type, api_version, kind, raw, out, &local);
	if (rc && local.code)
		(void)kt_fail(err, KT_EINVAL, "%s", local.text);
	kt_free(api_version);
	kt_free(kind);
	return rc;
}
