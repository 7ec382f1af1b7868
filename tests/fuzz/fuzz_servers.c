/* SPDX-License-Identifier: MIT */
/* What people give to servers: nginx' configuration (n…), redis' requests (r…), SQL (s…). Read or refused
 * with words. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "cluster/kubelet/servers/nginx_conf.h"
#include "cluster/kubelet/servers/redis.h"
#include "cluster/kubelet/servers/sql.h"

static void configuration(const char *text, size_t size)
{
	struct nginx_conf *conf = nginx_conf_ref(kt_alloc(sizeof(*conf)));
	struct files *files = files_new(NULL);
	(void)files_write(files, "/n.conf", text, size, false, 0644, 0);
	if (nginx_conf_read(conf, files, "/n.conf", "daemon off;") == (conf->problem != NULL))
		kt_bug("a refusal without words, or words about what was taken");
	nginx_conf_unref(conf);
	files_free(files);
}

static void requests(const char *text, size_t size)
{
	const char *at = text, *before = NULL;
	struct kt_strs words = {0};
	while (resp_request(&at, text + size, &words)) {
		if (at == before || at > text + size)
			kt_bug("a request that ends nowhere");
		before = at;
	}
	kt_strs_clear(&words);
}

static void statements(const char *text)
{
	for (char *one; (one = sql_next(&text)); kt_free(one)) {
		kt_free(sql_translate(SQL_POSTGRES, one, "shop", "app"));
		kt_free(sql_translate(SQL_MYSQL, one, "shop", "app"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	char *text = kt_strndup((const char *)data + 1, size - 1);
	if (data[0] == 'n')
		configuration(text, strlen(text));
	else if (data[0] == 'r')
		requests(text, strlen(text));
	else
		statements(text);
	kt_free(text);
	return 0;
}
