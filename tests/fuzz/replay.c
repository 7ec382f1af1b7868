/* SPDX-License-Identifier: MIT */
/* replay FOLDER...: give every file of the folders to the target, once.
 * replay --mutate SECONDS FOLDER...: then change them at random for so long; for machines without libFuzzer.
 * What was tried last lies in PROGRAM.last, so that a crash leaves its input behind. */
#include "tests/fuzz/fuzz.h"

#include "base/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LONGEST 4096

struct pool {
	struct kt_buf *items;
	size_t count, cap;
};

static void run(const char *data, size_t len)
{
	/* A copy of its very size, so that reading past the end is seen. */
	uint8_t *copy = kt_alloc(len);
	for (size_t j = 0; j < len; j++)
		copy[j] = (uint8_t)data[j];
	(void)LLVMFuzzerTestOneInput(copy, len);
	kt_free(copy);
}

static int read_folder(const char *folder, struct pool *pool)
{
	struct kt_strs names = {0};
	struct kt_err err = {0};
	enum kt_code rc = kt_list_dir(folder, &names, &err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *path = kt_join(folder, names.items[i]);
		struct kt_buf text = {0};
		rc = kt_read_file(path, 0, &text, &err);
		pool->items = kt_grow(pool->items, &pool->cap, pool->count + 1, sizeof *pool->items);
		pool->items[pool->count++] = text;
		kt_free(path);
	}
	kt_strs_clear(&names);
	if (rc)
		(void)fprintf(stderr, "%s\n", err.text);
	return rc;
}

/* --- changing --- */

static size_t any(struct kt_random *random, size_t below)
{
	return below ? (size_t)kt_random_below(random, (uint32_t)below) : 0;
}

static void put_in(char *text, size_t *len, size_t at, size_t drop, const char *with, size_t add)
{
	drop = KT_MIN(drop, *len - at);
	add = KT_MIN(add, LONGEST - (*len - drop));
	char piece[64];
	add = KT_MIN(add, sizeof piece);
	for (size_t i = 0; i < add; i++)
		piece[i] = with[i]; /* it may lie in `text` */
	memmove(text + at + add, text + at + drop, *len - at - drop);
	memcpy(text + at, piece, add);
	*len = *len - drop + add;
}

static void change(char *text, size_t *len, const struct pool *pool, struct kt_random *random)
{
	static const char *const words[] = {
	        "0",     "-1", "null", "true", "{}", "[]", "\"", "\\u0000", "%", "9223372036854775808",
	        "1e999", "\n", "/",    "..",   ",",  ":"};
	size_t at = any(random, *len + 1);
	const struct kt_buf *other = &pool->items[any(random, pool->count)];
	size_t from = any(random, other->len + 1);
	const char *word = words[any(random, KT_COUNT(words))];
	switch (any(random, 6)) {
	case 0:
		if (at < *len)
			text[at] = (char)(text[at] ^ 1 << any(random, 8));
		break;
	case 1:
		if (at < *len)
			text[at] = (char)any(random, 256);
		break;
	case 2:
		put_in(text, len, at, 1 + any(random, 16), "", 0);
		break;
	case 3:
		put_in(text, len, at, 0, text + any(random, at + 1), KT_MIN(any(random, 64), *len - at));
		break;
	case 4:
		put_in(text, len, at, any(random, 4), word, strlen(word));
		break;
	default:
		put_in(text, len, at, any(random, 8), kt_buf_str(other) + from,
		       KT_MIN(any(random, 64), other->len - from));
	}
}

static char *last_input(const char *program)
{
	char *path = kt_strf("%s.last", program);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *map = MAP_FAILED;
	if (fd >= 0 && !ftruncate(fd, LONGEST))
		map = mmap(NULL, LONGEST, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		(void)close(fd);
	kt_free(path);
	return map == MAP_FAILED ? NULL : map;
}

static size_t mutate(const char *program, double seconds, const struct pool *pool)
{
	struct kt_random random;
	char *last = last_input(program), text[LONGEST];
	kt_ns end = kt_monotonic() + (kt_ns)(seconds * 1e9);
	size_t tried = 0;
	kt_random_init(&random, (uint64_t)kt_monotonic());
	for (; pool->count && kt_monotonic() < end; tried++) {
		const struct kt_buf *base = &pool->items[any(&random, pool->count)];
		size_t len = KT_MIN(base->len, (size_t)LONGEST), rounds = 1 + any(&random, 6);
		memcpy(text, kt_buf_str(base), len);
		while (rounds--)
			change(text, &len, pool, &random);
		if (last) {
			memcpy(last, text, len);
			memset(last + len, 0, LONGEST - len);
		}
		run(text, len);
	}
	return tried;
}

int main(int argc, char **argv)
{
	struct pool pool = {0};
	bool mutating = argc > 3 && kt_streq(argv[1], "--mutate");
	int rc = 0;
	for (int i = mutating ? 3 : 1; !rc && i < argc; i++)
		rc = read_folder(argv[i], &pool);
	for (size_t i = 0; i < pool.count; i++)
		run(kt_buf_str(&pool.items[i]), pool.items[i].len);
	printf("%s: %zu inputs\n", argc ? kt_basename(argv[0]) : "", pool.count);
	if (!rc && mutating)
		printf("%zu more, changed at random\n", mutate(argv[0], strtod(argv[2], NULL), &pool));
	for (size_t i = 0; i < pool.count; i++)
		kt_buf_clear(&pool.items[i]);
	kt_free(pool.items);
	return rc ? 1 : 0;
}
