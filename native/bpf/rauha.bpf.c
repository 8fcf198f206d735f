/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Rauha's BPF-LSM programs: the kernel's own word on what a zone may touch. Of every hook:
 *
 *   an earlier denial is passed on; a task in no zone is never touched; a zone that is not armed yet is its launcher's;
 *   a look-up that fails denies; every decision is counted, every denial told.
 *
 * One object, made of parts of one concern each:
 *   zone.bpf.h      who acts            verdict.bpf.h   counters and events      owner.bpf.h   whose file it is
 *   file, exec, task, socket, capable, guard, path .bpf.h: the hooks
 */
#include "capable.bpf.h"
#include "exec.bpf.h"
#include "file.bpf.h"
#include "guard.bpf.h"
#include "path.bpf.h"
#include "socket.bpf.h"
#include "task.bpf.h"

char LICENSE[] SEC("license") = "GPL";
