/* SPDX-License-Identifier: MIT */
/* The real kubectl on an embedded cluster: every one that lies beside the one on PATH (kubectl, kubectl.1.27,
 * …), or those of $KUBECTLS. Without any, the tests are skipped. Each line of a script is a shell command;
 * $KUBECTL is the client; a line ends when what is wanted has come, at most after its time: virtual time runs
 * fast meanwhile. */
#include "base/base.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MAX_CLIENTS 16

struct place {
	char home[64];
	char *program;
	struct kt_strs clients;
};

/* What is run, and what its output (both streams) must contain; retried until it does. */
struct line {
	const char *command, *wants;
};

static enum kt_code shell(const char *command, const char *client, const struct place *place,
                          struct kt_buf *out, int *status)
{
	char *kubectl = kt_strf("KUBECTL=%s", client), *home = kt_strf("KTUTOR_HOME=%s", place->home);
	char *ktutor = kt_strf("KTUTOR=%s", place->program), *own = kt_strf("HOME=%s", place->home);
	char *config = kt_strf("KUBECONFIG=%s/clusters/demo/kubeconfig", place->home);
	char *script = kt_strf("exec 2>&1; %s", command);
	const char *env[] = {kubectl, home, ktutor, own, config, NULL};
	const char *argv[] = {"sh", "-c", script, NULL};
	struct kt_run run = {.argv = argv, .env = env, .dir = place->home, .out = out, .timeout_ms = 20000};
	struct kt_err err = {0};
	enum kt_code rc = kt_run(&run, status, &err);
	if (rc)
		kt_buf_adds(out, err.text);
	kt_free(kubectl);
	kt_free(home);
	kt_free(ktutor);
	kt_free(own);
	kt_free(config);
	kt_free(script);
	return rc;
}

static void play(const struct place *place, const char *client, const struct line *lines)
{
	struct kt_buf out = {0};
	for (; lines->command; lines++) {
		bool fits = false;
		for (int tries = 0; tries < 40 && !fits; tries++) {
			int status = -1;
			kt_buf_cut(&out, 0);
			if (tries) {
				(void)shell("$KTUTOR cluster time demo advance 2s", client, place, &out,
				            &status);
				kt_buf_cut(&out, 0);
			}
			if (!shell(lines->command, client, place, &out, &status) || out.len)
				fits = strstr(kt_buf_str(&out), lines->wants) != NULL;
		}
		if (!fits)
			fail_msg("%s: %s\nwanted: %s\ncame: %s", kt_basename(client), lines->command,
			         lines->wants, kt_buf_str(&out));
	}
	kt_buf_clear(&out);
}

static void find_clients(struct place *place)
{
	const char *given = getenv("KUBECTLS");
	char *found = kt_which("kubectl"), *real = found ? realpath(found, NULL) : NULL;
	size_t len;
	for (const char *piece; given && (piece = kt_split(&given, ':', &len));)
		kt_strs_steal(&place->clients, kt_strndup(piece, len));
	if (!place->clients.count && real) {
		struct kt_strs names = {0};
		char *dir = kt_strndup(real, (size_t)(kt_basename(real) - real));
		if (!kt_list_dir(dir, &names, NULL))
			for (size_t i = 0; i < names.count && place->clients.count < MAX_CLIENTS; i++)
				if (kt_streq(names.items[i], "kubectl") ||
				    (kt_starts(names.items[i], "kubectl.") && strlen(names.items[i]) < 14))
					kt_strs_steal(&place->clients, kt_join(dir, names.items[i]));
		kt_strs_clear(&names);
		kt_free(dir);
	}
	free(real);
	kt_free(found);
}

static int set_up(void **state)
{
	struct place *place = kt_alloc(sizeof *place);
	struct kt_buf out = {0};
	int status = -1;
	(void)snprintf(place->home, sizeof place->home, "%s", "/tmp/ktutor-kubectl.XXXXXX");
	place->program = *state;
	if (!mkdtemp(place->home))
		return -1;
	find_clients(place);
	*state = place;
	(void)shell("$KTUTOR cluster up demo --nodes 3 --speed 60", "", place, &out, &status);
	if (status)
		(void)fprintf(stderr, "%s\n", kt_buf_str(&out));
	kt_buf_clear(&out);
	return status;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	struct kt_buf out = {0};
	int status = -1;
	(void)shell("$KTUTOR cluster down demo", "", place, &out, &status);
	kt_buf_clear(&out);
	if (kt_remove_tree(place->home, NULL))
		status = 1;
	kt_strs_clear(&place->clients);
	*state = place->program;
	kt_free(place);
	return status;
}

static void each_client(void **state, const struct line *lines)
{
	struct place *place = *state;
	if (!place->clients.count)
		skip();
	for (size_t i = 0; i < place->clients.count; i++)
		play(place, place->clients.items[i], lines);
}

/* --- scripts: each leaves the cluster as it found it, for the next client --- */

static void every_client_sees_nodes_and_makes_and_drops_objects(void **state)
{
	static const struct line lines[] = {
	        {"$KUBECTL get nodes", "control-plane"},
	        {"$KUBECTL get nodes -o wide", "INTERNAL-IP"},
	        {"$KUBECTL create configmap settings --from-literal=a=1", "configmap/settings created"},
	        {"$KUBECTL get configmap settings -o jsonpath='{.data.a}'", "1"},
	        {"$KUBECTL label configmap settings tier=x", "configmap/settings labeled"},
	        {"$KUBECTL get cm -l tier=x -o name", "configmap/settings"},
	        {"$KUBECTL create deployment web --image=nginx --replicas=2", "deployment.apps/web created"},
	        {"$KUBECTL scale deployment web --replicas=3", "deployment.apps/web scaled"},
	        {"$KUBECTL get deployment web -o jsonpath='{.spec.replicas}'", "3"},
	        {"$KUBECTL explain deployment.spec.replicas", "replicas <integer>"},
	        {"$KUBECTL delete deployment/web configmap/settings", "configmap \"settings\" deleted"},
	        {"$KUBECTL get deployments", "No resources found in default namespace."},
	        {NULL, NULL},
	};
	each_client(state, lines);
}

static void every_client_applies_a_manifest_and_applies_it_again(void **state)
{
	static const struct line lines[] = {
	        {"printf '%s\\n' 'apiVersion: v1' 'kind: Service' 'metadata: {name: shop}' 'spec: {selector: "
	         "{app: shop}, "
	         "ports: [{port: 80, targetPort: 8080}]}' >m.yaml; $KUBECTL apply -f m.yaml",
	         "service/shop created"},
	        {"$KUBECTL apply -f m.yaml", "service/shop unchanged"},
	        {"sed -i.old 's/port: 80,/port: 81,/' m.yaml; $KUBECTL diff -f m.yaml", "port: 81"},
	        {"$KUBECTL apply -f m.yaml", "service/shop"},
	        {"$KUBECTL get service shop -o jsonpath='{.spec.ports[*].port}'", "81"},
	        {"printf 'apiVersion: v1\\nkind: Service\\nmetadata: {name: x}\\nspec: {ports: [{prot: "
	         "1}]}\\n' | $KUBECTL apply -f "
	         "-",
	         "unknown field"},
	        {"$KUBECTL delete -f m.yaml", "service \"shop\" deleted"},
	        {NULL, NULL},
	};
	each_client(state, lines);
}

static void every_client_reaches_into_a_running_pod(void **state)
{
	static const struct line lines[] = {
	        {"$KUBECTL run box --image=busybox -- sh -c 'echo started; sleep 100000'", "pod/box created"},
	        {"$KUBECTL get pod box", "Running"},
	        {"$KUBECTL logs box", "started"},
	        {"$KUBECTL exec box -- echo from inside", "from inside"},
	        {"echo through a pipe | $KUBECTL exec -i box -- cat", "through a pipe"},
	        {"$KUBECTL exec box -- sh -c 'exit 7'; echo code $?", "code 7"},
	        {"$KUBECTL delete pod box --grace-period=0 --force", "pod \"box\" force deleted"},
	        {"$KUBECTL get pods", "No resources found"},
	        {NULL, NULL},
	};
	each_client(state, lines);
}

static void every_client_forwards_a_port(void **state)
{
	static const struct line lines[] = {
	        {"$KUBECTL run site --image=nginx --port=80", "pod/site created"},
	        {"$KUBECTL get pod site", "Running"},
	        {"$KUBECTL port-forward pod/site :80 >forward.log 2>&1 & p=$!; i=0; while [ $i -lt 100 ] && "
	         "! grep -q Forwarding "
	         "forward.log; do i=$((i+1)); sleep 0.05; done; port=$(sed -n "
	         "'s/.*127.0.0.1:\\([0-9]*\\).*/\\1/p' forward.log | "
	         "head -1); curl -s --max-time 5 http://127.0.0.1:$port/; kill $p; wait $p",
	         "Welcome to nginx"},
	        {"$KUBECTL delete pod site --now", "pod \"site\""},
	        {"$KUBECTL get pods", "No resources found"},
	        {NULL, NULL},
	};
	each_client(state, lines);
}

int main(int argc, char **argv)
{
	const char *given = getenv("KTUTOR_PROGRAM");
	char *path = given ? kt_strdup(given)
	                   : kt_strf("%.*s/../../ktutor", (int)(kt_basename(argv[0]) - argv[0]), argv[0]);
	char *program = realpath(path, NULL);
#define TEST(fn)                                                                                             \
	{                                                                                                    \
#fn, fn, set_up, tear_down, program                                                          \
	}
	const struct CMUnitTest tests[] = {
	        TEST(every_client_sees_nodes_and_makes_and_drops_objects),
	        TEST(every_client_applies_a_manifest_and_applies_it_again),
	        TEST(every_client_reaches_into_a_running_pod),
	        TEST(every_client_forwards_a_port),
	};
	(void)argc;
	int failed = program ? cmocka_run_group_tests_name("kubectl", tests, NULL, NULL) : 1;
	free(program);
	kt_free(path);
	return failed;
}
