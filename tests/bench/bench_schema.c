/* SPDX-License-Identifier: MIT */
/* What decoding, defaulting and printing cost: a Deployment in (budget 30 us), a pod's cells (5 us). */
#include "cluster/schema/schema.h"

#include <stdio.h>
#include <string.h>

static const char deployment[] =
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":\"demo\",\"labels\":{"
        "\"app\":\"web\",\"tier\":\"front\"}},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{"
        "\"app\":\"web\"}},\"template\":{"
        "\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":"
        "\"nginx:1.27\",\"ports\":[{"
        "\"containerPort\":80}],\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"},"
        "\"limits\":{\"memory\":\"256Mi\"}},"
        "\"readinessProbe\":{\"httpGet\":{\"path\":\"/"
        "\",\"port\":80}},\"env\":[{\"name\":\"A\",\"value\":\"b\"},{\"name\":\"POD\","
        "\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}}],\"volumeMounts\":[{\"name\":\"c\","
        "\"mountPath\":\"/c\"}]}],"
        "\"volumes\":[{\"name\":\"c\",\"configMap\":{\"name\":\"conf\"}}]}}}}";

static const char status[] =
        "{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Initialized\",\"status\":\"True\"},{\"type\":"
        "\"Ready\",\"status\":\"True\"}],"
        "\"podIPs\":[{\"ip\":\"10.244.1.5\"}],\"containerStatuses\":[{\"name\":\"web\",\"ready\":true,"
        "\"restartCount\":1,\"state\":{"
        "\"running\":{}},\"lastState\":{\"terminated\":{\"finishedAt\":\"2026-01-02T03:04:00Z\"}}}]}";

static struct kt_json *parsed(const char *text)
{
	struct kt_json *v = NULL;
	if (kt_json_parse(text, strlen(text), NULL, &v, NULL, NULL))
		kt_bug("not JSON");
	return v;
}

static void tell(const char *what, kt_ns spent, int rounds, double budget)
{
	double us = (double)spent / rounds / 1000;
	printf("%-44s %8.2f us   budget %6.2f us   %s\n", what, us, budget, us <= budget ? "ok" : "OVER");
}

int main(void)
{
	enum { ROUNDS = 20000 };
	struct schema *schema = schema_new();
	const struct schema_kind *kind = schema_by_kind(schema, "apps", "v1", "Deployment");
	const struct schema_kind *pods = schema_by_kind(schema, "", "v1", "Pod");
	struct kt_json *raw = parsed(deployment), *out = NULL;
	kt_ns start = kt_monotonic();
	for (int i = 0; i < ROUNDS; i++) {
		kt_json_freep(&out);
		if (schema_decode(schema, kind, raw, &out, NULL, NULL))
			kt_bug("not decoded");
		schema_default(schema, kind, &out);
	}
	tell("decode and default a Deployment", kt_monotonic() - start, ROUNDS, 30);
	start = kt_monotonic();
	for (int i = 0; i < ROUNDS; i++)
		schema_default(schema, kind, &out);
	tell("default what has its defaults", kt_monotonic() - start, ROUNDS, 5);

	struct kt_json *pod =
	        kt_jsonf("{kind: 'Pod', apiVersion: 'v1', metadata: {name: 'web-1', creationTimestamp: "
	                 "'2026-01-02T03:00:00Z'}, spec: %J, status: %j}",
	                 kt_path(out, "spec.template.spec"), parsed(status));
	start = kt_monotonic();
	for (int i = 0; i < ROUNDS; i++)
		kt_json_free(schema_cells(pods, pod, 1767323045 * KT_SEC));
	tell("cells of a pod", kt_monotonic() - start, ROUNDS, 5);
	start = kt_monotonic();
	for (int i = 0; i < ROUNDS; i++) {
		struct kt_json *fresh = kt_json_ref(pod);
		schema_default(schema, pods, &fresh);
		kt_json_free(fresh);
	}
	tell("default a pod of a defaulted template", kt_monotonic() - start, ROUNDS, 10);
	start = kt_monotonic();
	(void)schema_openapi_index(schema);
	tell("index of OpenAPI, once", kt_monotonic() - start, 1, 20000);
	start = kt_monotonic();
	schema_free(schema_new());
	tell("a new schema", kt_monotonic() - start, 1, 5000);
	kt_json_free(pod);
	kt_json_free(out);
	kt_json_free(raw);
	schema_free(schema);
	return 0;
}
