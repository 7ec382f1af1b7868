/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

enum { PIPE_ROOM = 65536 };

struct chan *chan_new(struct process *process, enum chan_kind kind)
{
	struct chan *chan = kt_alloc(sizeof(*chan));
	chan->process = process;
	chan->kind = kind;
	return chan;
}

void fd_close(struct fd *fd)
{
	struct chan *chan = fd->chan;
	if (!chan)
		return;
	if (fd->writes)
		chan->writers--;
	else
		chan->readers--;
	process_changed(chan->process);
	if (!--chan->refs) {
		kt_buf_clear(&chan->data);
		kt_free(chan->path);
		kt_free(chan);
	}
	*fd = (struct fd){0};
}

void fd_put(struct fd *fd, struct chan *chan, bool writes)
{
	struct fd old = *fd;
	*fd = (struct fd){chan, writes};
	if (chan) {
		chan->refs++;
		if (writes)
			chan->writers++;
		else
			chan->readers++;
	}
	fd_close(&old);
}

void fds_copy(struct fd *to, const struct fd *from)
{
	for (int i = 0; i < FD_MAX; i++)
		fd_put(&to[i], from[i].chan, from[i].writes);
}

bool chan_full(const struct chan *chan)
{
	return chan && chan->kind == CHAN_PIPE && chan->readers && chan->data.len >= PIPE_ROOM;
}
