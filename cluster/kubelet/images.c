/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/images.h"
#include "cluster/kubelet/kubelet.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/network/world.h"

#include "image_tables.h" /* made of images.tsv and image-files.tsv */

/* Words of tags that are not versions. */
static const char *const tag_words[] = {"latest",
                                        "stable",
                                        "mainline",
                                        "alpine",
                                        "slim",
                                        "bookworm",
                                        "bullseye",
                                        "trixie",
                                        "jammy",
                                        "noble",
                                        "focal",
                                        "edge",
                                        "musl",
                                        "glibc",
                                        "lts",
                                        "perl",
                                        "unprivileged",
                                        "debian",
                                        "main",
                                        "master",
                                        "current",
                                        "buster",
                                        "stretch",
                                        "uclibc",
                                        "otel",
                                        "management",
                                        "fpm",
                                        "apache",
                                        "rc",
                                        "alpine-slim",
                                        "windowsservercore"};
/* The registries that there are; another host has no address. */
static const char *const registries[] = {
        "docker.io", "index.docker.io", "registry.k8s.io",   "k8s.gcr.io",    "gcr.io",           "ghcr.io",
        "quay.io",   "public.ecr.aws",  "mcr.microsoft.com", "mirror.gcr.io", "us-docker.pkg.dev"};

struct reference {
	char registry[128], repository[256], tag[160]; /* tag: without ':'; of a digest "sha256:…" */
	bool digest;
};

/* distribution/reference: domain, path of lowercase names, tag, digest. False with the words of the real
 * parser. */
static bool split_reference(const char *reference, struct reference *out, char **why)
{
	const char *rest = reference, *slash = strchr(reference, '/');
	*out = (struct reference){.registry = "docker.io", .tag = "latest"};
	if (slash && (size_t)(slash - reference) < sizeof(out->registry)) {
		size_t len = (size_t)(slash - reference);
		if (memchr(reference, '.', len) || memchr(reference, ':', len) ||
		    (len == 9 && !strncmp(reference, "localhost", 9))) {
			memcpy(out->registry, reference, len);
			out->registry[len] = '\0';
			rest = slash + 1;
		}
	}
	const char *at = strchr(rest, '@'), *end = rest + strlen(rest), *colon = NULL;
	if (at) {
		end = at;
		const char *hex = strchr(at, ':');
		size_t digits = hex ? strspn(hex + 1, "0123456789abcdefABCDEF") : 0;
		out->digest = true;
		if (strlen(at + 1) >= sizeof(out->tag) || digits < 32 || hex[1 + digits])
			goto bad;
		if (kt_starts(at, "@sha256:") && digits != 64) {
			if (why)
				*why = kt_strdup("invalid checksum digest length");
			return false;
		}
		memcpy(out->tag, at + 1, strlen(at + 1) + 1);
	}
	for (const char *c = rest; c < end; c++) {
		if (*c == ':')
			colon = c;
		else if (*c == '/')
			colon = NULL;
	}
	if (colon) {
		size_t len = (size_t)(end - colon - 1);
		if (!len || len > 128 || !(isalnum((unsigned char)colon[1]) || colon[1] == '_'))
			goto bad;
		for (const char *c = colon + 1; c < end; c++) {
			if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
				goto bad;
		}
		if (!at) {
			memcpy(out->tag, colon + 1, len);
			out->tag[len] = '\0';
		}
		end = colon;
	}
	size_t len = (size_t)(end - rest);
	if (!len || len > 240)
		goto bad;
	bool library = kt_streq(out->registry, "docker.io") && !memchr(rest, '/', len);
	char *name = kt_strf("%s%.*s", library ? "library/" : "", (int)len, rest);
	bool upper = false, odd = false;
	for (const char *c = name; *c; c++) {
		upper = upper || isupper((unsigned char)*c);
		odd = odd || (!isalnum((unsigned char)*c) && !strchr("/._-", *c)) ||
		      (strchr("/._-", *c) && (c == name || !c[1] || (c[1] == '/' && *c == '/')));
	}
	memcpy(out->repository, name, strlen(name) + 1);
	kt_free(name);
	if (odd)
		goto bad;
	if (upper) {
		if (why)
			*why = kt_strf("invalid reference format: repository name (%s) must be lowercase",
			               out->repository);
		return false;
	}
	return true;
bad:
	if (why)
		*why = kt_strdup("invalid reference format");
	return false;
}

char *image_full_name(const char *reference)
{
	struct reference ref;
	if (!split_reference(reference, &ref, NULL))
		return kt_strdup(reference);
	return kt_strf("%s/%s%s%s", ref.registry, ref.repository, ref.digest ? "@" : ":", ref.tag);
}

void image_id(const char *reference, char out[128])
{
	struct reference ref;
	unsigned char sum[32];
	char *full = image_full_name(reference);
	struct kt_buf text = {0};
	kt_sha256(full, strlen(full), sum);
	if (split_reference(reference, &ref, NULL)) {
		/* a very long name would not leave room for the digest */
		size_t space = 128 - 1 - strlen("@sha256:") - 64;
		char *name = kt_strf("%s/%s", ref.registry, ref.repository);
		kt_buf_add(&text, name, KT_MIN(strlen(name), space));
		kt_buf_addc(&text, '@');
		kt_free(name);
	}
	if (ref.digest && kt_starts(ref.tag, "sha256:") && strlen(ref.tag) == 71) {
		kt_buf_adds(&text, ref.tag);
	} else {
		kt_buf_adds(&text, "sha256:");
		kt_hex(sum, sizeof(sum), &text);
	}
	size_t len = KT_MIN(text.len, (size_t)127);
	memcpy(out, kt_buf_str(&text), len);
	out[len] = '\0';
	kt_buf_clear(&text);
	kt_free(full);
}

static bool is_word(const char *text, size_t len)
{
	size_t digits = len;
	while (digits && strchr("0123456789.", text[digits - 1]))
		digits--; /* alpine3.22 */
	for (size_t i = 0; i < KT_COUNT(tag_words); i++) {
		size_t n = strlen(tag_words[i]);
		if ((n == len || n == digits) && !strncmp(tag_words[i], text, n))
			return true;
	}
	return false;
}

/* "alpine3.22-slim": words only. */
static bool are_words(const char *text)
{
	size_t len;
	for (; *text; text += len + (text[len] == '-')) {
		len = strcspn(text, "-");
		if (!is_word(text, len))
			return false;
	}
	return true;
}

/* "1.27.5 1.28.1": of each minor version the last patch; those of other majors and minors do not exist. */
static bool is_listed(const char *versions, const unsigned part[3], unsigned n)
{
	const char *rest = versions;
	size_t len;
	for (const char *one; rest && (one = kt_split(&rest, ' ', &len));) {
		unsigned known[3] = {0}, i = 0;
		for (const char *c = one; i < 3; i++) {
			char *end;
			known[i] = (unsigned)strtoul(c, &end, 10);
			if (*end != '.' || end >= one + len) {
				i++;
				break;
			}
			c = end + 1;
		}
		if (part[0] == known[0] && (n < 2 || part[1] == known[1]) && (n < 3 || part[2] <= known[2]))
			return true;
	}
	return false;
}

/* "1.27.3-alpine": is there such a version? */
static bool tag_exists(const struct image *image, const char *tag)
{
	const char *at = tag;
	unsigned part[3] = {0}, n = 0;
	if (kt_listed(image->versions, tag)) /* one of the image's own: "1.0.0 blue" */
		return true;
	if (*at == 'v' && image->tagged_v)
		at++;
	if (!isdigit((unsigned char)*at))
		return are_words(tag);
	while (n < 3 && isdigit((unsigned char)*at)) {
		for (; isdigit((unsigned char)*at); at++)
			part[n] = part[n] > 100000000 ? part[n] : part[n] * 10 + (unsigned)(*at - '0');
		n++;
		if (*at == '.')
			at++;
		else
			break;
	}
	if (*at == '-' ? !are_words(at + 1) : *at != '\0')
		return false;
	if (image->versions)
		return is_listed(image->versions, part, n);
	if (!image->newest_major)
		return part[0] < 100 && part[1] < 100 && part[2] < 200;
	if (part[0] > image->newest_major)
		return false;
	if (n > 1 && part[0] == image->newest_major && image->newest_minor && part[1] > image->newest_minor)
		return false;
	return part[1] < 100 && part[2] < 200;
}

static const struct image *catalogue_find(const struct reference *ref, bool *known)
{
	char *name = NULL;
	const struct image *found = NULL;
	if (kt_streq(ref->registry, "docker.io") || kt_streq(ref->registry, "index.docker.io"))
		name = kt_strdup(kt_starts(ref->repository, "library/") ? ref->repository + 8
		                                                        : ref->repository);
	else if (kt_streq(ref->registry, "public.ecr.aws") && kt_starts(ref->repository, "docker/library/"))
		name = kt_strdup(ref->repository + 15);
	else if (kt_streq(ref->registry, "mirror.gcr.io") && kt_starts(ref->repository, "library/"))
		name = kt_strdup(ref->repository + 8);
	else if (kt_streq(ref->registry, "k8s.gcr.io"))
		name = kt_strf("registry.k8s.io/%s", ref->repository);
	else
		name = kt_strf("%s/%s", ref->registry, ref->repository);
	*known = false;
	for (size_t i = 0; i < KT_COUNT(image_rows) && !found; i++) {
		if (!kt_streq(image_rows[i].name, name))
			continue;
		*known = true;
		if (image_rows[i].tag && !strstr(ref->tag, image_rows[i].tag))
			continue;
		if (ref->digest || tag_exists(&image_rows[i], ref->tag))
			found = &image_rows[i];
	}
	kt_free(name);
	return found;
}

char *image_version(const struct image *image, const char *reference)
{
	struct reference ref;
	const char *rest = image->versions, *best = NULL;
	size_t len, best_len = 0;
	if (!rest || !split_reference(reference, &ref, NULL))
		return NULL;
	size_t told = isdigit((unsigned char)ref.tag[0]) ? strspn(ref.tag, "0123456789.") : 0;
	size_t dots = 0;
	for (size_t i = 0; i < told; i++)
		dots += ref.tag[i] == '.';
	if (dots > 1)
		return kt_strndup(ref.tag, told);
	for (const char *one; rest && (one = kt_split(&rest, ' ', &len));)
		if (isdigit((unsigned char)*one) &&
		    (!told || (!strncmp(one, ref.tag, told) && (one[told] == '.' || told == len))))
			best = one, best_len = len;
	return best ? kt_strndup(best, best_len) : NULL;
}

/* What was found before: a pod asks three times, and thousands of pods ask for the same. */
enum { KNOWN = 64 };
struct known_images {
	struct known_image {
		char *reference, *full;
		const struct image *image;
	} places[KNOWN];
};

static void forget_known(void *value)
{
	struct known_images *known = value;
	for (size_t i = 0; i < KNOWN; i++) {
		kt_free(known->places[i].reference);
		kt_free(known->places[i].full);
	}
	kt_free(known);
}

/* Where it would be known; NULL: nowhere. */
static struct known_image *known_place(struct cluster *cluster, const char *reference)
{
	struct known_images *known = cluster && reference ? kubelet_shared(cluster, "images") : NULL;
	return known ? &known->places[kt_hash32(reference, strlen(reference)) % KNOWN] : NULL;
}

static void know(struct cluster *cluster, const char *reference, const char *full, const struct image *image)
{
	if (!cluster || !reference)
		return;
	if (!kubelet_shared(cluster, "images"))
		kubelet_share(cluster, "images", kt_alloc(sizeof(struct known_images)), forget_known);
	struct known_image *place = known_place(cluster, reference);
	if (!place)
		return;
	kt_free(place->reference);
	kt_free(place->full);
	*place = (struct known_image){kt_strdup(reference), kt_strdup(full), image};
}

const struct image *image_find(struct cluster *cluster, const char *reference, char **why)
{
	const struct known_image *place = known_place(cluster, reference);
	if (place && kt_streq(place->reference, reference) && !world_image_missing(cluster, place->full))
		return place->image;
	struct reference ref;
	bool known;
	char *inner = NULL;
	if (!split_reference(reference, &ref, &inner)) {
		if (why)
			*why = kt_strf("Failed to apply default image tag \"%s\": couldn't parse image name "
			               "\"%s\": %s",
			               reference, reference, inner);
		kt_free(inner);
		return NULL;
	}
	const struct image *image = catalogue_find(&ref, &known);
	char *full = image_full_name(reference);
	bool disturbed = cluster && world_image_missing(cluster, full);
	if (image && !disturbed) {
		know(cluster, reference, full, image);
		kt_free(full);
		return image;
	}
	bool reached = false;
	for (size_t i = 0; i < KT_COUNT(registries); i++)
		reached = reached || kt_streq(registries[i], ref.registry);
	if (why && !reached && !disturbed)
		*why = kt_strf("failed to pull and unpack image \"%s\": "
		               "failed to resolve "
		               "reference \"%s\": failed to do request: Head "
		               "\"https://%s/v2/%s/manifests/%s\": dial tcp: "
		               "lookup %s on 172.18.0.1:53: no such host",
		               full, full, ref.registry, ref.repository, ref.tag, ref.registry);
	else if (why && !known && !disturbed)
		*why = kt_strf(
		        "failed to pull and unpack image \"%s\": failed to "
		        "resolve "
		        "reference \"%s\": pull access denied, repository does not exist or may require "
		        "authorization: server message: insufficient_scope: authorization failed",
		        full, full);
	else if (why)
		*why = kt_strf("rpc error: code = NotFound desc = failed to pull and unpack image \"%s\": "
		               "failed to resolve "
		               "reference \"%s\": %s: not found",
		               full, full, full);
	kt_free(full);
	return NULL;
}

bool image_has_tools(const struct image *image, const char *word)
{
	return kt_listed(image->tools, word);
}

bool image_is_busybox(const struct image *image)
{
	return image_has_tools(image, "busybox") && !image_has_tools(image, "debian");
}

const struct files_seed *image_base_files(const struct image *image)
{
	static const char *const bases[] = {"debian", "alpine", "busybox"};
	for (size_t i = 0; i < KT_COUNT(bases); i++) {
		for (size_t set = 0; set < KT_COUNT(image_sets) && image_has_tools(image, bases[i]); set++) {
			if (kt_streq(image_sets[set].name, bases[i]))
				return image_sets[set].files;
		}
	}
	return NULL;
}
