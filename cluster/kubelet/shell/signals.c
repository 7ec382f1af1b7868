/* SPDX-License-Identifier: MIT */
/* The names of signals. */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>

static const struct {
	const char *name;
	int number;
} signal_table[] = {{"EXIT", 0},       {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT},
                    {"KILL", SIGKILL}, {"SEGV", SIGSEGV}, {"ABRT", SIGABRT}, {"USR1", SIGUSR1},
                    {"USR2", SIGUSR2}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM},
                    {"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"WINCH", SIGWINCH}};

int signal_number(const char *name)
{
	if (isdigit((unsigned char)name[0])) {
		long n = strtol(name, NULL, 10);
		return n < SIGNALS ? (int)n : -1;
	}
	if (kt_starts(name, "SIG"))
		name += 3;
	for (size_t i = 0; i < KT_COUNT(signal_table); i++) {
		if (kt_streq(signal_table[i].name, name))
			return signal_table[i].number;
	}
	return -1;
}

const char *signal_name(int signo)
{
	for (size_t i = 0; i < KT_COUNT(signal_table); i++) {
		if (signal_table[i].number == signo)
			return signal_table[i].name;
	}
	return "?";
}
