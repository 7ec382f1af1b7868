/* SPDX-License-Identifier: MIT */
/* The request within a CertificateSigningRequest: PEM, and in it DER, as far as its outer forms go; faults in
 * the words of Go's encoding/asn1. Its signature is not looked at. */
#include "cluster/api/validate.h"

#include <string.h>

/* The bytes of the first PEM block, if that is of `type`. */
static bool pem_block(const char *text, const char *type, struct kt_buf *out)
{
	char *begin = kt_strf("-----BEGIN %s-----", type), *end = kt_strf("-----END %s-----", type);
	const char *from = strstr(text, "-----BEGIN "), *to;
	bool found = from && kt_starts(from, begin) && (from == text || from[-1] == '\n') &&
	             from[strlen(begin)] == '\n';
	if (found) {
		from += strlen(begin);
		to = strstr(from, end);
		found = to && to[-1] == '\n';
		struct kt_buf body = {0};
		for (const char *s = from; found && s < to; s++)
			if (!strchr(" \t\r\n", *s))
				kt_buf_addc(&body, *s);
		found = found && body.len % 4 == 0 && kt_unbase64(kt_buf_str(&body), body.len, out);
		kt_buf_clear(&body);
	}
	kt_free(begin);
	kt_free(end);
	return found;
}

struct der {
	const unsigned char *at;
	size_t len;
};

/* The SEQUENCE at the beginning of `in`: what is in it, and how long all of it is; NULL, or what is wrong,
 * new. */
static char *sequence(const struct der *in, const char *name, struct der *inside, size_t *whole)
{
	if (in->len < 2)
		return kt_strdup(in->len == 0 ? "asn1: syntax error: sequence truncated"
		                              : "asn1: syntax error: truncated tag or length");
	size_t header = 2, length = in->at[1];
	unsigned tag = in->at[0];
	if (length & 0x80) {
		size_t bytes = length & 0x7f;
		length = 0;
		if (bytes == 0)
			return kt_strdup("asn1: syntax error: indefinite length found (not DER)");
		if (bytes > 4)
			return kt_strdup("asn1: structure error: length too large");
		for (size_t i = 0; i < bytes; i++) {
			if (header >= in->len)
				return kt_strdup("asn1: syntax error: truncated tag or length");
			length = length << 8 | in->at[header++];
		}
	}
	if (tag != 0x30)
		return kt_strf("asn1: structure error: tags don't match (16 vs {class:%u tag:%u length:%zu "
		               "isCompound:%s}) "
		               "{optional:false explicit:false application:false private:false "
		               "defaultValue:<nil> tag:<nil> "
		               "stringType:0 timeType:0 set:false omitEmpty:false} %s @%zu",
		               tag >> 6, tag & 0x1f, length, tag & 0x20 ? "true" : "false", name, header);
	if (length > in->len - header)
		return kt_strdup("asn1: syntax error: data truncated");
	*inside = (struct der){in->at + header, length};
	*whole = header + length;
	return NULL;
}

char *v_csr_fault(const char *base64)
{
	struct kt_buf text = {0}, der = {0};
	struct der whole, inside, info;
	size_t len, inner;
	char *why;
	if (!kt_unbase64(base64, strlen(base64), &text) ||
	    (!pem_block(kt_buf_str(&text), "CERTIFICATE REQUEST", &der) &&
	     !pem_block(kt_buf_str(&text), "NEW CERTIFICATE REQUEST", &der))) {
		why = kt_strdup("PEM block type must be CERTIFICATE REQUEST");
	} else {
		whole = (struct der){(const unsigned char *)kt_buf_str(&der), der.len};
		why = sequence(&whole, "certificateRequest", &inside, &len);
		if (!why && len < whole.len)
			why = kt_strdup("asn1: syntax error: trailing data");
		if (!why)
			why = sequence(&inside, "tbsCertificateRequest", &info, &inner);
	}
	kt_buf_clear(&text);
	kt_buf_clear(&der);
	return why;
}
