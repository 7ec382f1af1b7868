/* SPDX-License-Identifier: MIT */
#include "cluster/edge/http.h"
#include <string.h>
#include <strings.h>
#include <time.h>

static bool is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!word && !(c && strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return len > 0;
}

static char *keep(struct http_head *head, const char *s, size_t len)
{
	char *copy = kt_arena_alloc(&head->arena, len + 1);
	memcpy(copy, s, len);
	return copy;
}

static bool is_value(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] < 32 && s[i] != '\t') || s[i] == 127)
			return false;
	return true;
}

static int parse_request_line(struct http_head *head, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	if (!space || !is_token(line, (size_t)(space - line)) || space - line > 32)
		return 400;
	const char *target = space + 1;
	size_t rest = len - (size_t)(target - line);
	const char *end = memchr(target, ' ', rest);
	if (!end || end == target)
		return 400;
	size_t target_len = (size_t)(end - target);
	if (target_len > HTTP_MAX_TARGET)
		return 414;
	for (size_t i = 0; i < target_len; i++)
		if ((unsigned char)target[i] <= 32 || (unsigned char)target[i] >= 127)
			return 400;
	size_t version_len = rest - target_len - 1;
	if (version_len != 8 || memcmp(end + 1, "HTTP/", 5))
		return 400;
	if (memcmp(end + 1, "HTTP/1.", 7) || (end[8] != '0' && end[8] != '1'))
		return 505;
	head->minor = (unsigned)(end[8] - '0');
	head->method = keep(head, line, (size_t)(space - line));
	head->target = keep(head, target, target_len);
	return 0;
}

static int parse_header(struct http_head *head, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	if (!colon || !is_token(line, (size_t)(colon - line)))
		return 400;
	const char *value = colon + 1, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (!is_value(value, (size_t)(end - value)))
		return 400;
	if (head->header_count == HTTP_MAX_HEADERS)
		return 431;
	struct cluster_header *header = &head->headers[head->header_count++];
	header->name = keep(head, line, (size_t)(colon - line));
	header->value = keep(head, value, (size_t)(end - value));
	return 0;
}

const char *http_header(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (!strcasecmp(head->headers[i].name, name))
			return head->headers[i].value;
	return NULL;
}

bool http_header_has(const struct http_head *head, const char *name, const char *word)
{
	for (size_t i = 0; i < head->header_count; i++) {
		if (strcasecmp(head->headers[i].name, name))
			continue;
		const char *at = head->headers[i].value, *piece;
		size_t len;
		while (at && (piece = kt_split(&at, ',', &len))) {
			while (len && (*piece == ' ' || *piece == '\t'))
				piece++, len--;
			while (len && (piece[len - 1] == ' ' || piece[len - 1] == '\t'))
				len--;
			if (len == strlen(word) && !strncasecmp(piece, word, len))
				return true;
		}
	}
	return false;
}

static int parse_length(struct http_head *head)
{
	const char *found = NULL;
	for (size_t i = 0; i < head->header_count; i++) {
		if (strcasecmp(head->headers[i].name, "content-length"))
			continue;
		if (found)
			return 400;
		found = head->headers[i].value;
	}
	if (!found)
		return 0;
	size_t digits = strspn(found, "0123456789");
	if (!digits || found[digits])
		return 400;
	if (digits > 15)
		return 413;
	for (size_t i = 0; i < digits; i++)
		head->length = head->length * 10 + (uint64_t)(found[i] - '0');
	return 0;
}

/* How long the body is and whether the connection lives on, from the headers. */
static int parse_framing(struct http_head *head)
{
	int refused = parse_length(head);
	if (refused)
		return refused;
	const char *encoding = http_header(head, "transfer-encoding");
	if (encoding) {
		if (strcasecmp(encoding, "chunked"))
			return 501;
		if (http_header(head, "content-length") || head->minor == 0)
			return 400;
		head->chunked = true;
	}
	const char *expect = http_header(head, "expect");
	if (expect) {
		if (strcasecmp(expect, "100-continue"))
			return 417;
		head->expect_continue = true;
	}
	if (head->minor == 1 && !http_header(head, "host"))
		return 400;
	head->keep_alive = head->minor == 1 ? !http_header_has(head, "connection", "close")
	                                    : http_header_has(head, "connection", "keep-alive");
	return 0;
}

/* The end of the head: the first empty line. */
static const char *find_end(const char *data, size_t len)
{
	for (const char *at = data, *nl; (nl = memchr(at, '\n', len - (size_t)(at - data))); at = nl + 1) {
		size_t line = (size_t)(nl - at);
		if (line == 0 || (line == 1 && *at == '\r'))
			return nl + 1;
	}
	return NULL;
}

ptrdiff_t http_parse_head(const char *data, size_t len, struct http_head *head)
{
	/* An empty line before a request is allowed (RFC 9112 2.2). */
	size_t skipped = 0;
	while (skipped < len && skipped < 4 && (data[skipped] == '\r' || data[skipped] == '\n'))
		skipped++;
	const char *start = data + skipped;
	size_t window = KT_MIN(len - skipped, (size_t)HTTP_MAX_HEAD);
	const char *end = find_end(start, window);
	if (!end)
		return len - skipped >= HTTP_MAX_HEAD ? -431 : 0;
	size_t lines = 0;
	for (const char *at = start; at < end; lines++) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t line = (size_t)(nl - at);
		if (line && at[line - 1] == '\r')
			line--;
		int refused = 0;
		if (lines == 0)
			refused = parse_request_line(head, at, line);
		else if (line)
			refused = parse_header(head, at, line);
		if (refused)
			return -refused;
		at = nl + 1;
	}
	int refused = parse_framing(head);
	return refused ? -refused : end - data;
}

void http_head_clear(struct http_head *head)
{
	kt_arena_clear(&head->arena);
	memset(head, 0, sizeof *head);
}

enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_DONE };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of framing (not of data). Returns 0 or the status to refuse with. */
static int chunk_byte(struct http_chunks *chunks, char c)
{
	switch (chunks->state) {
	case CHUNK_SIZE:
		if (hex_digit(c) >= 0) {
			if (++chunks->line > 8)
				return 413;
			chunks->left = chunks->left * 16 + (uint64_t)hex_digit(c);
			return 0;
		}
		if (!chunks->line || (c != '\r' && c != '\n' && c != ';' && c != ' '))
			return 400;
		chunks->state = CHUNK_EXTENSION;
		/* fall through */
	case CHUNK_EXTENSION:
		if (++chunks->line > 256)
			return 400;
		if (c == '\n') {
			chunks->line = 0;
			chunks->state = chunks->left ? CHUNK_DATA : CHUNK_TRAILER;
		}
		return 0;
	case CHUNK_DATA_END:
		if (c == '\n')
			chunks->state = CHUNK_SIZE;
		else if (c != '\r')
			return 400;
		return 0;
	default: /* trailers are read and forgotten; an empty line ends them */
		if (c == '\n') {
			if (!chunks->line)
				chunks->state = CHUNK_DONE;
			chunks->line = 0;
		} else if (c != '\r' && ++chunks->line > 1024) {
			return 431;
		}
		return 0;
	}
}

ptrdiff_t http_parse_chunks(struct http_chunks *chunks, const char *data, size_t len, size_t max,
                            struct kt_buf *out, bool *done)
{
	size_t at = 0;
	*done = false;
	while (at < len && chunks->state != CHUNK_DONE) {
		if (chunks->state != CHUNK_DATA) {
			int refused = chunk_byte(chunks, data[at++]);
			if (refused)
				return -refused;
			continue;
		}
		size_t piece = (size_t)KT_MIN(chunks->left, (uint64_t)(len - at));
		if (out->len + piece > max)
			return -413;
		kt_buf_add(out, data + at, piece);
		at += piece;
		chunks->left -= piece;
		if (!chunks->left)
			chunks->state = CHUNK_DATA_END;
	}
	*done = chunks->state == CHUNK_DONE;
	return (ptrdiff_t)at;
}

static void print_date(struct kt_buf *out, kt_ns now)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(now / KT_SEC);
	struct tm tm;
	if (!gmtime_r(&seconds, &tm))
		return;
	kt_buf_addf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n", days + 3 * tm.tm_wday, tm.tm_mday,
	            months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void http_print_head(struct kt_buf *out, const struct cluster_response *response, int64_t length,
                     bool chunked, bool keep_alive, kt_ns now)
{
	kt_buf_addf(out, "HTTP/1.1 %d %s\r\n", response->status, kt_http_reason(response->status));
	for (size_t i = 0; i < response->headers.names.count && i < response->headers.values.count; i++) {
		const char *name = response->headers.names.items[i],
		           *value = response->headers.values.items[i];
		/* What a request may have put into a value must not become a header of its own. */
		if (is_token(name, strlen(name)) && is_value(value, strlen(value)))
			kt_buf_addf(out, "%s: %s\r\n", name, value);
	}
	if (response->content_type[0])
		kt_buf_addf(out, "Content-Type: %s\r\n", response->content_type);
	if (response->status != 101) {
		print_date(out, now);
		if (chunked)
			kt_buf_adds(out, "Transfer-Encoding: chunked\r\n");
		else if (length >= 0)
			kt_buf_addf(out, "Content-Length: %lld\r\n", (long long)length);
		if (!keep_alive)
			kt_buf_adds(out, "Connection: close\r\n");
	}
	kt_buf_adds(out, "\r\n");
}

void http_fail(struct cluster_response *response, int status, const char *reason, const char *message)
{
	response->status = status;
	memcpy(response->content_type, "application/json", sizeof "application/json");
	kt_buf_cut(&response->body, 0);
	struct kt_json *body = kt_jsonf("{kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', "
	                                "message: %s, reason: %s, code: %d}",
	                                message, reason, status);
	kt_json_print(body, &response->body);
	kt_json_free(body);
	kt_buf_addc(&response->body, '\n');
}
