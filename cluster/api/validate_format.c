/* SPDX-License-Identifier: MIT */
/* Formats of names and words: k8s.io/apimachinery/pkg/util/validation/validation.go. */
#include "cluster/api/validate.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_TEXT                                                                                           \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "    \
	"start and "                                                                                         \
	"end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "   \
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define SUBDOMAIN_TEXT                                                                                       \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "    \
	"and must start "                                                                                    \
	"and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "          \
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define UNDERSCORE_TEXT                                                                                      \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or "    \
	"'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "    \
	"validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')"
#define SYSCTL_TEXT                                                                                          \
	"must have at most 253 characters and match regex "                                                  \
	"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
#define DNS_1035_TEXT                                                                                        \
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "         \
	"alphabetic "                                                                                        \
	"character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "  \
	"validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
#define NAME_PART_TEXT                                                                                       \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "          \
	"alphanumeric "                                                                                      \
	"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "              \
	"'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define LABEL_VALUE_TEXT                                                                                     \
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and " \
	"must "                                                                                              \
	"start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex "  \
	"used "                                                                                              \
	"for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define CONFIG_KEY_TEXT                                                                                      \
	"a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or " \
	"'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
#define WILDCARD_TEXT                                                                                        \
	"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must " \
	"consist of "                                                                                        \
	"lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "       \
	"'*.example.com', "                                                                                  \
	"regex used for validation is "                                                                      \
	"'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define PERCENT_TEXT                                                                                         \
	"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "  \
	"regex "                                                                                             \
	"used for validation is '[0-9]+%')"
#define ENV_TEXT                                                                                             \
	"a valid environment variable name must consist only of printable ASCII characters other than '='"
#define HEADER_TEXT                                                                                          \
	"a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex "   \
	"used for "                                                                                          \
	"validation is '[-A-Za-z0-9]+')"
#define C_IDENTIFIER_TEXT                                                                                    \
	"a valid C identifier must start with alphabetic character or '_', followed by a string of "         \
	"alphanumeric "                                                                                      \
	"characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is "      \
	"'[A-Za-z_][A-Za-z0-9_]*')"

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static void too_long(size_t max, struct kt_strs *out)
{
	kt_strs_steal(out, kt_strf("must be no more than %zu characters", max));
}

/* A label of `len` bytes: [a-z0-9]([-a-z0-9]*[a-z0-9])? */
static bool is_label(const char *s, size_t len)
{
	if (len == 0 || !is_lower(s[0]) || !is_lower(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower(s[i]) && s[i] != '-')
			return false;
	return true;
}

static bool is_subdomain(const char *s)
{
	const char *rest = s;
	size_t len;
	const char *piece;
	while ((piece = kt_split(&rest, '.', &len)) != NULL)
		if (!is_label(piece, len))
			return false;
	return true;
}

void v_dns_label(const char *s, struct kt_strs *out)
{
	size_t len = strlen(s);
	if (len > 63)
		too_long(63, out);
	if (!is_label(s, len))
		kt_strs_add(out, is_subdomain(s) ? "must not contain dots" : LABEL_TEXT);
}

void v_dns_subdomain(const char *s, struct kt_strs *out)
{
	if (strlen(s) > 253)
		too_long(253, out);
	if (!is_subdomain(s))
		kt_strs_add(out, SUBDOMAIN_TEXT);
}

static bool is_underscored(const char *s, size_t len)
{
	size_t skip = len > 0 && s[0] == '_';
	if (len == skip || !is_lower(s[skip]) || !is_lower(s[len - 1]))
		return false;
	for (size_t i = skip; i < len; i++)
		if (!is_lower(s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

void v_dns_subdomain_underscore(const char *s, struct kt_strs *out)
{
	const char *rest = s, *piece;
	size_t len;
	if (strlen(s) > 253)
		too_long(253, out);
	while ((piece = kt_split(&rest, '.', &len)) != NULL) {
		if (is_underscored(piece, len))
			continue;
		kt_strs_add(out, UNDERSCORE_TEXT);
		return;
	}
}

void v_sysctl(const char *s, struct kt_strs *out)
{
	size_t from = 0, n = strlen(s);
	bool fine = n > 0 && n <= 253;
	for (size_t i = 0; fine && i <= n; i++) {
		if (s[i] != '.' && s[i] != '/' && s[i]) {
			fine = is_lower(s[i]) || s[i] == '-' || s[i] == '_';
			continue;
		}
		fine = i > from && is_lower(s[from]) && is_lower(s[i - 1]);
		from = i + 1;
	}
	if (!fine)
		kt_strs_add(out, SYSCTL_TEXT);
}

void v_dns_1035(const char *s, struct kt_strs *out)
{
	size_t len = strlen(s);
	if (len > 63)
		too_long(63, out);
	if (!is_label(s, len) || !(s[0] >= 'a'))
		kt_strs_add(out, DNS_1035_TEXT);
}

/* A generateName may end in a dash: what follows makes it whole. */
static void trailing(const char *s, struct kt_strs *out, v_format *format)
{
	size_t len = strlen(s);
	char *masked = kt_strdup(s);
	if (len > 1 && s[len - 1] == '-')
		masked[len - 1] = 'a';
	format(masked, out);
	kt_free(masked);
}

void v_dns_label_trailing(const char *s, struct kt_strs *out)
{
	trailing(s, out, v_dns_label);
}

void v_dns_subdomain_trailing(const char *s, struct kt_strs *out)
{
	trailing(s, out, v_dns_subdomain);
}

void v_dns_1035_trailing(const char *s, struct kt_strs *out)
{
	trailing(s, out, v_dns_1035);
}

static bool is_name_part(const char *s)
{
	size_t len = strlen(s);
	if (len == 0 || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(s[i]) && !strchr("-_.", s[i]))
			return false;
	return true;
}

void v_qualified_name(const char *s, struct kt_strs *out)
{
	const char *slash = strchr(s, '/'), *name = slash ? slash + 1 : s;
	if (slash && strchr(name, '/')) {
		kt_strs_add(out,
		            "a qualified name " NAME_PART_TEXT
		            " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
		return;
	}
	if (slash == s && slash) {
		kt_strs_add(out, "prefix part must be non-empty");
	} else if (slash) {
		struct kt_strs faults = {0};
		char *prefix = kt_strndup(s, (size_t)(slash - s));
		v_dns_subdomain(prefix, &faults);
		for (size_t i = 0; i < faults.count; i++)
			kt_strs_steal(out, kt_strf("prefix part %s", faults.items[i]));
		kt_strs_clear(&faults);
		kt_free(prefix);
	}
	if (!*name)
		kt_strs_add(out, "name part must be non-empty");
	else if (strlen(name) > 63)
		kt_strs_add(out, "name part must be no more than 63 characters");
	if (!is_name_part(name))
		kt_strs_add(out, "name part " NAME_PART_TEXT);
}

void v_annotation_key(const char *s, struct kt_strs *out)
{
	char *lower = kt_strdup(s);
	for (char *c = lower; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	v_qualified_name(lower, out);
	kt_free(lower);
}

void v_label_value(const char *s, struct kt_strs *out)
{
	if (strlen(s) > 63)
		too_long(63, out);
	if (*s && !is_name_part(s))
		kt_strs_add(out, LABEL_VALUE_TEXT);
}

void v_config_key(const char *s, struct kt_strs *out)
{
	bool fine = *s != '\0';
	if (strlen(s) > 253)
		too_long(253, out);
	for (const char *c = s; *c; c++)
		fine = fine && (is_alnum(*c) || strchr("-_.", *c));
	if (!fine)
		kt_strs_add(out, CONFIG_KEY_TEXT);
	if (strcmp(s, ".") == 0)
		kt_strs_add(out, "must not be '.'");
	else if (strcmp(s, "..") == 0)
		kt_strs_add(out, "must not be '..'");
	else if (kt_starts(s, ".."))
		kt_strs_add(out, "must not start with '..'");
}

void v_port_name(const char *s, struct kt_strs *out)
{
	size_t len = strlen(s);
	bool chars = len > 0, letter = false;
	if (len > 15)
		too_long(15, out);
	for (const char *c = s; *c; c++) {
		chars = chars && (is_lower(*c) || *c == '-');
		letter = letter || (*c >= 'a' && *c <= 'z');
	}
	if (!chars)
		kt_strs_add(out, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
	if (!letter)
		kt_strs_add(out, "must contain at least one letter (a-z)");
	if (strstr(s, "--"))
		kt_strs_add(out, "must not contain consecutive hyphens");
	if (len > 0 && (s[0] == '-' || s[len - 1] == '-'))
		kt_strs_add(out, "must not begin or end with a hyphen");
}

void v_env_name(const char *s, struct kt_strs *out)
{
	bool fine = *s != '\0';
	for (const char *c = s; *c; c++)
		fine = fine && *c >= ' ' && *c <= '~' && *c != '=';
	if (!fine)
		kt_strs_add(out, ENV_TEXT);
}

void v_path_segment(const char *s, struct kt_strs *out)
{
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		kt_strs_steal(out, kt_strf("may not be '%s'", s));
	else if (strchr(s, '/'))
		kt_strs_add(out, "may not contain '/'");
	else if (strchr(s, '%'))
		kt_strs_add(out, "may not contain '%'");
}

void v_percent(const char *s, struct kt_strs *out)
{
	size_t len = strspn(s, "0123456789");
	if (len == 0 || strcmp(s + len, "%") != 0)
		kt_strs_add(out, PERCENT_TEXT);
}

/* "example.com/name": for finalizers and signers. */
void v_fully_qualified(const char *s, struct kt_strs *out)
{
	v_qualified_name(s, out);
}

void v_wildcard_dns(const char *s, struct kt_strs *out)
{
	if (strlen(s) > 253)
		too_long(253, out);
	if (!kt_starts(s, "*.") || !is_subdomain(s + 2))
		kt_strs_add(out, WILDCARD_TEXT);
}

static bool is_ip(const char *s)
{
	unsigned char address[16];
	return inet_pton(AF_INET, s, address) == 1 || inet_pton(AF_INET6, s, address) == 1;
}

void v_ip(const char *s, struct kt_strs *out)
{
	if (!is_ip(s))
		kt_strs_add(out, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

void v_cidr(const char *s, struct kt_strs *out)
{
	const char *slash = strchr(s, '/');
	char *address = slash ? kt_strndup(s, (size_t)(slash - s)) : NULL;
	size_t digits = slash ? strspn(slash + 1, "0123456789") : 0;
	int bits = 0;
	for (size_t i = 0; i < digits && i < 4; i++)
		bits = bits * 10 + (slash[1 + i] - '0');
	if (!slash || !is_ip(address) || digits == 0 || digits > 3 || slash[1 + digits] ||
	    bits > (strchr(address, ':') ? 128 : 32))
		kt_strs_add(out, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
	kt_free(address);
}

void v_http_header(const char *s, struct kt_strs *out)
{
	bool fine = *s != '\0';
	for (const char *c = s; *c; c++)
		fine = fine && (is_alnum(*c) || *c == '-');
	if (!fine)
		kt_strs_add(out, HEADER_TEXT);
}

void v_c_identifier(const char *s, struct kt_strs *out)
{
	bool fine = *s && !(*s >= '0' && *s <= '9');
	for (const char *c = s; *c; c++)
		fine = fine && (is_alnum(*c) || *c == '_');
	if (!fine)
		kt_strs_add(out, C_IDENTIFIER_TEXT);
}

/* Four or sixteen bytes; their number, 0 for none. */
static size_t ip_bytes(const char *s, size_t len, unsigned char out[16])
{
	char text[64];
	if (len >= sizeof(text))
		return 0;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static size_t cidr_bytes(const char *s, unsigned char out[16], unsigned *bits)
{
	const char *slash = strchr(s, '/');
	*bits = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
	return slash ? ip_bytes(s, (size_t)(slash - s), out) : 0;
}

/* A subnet: no bits set behind its prefix. */
void v_subnet(const char *s, struct kt_strs *out)
{
	unsigned char ip[16];
	unsigned bits;
	size_t n = cidr_bytes(s, ip, &bits);
	for (size_t i = bits; i < n * 8; i++) {
		if ((ip[i / 8] >> (7 - i % 8)) & 1) {
			kt_strs_add(out, "must not have bits set beyond the prefix length");
			return;
		}
	}
}

bool v_is_within(const char *outer, const char *inner)
{
	unsigned char a[16], b[16];
	unsigned a_bits, b_bits;
	size_t n = cidr_bytes(outer, a, &a_bits);
	if (n == 0 || cidr_bytes(inner, b, &b_bits) != n || b_bits <= a_bits || a_bits > n * 8)
		return false;
	for (unsigned i = 0; i < a_bits; i++)
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

void v_endpoint_ip(const char *s, struct kt_strs *out)
{
	static const unsigned char zero[16];
	unsigned char ip[16];
	size_t n = ip_bytes(s, strlen(s), ip);
	bool v6 = n == 16, loopback6 = v6 && memcmp(ip, zero, 15) == 0 && ip[15] == 1;
	if (n == 0)
		kt_strs_add(out, "must be a valid IP address");
	else if (memcmp(ip, zero, n) == 0)
		kt_strs_steal(out, kt_strf("may not be unspecified (%s)", s));
	else if ((!v6 && ip[0] == 127) || loopback6)
		kt_strs_add(out, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
	else if ((!v6 && ip[0] == 169 && ip[1] == 254) || (v6 && ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80))
		kt_strs_add(out, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
	else if ((!v6 && ip[0] == 224 && ip[1] == 0 && ip[2] == 0) || (v6 && ip[0] == 0xff && ip[1] == 2))
		kt_strs_add(out, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}
