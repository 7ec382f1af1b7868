/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

const struct cli_command *const cli_commands[] = {
        &cli_tutor,          &cli_learn,
        &cli_quiz,           &cli_lab_list,
        &cli_lab_start,      &cli_lab_reset,
        &cli_lab_stop,       &cli_lab_hint,
        &cli_lab_solution,   &cli_lab_add,
        &cli_lab_remove,     &cli_lab_answer,
        &cli_check,          &cli_progress_command,
        &cli_config,         &cli_cluster_up,
        &cli_cluster_down,   &cli_cluster_list,
        &cli_cluster_status, &cli_cluster_env,
        &cli_cluster_time,   &cli_cluster_disturb,
        &cli_cluster_rewind, &cli_cluster_serve,
        &cli_shell,          &cli_why,
        &cli_course_lint,    &cli_course_test,
        &cli_course_new,     &cli_completion,
        &cli_complete,       &cli_help,
        &cli_version,        NULL,
};
