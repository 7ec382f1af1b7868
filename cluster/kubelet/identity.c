/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/identity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a line of /etc/passwd or /etc/group the field `n`, from 0. */
static const char *field_at(const char *line, size_t len, unsigned n, size_t *out_len)
{
	const char *end = line + len;
	while (n--) {
		line = memchr(line, ':', (size_t)(end - line));
		if (!line)
			return NULL;
		line++;
	}
	const char *stop = memchr(line, ':', (size_t)(end - line));
	*out_len = (size_t)((stop ? stop : end) - line);
	return line;
}

static bool field_is(const char *line, size_t len, unsigned n, const char *want)
{
	size_t at_len;
	const char *at = field_at(line, len, n, &at_len);
	return at && strlen(want) == at_len && !memcmp(at, want, at_len);
}

/* The line whose field `key` is `want`; the field `wanted` of it. NULL if there is none. */
static char *look_up(const struct container *c, const char *path, unsigned key, const char *want,
                     unsigned wanted)
{
	struct kt_buf text = {0};
	const struct files_user user = *files_user(c->files), root = {.all = true};
	const char *rest;
	size_t len, at_len;
	char *found = NULL;

	files_set_user(c->files, &root);
	(void)files_read(c->files, path, &text);
	files_set_user(c->files, &user);
	rest = kt_buf_str(&text);
	for (const char *line; !found && rest && (line = kt_split(&rest, '\n', &len));) {
		const char *at = field_is(line, len, key, want) ? field_at(line, len, wanted, &at_len) : NULL;
		if (at)
			found = kt_strndup(at, at_len);
	}
	kt_buf_clear(&text);
	return found;
}

static bool look_up_number(const struct container *c, const char *path, uint32_t id, unsigned wanted,
                           struct kt_buf *out)
{
	char text[16];
	snprintf(text, sizeof(text), "%u", (unsigned)id);
	char *found = look_up(c, path, 2, text, wanted);
	if (found)
		kt_buf_adds(out, found);
	kt_free(found);
	return found != NULL;
}

bool identity_user_name(const struct container *container, uint32_t uid, struct kt_buf *out)
{
	return look_up_number(container, "/etc/passwd", uid, 0, out);
}

bool identity_group_name(const struct container *container, uint32_t gid, struct kt_buf *out)
{
	return look_up_number(container, "/etc/group", gid, 0, out);
}

void identity_home(const struct container *container, uint32_t uid, struct kt_buf *out)
{
	if (!look_up_number(container, "/etc/passwd", uid, 5, out))
		kt_buf_adds(out, uid ? "/" : "/root");
}

static int64_t number_of(const struct container *container, const char *path, const char *name)
{
	int64_t id = -1;
	if (isdigit((unsigned char)name[0]))
		return strtoll(name, NULL, 10);
	char *found = look_up(container, path, 0, name, 2);
	if (found)
		id = strtoll(found, NULL, 10);
	kt_free(found);
	return id;
}

int64_t identity_user(const struct container *container, const char *name)
{
	return number_of(container, "/etc/passwd", name);
}

int64_t identity_group(const struct container *container, const char *name)
{
	return number_of(container, "/etc/group", name);
}

static void add_group(struct files_user *user, uint32_t gid)
{
	for (size_t i = 0; i < user->group_count; i++) {
		if (user->groups[i] == gid)
			return;
	}
	if (user->group_count == FILES_GROUPS)
		return;
	size_t at = user->group_count++;
	for (; at && user->groups[at - 1] > gid; at--) /* as the kernel keeps them */
		user->groups[at] = user->groups[at - 1];
	user->groups[at] = gid;
}

/* The groups that /etc/group lists the user in. */
static void add_listed(const struct container *c, const char *name, struct files_user *user)
{
	struct kt_buf text = {0};
	const char *rest;
	size_t len, at_len;
	(void)files_read(c->files, "/etc/group", &text);
	rest = kt_buf_str(&text);
	for (const char *line; rest && (line = kt_split(&rest, '\n', &len));) {
		const char *members = field_at(line, len, 3, &at_len);
		const char *end = members ? members + at_len : NULL;
		while (members && members < end) {
			const char *comma = memchr(members, ',', (size_t)(end - members));
			size_t n = (size_t)((comma ? comma : end) - members), id_len;
			if (strlen(name) == n && !memcmp(members, name, n))
				add_group(user, (uint32_t)strtoul(field_at(line, len, 2, &id_len), NULL, 10));
			members = comma ? comma + 1 : end;
		}
	}
	kt_buf_clear(&text);
}

void identity_of(const struct container *container, const struct image *image, struct files_user *out)
{
	const struct files_user root = {.all = true};
	struct kt_buf name = {0}, gid = {0};
	int64_t uid = container->run_as_user;
	*out = (struct files_user){0};
	files_set_user(container->files, &root);
	if (uid < 0 && image->user)
		uid = identity_user(container, image->user);
	out->uid = uid < 0 ? 0 : (uint32_t)uid;
	if (container->run_as_group >= 0)
		out->gid = (uint32_t)container->run_as_group;
	else if (look_up_number(container, "/etc/passwd", out->uid, 3, &gid))
		out->gid = (uint32_t)strtoul(kt_buf_str(&gid), NULL, 10);
	add_group(out, out->gid);
	if (identity_user_name(container, out->uid, &name))
		add_listed(container, kt_buf_str(&name), out);
	if (container->fs_group >= 0)
		add_group(out, (uint32_t)container->fs_group);
	for (size_t i = 0; i < kt_count(container->groups); i++)
		add_group(out, (uint32_t)kt_int_or(kt_at(container->groups, i), 0));
	out->all = out->uid == 0 && identity_overrides(container->capabilities);
	out->keeps = !identity_may(container->capabilities, "CHOWN");
	kt_buf_clear(&name);
	kt_buf_clear(&gid);
}

/* In the order of linux/capability.h. */
static const char *const capabilities[] = {"CHOWN",
                                           "DAC_OVERRIDE",
                                           "DAC_READ_SEARCH",
                                           "FOWNER",
                                           "FSETID",
                                           "KILL",
                                           "SETGID",
                                           "SETUID",
                                           "SETPCAP",
                                           "LINUX_IMMUTABLE",
                                           "NET_BIND_SERVICE",
                                           "NET_BROADCAST",
                                           "NET_ADMIN",
                                           "NET_RAW",
                                           "IPC_LOCK",
                                           "IPC_OWNER",
                                           "SYS_MODULE",
                                           "SYS_RAWIO",
                                           "SYS_CHROOT",
                                           "SYS_PTRACE",
                                           "SYS_PACCT",
                                           "SYS_ADMIN",
                                           "SYS_BOOT",
                                           "SYS_NICE",
                                           "SYS_RESOURCE",
                                           "SYS_TIME",
                                           "SYS_TTY_CONFIG",
                                           "MKNOD",
                                           "LEASE",
                                           "AUDIT_WRITE",
                                           "AUDIT_CONTROL",
                                           "SETFCAP",
                                           "MAC_OVERRIDE",
                                           "MAC_ADMIN",
                                           "SYSLOG",
                                           "WAKE_ALARM",
                                           "BLOCK_SUSPEND",
                                           "AUDIT_READ",
                                           "PERFMON",
                                           "BPF",
                                           "CHECKPOINT_RESTORE"};
#define DAC_OVERRIDE       (UINT64_C(1) << 1)
#define USUAL_CAPABILITIES UINT64_C(0xa80425fb) /* containerd oci/spec.go, defaultUnixCaps */
#define EVERY_CAPABILITY   ((UINT64_C(1) << KT_COUNT(capabilities)) - 1)

static uint64_t capability_of(const char *name)
{
	if (kt_streq(name, "ALL"))
		return EVERY_CAPABILITY;
	for (size_t i = 0; i < KT_COUNT(capabilities); i++) {
		if (kt_streq(capabilities[i], kt_starts(name, "CAP_") ? name + 4 : name))
			return UINT64_C(1) << i;
	}
	return 0;
}

uint64_t identity_capabilities(const struct kt_json *security)
{
	const struct kt_json *word, *own = kt_get(security, "capabilities");
	uint64_t set = USUAL_CAPABILITIES;
	if (kt_get_bool(security, "privileged", false))
		return EVERY_CAPABILITY;
	/* ALL is taken before the others: what is added beside `drop: [ALL]` stays */
	KT_JSON_EACH (word, kt_get(own, "add"))
		set |= kt_streq(kt_str(word), "ALL") ? EVERY_CAPABILITY : 0;
	KT_JSON_EACH (word, kt_get(own, "drop"))
		set &= kt_streq(kt_str(word), "ALL") ? 0 : EVERY_CAPABILITY;
	KT_JSON_EACH (word, kt_get(own, "add"))
		set |= capability_of(kt_str_or(word, ""));
	KT_JSON_EACH (word, kt_get(own, "drop"))
		set &= kt_streq(kt_str(word), "ALL") ? set : ~capability_of(kt_str_or(word, ""));
	return set;
}

bool identity_overrides(uint64_t set)
{
	return set & DAC_OVERRIDE;
}

bool identity_may(uint64_t set, const char *capability)
{
	return set & capability_of(capability);
}
