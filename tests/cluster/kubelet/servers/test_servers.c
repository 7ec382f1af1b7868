/* SPDX-License-Identifier: MIT */
#include "tests/cluster/kubelet/shell/shell_run.h"

static void nginx_follows_its_configuration(void **state)
{
	(void)state;
	assert_true(shell_records("tests/cluster/kubelet/servers/nginx.txt", "nginx:1.27", true) >= 15);
}

static void curl_asks_as_it_is_told(void **state)
{
	(void)state;
	assert_true(shell_records("tests/cluster/kubelet/servers/curl.txt", "nginx:1.27", true) >= 3);
}

static void redis_keeps_what_it_is_told(void **state)
{
	(void)state;
	assert_true(shell_records("tests/cluster/kubelet/servers/redis.txt", "redis:7.4", true) >= 11);
}

static void databases_do_what_sql_says(void **state)
{
	(void)state;
	assert_true(shell_records("tests/cluster/kubelet/servers/postgres.txt", "postgres:17", true) >= 4);
	assert_true(shell_records("tests/cluster/kubelet/servers/mysql.txt", "mysql:8.4", true) >= 2);
}

static void python_serves_folders(void **state)
{
	(void)state;
	assert_true(shell_records("tests/cluster/kubelet/servers/python.txt", "python:3.12-alpine", true) >=
	            2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nginx_follows_its_configuration), cmocka_unit_test(curl_asks_as_it_is_told),
	        cmocka_unit_test(redis_keeps_what_it_is_told), cmocka_unit_test(databases_do_what_sql_says),
	        cmocka_unit_test(python_serves_folders)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
