/** Numbers of the system calls, and flags of those of the file system, which differ between x86-64 and aarch64. */

const isArm = process.arch === "arm64";
const either = (x64: number, arm64: number): number => (isArm ? arm64 : x64);

export const call = {
  shmget: either(29, 194),
  shmat: either(30, 196),
  shmctl: either(31, 195),
  shmdt: either(67, 197),
  fcntl: either(72, 25),
  write: either(1, 64),
  lseek: either(8, 62),
  ioctl: either(16, 29),
  pread64: either(17, 67),
  socket: either(41, 198),
  bind: either(49, 200),
  listen: either(50, 201),
  sendto: either(44, 206),
  recvfrom: either(45, 207),
  setsockopt: either(54, 208),
  recvmsg: either(47, 212),
  socketpair: either(53, 199),
  flock: either(73, 32),
  fsync: either(74, 82),
  ftruncate: either(77, 46),
  fchmod: either(91, 52),
  fchown: either(93, 55),
  capget: either(125, 90),
  prctl: either(157, 167),
  rt_sigprocmask: either(14, 135),
  fsetxattr: either(190, 7),
  lgetxattr: either(192, 9),
  fgetxattr: either(193, 10),
  llistxattr: either(195, 12),
  fremovexattr: either(199, 16),
  getdents64: either(217, 61),
  clock_gettime: either(228, 113),
  openat: either(257, 56),
  mkdirat: either(258, 34),
  mknodat: either(259, 33),
  fchownat: either(260, 54),
  unlinkat: either(263, 35),
  linkat: either(265, 37),
  faccessat: either(269, 48),
  symlinkat: either(266, 36),
  readlinkat: either(267, 78),
  fchmodat: either(268, 53),
  utimensat: either(280, 88),
  syncfs: either(306, 267),
  setns: either(308, 268),
  open_by_handle_at: either(304, 265),
  renameat2: either(316, 276),
  copy_file_range: either(326, 285),
  statx: either(332, 291),
  openat2: 437,
  landlock_create_ruleset: 444,
} as const;

export const open = {
  read: 0,
  write: 1,
  readWrite: 2,
  create: 0o100,
  exclusive: 0o200,
  noTerminal: 0o400,
  nonBlocking: 0o4000,
  directory: either(0o200000, 0o40000),
  noFollow: either(0o400000, 0o100000),
  closeOnExec: 0o2000000,
  path: 0o10000000,
} as const;

export const resolve = { noMagicLinks: 2, noSymlinks: 4, beneath: 8 } as const;

/** `AT_*` of the fcntl header. */
export const at = { current: -100, noFollow: 0x100, removeDirectory: 0x200, emptyPath: 0x1000 } as const;

export const failure = {
  ENOENT: 2,
  EINTR: 4,
  ENXIO: 6,
  EAGAIN: 11,
  EACCES: 13,
  EXDEV: 18,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOTTY: 25,
  ERANGE: 34,
  ENODATA: 61,
  EOPNOTSUPP: 95,
  ESTALE: 116,
} as const;
