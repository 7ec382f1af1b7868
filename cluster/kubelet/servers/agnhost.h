/* SPDX-License-Identifier: MIT */
/* agnhost: what its files share. */
#ifndef SERVERS_AGNHOST_H
#define SERVERS_AGNHOST_H

#include "cluster/kubelet/servers/servers.h"

/* Is it a command that says something and ends? Then *code is its status, or TOOL_WAIT. */
bool agnhost_command(struct tool_run *r, int *code);
/* A line of klog: "I1127 11:40:10.825329       1 log.go:244] GET /echo". */
void agnhost_log(struct tool_run *r, const char *file, const char *text);

#endif
