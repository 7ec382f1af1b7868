/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "cluster/kubelet/files.h"

static const struct files_user someone = {.uid = 1000, .gid = 1000, .groups = {2000}, .group_count = 1};

static void only_owners_and_groups_write(void **state)
{
	struct files *files = files_new(NULL);
	struct volume *plain = volume_new(false, 0), *grouped = volume_new(false, 0);
	struct files_stat st;
	(void)state;
	volume_own(grouped, 0, 2000, 02775);
	files_mount(files, "/plain", plain, NULL, false);
	files_mount(files, "/grouped", grouped, NULL, false);
	files_set_user(files, &someone);
	assert_int_equal(files_write(files, "/x", "a", 1, false, 0644, 1), EACCES);
	assert_int_equal(files_mkdir(files, "/new", false, 1), EACCES);
	assert_int_equal(files_remove(files, "/etc", true), EACCES);
	assert_int_equal(files_write(files, "/tmp/x", "a", 1, false, 0644, 1), 0);
	assert_int_equal(files_write(files, "/plain/x", "a", 1, false, 0644, 1), 0);
	assert_int_equal(files_write(files, "/grouped/x", "a", 1, false, 0644, 1), 0);
	assert_int_equal(files_stat(files, "/grouped/x", &st), 0);
	assert_int_equal(st.uid, 1000);
	assert_int_equal(st.gid, 2000);
	assert_int_equal(files_chown(files, "/tmp/x", 0, -1), EPERM);
	assert_int_equal(files_chmod(files, "/tmp", 0777), EPERM);
	assert_int_equal(files_chmod(files, "/tmp/x", 0), 0);
	struct kt_buf data = {0};
	assert_int_equal(files_read(files, "/tmp/x", &data), EACCES);
	kt_buf_clear(&data);
	files_free(files);
	volume_free(plain);
	volume_free(grouped);
}

static void a_read_only_root_lets_only_mounts_be_written(void **state)
{
	struct files *files = files_new(NULL);
	struct volume *volume = volume_new(false, 0);
	(void)state;
	files_mount(files, "/data", volume, NULL, false);
	files_set_read_only(files);
	assert_int_equal(files_write(files, "/x", "a", 1, false, 0644, 1), EROFS);
	assert_int_equal(files_mkdir(files, "/tmp/x", false, 1), EROFS);
	assert_int_equal(files_write(files, "/data/x", "a", 1, false, 0644, 1), 0);
	files_free(files);
	volume_free(volume);
}

static void zeros_are_counted_not_kept(void **state)
{
	struct files *files = files_new(NULL);
	struct volume *disk = volume_new(false, 0), *memory = volume_new(false, 1 << 20);
	struct files_stat st;
	(void)state;
	files_mount(files, "/disk", disk, NULL, false);
	files_mount(files, "/memory", memory, NULL, false);
	assert_int_equal(files_extend(files, "/disk/big", (int64_t)1 << 40, 1), 0);
	assert_int_equal(files_stat(files, "/disk/big", &st), 0);
	assert_true(st.size == (size_t)1 << 40);
	assert_true(volume_used(disk) == (int64_t)1 << 40);
	assert_int_equal(files_extend(files, "/memory/big", 2 << 20, 1), ENOSPC);
	assert_true(volume_used(memory) == 1 << 20);
	assert_true(files_written(files) == 0);
	assert_int_equal(files_extend(files, "/own", 4096, 1), 0);
	assert_int_equal(files_write(files, "/own", "end", 3, true, 0644, 1), 0);
	assert_true(files_written(files) == 4099);
	struct kt_buf data = {0};
	assert_int_equal(files_read(files, "/own", &data), 0);
	assert_int_equal(data.len, 4099);
	assert_memory_equal(data.data + 4095, "\0end", 4);
	kt_buf_clear(&data);
	files_free(files);
	volume_free(disk);
	volume_free(memory);
}

static void projected_files_are_links_replaced_as_one(void **state)
{
	struct files *files = files_new(NULL);
	struct volume *volume = volume_new(true, 0);
	struct kt_json *data = kt_jsonf("{key: 'old'}");
	struct kt_buf text = {0}, target = {0};
	struct files_stat st;
	(void)state;
	struct kt_json *modes = kt_jsonf("{key: %d}", 0755);
	volume_project(volume, data, 0, modes, NULL, KT_SEC);
	kt_json_free(modes);
	files_mount(files, "/config", volume, NULL, true);
	files_mount(files, "/one", volume, "key", true);
	assert_int_equal(files_lstat(files, "/config/key", &st, &target), 0);
	assert_string_equal(kt_buf_str(&target), "..data/key");
	assert_int_equal(files_stat(files, "/config/key", &st), 0);
	assert_int_equal(st.mode, 0755);
	kt_json_free(data);
	data = kt_jsonf("{key: 'new'}");
	volume_project(volume, data, 0, NULL, NULL, 2 * KT_SEC);
	assert_int_equal(files_read(files, "/config/key", &text), 0);
	assert_int_equal(files_read(files, "/one", &text), 0);
	assert_string_equal(kt_buf_str(&text), "newold");
	assert_int_equal(files_write(files, "/config/key", "x", 1, false, 0644, 1), EROFS);
	kt_buf_clear(&text);
	kt_buf_clear(&target);
	kt_json_free(data);
	files_free(files);
	volume_free(volume);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(only_owners_and_groups_write),
	        cmocka_unit_test(a_read_only_root_lets_only_mounts_be_written),
	        cmocka_unit_test(zeros_are_counted_not_kept),
	        cmocka_unit_test(projected_files_are_links_replaced_as_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
