/* SPDX-License-Identifier: MIT */
/* agnhost's commands that say something and end: entrypoint-tester, dns-suffix, dns-server-list, etc-hosts,
 * logs-generator, help. What they print: kubernetes/kubernetes test/images/agnhost. */
#include "cluster/kubelet/servers/agnhost.h"

#include <stdlib.h>
#include <string.h>

void agnhost_log(struct tool_run *r, const char *file, const char *text)
{
	char when[40];
	kt_ns now = process_now(r->task->process);
	struct tm tm = server_now(r);
	size_t len = strftime(when, sizeof(when), "%m%d %H:%M:%S", &tm);
	tool_err(r, "I%.*s.%06lld %7d %s] %s\n", (int)len, when, (long long)(now % KT_SEC / KT_US),
	         r->task->pid, file, text);
}

static int run_entrypoint(struct tool_run *r)
{
	for (size_t i = 0; i < r->argv.count; i++)
		tool_outf(r, "%s%s", i ? " " : "[", r->argv.items[i]);
	tool_outs(r, "]\n");
	return 0;
}

static void joined(struct tool_run *r, const struct kt_strs *all)
{
	for (size_t i = 0; i < all->count; i++)
		tool_outf(r, "%s%s", i ? "," : "", all->items[i]);
	tool_outs(r, "\n");
}

static int run_suffix(struct tool_run *r)
{
	struct network_resolver resolver = {0};
	task_resolver(r->task, &resolver);
	joined(r, kt_streq(r->argv.items[1], "dns-suffix") ? &resolver.search : &resolver.servers);
	network_resolver_clear(&resolver);
	return 0;
}

static int run_hosts(struct tool_run *r)
{
	struct kt_buf text = {0};
	(void)special_file(r->task, "/etc/hosts", &text);
	tool_out(r, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
	return 0;
}

/* --log-lines-total N, --run-duration TIME: evenly over the time */
static int run_logs(struct tool_run *r)
{
	static const char *const verbs[] = {"GET", "PUT", "POST"}, *const spaces[] = {"kube-system",
	                                                                              "default", "ns"};
	const char *total = server_option(r, "log-lines-total"), *time = server_option(r, "run-duration");
	struct kt_random *random = cluster_random(r->task->process->cluster);
	long lines = 0;
	kt_ns span = 0;
	total = total ? total : server_option(r, "t");
	time = time ? time : server_option(r, "d");
	lines = total ? strtol(total, NULL, 10) : 0;
	if (time)
		(void)kt_duration_parse(time, &span);
	if (lines <= 0 || span <= 0) {
		tool_err(r, "F%s\n",
		         lines <= 0 ? " Invalid total number of lines: 0" : " Invalid duration: 0s");
		return 255;
	}
	while ((long)r->pc < lines) {
		if (tool_sleep(r, span / lines))
			return TOOL_WAIT;
		char name[6];
		kt_random_name(random, name, 3 + kt_random_below(random, 3));
		char *text = kt_strf("%u %s /api/v1/namespaces/%s/pods/%s %u", r->pc,
		                     verbs[kt_random_below(random, 3)], spaces[kt_random_below(random, 3)],
		                     name, 200 + kt_random_below(random, 400));
		agnhost_log(r, "logs_generator.go:76", text);
		kt_free(text);
		r->pc++;
	}
	return 0;
}

static int run_help(struct tool_run *r)
{
	tool_outs(r, "Usage:\n  app [command]\n\nAvailable Commands:\n");
	static const char *const commands[][2] = {
	        {"connect", "Attempts a TCP, UDP or SCTP connection and returns useful errors"},
	        {"dns-server-list", "Prints the host's DNS Server list"},
	        {"dns-suffix", "Prints the host's DNS suffix list"},
	        {"entrypoint-tester", "Prints the args it's passed and exits"},
	        {"etc-hosts", "Prints the host's /etc/hosts file"},
	        {"grpc-health-checking", "Starts a simple grpc health checking endpoint"},
	        {"help", "Help about any command"},
	        {"liveness", "Starts a server that is alive for 10 seconds"},
	        {"logs-generator", "Outputs lines of logs to stdout uniformly"},
	        {"netexec", "Creates HTTP(S), UDP, and (optionally) SCTP servers with various endpoints"},
	        {"pause", "Pauses the execution"},
	        {"porter", "Serves requested data on ports specified in ENV variables"},
	        {"serve-hostname", "Serves the hostname"},
	        {"stress", "Lightweight compute resource stress utlity"},
	        {"test-webserver", "Starts a simple HTTP fileserver"}};
	for (size_t i = 0; i < KT_COUNT(commands); i++)
		tool_outf(r, "  %-37s %s\n", commands[i][0], commands[i][1]);
	return 0;
}

/* Those that serve, or do nothing for ever, are no commands of this table. */
static const char *const serving[] = {"audit-proxy",
                                      "connect",
                                      "crd-conversion-webhook",
                                      "fake-gitserver",
                                      "grpc-health-checking",
                                      "guestbook",
                                      "inclusterclient",
                                      "liveness",
                                      "mounttest",
                                      "net",
                                      "netexec",
                                      "nettest",
                                      "no-snat-test",
                                      "no-snat-test-proxy",
                                      "pause",
                                      "port-forward-tester",
                                      "porter",
                                      "resource-consumer-controller",
                                      "serve-hostname",
                                      "stress",
                                      "tcp-reset",
                                      "test-service-account-issuer-discovery",
                                      "test-webserver",
                                      "webhook",
                                      "podcertificatesigner"};

bool agnhost_command(struct tool_run *r, int *code)
{
	static const struct {
		const char *name;
		int (*run)(struct tool_run *r);
	} commands[] = {{"dns-server-list", run_suffix},
	                {"dns-suffix", run_suffix},
	                {"entrypoint-tester", run_entrypoint},
	                {"etc-hosts", run_hosts},
	                {"help", run_help},
	                {"logs-generator", run_logs},
	                {"--help", run_help},
	                {"-h", run_help}};
	const char *mode = r->argv.count > 1 ? r->argv.items[1] : "help";
	for (size_t i = 0; i < KT_COUNT(commands); i++) {
		if (kt_streq(commands[i].name, mode)) {
			*code = commands[i].run(r);
			return true;
		}
	}
	for (size_t i = 0; i < KT_COUNT(serving); i++)
		if (kt_streq(serving[i], mode))
			return false;
	tool_err(r, "Error: unknown command \"%s\" for \"app\"\n", mode);
	*code = 1;
	return true;
}
