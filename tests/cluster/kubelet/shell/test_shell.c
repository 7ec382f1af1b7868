/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/identity.h"
#include "tests/cluster/kubelet/shell/shell_run.h"

#include <stdlib.h>

static void scripts_print_what_dash_prints(void **state)
{
	(void)state;
	assert_true(shell_records("tests/cluster/kubelet/shell/scripts.txt", "debian:13", false) > 50);
}

static void scripts_print_what_busybox_prints(void **state)
{
	(void)state;
	assert_true(shell_records("tests/cluster/kubelet/shell/busybox.txt", "busybox:1.35", true) > 20);
}

static void scripts_print_what_bash_prints(void **state)
{
	(void)state;
	assert_true(shell_records("tests/cluster/kubelet/shell/bash.txt", "bash:5.2", true) > 1);
}

static void prints(struct shell_run *run, const char *script, const char *want, int code)
{
	shell_script(run, script, NULL);
	char *all = kt_strf("%s%s", kt_buf_str(&run->out), kt_buf_str(&run->err));
	assert_string_equal(all, want);
	assert_int_equal(run->code, code);
	kt_free(all);
}

static void busybox_has_words_of_its_own(void **state)
{
	struct shell_run run;
	(void)state;
	shell_run_init(&run, "busybox:1.36");
	prints(&run, "foo", "sh: foo: not found\n", 127);
	prints(&run, "cat /nope", "cat: can't open '/nope': No such file or directory\n", 1);
	prints(&run, "ls /nope", "ls: /nope: No such file or directory\n", 1);
	prints(&run, "sleep x", "sleep: invalid number 'x'\n", 1);
	prints(&run, "timeout 1 sleep 9", "Terminated\n", 143);
	prints(&run,
	       "printf '3.5 + 1\nscale=2; 10/3\n10%%3; 2^10\n-5+2; (1+2)*3\n0.5*2\n1.25*4\n3 > 2\nx=5; "
	       "x*2\n' "
	       "| bc",
	       "4.5\n3.33\n.01\n1024\n-3\n9\n1.0\n5.00\n1\n10\n", 0);
	prints(&run, "echo 'scale=3; sqrt(2); 1/3' | bc; echo 1/0 | bc", "1.414\n.333\nbc: divide by zero\n",
	       1);
	shell_run_clear(&run);
}

/* What coreutils, bsdmainutils and vim print. */
static void bytes_can_be_looked_at(void **state)
{
#define HELLO "printf 'Hello,\\tworld\\n\\000\\377abcdefghij' | "
	struct shell_run run;
	(void)state;
	shell_run_init(&run, "debian:13");
	prints(&run, HELLO "od",
	       "0000000 062510 066154 026157 073411 071157 062154 000012 060777\n"
	       "0000020 061542 062544 063546 064550 000152\n0000031\n",
	       0);
	prints(&run, HELLO "od -c",
	       "0000000   H   e   l   l   o   ,  \\t   w   o   r   l   d  \\n  \\0 377   a\n"
	       "0000020   b   c   d   e   f   g   h   i   j\n0000031\n",
	       0);
	prints(&run, HELLO "od -A d -t x1z",
	       "0000000 48 65 6c 6c 6f 2c 09 77 6f 72 6c 64 0a 00 ff 61  >Hello,.world...a<\n"
	       "0000016 62 63 64 65 66 67 68 69 6a                       >bcdefghij<\n0000025\n",
	       0);
	prints(&run, HELLO "od -An -tu1 -N4", "  72 101 108 108\n", 0);
	prints(&run, HELLO "od -t d4 -N 8", "0000000  1819043144  1997089903\n0000010\n", 0);
	prints(&run, "head -c 64 /dev/zero | od -x",
	       "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n0000100\n", 0);
	prints(&run, HELLO "hexdump -C",
	       "00000000  48 65 6c 6c 6f 2c 09 77  6f 72 6c 64 0a 00 ff 61  |Hello,.world...a|\n"
	       "00000010  62 63 64 65 66 67 68 69  6a                       |bcdefghij|\n00000019\n",
	       0);
	prints(&run, HELLO "hexdump -n 5", "0000000 6548 6c6c 006f                         \n0000005\n", 0);
	prints(&run, HELLO "xxd",
	       "00000000: 4865 6c6c 6f2c 0977 6f72 6c64 0a00 ff61  Hello,.world...a\n"
	       "00000010: 6263 6465 6667 6869 6a                   bcdefghij\n",
	       0);
	prints(&run, "printf abc | xxd -p; printf 616263 | xxd -r -p; echo; printf a | xxd -b",
	       "616263\nabc\n00000000: 01100001                                               a\n", 0);
	prints(&run, "printf 'a\\tbc\\td\\n' | expand -t 4", "a   bc  d\n", 0);
	shell_run_clear(&run);
}

static void files_are_packed_and_come_back(void **state)
{
	struct shell_run run;
	(void)state;
	shell_run_init(&run, "busybox");
	prints(&run, "seq 1000 >/n; gzip /n; ls /n*; gunzip /n.gz; tail -1 /n; ls /n*", "/n.gz\n1000\n/n\n",
	       0);
	prints(&run, "seq 1000 | gzip | wc -c | { read n; [ $n -lt 3000 ] && echo small; }", "small\n", 0);
	prints(&run, "seq 3 | gzip -c >/m.gz; seq 4 6 | gzip >>/m.gz; zcat /m.gz | tr '\\n' ' '",
	       "1 2 3 4 5 6 ", 0);
	prints(&run, "echo no | gunzip", "gunzip: invalid magic\n", 1);
	prints(&run,
	       "mkdir -p /d/e; echo x >/d/e/f; cd /tmp; tar czf a.tgz -C /d e; pwd; mkdir o; tar xzf a.tgz "
	       "-C o; "
	       "cat o/e/f; tar tf a.tgz",
	       "/tmp\nx\ne/\ne/f\n", 0);
	prints(&run, "tar xf - -C /no/dir </dev/null",
	       "tar: can't change directory to '/no/dir': No such file or directory\n", 1);
	prints(&run, "tar cf /x.tar /absent",
	       "tar: /absent: No such file or directory\n"
	       "tar: error exit delayed from previous errors\n",
	       1);
	shell_run_clear(&run);
}

/* Docker's nginx speaks only where its entrypoint stands before it. */
static void an_entrypoint_that_was_replaced_says_nothing(void **state)
{
	struct shell_run run;
	const char *own[] = {"nginx", "-g", "daemon off;", NULL};
	(void)state;
	shell_run_init(&run, "nginx:1.27");
	assert_true(shell_start(&run, NULL, NULL, false, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	assert_non_null(strstr(kt_buf_str(&run.out), "/docker-entrypoint.sh: Configuration complete"));
	process_free(run.process);
	run.process = NULL;
	assert_true(shell_start(&run, own, NULL, false, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	assert_false(run.over);
	assert_string_equal(kt_buf_str(&run.out), "");
	shell_run_clear(&run);
}

static void a_process_tells_what_it_may(void **state)
{
	static const struct {
		const char *security, *bound;
	} rows[] = {{"{}", "00000000a80425fb"},
	            {"{capabilities: {drop: ['ALL']}}", "0000000000000000"},
	            {"{capabilities: {drop: ['ALL'], add: ['NET_BIND_SERVICE']}}", "0000000000000400"},
	            {"{capabilities: {add: ['NET_ADMIN', 'CAP_SYS_TIME']}}", "00000000aa0435fb"},
	            {"{capabilities: {add: ['ALL'], drop: ['NET_RAW']}}", "000001ffffffdfff"},
	            {"{privileged: true}", "000001ffffffffff"}};
	struct shell_run run;
	(void)state;
	shell_run_init(&run, "busybox");
	run.container.no_new_privileges = true;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *security = kt_jsonf(rows[i].security);
		char *want = kt_strf("CapInh:\t0000000000000000\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\n"
		                     "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n",
		                     rows[i].bound, rows[i].bound, rows[i].bound);
		run.container.capabilities = identity_capabilities(security);
		prints(&run, "grep -E 'Cap|NoNew' /proc/self/status", want, 0);
		kt_free(want);
		kt_json_free(security);
	}
	run.container.run_as_user = 65534;
	prints(&run, "grep -E 'CapEff|^Uid' /proc/1/status; cat /proc/1/comm",
	       "Uid:\t65534\t65534\t65534\t65534\nCapEff:\t0000000000000000\nsh\n", 0);
	shell_run_clear(&run);
}

static void waiting_takes_virtual_time(void **state)
{
	struct shell_run run;
	const char *argv[] = {"sleep", "90", NULL};
	(void)state;
	shell_run_init(&run, "busybox");
	assert_true(shell_start(&run, argv, NULL, false, NULL));
	kt_ns start = cluster_now(run.cluster);
	cluster_advance(run.cluster, start + 89 * KT_SEC);
	assert_false(run.over);
	cluster_advance(run.cluster, start + 90 * KT_SEC);
	assert_true(run.over);
	assert_int_equal(run.code, 0);
	assert_string_equal(run.reason, "Completed");
	shell_run_clear(&run);
}

/* df and uptime tell of the machine and of what was written. */
static void what_is_measured_is_told(void **state)
{
	struct shell_run run;
	(void)state;
	shell_run_init(&run, "busybox");
	prints(&run, "df / | awk 'NR == 2 {print $1, $2, $6}'", "overlay 104857600 /\n", 0);
	prints(&run,
	       "a=$(df -P /tmp | awk 'NR == 2 {print $3}'); dd if=/dev/zero of=/tmp/x bs=1M count=10 "
	       "2>/dev/null; "
	       "b=$(df -P /tmp | awk 'NR == 2 {print $3}'); echo $((b - a))",
	       "10240\n", 0);
	prints(&run, "df -h | head -n 2 | tail -n 1",
	       "overlay                 100.0G     20.0G     80.0G  21% /\n", 0);
	prints(&run,
	       "uptime | grep -Eo 'load average: [0-9.]+, [0-9.]+, [0-9.]+' | wc -l; [ \"$(uptime | cut "
	       "-c2-6)\" = \"$(date +%H:%M)\" ]",
	       "1\n", 0);
	shell_run_clear(&run);
}

/* An exec beside the main program: what it leaves in the background goes on, and holds its output open. */
static void what_an_exec_leaves_behind_goes_on(void **state)
{
	static const struct {
		const char *script;
		kt_ns takes; /* until the exec is over */
	} rows[] = {{"(sleep 3; echo x >/left) >/dev/null 2>&1 &", 0},
	            {"sh -c 'sleep 3; echo x >/left' &", 3 * KT_SEC}};
	struct shell_run run, beside;
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		const char *sleeper[] = {"sleep", "60", NULL}, *words[] = {"sh", "-c", rows[i].script, NULL};
		struct files_stat st;
		shell_run_init(&run, "busybox");
		assert_true(shell_start(&run, sleeper, NULL, false, NULL));
		memset(&beside, 0, sizeof(beside));
		struct process_spec spec = {.container = &run.container,
		                            .argv = words,
		                            .output = shell_output,
		                            .exited = shell_exited,
		                            .arg = &beside};
		kt_ns start = cluster_now(run.cluster);
		struct process *exec = process_start(&spec, NULL);
		assert_non_null(exec);
		cluster_advance(run.cluster, start + KT_SEC / 10);
		assert_int_equal(beside.over, rows[i].takes == 0);
		cluster_advance(run.cluster, start + rows[i].takes + KT_SEC / 10);
		assert_true(beside.over);
		process_free(exec);
		cluster_advance(run.cluster, start + 4 * KT_SEC);
		assert_int_equal(files_stat(run.container.files, "/left", &st), 0);
		assert_ptr_equal(run.container.processes, run.process); /* nothing is left of it then */
		shell_run_clear(&run);
	}
}

static int after_term(struct shell_run *run, const char *const *argv, kt_ns wait)
{
	assert_true(shell_start(run, argv, NULL, false, NULL));
	cluster_advance(run->cluster, cluster_now(run->cluster) + 2 * KT_SEC);
	assert_false(run->over);
	process_signal(run->process, 15);
	cluster_advance(run->cluster, cluster_now(run->cluster) + wait);
	return run->over ? run->code : -1;
}

static void the_first_process_ignores_signals_it_does_not_handle(void **state)
{
	struct shell_run run;
	const char *sleeper[] = {"sleep", "3600", NULL},
	           *loop[] = {"sh", "-c", "while true; do sleep 1; done", NULL};
	const char *trapped[] = {"sh", "-c", "trap 'echo bye; exit 3' TERM; while true; do sleep 1; done",
	                         NULL};
	const char *late[] = {"sh", "-c", "trap 'exit 4' TERM; sleep 20", NULL};
	const char *prompt[] = {"sh", "-c", "trap 'exit 5' TERM; sleep 3600 & wait", NULL};
	(void)state;
	shell_run_init(&run, "busybox");
	assert_int_equal(after_term(&run, sleeper, 60 * KT_SEC), -1);
	process_signal(run.process, 9);
	cluster_advance(run.cluster, cluster_now(run.cluster));
	assert_int_equal(run.code, 137);
	assert_int_equal(after_term(&run, loop, 60 * KT_SEC), -1);
	assert_int_equal(after_term(&run, trapped, 2 * KT_SEC), 3);
	assert_string_equal(kt_buf_str(&run.out), "bye\n");
	/* a trap waits for the program in the foreground, but not for `wait` */
	assert_int_equal(after_term(&run, late, 5 * KT_SEC), -1);
	cluster_advance(run.cluster, cluster_now(run.cluster) + 20 * KT_SEC);
	assert_int_equal(run.code, 4);
	assert_int_equal(after_term(&run, prompt, 0), 5);
	shell_run_clear(&run);
}

static void servers_end_at_once(void **state)
{
	struct shell_run run;
	const char *const *entry = NULL;
	(void)state;
	shell_run_init(&run, "nginx:1.27");
	assert_int_equal(after_term(&run, entry, 0), 0);
	shell_run_clear(&run);
}

static void too_much_memory_ends_the_container(void **state)
{
	struct shell_run run;
	const char *argv[] = {"stress", "--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1", NULL};
	(void)state;
	shell_run_init(&run, "polinux/stress");
	run.container.memory_limit = 100 << 20;
	assert_true(shell_start(&run, argv, NULL, false, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	assert_true(run.over);
	assert_int_equal(run.code, 137);
	assert_string_equal(run.reason, "OOMKilled");
	run.container.memory_limit = 400 << 20;
	assert_true(shell_start(&run, argv, NULL, false, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + 60 * KT_SEC);
	assert_false(run.over);
	shell_run_clear(&run);
}

static const char *memory_end(struct shell_run *run, const char *const argv[], int64_t limit)
{
	run->container.memory_limit = limit;
	assert_true(shell_start(run, argv, NULL, false, NULL));
	cluster_advance(run->cluster, cluster_now(run->cluster) + 60 * KT_SEC);
	return run->over ? run->reason : "runs";
}

static void what_a_shell_reads_and_makes_is_memory(void **state)
{
	static const char *const reads[] = {"sh", "-c",
	                                    "x=$(head -c 60000000 /dev/zero | tr '\\000' x); sleep 1000",
	                                    NULL},
	                         *const doubles[] = {"awk", "BEGIN{s=\"x\"; while(1) s = s s}", NULL};
	struct shell_run run;
	(void)state;
	shell_run_init(&run, "busybox");
	assert_string_equal(memory_end(&run, reads, 32 << 20), "OOMKilled");
	assert_string_equal(memory_end(&run, reads, 256 << 20), "runs");
	assert_string_equal(memory_end(&run, doubles, 0), "OOMKilled");
	shell_run_clear(&run);
}

static void agnhost_stress_takes_its_memory_step_by_step(void **state)
{
	static const char *const argv[] = {
	        "/agnhost",          "stress", "--mem-total", "150Mi", "--mem-alloc-size=10Mi",
	        "--mem-alloc-sleep", "1s",     NULL};
	struct shell_run run;
	int64_t cpu, memory;
	(void)state;
	shell_run_init(&run, "registry.k8s.io/e2e-test-images/agnhost:2.53");
	assert_string_equal(memory_end(&run, argv, 100 << 20), "OOMKilled");
	assert_string_equal(memory_end(&run, argv, 200 << 20), "runs");
	container_usage(&run.container, &cpu, &memory);
	assert_in_range(memory, 150 << 20, 170 << 20);
	shell_run_clear(&run);
}

static void a_busy_loop_uses_its_cpu_limit_and_no_more(void **state)
{
	struct shell_run run;
	const char *argv[] = {"sh", "-c", "while :; do :; done", NULL};
	int64_t cpu, memory;
	(void)state;
	shell_run_init(&run, "busybox");
	assert_true(shell_start(&run, argv, NULL, false, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + 100 * KT_SEC);
	container_usage(&run.container, &cpu, &memory);
	assert_in_range(cpu, 90 * KT_SEC, 110 * KT_SEC);
	run.container.cpu_limit_milli = 200;
	assert_true(shell_start(&run, argv, NULL, false, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + 100 * KT_SEC);
	container_usage(&run.container, &cpu, &memory);
	assert_in_range(cpu, 18 * KT_SEC, 30 * KT_SEC);
	shell_run_clear(&run);
}

static void a_missing_program_is_told_in_the_runtime_s_words(void **state)
{
	struct shell_run run;
	const char *absent[] = {"no-such", NULL}, *path[] = {"/no/such", NULL}, *script[] = {"/run.sh", NULL};
	char *why = NULL;
	(void)state;
	shell_run_init(&run, "busybox");
	assert_false(shell_start(&run, absent, NULL, false, &why));
	assert_string_equal(why, "exec: \"no-such\": executable file not found in $PATH");
	kt_free(why);
	assert_false(shell_start(&run, path, NULL, false, &why));
	assert_string_equal(why, "exec: \"/no/such\": stat /no/such: no such file or directory");
	kt_free(why);
	assert_int_equal(files_write(run.container.files, "/run.sh", "echo ran", 8, false, 0644, 0), 0);
	assert_false(shell_start(&run, script, NULL, false, &why));
	assert_string_equal(why, "exec: \"/run.sh\": permission denied");
	kt_free(why);
	assert_int_equal(files_chmod(run.container.files, "/run.sh", 0755), 0);
	assert_true(shell_start(&run, script, NULL, false, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	assert_string_equal(kt_buf_str(&run.err), "exec /run.sh: exec format error\n");
	assert_int_equal(
	        files_write(run.container.files, "/run.sh", "#!/bin/sh\necho ran", 18, false, 0755, 0), 0);
	assert_true(shell_start(&run, script, NULL, false, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	assert_string_equal(kt_buf_str(&run.out), "ran\n");
	shell_run_clear(&run);
}

static void a_terminal_echoes_and_prompts(void **state)
{
	struct shell_run run;
	const char *argv[] = {"sh", NULL};
	(void)state;
	shell_run_init(&run, "busybox");
	assert_true(shell_start(&run, argv, NULL, true, NULL));
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	process_write(run.process, "ecgo\b\bho hi\r", 12);
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	process_write(run.process, "sleep 100\r", 10);
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	process_write(run.process, "\003", 1);
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	process_write(run.process, "exit 6\r", 7);
	cluster_advance(run.cluster, cluster_now(run.cluster) + KT_SEC);
	assert_string_equal(kt_buf_str(&run.out),
	                    "/ # ecgo\b \b\b \bho hi\r\nhi\r\n/ # sleep 100\r\n^C\r\n/ # exit 6\r\n");
	assert_int_equal(run.code, 6);
	shell_run_clear(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(scripts_print_what_dash_prints),
	        cmocka_unit_test(scripts_print_what_busybox_prints),
	        cmocka_unit_test(scripts_print_what_bash_prints),
	        cmocka_unit_test(busybox_has_words_of_its_own),
	        cmocka_unit_test(bytes_can_be_looked_at),
	        cmocka_unit_test(files_are_packed_and_come_back),
	        cmocka_unit_test(an_entrypoint_that_was_replaced_says_nothing),
	        cmocka_unit_test(a_process_tells_what_it_may),
	        cmocka_unit_test(waiting_takes_virtual_time),
	        cmocka_unit_test(what_an_exec_leaves_behind_goes_on),
	        cmocka_unit_test(what_is_measured_is_told),
	        cmocka_unit_test(the_first_process_ignores_signals_it_does_not_handle),
	        cmocka_unit_test(servers_end_at_once),
	        cmocka_unit_test(too_much_memory_ends_the_container),
	        cmocka_unit_test(what_a_shell_reads_and_makes_is_memory),
	        cmocka_unit_test(agnhost_stress_takes_its_memory_step_by_step),
	        cmocka_unit_test(what_a_shell_reads_and_makes_is_memory),
	        cmocka_unit_test(agnhost_stress_takes_its_memory_step_by_step),
	        cmocka_unit_test(a_busy_loop_uses_its_cpu_limit_and_no_more),
	        cmocka_unit_test(a_missing_program_is_told_in_the_runtime_s_words),
	        cmocka_unit_test(a_terminal_echoes_and_prompts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
