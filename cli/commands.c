/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

const struct cli_command *const cli_commands[] = {
        &cli_cluster_up,
        &cli_cluster_down,
        &cli_cluster_list,
        &cli_cluster_status,
        &cli_cluster_env,
        &cli_cluster_time,
        &cli_cluster_disturb,
        &cli_cluster_rewind,
        &cli_cluster_serve,
        &cli_shell,
        &cli_why,
        &cli_help,
        &cli_version,
        NULL,
};
