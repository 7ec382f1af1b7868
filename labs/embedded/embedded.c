/* SPDX-License-Identifier: MIT */
/* Which clusters there are, and how one ends. */
#include "labs/embedded/embedded_internal.h"
#include "cluster/edge/edge.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>

#define NAME_MAX_LEN 40
#define STOP_TIME    (5 * KT_SEC)

static bool name_is_right(const char *name)
{
	size_t len = name ? strlen(name) : 0;
	if (!len || len > NAME_MAX_LEN || name[0] == '-' || name[len - 1] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

char *embedded_root(const char *home)
{
	return kt_join(home, "clusters");
}

enum kt_code embedded_dir(const char *home, const char *name, char **out, struct kt_err *err)
{
	if (!name_is_right(name))
		return kt_fail(
		        err, KT_EINVAL,
		        "'%s' cannot be a cluster's name: lower-case letters, digits and dashes, at most %d",
		        name ? name : "", NAME_MAX_LEN);
	char *root = embedded_root(home);
	*out = kt_join(root, name);
	kt_free(root);
	return KT_OK;
}

enum kt_code embedded_list(const char *home, struct kt_strs *out, struct kt_err *err)
{
	char *root = embedded_root(home);
	struct kt_strs all = {0};
	enum kt_code rc = kt_is_dir(root) ? kt_list_dir(root, &all, err) : KT_OK;
	for (size_t i = 0; !rc && i < all.count; i++) {
		char *dir = kt_join(root, all.items[i]);
		if (name_is_right(all.items[i]) && kt_is_dir(dir))
			kt_strs_add(out, all.items[i]);
		kt_free(dir);
	}
	kt_strs_clear(&all);
	kt_free(root);
	return rc;
}

static enum kt_code not_there(const char *home, const char *name, struct kt_err *err)
{
	struct kt_strs all = {0};
	enum kt_code rc = embedded_list(home, &all, NULL);
	const char *nearest = rc ? NULL : kt_nearest(name, (const char *const *)all.items, all.count);
	if (nearest)
		rc = kt_fail(err, KT_ENOTFOUND, "there is no cluster '%s'; did you mean '%s'?", name,
		             nearest);
	else
		rc = kt_fail(err, KT_ENOTFOUND,
		             "there is no cluster '%s'; start it with `ktutor cluster up %s`", name, name);
	kt_strs_clear(&all);
	return rc;
}

enum kt_code embedded_find(const char *home, const char *name, bool running, char **out_dir,
                           struct kt_err *err)
{
	char *dir = NULL;
	enum kt_code rc = embedded_dir(home, name, &dir, err);
	if (!rc && !kt_is_dir(dir))
		rc = not_there(home, name, err);
	if (!rc && running && !edge_holder(dir))
		rc = kt_fail(err, KT_EUNREACHABLE,
		             "cluster '%s' does not run; start it again with `ktutor cluster up %s`", name,
		             name);
	if (rc)
		kt_free(dir);
	else
		*out_dir = dir;
	return rc;
}

char *embedded_socket(const char *dir)
{
	return edge_socket(dir);
}

long embedded_pid(const char *home, const char *name)
{
	char *dir = NULL;
	if (embedded_dir(home, name, &dir, NULL))
		return 0;
	long pid = edge_holder(dir);
	kt_free(dir);
	return pid;
}

/* --- the current one --- */

void embedded_set_current(const char *home, const char *name)
{
	char *root = embedded_root(home), *path = kt_join(root, ".current");
	/* A convenience: no reason to fail a start. */
	(void)!kt_write_file(path, name, strlen(name), 0600, NULL);
	kt_free(path);
	kt_free(root);
}

char *embedded_current(const char *home)
{
	char *root = embedded_root(home), *path = kt_join(root, ".current"), *name = NULL, *dir = NULL;
	struct kt_buf text = {0};
	if (kt_is_file(path) && !kt_read_file(path, 256, &text, NULL))
		name = kt_buf_take(&text);
	kt_buf_clear(&text);
	if (name && (embedded_dir(home, name, &dir, NULL) || !kt_is_dir(dir))) {
		kt_free(name);
		name = NULL;
	}
	if (!name) { /* only one: that one */
		struct kt_strs all = {0};
		if (!embedded_list(home, &all, NULL) && all.count == 1)
			name = kt_strdup(all.items[0]);
		kt_strs_clear(&all);
	}
	kt_free(dir);
	kt_free(path);
	kt_free(root);
	return name;
}

/* --- the end --- */

static bool gone(const char *dir, kt_ns within)
{
	kt_ns end = kt_monotonic() + within;
	while (edge_holder(dir)) {
		if (kt_monotonic() >= end)
			return false;
		(void)poll(NULL, 0, 5);
	}
	return true;
}

/* Ask; then insist. Who holds the lock is the cluster's process and no other. */
static enum kt_code stop(const char *name, const char *dir, struct kt_err *err)
{
	static const struct {
		int signo;
		kt_ns patience;
	} steps[] = {{0, STOP_TIME}, {SIGTERM, STOP_TIME}, {SIGKILL, STOP_TIME}};
	for (size_t i = 0; i < KT_COUNT(steps); i++) {
		long pid = edge_holder(dir);
		if (!pid)
			return KT_OK;
		bool told = steps[i].signo
		                    ? !kill((pid_t)pid, steps[i].signo)
		                    : !edge_call(dir, "POST", "/ktutor/v1/stop", NULL, KT_SEC, NULL, NULL);
		if (told && gone(dir, steps[i].patience))
			return KT_OK;
	}
	return kt_fail(err, KT_EDENIED, "cluster '%s': process %ld does not end", name, edge_holder(dir));
}

enum kt_code embedded_down(const char *home, const char *name, bool keep, struct kt_err *err)
{
	char *dir = NULL;
	enum kt_code rc = embedded_find(home, name, false, &dir, err);
	if (rc)
		return rc;
	rc = stop(name, dir, err);
	if (!rc && !keep)
		rc = kt_remove_tree(dir, err);
	kt_free(dir);
	return rc;
}
