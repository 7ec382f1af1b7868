/* SPDX-License-Identifier: MIT */
#include "tui/restore.h"

#include "base/base.h"

#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* A signal handler has no argument, and may use nothing that allocates: all that it needs lies here. */
static struct {
	char sequence[512];
	size_t len;
	struct termios modes;
	volatile sig_atomic_t armed;
	pid_t owner; /* a forked child that crashes leaves the screen alone */
} kept;

static void crash(int signo)
{
	if (kept.armed && kept.owner == getpid()) {
		kept.armed = 0;
		ssize_t ignored = write(STDOUT_FILENO, kept.sequence, kept.len);
		(void)ignored;
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &kept.modes);
	}
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
}

void tui_restore_arm(const char *sequence, size_t len)
{
	struct sigaction action = {.sa_handler = crash, .sa_flags = (int)SA_RESETHAND};
	(void)sigemptyset(&action.sa_mask);
	kept.len = KT_MIN(len, sizeof(kept.sequence));
	memcpy(kept.sequence, sequence, kept.len);
	kept.owner = getpid();
	kept.armed = tcgetattr(STDIN_FILENO, &kept.modes) == 0;
	for (size_t i = 0; i < KT_COUNT(crashes); i++)
		(void)sigaction(crashes[i], &action, NULL);
}

void tui_restore_disarm(void)
{
	kept.armed = 0;
	for (size_t i = 0; i < KT_COUNT(crashes); i++)
		(void)signal(crashes[i], SIG_DFL);
}
