/* SPDX-License-Identifier: MIT */
/* What Kubernetes adds: addresses, quantities, URLs, versions, formats, and may somebody do something
 * (apiserver pkg/cel/library). */
#include "cluster/cel/functions.h"
#include "cluster/schema/schema.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static struct cel_value opaque(struct cel_run *run, const char *type, const struct cel_opaque *from,
                               struct cel_opaque **out)
{
	struct cel_opaque *copy = kt_arena_alloc(&run->arena, sizeof(*copy));
	struct cel_value v = {.kind = CEL_OPAQUE, .opaque = copy, .as = cel_named_type(type)};
	if (from)
		*copy = *from;
	v.kind = v.as->kind;
	*out = copy;
	return v;
}

static bool is_opaque(const struct cel_value *v, int what)
{
	return (v->kind == CEL_OPAQUE || v->kind == CEL_STRUCT) && !v->json && v->as &&
	       !cel_is_optional(v->as) && v->opaque && (int)v->opaque->what == what;
}

/* --- addresses --- */

/* IPv4 in its usual form without leading zeros, or IPv6 without a zone; not one in the other. */
static bool parse_ip(const char *s, struct cel_opaque *out)
{
	memset(out->address, 0, sizeof(out->address));
	if (inet_pton(AF_INET, s, out->address) == 1) {
		for (const char *p = s; *p; p++)
			if (*p == '0' && (p == s || p[-1] == '.') && p[1] >= '0' && p[1] <= '9')
				return false;
		out->family = 4;
		out->bits = 32;
		return true;
	}
	out->family = 6;
	out->bits = 128;
	return inet_pton(AF_INET6, s, out->address) == 1 && !(strchr(s, '.') && kt_starts(s, "::ffff:"));
}

static bool parse_cidr(struct cel_run *run, const char *s, struct cel_opaque *out)
{
	const char *slash = strchr(s, '/');
	char *end, *address;
	if (!slash || slash[1] < '0' || slash[1] > '9' || (slash[1] == '0' && slash[2]))
		return false;
	address = kt_arena_alloc(&run->arena, (size_t)(slash - s) + 1);
	memcpy(address, s, (size_t)(slash - s));
	if (!parse_ip(address, out))
		return false;
	unsigned long bits = strtoul(slash + 1, &end, 10), most = out->bits;
	out->bits = (unsigned)bits;
	return !*end && bits <= most;
}

static const char *ip_text(struct cel_run *run, const struct cel_opaque *o)
{
	char text[INET6_ADDRSTRLEN];
	inet_ntop(o->family == 4 ? AF_INET : AF_INET6, o->address, text, sizeof(text));
	return kt_arena_strdup(&run->arena, text);
}

struct cel_value cel_f_ip(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_opaque *ip;
	struct cel_value v =
	        opaque(run, "net.IP", is_opaque(&args[0], CEL_CIDR) ? args[0].opaque : NULL, &ip);
	(void)count;
	ip->what = CEL_IP;
	if (is_opaque(&args[0], CEL_CIDR)) {
		ip->bits = ip->family == 4 ? 32 : 128;
	} else if (args[0].kind != CEL_STRING) {
		return cel_no_overload(run);
	} else if (!parse_ip(args[0].s, ip)) {
		return cel_fault(run,
		                 "IP Address \"%s\" parse error during conversion from string: "
		                 "ParseAddr(\"%s\"): unable to parse IP",
		                 args[0].s, args[0].s);
	}
	ip->text = ip_text(run, ip);
	return v;
}

struct cel_value cel_f_is_ip(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_opaque ip;
	(void)count;
	return args[0].kind == CEL_STRING ? cel_of_bool(parse_ip(args[0].s, &ip)) : cel_no_overload(run);
}

struct cel_value cel_f_is_canonical(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_value ip = cel_f_ip(run, args, count);
	return ip.kind == CEL_ERROR ? ip : cel_of_bool(strcmp(ip.opaque->text, args[0].s) == 0);
}

struct cel_value cel_f_family(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return is_opaque(&args[0], CEL_IP) ? cel_of_int(args[0].opaque->family) : cel_no_overload(run);
}

struct cel_value cel_f_address_is(struct cel_run *run, const struct cel_value *args, size_t count)
{
	static const unsigned char zero[16], one[16] = {[15] = 1};
	const char *what = run->function + 2;
	(void)count;
	if (!is_opaque(&args[0], CEL_IP))
		return cel_no_overload(run);
	const unsigned char *a = args[0].opaque->address;
	bool four = args[0].opaque->family == 4;
	bool unspecified = memcmp(a, zero, four ? 4 : 16) == 0;
	bool loopback = four ? a[0] == 127 : memcmp(a, one, 16) == 0;
	bool multicast = four ? (a[0] & 0xf0) == 0xe0 : a[0] == 0xff;
	bool link_multicast =
	        four ? a[0] == 224 && a[1] == 0 && a[2] == 0 : a[0] == 0xff && (a[1] & 0x0f) == 2;
	bool link_unicast = four ? a[0] == 169 && a[1] == 254 : a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
	bool broadcast = four && memcmp(a, "\xff\xff\xff\xff", 4) == 0;
	return cel_of_bool(strcmp(what, "Unspecified") == 0          ? unspecified
	                   : strcmp(what, "Loopback") == 0           ? loopback
	                   : strcmp(what, "LinkLocalMulticast") == 0 ? link_multicast
	                   : strcmp(what, "LinkLocalUnicast") == 0
	                           ? link_unicast
	                           : !unspecified && !loopback && !multicast && !link_unicast && !broadcast);
}

static struct cel_value cidr_value(struct cel_run *run, const struct cel_opaque *from)
{
	struct cel_opaque *cidr;
	struct cel_value v = opaque(run, "net.CIDR", from, &cidr);
	cidr->what = CEL_CIDR;
	cidr->text = kt_arena_strf(&run->arena, "%s/%u", ip_text(run, cidr), cidr->bits);
	return v;
}

struct cel_value cel_f_cidr(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_opaque cidr = {.what = CEL_CIDR};
	(void)count;
	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run);
	if (!parse_cidr(run, args[0].s, &cidr))
		return cel_fault(run,
		                 "network address parse error during conversion from string: "
		                 "netip.ParsePrefix(\"%s\"): no '/'",
		                 args[0].s);
	return cidr_value(run, &cidr);
}

struct cel_value cel_f_is_cidr(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_opaque cidr;
	(void)count;
	return args[0].kind == CEL_STRING ? cel_of_bool(parse_cidr(run, args[0].s, &cidr))
	                                  : cel_no_overload(run);
}

static void mask(unsigned char address[16], unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
		if (kept < 8)
			address[i] = (unsigned char)(address[i] & (0xff00 >> kept));
	}
}

static bool within(const struct cel_opaque *range, const struct cel_opaque *what)
{
	unsigned char a[16], b[16];
	memcpy(a, range->address, 16);
	memcpy(b, what->address, 16);
	mask(a, range->bits);
	mask(b, range->bits);
	return range->family == what->family && what->bits >= range->bits && memcmp(a, b, 16) == 0;
}

static struct cel_value contains(struct cel_run *run, const struct cel_value *args, bool cidr)
{
	struct cel_value other = args[1];
	if (!is_opaque(&args[0], CEL_CIDR))
		return cel_no_overload(run);
	if (other.kind == CEL_STRING)
		other = cidr ? cel_f_cidr(run, &args[1], 1) : cel_f_ip(run, &args[1], 1);
	if (other.kind == CEL_ERROR || !is_opaque(&other, cidr ? CEL_CIDR : CEL_IP))
		return other.kind == CEL_ERROR ? other : cel_no_overload(run);
	return cel_of_bool(within(args[0].opaque, other.opaque));
}

struct cel_value cel_f_contains_ip(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return contains(run, args, false);
}

struct cel_value cel_f_contains_cidr(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return contains(run, args, true);
}

struct cel_value cel_f_masked(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (!is_opaque(&args[0], CEL_CIDR))
		return cel_no_overload(run);
	struct cel_opaque cidr = *args[0].opaque;
	mask(cidr.address, cidr.bits);
	return cidr_value(run, &cidr);
}

struct cel_value cel_f_prefix_length(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return is_opaque(&args[0], CEL_CIDR) ? cel_of_int(args[0].opaque->bits) : cel_no_overload(run);
}

/* --- quantities --- */

static struct cel_value quantity_of(struct cel_run *run, const char *text)
{
	struct cel_opaque *q;
	struct cel_value v = opaque(run, "kubernetes.Quantity", NULL, &q);
	q->what = CEL_QUANTITY;
	q->text = kt_arena_strdup(&run->arena, text);
	if (!kt_quantity_parse(text, &q->quantity))
		return cel_fault(run, "quantities must match the regular expression "
		                      "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
	return v;
}

struct cel_value cel_f_quantity(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return args[0].kind == CEL_STRING ? quantity_of(run, args[0].s) : cel_no_overload(run);
}

struct cel_value cel_f_is_quantity(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct kt_quantity q;
	(void)count;
	return args[0].kind == CEL_STRING ? cel_of_bool(kt_quantity_parse(args[0].s, &q))
	                                  : cel_no_overload(run);
}

struct cel_value cel_f_sign(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (!is_opaque(&args[0], CEL_QUANTITY))
		return cel_no_overload(run);
	int order = kt_quantity_compare(args[0].opaque->text, "0");
	return cel_of_int(order < 0 ? -1 : order > 0);
}

static int compare_versions(const struct cel_opaque *a, const struct cel_opaque *b)
{
	for (int i = 0; i < 3; i++)
		if (a->numbers[i] != b->numbers[i])
			return a->numbers[i] < b->numbers[i] ? -1 : 1;
	if (!*a->rest != !*b->rest)
		return *a->rest ? -1 : 1;
	/* Parts before the release: numbers by value and before words. */
	const char *x = a->rest, *y = b->rest;
	while (x && y && (*x || *y)) {
		size_t n, m;
		const char *p = kt_split(&x, '.', &n), *q = kt_split(&y, '.', &m);
		bool digits = strspn(p, "0123456789") >= n, other = strspn(q, "0123456789") >= m;
		if (digits != other)
			return digits ? -1 : 1;
		int order = digits && n != m ? (n < m ? -1 : 1) : strncmp(p, q, n < m ? n : m);
		if (order || n != m)
			return order ? order : n < m ? -1 : 1;
	}
	return x || y ? (x ? 1 : -1) : 0;
}

static struct cel_value compared(struct cel_run *run, const struct cel_value *args, int low, int high,
                                 bool plain)
{
	int order;
	if (is_opaque(&args[0], CEL_QUANTITY) && is_opaque(&args[1], CEL_QUANTITY))
		order = kt_quantity_compare(args[0].opaque->text, args[1].opaque->text);
	else if (is_opaque(&args[0], CEL_SEMVER) && is_opaque(&args[1], CEL_SEMVER))
		order = compare_versions(args[0].opaque, args[1].opaque);
	else
		return cel_no_overload(run);
	order = order < 0 ? -1 : order > 0;
	return plain ? cel_of_int(order) : cel_of_bool(order >= low && order <= high);
}

struct cel_value cel_f_greater_than(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return compared(run, args, 1, 1, false);
}

struct cel_value cel_f_less_than(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return compared(run, args, -1, -1, false);
}

struct cel_value cel_f_compare_to(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return compared(run, args, 0, 0, true);
}

struct cel_value cel_f_as_float(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (!is_opaque(&args[0], CEL_QUANTITY))
		return cel_no_overload(run);
	return (struct cel_value){.kind = CEL_DOUBLE, .d = (double)args[0].opaque->quantity.milli / 1000};
}

static bool is_whole(const struct cel_opaque *q)
{
	return q->quantity.milli % 1000 == 0;
}

struct cel_value cel_f_as_integer(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (!is_opaque(&args[0], CEL_QUANTITY))
		return cel_no_overload(run);
	return is_whole(args[0].opaque) ? cel_of_int(args[0].opaque->quantity.value)
	                                : cel_fault(run, "cannot convert value to integer");
}

struct cel_value cel_f_is_integer(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return is_opaque(&args[0], CEL_QUANTITY) ? cel_of_bool(is_whole(args[0].opaque))
	                                         : cel_no_overload(run);
}

static struct cel_value summed(struct cel_run *run, const struct cel_value *args, int sign)
{
	struct kt_buf text = {0};
	int64_t more;
	if (!is_opaque(&args[0], CEL_QUANTITY) ||
	    (args[1].kind != CEL_INT && !is_opaque(&args[1], CEL_QUANTITY)))
		return cel_no_overload(run);
	if (args[1].kind == CEL_INT) {
		if (__builtin_mul_overflow(args[1].i, 1000, &more))
			return cel_fault(run, "integer overflow");
	} else {
		more = args[1].opaque->quantity.milli;
	}
	kt_quantity_print_milli(args[0].opaque->quantity.milli + sign * more, args[0].opaque->quantity.format,
	                        &text);
	struct cel_value v = quantity_of(run, kt_buf_str(&text));
	kt_buf_clear(&text);
	return v;
}

struct cel_value cel_f_quantity_add(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return summed(run, args, 1);
}

struct cel_value cel_f_quantity_sub(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return summed(run, args, -1);
}

/* --- URLs --- */

/* Where the parts of an absolute URL lie. */
struct url {
	const char *scheme, *host, *path, *query, *end;
};

static bool parse_url(const char *s, struct url *url)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
	url->scheme = s;
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 127)
			return false;
	if (*s == '/') {
		url->host = url->path = s;
	} else {
		if (n == 0 || s[n] != ':' || !((s[0] | 32) >= 'a' && (s[0] | 32) <= 'z'))
			return false;
		url->host = kt_starts(s + n + 1, "//") ? s + n + 3 : s + n + 1;
		url->path = kt_starts(s + n + 1, "//") ? url->host + strcspn(url->host, "/?#") : url->host;
		if (!kt_starts(s + n + 1, "//") && *url->path != '/')
			return false;
	}
	url->query = url->path + strcspn(url->path, "?#");
	url->end = *url->query == '?' ? url->query + strcspn(url->query, "#") : url->query;
	return true;
}

struct cel_value cel_f_url(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_opaque *o;
	struct cel_value v = opaque(run, "kubernetes.URL", NULL, &o);
	struct url url;
	(void)count;
	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run);
	o->what = CEL_URL;
	o->text = args[0].s;
	if (!parse_url(args[0].s, &url))
		return cel_fault(run,
		                 "URL parse error during conversion from string: parse \"%s\": invalid URI "
		                 "for request",
		                 args[0].s);
	return v;
}

struct cel_value cel_f_is_url(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct url url;
	(void)count;
	return args[0].kind == CEL_STRING ? cel_of_bool(parse_url(args[0].s, &url)) : cel_no_overload(run);
}

static struct cel_value url_part(struct cel_run *run, const struct cel_value *v, char part)
{
	struct url u;
	if (!is_opaque(v, CEL_URL) || !parse_url(v->opaque->text, &u))
		return cel_no_overload(run);
	const char *host = u.host;
	for (const char *p = u.host; p < u.path; p++)
		if (*p == '@')
			host = p + 1;
	const char *colon = u.path, *name_end = u.path;
	for (const char *p = u.path; p > host; p--) {
		if (p[-1] == ']')
			break;
		if (p[-1] == ':') {
			name_end = p - 1;
			colon = p;
			break;
		}
	}
	if (part == 's')
		return cel_of_text(run, u.scheme, *u.scheme == '/' ? 0 : strcspn(u.scheme, ":"));
	if (part == 'h')
		return cel_of_text(run, host, (size_t)(u.path - host));
	if (part == 'n') {
		bool six = *host == '[' && name_end > host && name_end[-1] == ']';
		return cel_of_text(run, host + six, (size_t)(name_end - host) - (six ? 2 : 0));
	}
	if (part == 'p')
		return cel_of_text(run, colon, (size_t)(u.path - colon));
	return cel_of_text(run, u.path, (size_t)(u.query - u.path));
}

struct cel_value cel_f_url_scheme(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return url_part(run, &args[0], 's');
}

struct cel_value cel_f_url_host(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return url_part(run, &args[0], 'h');
}

struct cel_value cel_f_url_hostname(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return url_part(run, &args[0], 'n');
}

struct cel_value cel_f_url_port(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return url_part(run, &args[0], 'p');
}

struct cel_value cel_f_url_path(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return url_part(run, &args[0], 'e');
}

static struct cel_value decoded(struct cel_run *run, const char *s, size_t len)
{
	struct kt_buf text = {0};
	bool fine = kt_unpercent(s, len, true, &text);
	struct cel_value v = fine ? cel_of_text(run, kt_buf_str(&text), text.len) : cel_of_text(run, s, len);
	kt_buf_clear(&text);
	return v;
}

struct cel_value cel_f_url_query(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct url u;
	(void)count;
	if (!is_opaque(&args[0], CEL_URL) || !parse_url(args[0].opaque->text, &u))
		return cel_no_overload(run);
	struct cel_value out = cel_of_list(run, (size_t)(u.end - u.query) * 2 + 2), found;
	out.kind = CEL_MAP;
	out.count = 0;
	for (const char *s = u.query + 1; s < u.end;) {
		size_t n = strcspn(s, "&#"), k = strcspn(s, "=&#");
		struct cel_value key = decoded(run, s, k), one = cel_of_list(run, 1);
		one.list->items[0] = k < n ? decoded(run, s + k + 1, n - k - 1) : cel_of_text(run, "", 0);
		if (cel_find(run, &out, &key, &found)) {
			for (size_t i = 0; i < out.count; i++)
				if (cel_same(run, &out.list->items[2 * i], &key))
					out.list->items[2 * i + 1] = cel_append(run, &found, &one);
		} else {
			out.list->items[2 * out.count] = key;
			out.list->items[2 * out.count++ + 1] = one;
		}
		s += n + 1;
	}
	return out;
}

/* --- versions --- */

static bool parse_version(struct cel_run *run, const char *s, bool lax, struct cel_opaque *o)
{
	char *end;
	s += lax && *s == 'v';
	for (int i = 0; i < 3; i++) {
		if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9' && !lax))
			return false;
		o->numbers[i] = (int64_t)strtoull(s, &end, 10);
		s = end;
		if (i < 2 && *s != '.')
			if (!lax || *s)
				return false;
		if (i < 2 && *s == '.')
			s++;
		else if (i < 2)
			break;
	}
	size_t n = *s == '-' ? strcspn(s + 1, "+") : 0;
	char *rest = kt_arena_alloc(&run->arena, n + 1);
	memcpy(rest, s + 1, n);
	o->rest = rest;
	if (*s == '-')
		s += 1 + n;
	return !*s || *s == '+';
}

struct cel_value cel_f_semver(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_opaque *o;
	struct cel_value v = opaque(run, "kubernetes.Semver", NULL, &o);
	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run);
	o->what = CEL_SEMVER;
	o->text = args[0].s;
	if (!parse_version(run, args[0].s, count == 2 && args[1].kind == CEL_BOOL && args[1].b, o))
		return cel_fault(run, "No Major.Minor.Patch elements found");
	return v;
}

struct cel_value cel_f_is_semver(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_value v = cel_f_semver(run, args, count);
	return args[0].kind == CEL_STRING ? cel_of_bool(v.kind != CEL_ERROR) : v;
}

static struct cel_value version_part(struct cel_run *run, const struct cel_value *v, int part)
{
	return is_opaque(v, CEL_SEMVER) ? cel_of_int(v->opaque->numbers[part]) : cel_no_overload(run);
}

struct cel_value cel_f_major(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return version_part(run, &args[0], 0);
}

struct cel_value cel_f_minor(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return version_part(run, &args[0], 1);
}

struct cel_value cel_f_patch(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return version_part(run, &args[0], 2);
}

/* --- formats --- */

#define LABEL      "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define LABEL_1035 "[a-z]([-a-z0-9]*[a-z0-9])?"
#define QUALIFIED  "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
static const struct {
	const char *name, *pattern;
	size_t most;
} formats[] = {
        {"dns1123Label", "^" LABEL "$", 63},
        {"dns1123Subdomain", "^" LABEL "(\\." LABEL ")*$", 253},
        {"dns1035Label", "^" LABEL_1035 "$", 63},
        {"qualifiedName", "^(" LABEL "(\\." LABEL ")*/)?" QUALIFIED "$", 317},
        {"dns1123LabelPrefix", "^" LABEL "-?$", 63},
        {"dns1123SubdomainPrefix", "^" LABEL "(\\." LABEL ")*[.-]*$", 253},
        {"dns1035LabelPrefix", "^" LABEL_1035 "-?$", 63},
        {"labelValue", "^(" QUALIFIED ")?$", 63},
        {"uri", "^(/|[A-Za-z][A-Za-z0-9+.-]*:/)", 1000},
        {"uuid", "^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$", 36},
        {"byte", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$", 100000},
        {"date", "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", 10},
        {"datetime",
         "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$", 40},
};

struct cel_value cel_f_format_named(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_opaque *o;
	struct cel_value v = opaque(run, "kubernetes.NamedFormat", NULL, &o);
	o->what = CEL_FORMAT;
	o->text = count == 0                   ? run->function + strlen("format.")
	          : args[0].kind == CEL_STRING ? args[0].s
	                                       : "";
	for (size_t i = 0; i < KT_COUNT(formats); i++)
		if (strcmp(formats[i].name, o->text) == 0)
			return count == 0 ? v : cel_of_optional(run, &v);
	return cel_of_optional(run, NULL);
}

struct cel_value cel_f_validate(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	if (!is_opaque(&args[0], CEL_FORMAT) || args[1].kind != CEL_STRING)
		return cel_no_overload(run);
	struct cel_value wrong = cel_of_list(run, 2);
	wrong.list->count = wrong.count = 0;
	for (size_t i = 0; i < KT_COUNT(formats); i++) {
		if (strcmp(formats[i].name, args[0].opaque->text) != 0)
			continue;
		if (args[1].len > formats[i].most) {
			const char *text = kt_arena_strf(&run->arena, "must be no more than %zu characters",
			                                 formats[i].most);
			wrong.list->items[wrong.count++] = cel_of_text(run, text, strlen(text));
		}
		if (!schema_pattern_matches(formats[i].pattern, args[1].s)) {
			const char *text = kt_arena_strf(&run->arena, "must match %s", formats[i].pattern);
			wrong.list->items[wrong.count++] = cel_of_text(run, text, strlen(text));
		}
	}
	wrong.list->count = wrong.count;
	return cel_of_optional(run, wrong.count > 0 ? &wrong : NULL);
}

/* --- may somebody do something --- */

/* The check so far, with one more said of it. */
static struct cel_value narrowed(struct cel_run *run, const struct cel_value *args, const char *type,
                                 struct cel_review **review)
{
	struct cel_opaque *o;
	if (args[0].kind != CEL_STRUCT || args[0].json || !args[0].opaque ||
	    args[0].opaque->what != CEL_AUTHORIZER || args[1].kind != CEL_STRING)
		return cel_no_overload(run);
	struct cel_value v = opaque(run, type, args[0].opaque, &o);
	*review = &o->review;
	return v;
}

#define NARROW(function, type, member)                                                                       \
	struct cel_value function(struct cel_run *run, const struct cel_value *args, size_t count)           \
	{                                                                                                    \
		struct cel_review *review = NULL;                                                            \
		struct cel_value v = narrowed(run, args, "kubernetes.authorization." type, &review);         \
		(void)count;                                                                                 \
		if (v.kind != CEL_ERROR)                                                                     \
			review->member = args[1].s;                                                          \
		return v;                                                                                    \
	}
NARROW(cel_f_auth_path, "PathCheck", path)
NARROW(cel_f_auth_group, "GroupCheck", group)
NARROW(cel_f_auth_resource, "ResourceCheck", resource)
NARROW(cel_f_auth_subresource, "ResourceCheck", subresource)
NARROW(cel_f_auth_namespace, "ResourceCheck", ns)
NARROW(cel_f_auth_name, "ResourceCheck", name)

struct cel_value cel_f_auth_account(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_review *review = NULL;
	struct cel_value v = narrowed(run, args, "kubernetes.authorization.Authorizer", &review);
	(void)count;
	if (v.kind == CEL_ERROR || args[2].kind != CEL_STRING)
		return cel_no_overload(run);
	review->service_account_ns = args[1].s;
	review->service_account = args[2].s;
	return v;
}

struct cel_value cel_f_auth_selector(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_review *review = NULL;
	(void)count;
	return narrowed(run, args, "kubernetes.authorization.ResourceCheck", &review);
}

struct cel_value cel_f_auth_check(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_review *review = NULL;
	struct cel_value v = narrowed(run, args, "kubernetes.authorization.Decision", &review);
	struct cel_opaque *o;
	(void)count;
	if (v.kind == CEL_ERROR)
		return v;
	review->verb = args[1].s;
	run->cost += 350000;
	bool allowed = run->world->allowed && run->world->allowed(run->world->arg, review);
	v = opaque(run, "kubernetes.authorization.Decision", NULL, &o);
	o->what = CEL_DECISION;
	o->allowed = allowed;
	return v;
}

struct cel_value cel_f_auth_allowed(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return is_opaque(&args[0], CEL_DECISION) ? cel_of_bool(args[0].opaque->allowed)
	                                         : cel_no_overload(run);
}

struct cel_value cel_f_auth_reason(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return is_opaque(&args[0], CEL_DECISION) ? cel_of_text(run, "", 0) : cel_no_overload(run);
}

struct cel_value cel_f_auth_errored(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)count;
	return is_opaque(&args[0], CEL_DECISION) ? cel_of_bool(false) : cel_no_overload(run);
}
