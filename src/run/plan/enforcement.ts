import { always, namespace, type Rule, rlimit, rootOrDelegated, withoutCgroup } from "./means.ts";

/**
 * What enforces each promise, on which kernel: the planner's words (mechanism-words.gen.ts) and docs/enforcement.md are generated from
 * it, so that neither can say what the other does not.
 */

export const enforcement = {
  user_namespace: namespace("3.8", "root inside is an ordinary id outside", "user namespace"),
  mount_namespace: namespace("2.4", "mounts of the host are not seen or changed", "mount namespace"),
  pid_namespace: namespace("2.6", "processes of the host have no pid: ESRCH", "pid namespace"),
  ipc_namespace: namespace("2.6", "System V and POSIX queues of the host are not seen", "ipc namespace"),
  uts_namespace: namespace("2.6", "the host's name is not seen or changed", "uts namespace"),
  network_namespace: namespace("2.6", "no interface but the zone's loopback: ENETUNREACH", "network namespace"),
  cgroup_namespace: namespace("4.6", "the zone's cgroup is the root of what it sees", "cgroup namespace"),
  filesystem_view: {
    rules: "filesystem.root, readable_paths, denied_paths, allowed_sockets; --ro-bind, --rw-bind, --repo-path",
    means: {
      mounts: {
        words: "mount namespace",
        kernel: "5.12",
        when: always,
        effect: "what is not in the view is not there: ENOENT; read-only mounts: EROFS; denied paths are empty",
      },
    },
  },
  filesystem_rules: {
    rules: "the same keys again",
    means: {
      landlock: {
        words: "landlock",
        kernel: "5.13; renames between directories 5.19, truncate 6.2, ioctl on devices 6.10",
        when: "the kernel has Landlock; without it and without BPF-LSM no zone runs",
        effect: "EACCES",
      },
    },
  },
  lsm_zone_boundary: {
    rules: "always; enforcement.require",
    means: {
      bpfLsm: {
        words: "bpf-lsm",
        kernel: "6.1, with CONFIG_BPF_LSM and bpf among the active security modules",
        when: "root, after `rauha setup`; else `unavailable`",
        effect:
          "what is outside the zone's mount tree, another zone's or forbidden by the policy: EACCES for files, EPERM for the rest, and an event",
      },
    },
  },
  scope: {
    rules: "always",
    means: {
      landlock: {
        words: "landlock",
        kernel: "6.12",
        when: "the kernel's Landlock has scopes; else `unavailable`, and pid and network namespaces hold alone",
        effect: "signals and abstract unix sockets out of the zone: EPERM",
      },
    },
  },
  workspace_copy_on_write: {
    rules: "--repo-path with --repo-mode overlay, --overlay-bind",
    means: {
      overlayfs: {
        words: "overlayfs",
        kernel: "5.11",
        when: "the file systems can be layered; seen by trying",
        effect: "writes go to a layer: the host's files stay as they are",
      },
      reflink: {
        words: "reflink copy",
        kernel: "4.5",
        when: "no overlayfs, and the file system shares blocks (btrfs, XFS)",
        effect: "the task works on a copy that shares its blocks",
      },
      copy: { words: "copy", kernel: "any", when: "neither", effect: "the task works on a copy" },
    },
  },
  proc_masked: {
    rules: "always",
    means: {
      procfs: {
        words: "procfs of the pid namespace, masked paths",
        kernel: "5.12",
        when: always,
        effect: "OCI's masked paths are empty, OCI's read-only paths answer EROFS",
      },
    },
  },
  devices: {
    rules: "devices.allowed",
    means: {
      mounts: {
        words: "minimal /dev, nodev elsewhere",
        kernel: "5.12",
        when: always,
        effect: "ENOENT; EACCES for a device node elsewhere",
      },
    },
  },
  tmpfs_quota: {
    rules: "filesystem.tmp_size, filesystem.tmp_inodes",
    means: { tmpfs: { words: "tmpfs size and nr_inodes", kernel: "2.6", when: always, effect: "ENOSPC" } },
  },
  environment: {
    rules: "env.pass, env.set; -e, --env-pass",
    means: {
      execve: {
        words: "execve with the listed variables only",
        kernel: "any",
        when: always,
        effect: "a variable that is not listed is not there",
      },
    },
  },
  file_descriptors: {
    rules: "always",
    means: { closeRange: { words: "close_range above 2", kernel: "5.11", when: always, effect: "EBADF" } },
  },
  no_new_privs: {
    rules: "always",
    means: {
      prctl: {
        words: "PR_SET_NO_NEW_PRIVS",
        kernel: "3.5",
        when: always,
        effect: "set-user-ID programs run without their privilege",
      },
    },
  },
  capabilities: {
    rules: "capabilities.allowed",
    means: { sets: { words: "capability sets and bounding set", kernel: "4.3", when: always, effect: "EPERM" } },
  },
  syscall_filter: {
    rules: "syscalls.profile, syscalls.deny, syscalls.allow",
    means: {
      seccomp: {
        words: "seccomp profile",
        kernel: "5.0, for denials as events",
        when: always,
        effect:
          "EPERM and an event; ENOSYS for calls that are newer than the profile; foreign architectures are killed",
      },
    },
  },
  denial_events: {
    rules: "always",
    means: {
      listener: {
        words: "seccomp user notification",
        kernel: "5.0",
        when: "the filter lets sendmsg pass, by which the listener is handed over; else `unavailable`, and calls are denied in silence",
        effect: "an event for each denied call, 256 at most, the rest counted",
      },
    },
  },
  network_rules: {
    rules:
      "network.allowed_egress, allowed_ingress, allowed_zones, allowed_domains, denied_domains; --allow-egress, --allow-domain",
    means: {
      gateway: {
        words: "network namespace whose only way out is the gateway: nftables redirect, DNS pins, SNI, Host",
        kernel: "5.2",
        when: "network mode filtered",
        effect: "a reset; NXDOMAIN for names; EPERM for what is neither TCP nor DNS; an event each",
      },
      namespace: {
        words: "network namespace without a way out",
        kernel: "2.6",
        when: "network mode none, which lets nothing out whatever is listed",
        effect: "ENETUNREACH",
      },
      nftables: {
        words: "nftables on the host: a chain for each zone, source addresses checked at its device",
        kernel: "5.6",
        when: "network mode bridged; root",
        effect: "TCP: a reset, ECONNREFUSED; else ICMP: EHOSTUNREACH; a forged source is dropped",
      },
    },
  },
  wall_clock: {
    rules: "limits.walltime; --timeout",
    means: {
      timer: {
        words: "clock of the supervisor",
        kernel: "5.3",
        when: always,
        effect: "SIGTERM, then SIGKILL of the whole zone; exit code 124",
      },
    },
  },
  memory_limit: {
    rules: "resources.memory_limit; --memory",
    means: {
      cgroup2: {
        words: "cgroup2 memory.max, no swap",
        kernel: "4.5",
        when: rootOrDelegated,
        effect: "OOM kill of the whole zone",
      },
      cgroup1: {
        words: "cgroup v1 memory.limit_in_bytes",
        kernel: "2.6",
        when: "root, where v2 lacks the controller",
        effect: "OOM kill of a process",
      },
      rlimit: {
        words: "rlimit",
        kernel: "4.7",
        when: withoutCgroup,
        effect:
          "RLIMIT_DATA for each process: ENOMEM; init sums the zone's memory and kills the zone over the limit. Not counted: what sockets and pipes hold, memfds and System V segments that no process maps, page tables",
      },
    },
  },
  pids_limit: {
    rules: "resources.pids_max; --pids",
    means: {
      cgroup2: { words: "cgroup2 pids.max", kernel: "4.5", when: rootOrDelegated, effect: "fork: EAGAIN" },
      cgroup1: {
        words: "cgroup v1 pids.max",
        kernel: "4.3",
        when: "root, where v2 lacks the controller",
        effect: "fork: EAGAIN",
      },
      rlimit: {
        words: "rlimit",
        kernel: "5.14",
        when: withoutCgroup,
        effect: "RLIMIT_NPROC, counted in the zone's user namespace: EAGAIN",
      },
    },
  },
  cpu_quota: {
    rules: "resources.cpus; --cpus",
    means: {
      cgroup2: { words: "cgroup2 cpu.max", kernel: "4.15", when: rootOrDelegated, effect: "throttled" },
      cgroup1: {
        words: "cgroup v1 cpu.cfs_quota_us",
        kernel: "3.2",
        when: "root, where v2 lacks the controller",
        effect: "throttled",
      },
    },
  },
  cpu_shares: {
    rules: "resources.cpu_shares",
    means: {
      cgroup2: {
        words: "cgroup2 cpu.weight",
        kernel: "4.15",
        when: rootOrDelegated,
        effect: "a share under contention",
      },
      cgroup1: {
        words: "cgroup v1 cpu.shares",
        kernel: "2.6",
        when: "root, where v2 lacks the controller",
        effect: "a share under contention",
      },
    },
  },
  io_weight: {
    rules: "resources.io_weight",
    means: {
      cgroup2: { words: "cgroup2 io.weight", kernel: "5.4", when: rootOrDelegated, effect: "a share under contention" },
    },
  },
  rlimit_cpu: rlimit("limits.cpu; --limit-cpu", "SIGXCPU, a second later SIGKILL"),
  rlimit_as: rlimit("limits.as; --limit-as", "ENOMEM"),
  rlimit_fsize: rlimit("limits.fsize; --limit-fsize", "SIGXFSZ, EFBIG"),
  rlimit_nofile: rlimit("limits.nofile; --limit-nofile", "EMFILE"),
  rlimit_core: rlimit("limits.core; --limit-core", "no or a shorter core file"),
  self_test: {
    rules: "always",
    means: {
      launcher: {
        words: "tried and refused",
        kernel: "any",
        when: always,
        effect: "the zone is refused if a forbidden act works after locking down",
      },
    },
  },
} as const satisfies Record<string, Rule>;

/** A promise that the table has. */
export type EnforcedName = keyof typeof enforcement;
