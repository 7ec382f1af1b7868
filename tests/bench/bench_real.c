/* SPDX-License-Identifier: MIT */
/* The same requests, over one kept connection, on an embedded cluster and on a real API server, side by side.
 * bench_real PROGRAM [PODS]; the real one is the current context of the kubeconfig that
 * KTUTOR_BENCH_KUBECONFIG names: a namespace of its own is made there and deleted. Prints a line a request;
 * without a real cluster, one that says so. */
#include "checker/checker.h"
#include "labs/embedded/embedded.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PODS = 5000, ROUNDS = 500, LISTS = 5 };
#define TABLE "application/json;as=Table;v=v1;g=meta.k8s.io"

/* What one cluster took, in ns. */
struct times {
	kt_ns create, get, patch, list;
};

struct side {
	struct check_client *client;
	char *ns, *pods; /* pods: "/api/v1/namespaces/NS/pods" */
	struct kt_err *err;
};

static int compare(const void *a, const void *b)
{
	kt_ns x = *(const kt_ns *)a, y = *(const kt_ns *)b;
	return (x > y) - (x < y);
}

static kt_ns median(kt_ns *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	return times[count / 2];
}

/* One request that must succeed; *took may be NULL. A namespace that is new has no account yet. */
static enum kt_code ask(struct side *s, const char *method, const char *path, const char *type,
                        const char *body, kt_ns *took)
{
	struct check_answer answer = {0};
	enum kt_code rc;

	for (int i = 0;; i++) {
		kt_ns begin = kt_monotonic();

		rc = check_request(s->client, method, path, type, body, body ? strlen(body) : 0, &answer,
		                   s->err);
		if (took)
			*took = kt_monotonic() - begin;
		if (rc || !check_account_is_coming(&answer) || i == 100)
			break;
		(void)usleep(100000);
	}
	if (!rc && answer.status >= 300)
		rc = kt_fail(s->err, KT_EIO, "%s %s: %d %s", method, path, answer.status,
		             kt_str_or(kt_get(answer.json, "message"), ""));
	check_answer_clear(&answer);
	return rc;
}

/* Pods that wait behind a gate: nothing but the API server has to do with them. */
static enum kt_code create(struct side *s, size_t count, kt_ns *out)
{
	kt_ns *times = kt_alloc(count * sizeof(*times));
	enum kt_code rc = KT_OK;

	for (size_t i = 0; !rc && i < count; i++) {
		char *body = kt_strf(
		        "{\"metadata\":{\"name\":\"pod-%zu\",\"labels\":{\"app\":\"bench\"}},\"spec\":{"
		        "\"schedulingGates\":[{\"name\":\"ktutor.dev/bench\"}],\"containers\":[{"
		        "\"name\":\"web\",\"image\":\"nginx:1.27\",\"ports\":[{\"containerPort\":80}]}]}}",
		        i);

		rc = ask(s, "POST", s->pods, "application/json", body, &times[i]);
		kt_free(body);
	}
	if (!rc)
		*out = median(times, count);
	kt_free(times);
	return rc;
}

/* `rounds` requests of one kind, each at another pod; `body` NULL: none. */
static enum kt_code each(struct side *s, const char *method, size_t count, const char *body, kt_ns *out)
{
	kt_ns times[ROUNDS];
	enum kt_code rc = KT_OK;

	for (size_t i = 0; !rc && i < ROUNDS; i++) {
		char *path = kt_strf("%s/pod-%zu", s->pods, i * 7 % count);

		rc = ask(s, method, path, body ? "application/merge-patch+json" : NULL, body, &times[i]);
		kt_free(path);
	}
	if (!rc)
		*out = median(times, ROUNDS);
	return rc;
}

static enum kt_code list(struct side *s, kt_ns *out)
{
	kt_ns times[LISTS];
	enum kt_code rc = KT_OK;

	check_client_accept(s->client, TABLE);
	for (size_t i = 0; !rc && i < LISTS; i++)
		rc = ask(s, "GET", s->pods, NULL, NULL, &times[i]);
	check_client_accept(s->client, NULL);
	if (!rc)
		*out = median(times, LISTS);
	return rc;
}

static enum kt_code measure(const char *kubeconfig, size_t pods, struct times *out, struct kt_err *err)
{
	struct side s = {.ns = kt_strf("ktutor-bench-%ld", (long)getpid()), .err = err};
	char *path = kt_strf("/api/v1/namespaces/%s", s.ns),
	     *body = kt_strf("{\"metadata\":{\"name\":\"%s\"}}", s.ns);
	enum kt_code rc = check_client_new(kubeconfig, NULL, true, &s.client, err);

	s.pods = kt_strf("%s/pods", path);
	if (!rc)
		rc = ask(&s, "POST", "/api/v1/namespaces", "application/json", body, NULL);
	if (!rc) {
		struct kt_err late = {0};

		rc = create(&s, pods, &out->create);
		if (!rc)
			rc = each(&s, "GET", pods, NULL, &out->get);
		if (!rc)
			rc = each(&s, "PATCH", pods, "{\"metadata\":{\"labels\":{\"seen\":\"yes\"}}}",
			          &out->patch);
		if (!rc)
			rc = list(&s, &out->list);
		s.err = &late;
		if (ask(&s, "DELETE", path, NULL, NULL, NULL))
			(void)fprintf(stderr, "bench_real: namespace %s is left: %s\n", s.ns, late.text);
	}
	check_client_free(s.client);
	kt_free(s.pods);
	kt_free(s.ns);
	kt_free(path);
	kt_free(body);
	return rc;
}

static enum kt_code command(const char *program, const char *verb, struct kt_err *err)
{
	const char *const argv[] = {program, "cluster", verb, "bench", NULL};
	int status = 0;
	struct kt_run run = {.argv = argv, .timeout_ms = 60000};
	enum kt_code rc = kt_run(&run, &status, err);

	return rc || !status ? rc
	                     : kt_fail(err, KT_EIO, "%s cluster %s: exit code %d", program, verb, status);
}

static enum kt_code measure_own(const char *program, const char *home, size_t pods, struct times *out,
                                struct kt_err *err)
{
	char *dir = NULL, *kubeconfig;
	enum kt_code rc = embedded_dir(home, "bench", &dir, err);

	if (!rc)
		rc = command(program, "up", err);
	if (!rc) {
		kubeconfig = kt_strf("%s/kubeconfig", dir);
		rc = measure(kubeconfig, pods, out, err);
		kt_free(kubeconfig);
		if (command(program, "down", NULL))
			(void)fputs("bench_real: the cluster did not stop\n", stderr);
	}
	kt_free(dir);
	return rc;
}

static void print(const char *what, kt_ns own, kt_ns real)
{
	(void)printf("%-34s %9.3f ms   real %9.3f ms   real is %5.1f times that\n", what, (double)own / 1e6,
	             (double)real / 1e6, (double)real / (double)KT_MAX(own, 1));
}

int main(int argc, char **argv)
{
	char home[] = "/tmp/ktutor-bench.XXXXXX";
	const char *real = getenv("KTUTOR_BENCH_KUBECONFIG");
	size_t pods = argc > 2 ? (size_t)KT_MAX(strtol(argv[2], NULL, 10), 1L) : PODS;
	struct times own = {0}, theirs = {0};
	struct kt_err err = {0};
	enum kt_code rc;

	if (argc < 2) {
		(void)fputs("usage: bench_real PROGRAM [PODS]\n", stderr);
		return 2;
	}
	if (!real || !*real) {
		(void)puts("the same on a real API server: skipped, KTUTOR_BENCH_KUBECONFIG names no "
		           "kubeconfig of one");
		return 0;
	}
	if (!mkdtemp(home) || setenv("KTUTOR_HOME", home, 1))
		return 2;
	rc = measure_own(argv[1], home, pods, &own, &err);
	if (!rc)
		rc = measure(real, pods, &theirs, &err);
	(void)!kt_remove_tree(home, NULL);
	if (rc) {
		(void)fprintf(stderr, "bench_real: %s\n", err.text);
		return 1;
	}
	(void)printf("%zu pods, one kept connection, medians\n", pods);
	print("create a pod", own.create, theirs.create);
	print("GET of a pod", own.get, theirs.get);
	print("merge patch of a pod", own.patch, theirs.patch);
	print("list of all as a Table", own.list, theirs.list);
	return 0;
}
