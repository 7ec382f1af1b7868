/* SPDX-License-Identifier: MIT */
/* auth_basic: whom the file of names lets in. Passwords as they stand ({PLAIN}), as {SHA}, or as htpasswd and
 * `openssl passwd` hash them with MD5 ($apr1$, $1$); of other hashes nobody is let in. Source:
 * ngx_http_auth_basic_module.c, ngx_crypt.c. */
#include "cluster/kubelet/servers/nginx.h"

#include <string.h>

#include "base/codec.h"

enum { MD5 = 16, SALT = 8, ROUNDS = 1000 };

static void md5(const struct kt_buf *text, unsigned char out[MD5])
{
	kt_md5(kt_buf_str(text), text->len, out);
}

static void add64(struct kt_buf *out, unsigned long value, size_t count)
{
	static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	for (; count; count--, value >>= 6)
		kt_buf_addc(out, digits[value & 63]);
}

/* What the rounds begin with. */
static void first_sum(const char *password, const char *magic, const char *salt, size_t salt_len,
                      unsigned char sum[MD5])
{
	struct kt_buf text = {0}, inner = {0};
	size_t len = strlen(password);
	kt_buf_adds(&inner, password);
	kt_buf_add(&inner, salt, salt_len);
	kt_buf_adds(&inner, password);
	md5(&inner, sum);
	kt_buf_adds(&text, password);
	kt_buf_adds(&text, magic);
	kt_buf_add(&text, salt, salt_len);
	for (size_t left = len; left > 0; left -= KT_MIN(left, (size_t)MD5))
		kt_buf_add(&text, (const char *)sum, KT_MIN(left, (size_t)MD5));
	for (size_t bits = len; bits; bits >>= 1)
		kt_buf_addc(&text, bits & 1 ? '\0' : password[0]);
	md5(&text, sum);
	kt_buf_clear(&text);
	kt_buf_clear(&inner);
}

/* Poul-Henning Kamp's: "$apr1$SALT$HASH". Owned. */
static char *md5_crypt(const char *password, const char *magic, const char *stored)
{
	const char *salt = stored + strlen(magic);
	size_t salt_len = KT_MIN(strcspn(salt, "$"), (size_t)SALT);
	unsigned char sum[MD5];
	first_sum(password, magic, salt, salt_len, sum);
	for (int i = 0; i < ROUNDS; i++) {
		struct kt_buf text = {0};
		if (i & 1)
			kt_buf_adds(&text, password);
		else
			kt_buf_add(&text, (const char *)sum, MD5);
		if (i % 3)
			kt_buf_add(&text, salt, salt_len);
		if (i % 7)
			kt_buf_adds(&text, password);
		if (i & 1)
			kt_buf_add(&text, (const char *)sum, MD5);
		else
			kt_buf_adds(&text, password);
		md5(&text, sum);
		kt_buf_clear(&text);
	}
	struct kt_buf out = {0};
	kt_buf_addf(&out, "%s%.*s$", magic, (int)salt_len, salt);
	for (size_t i = 0; i < 5; i++)
		add64(&out,
		      (unsigned long)sum[i] << 16 | (unsigned long)sum[i + 6] << 8 | sum[i == 4 ? 5 : i + 12],
		      4);
	add64(&out, sum[11], 2);
	return kt_buf_take(&out);
}

static bool fits(const char *password, const char *stored)
{
	static const char *const magics[] = {"$apr1$", "$1$"};
	for (size_t i = 0; i < KT_COUNT(magics); i++) {
		char *hash = kt_starts(stored, magics[i]) ? md5_crypt(password, magics[i], stored) : NULL;
		bool same = kt_streq(hash, stored);
		kt_free(hash);
		if (same)
			return true;
	}
	if (kt_starts(stored, "{PLAIN}"))
		return !strcmp(stored + strlen("{PLAIN}"), password);
	if (!kt_starts(stored, "{SHA}"))
		return false;
	unsigned char sum[20];
	struct kt_buf text = {0};
	kt_sha1(password, strlen(password), sum);
	kt_base64(sum, sizeof(sum), &text);
	bool same = !strcmp(kt_buf_str(&text), stored + strlen("{SHA}"));
	kt_buf_clear(&text);
	return same;
}

char *nginx_stranger(const struct nginx_visit *v, const char *file)
{
	const char *given = network_header(v->request->headers, "Authorization");
	struct kt_buf users = {0}, login = {0};
	if (!given || !kt_starts(given, "Basic ") || !kt_unbase64(given + 6, strlen(given + 6), &login) ||
	    !strchr(kt_buf_str(&login), ':')) {
		kt_buf_clear(&login);
		return kt_strdup("no user/password was provided for basic authentication");
	}
	char *path = file[0] == '/' ? kt_strdup(file) : kt_strf("/etc/nginx/%s", file);
	char *name = kt_strndup(kt_buf_str(&login), strcspn(kt_buf_str(&login), ":"));
	const char *password = kt_buf_str(&login) + strlen(name) + 1;
	int rc = files_read(tool_container(v->r)->files, path, &users);
	char *why = rc ? kt_strf("open() \"%s\" failed (%d: %s)", path, rc, tool_strerror(rc))
	               : kt_strf("user \"%s\" was not found in \"%s\"", name, path);
	const char *rest = kt_buf_str(&users);
	size_t len;
	for (const char *line; why && rest && (line = kt_split(&rest, '\n', &len));) {
		if (len <= strlen(name) || strncmp(line, name, strlen(name)) != 0 ||
		    line[strlen(name)] != ':')
			continue;
		const char *from = line + strlen(name) + 1;
		char *stored = kt_strndup(from, strcspn(from, ":\r\n"));
		kt_free(why);
		why = fits(password, stored) ? NULL : kt_strf("user \"%s\": password mismatch", name);
		kt_free(stored);
		break;
	}
	kt_buf_clear(&users);
	kt_buf_clear(&login);
	kt_free(name);
	kt_free(path);
	return why;
}
