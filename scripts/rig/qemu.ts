/** QEMU's command line: a plain PC with virtio disks and ports, no network, no display. */
import type { Accel } from "./accel.ts";

export interface Machine {
  readonly accel: Accel;
  readonly kernel: string;
  readonly initramfs: string;
  /** The root disk and the checkout's, in this order; what the guest writes to them is thrown away. */
  readonly disks: readonly string[];
  readonly consoleLog: string;
  /** Unix sockets that the rig listens on, by the name of the guest's port. */
  readonly ports: Readonly<Record<string, string>>;
  /** The rig's own terminal becomes the guest's /dev/hvc0. */
  readonly terminal: boolean;
  readonly memoryMiB: number;
}

/**
 * `lsm=` names the modules in their order, so that bpf is active whatever the kernel's default is. No mitigations: an emulated
 * processor has nothing to protect, and they cost. `quiet` keeps the console, a slow device, to what matters when a boot fails.
 */
const KERNEL_ARGUMENTS = [
  "console=ttyS0",
  "quiet",
  "panic=-1",
  "oops=panic",
  "lsm=landlock,lockdown,yama,integrity,apparmor,bpf",
  "mitigations=off",
  "random.trust_cpu=on",
  "nowatchdog",
  "net.ifnames=0",
];

const PROCESSOR: Record<Accel, string[]> = {
  kvm: ["-accel", "kvm", "-cpu", "host"],
  tcg: ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max"],
};

export function qemuArguments(machine: Machine): string[] {
  const { accel, disks, ports } = machine;
  return [
    "qemu-system-x86_64",
    "-nodefaults",
    "-no-user-config",
    "-no-reboot",
    ...["-name", "rauha-rig", "-display", "none", "-nic", "none"],
    ...PROCESSOR[accel],
    ...["-smp", "2", "-m", `${machine.memoryMiB}M`],
    ...["-kernel", machine.kernel, "-initrd", machine.initramfs, "-append", KERNEL_ARGUMENTS.join(" ")],
    ...["-chardev", `file,id=console,path=${machine.consoleLog}`, "-serial", "chardev:console"],
    ...disks.flatMap((file, index) => [
      ...["-drive", `if=none,id=disk${index},file=${file},format=raw,snapshot=on,cache=unsafe`],
      ...["-device", `virtio-blk-pci,drive=disk${index}`],
    ]),
    ...["-device", "virtio-serial-pci"],
    ...Object.entries(ports).flatMap(([name, path]) => [
      ...["-chardev", `socket,id=${name},path=${path}`],
      ...["-device", `virtserialport,chardev=${name},name=rauha.${name}`],
    ]),
    ...(machine.terminal
      ? ["-chardev", "stdio,id=terminal,signal=off", "-device", "virtconsole,chardev=terminal"]
      : []),
  ];
}
