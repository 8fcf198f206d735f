/* What the parts share that answer calls which the task's filter hands to the supervisor. See seccomp_unotify(2). */
#ifndef RAUHA_NOTIFY_H
#define RAUHA_NOTIFY_H

#include "launcher.h"
#include <linux/seccomp.h>

/* denials.c */
void caller_text(uint32_t pid, uint64_t address, char *text, size_t size);

/* watch.c */
bool watch_answer(struct zone *z, const struct seccomp_notif *call);

#endif
