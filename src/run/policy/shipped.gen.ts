/**
 * The shipped policies as plain data, generated from policies/*.toml by scripts/generate/policies.ts; don't edit.
 * The hot path has its policy from here: it reads no TOML and loads no zod.
 */
import type { Policy } from "./policy.ts";

export const shippedPolicies: Readonly<Record<string, Policy>> = {
  "task": {
    "name": "task",
    "hash": "sha256:934cef6071bef72ee2e8744bea2b6a14e67b8a55589658c4ab710d8e35af171f",
    "zone": {
      "type": "non-global"
    },
    "capabilities": {
      "allowed": []
    },
    "resources": {
      "cpuShares": null,
      "cpus": null,
      "memoryLimitBytes": 4294967296,
      "ioWeight": null,
      "pidsMax": 512
    },
    "limits": {
      "walltimeMs": 3600000,
      "cpuSeconds": null,
      "asBytes": null,
      "fsizeBytes": null,
      "nofile": 8192,
      "coreBytes": 0
    },
    "network": {
      "mode": "none",
      "allowedZones": [],
      "allowedEgress": [],
      "allowedIngress": [],
      "allowedDomains": [],
      "deniedDomains": []
    },
    "filesystem": {
      "root": "host",
      "readablePaths": [],
      "writablePaths": [
        "/tmp"
      ],
      "deniedPaths": [],
      "allowedSockets": [],
      "sharedLayers": true,
      "tmpSizeBytes": 1073741824,
      "tmpInodes": 262144
    },
    "image": {
      "layerSizeBytes": 68719476736,
      "layerEntries": 2000000,
      "layerRatio": 300
    },
    "devices": {
      "allowed": [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
        "/dev/tty"
      ]
    },
    "syscalls": {
      "profile": "default",
      "deny": [],
      "allow": []
    },
    "env": {
      "pass": [
        "LANG",
        "LANGUAGE",
        "LC_ALL",
        "LC_COLLATE",
        "LC_CTYPE",
        "LC_MESSAGES",
        "LC_MONETARY",
        "LC_NUMERIC",
        "LC_TIME",
        "TERM",
        "COLORTERM",
        "NO_COLOR",
        "TZ"
      ],
      "set": {}
    },
    "enforcement": {
      "require": "any"
    },
    "places": {}
  },
  "build": {
    "name": "build",
    "hash": "sha256:cd87080874510aacff5d58682f16c97efe372837bf264a0d7738e4d3e4e2e0b0",
    "zone": {
      "type": "non-global"
    },
    "capabilities": {
      "allowed": []
    },
    "resources": {
      "cpuShares": null,
      "cpus": null,
      "memoryLimitBytes": 4294967296,
      "ioWeight": null,
      "pidsMax": 512
    },
    "limits": {
      "walltimeMs": 3600000,
      "cpuSeconds": null,
      "asBytes": null,
      "fsizeBytes": null,
      "nofile": 8192,
      "coreBytes": 0
    },
    "network": {
      "mode": "filtered",
      "allowedZones": [],
      "allowedEgress": [],
      "allowedIngress": [],
      "allowedDomains": [
        "@npm",
        "@pypi",
        "@crates",
        "@go",
        "@debian"
      ],
      "deniedDomains": []
    },
    "filesystem": {
      "root": "host",
      "readablePaths": [],
      "writablePaths": [
        "/tmp"
      ],
      "deniedPaths": [],
      "allowedSockets": [],
      "sharedLayers": true,
      "tmpSizeBytes": 1073741824,
      "tmpInodes": 262144
    },
    "image": {
      "layerSizeBytes": 68719476736,
      "layerEntries": 2000000,
      "layerRatio": 300
    },
    "devices": {
      "allowed": [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
        "/dev/tty"
      ]
    },
    "syscalls": {
      "profile": "default",
      "deny": [],
      "allow": []
    },
    "env": {
      "pass": [
        "LANG",
        "LANGUAGE",
        "LC_ALL",
        "LC_COLLATE",
        "LC_CTYPE",
        "LC_MESSAGES",
        "LC_MONETARY",
        "LC_NUMERIC",
        "LC_TIME",
        "TERM",
        "COLORTERM",
        "NO_COLOR",
        "TZ"
      ],
      "set": {}
    },
    "enforcement": {
      "require": "any"
    },
    "places": {}
  },
  "standard": {
    "name": "standard",
    "hash": "sha256:3bd9f1fd1e30a39c6a980ff21b40b2e88b0a51710e27a326263e7acbf5dc1796",
    "zone": {
      "type": "non-global"
    },
    "capabilities": {
      "allowed": [
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FOWNER",
        "CAP_KILL",
        "CAP_SETGID",
        "CAP_SETUID",
        "CAP_NET_BIND_SERVICE"
      ]
    },
    "resources": {
      "cpuShares": null,
      "cpus": null,
      "memoryLimitBytes": 4294967296,
      "ioWeight": null,
      "pidsMax": 512
    },
    "limits": {
      "walltimeMs": 0,
      "cpuSeconds": null,
      "asBytes": null,
      "fsizeBytes": null,
      "nofile": 65536,
      "coreBytes": 0
    },
    "network": {
      "mode": "bridged",
      "allowedZones": [],
      "allowedEgress": [
        "0.0.0.0/0:443",
        "0.0.0.0/0:80"
      ],
      "allowedIngress": [],
      "allowedDomains": [],
      "deniedDomains": []
    },
    "filesystem": {
      "root": "host",
      "readablePaths": [],
      "writablePaths": [
        "/data",
        "/tmp",
        "/var/log",
        "/var/run"
      ],
      "deniedPaths": [],
      "allowedSockets": [],
      "sharedLayers": true,
      "tmpSizeBytes": 1073741824,
      "tmpInodes": 262144
    },
    "image": {
      "layerSizeBytes": 68719476736,
      "layerEntries": 2000000,
      "layerRatio": 300
    },
    "devices": {
      "allowed": [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
        "/dev/tty"
      ]
    },
    "syscalls": {
      "profile": "default",
      "deny": [],
      "allow": []
    },
    "env": {
      "pass": [
        "LANG",
        "LC_ALL",
        "TERM",
        "TZ"
      ],
      "set": {}
    },
    "enforcement": {
      "require": "any"
    },
    "places": {}
  },
  "strict": {
    "name": "strict",
    "hash": "sha256:9dcf9a61433e46568b6a895b7782d5df3a75ab1dee93442b9cc86f9b405df0a0",
    "zone": {
      "type": "non-global"
    },
    "capabilities": {
      "allowed": []
    },
    "resources": {
      "cpuShares": null,
      "cpus": null,
      "memoryLimitBytes": 1073741824,
      "ioWeight": null,
      "pidsMax": 128
    },
    "limits": {
      "walltimeMs": 3600000,
      "cpuSeconds": null,
      "asBytes": null,
      "fsizeBytes": null,
      "nofile": 1024,
      "coreBytes": 0
    },
    "network": {
      "mode": "none",
      "allowedZones": [],
      "allowedEgress": [],
      "allowedIngress": [],
      "allowedDomains": [],
      "deniedDomains": []
    },
    "filesystem": {
      "root": "host",
      "readablePaths": [],
      "writablePaths": [
        "/tmp"
      ],
      "deniedPaths": [],
      "allowedSockets": [],
      "sharedLayers": false,
      "tmpSizeBytes": 268435456,
      "tmpInodes": 65536
    },
    "image": {
      "layerSizeBytes": 68719476736,
      "layerEntries": 2000000,
      "layerRatio": 300
    },
    "devices": {
      "allowed": [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
        "/dev/tty"
      ]
    },
    "syscalls": {
      "profile": "default",
      "deny": [
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "process_madvise",
        "pidfd_getfd",
        "kcmp"
      ],
      "allow": []
    },
    "env": {
      "pass": [
        "LANG",
        "LC_ALL",
        "TERM",
        "TZ"
      ],
      "set": {}
    },
    "enforcement": {
      "require": "any"
    },
    "places": {}
  },
  "privileged": {
    "name": "privileged",
    "hash": "sha256:587dc4e61df37ee1683604098fcea05f6c048d760eae163570795eb9f9e06d87",
    "zone": {
      "type": "privileged"
    },
    "capabilities": {
      "allowed": [
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_DAC_READ_SEARCH",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_SETGID",
        "CAP_SETUID",
        "CAP_SETPCAP",
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_ADMIN",
        "CAP_NET_RAW",
        "CAP_IPC_LOCK",
        "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE",
        "CAP_SYS_ADMIN",
        "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE",
        "CAP_MKNOD",
        "CAP_AUDIT_WRITE",
        "CAP_SETFCAP"
      ]
    },
    "resources": {
      "cpuShares": null,
      "cpus": null,
      "memoryLimitBytes": 8589934592,
      "ioWeight": null,
      "pidsMax": 4096
    },
    "limits": {
      "walltimeMs": 0,
      "cpuSeconds": null,
      "asBytes": null,
      "fsizeBytes": null,
      "nofile": 65536,
      "coreBytes": 0
    },
    "network": {
      "mode": "host",
      "allowedZones": [],
      "allowedEgress": [],
      "allowedIngress": [],
      "allowedDomains": [],
      "deniedDomains": []
    },
    "filesystem": {
      "root": "host",
      "readablePaths": [],
      "writablePaths": [
        "/data",
        "/tmp",
        "/var/log",
        "/var/run"
      ],
      "deniedPaths": [],
      "allowedSockets": [],
      "sharedLayers": true,
      "tmpSizeBytes": 2147483648,
      "tmpInodes": 524288
    },
    "image": {
      "layerSizeBytes": 68719476736,
      "layerEntries": 2000000,
      "layerRatio": 300
    },
    "devices": {
      "allowed": [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
        "/dev/tty"
      ]
    },
    "syscalls": {
      "profile": "default",
      "deny": [],
      "allow": []
    },
    "env": {
      "pass": [
        "LANG",
        "LC_ALL",
        "TERM",
        "TZ"
      ],
      "set": {}
    },
    "enforcement": {
      "require": "any"
    },
    "places": {}
  }
};

export const shippedPolicyNames: readonly string[] = ["task","build","standard","strict","privileged"];
