import { describe, expect, test } from "bun:test";
import { chooseAccel, hasVirtualisation } from "../../../scripts/rig/accel.ts";
import { loadOrder } from "../../../scripts/rig/modules.ts";
import { type Machine, qemuArguments } from "../../../scripts/rig/qemu.ts";

describe("the modules of the initramfs", () => {
  const dep = `kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/fs/crc-t10.ko:
`;
  const builtin = "kernel/fs/ext4/ext4.ko\nkernel/fs/jbd2/jbd2.ko\n";

  test("come after what they need, and once", () => {
    expect(loadOrder(dep, builtin, ["virtio_blk", "virtio_ring", "virtio_blk"])).toEqual([
      "kernel/drivers/virtio/virtio.ko",
      "kernel/drivers/virtio/virtio_ring.ko",
      "kernel/drivers/block/virtio_blk.ko",
    ]);
  });

  test("are not loaded when the kernel has them built in", () => {
    expect(loadOrder(dep, builtin, ["ext4"])).toEqual([]);
  });

  test("are known by either spelling of their names", () => {
    expect(loadOrder(dep, builtin, ["crc_t10"])).toEqual(["kernel/fs/crc-t10.ko"]);
  });

  test("that are nowhere are an error", () => {
    expect(() => loadOrder(dep, builtin, ["virtiofs"])).toThrow("no module virtiofs");
  });
});

describe("the processor", () => {
  test("is KVM's only where the host's has a virtualisation extension", () => {
    expect(hasVirtualisation("model name\t: x\nflags\t\t: fpu vme svm sse\n")).toBe(true);
    expect(hasVirtualisation("flags\t\t: fpu vmx\n")).toBe(true);
    expect(hasVirtualisation("flags\t\t: fpu sse svmx\nbugs\t\t: svm\n")).toBe(false);
  });

  test("can be forced, but not to anything", () => {
    expect(chooseAccel("tcg")).toBe("tcg");
    expect(chooseAccel("kvm")).toBe("kvm");
    expect(() => chooseAccel("xen")).toThrow("expected kvm or tcg");
  });
});

describe("QEMU's command line", () => {
  const machine: Machine = {
    accel: "tcg",
    kernel: "/k",
    initramfs: "/i",
    disks: ["/base", "/checkout"],
    consoleLog: "/log",
    ports: { control: "/s/control", results: "/s/results" },
    terminal: false,
    memoryMiB: 3072,
  };
  const text = (changes: Partial<Machine> = {}): string => qemuArguments({ ...machine, ...changes }).join(" ");

  test("never writes to a cached disk", () => {
    const drives = qemuArguments(machine).filter((argument) => argument.startsWith("if=none"));
    expect(drives).toHaveLength(2);
    for (const drive of drives) expect(drive).toContain("snapshot=on");
  });

  test("has no network", () => {
    expect(text()).toContain("-nic none");
  });

  test("makes bpf an active security module", () => {
    expect(text()).toMatch(/lsm=\S*,bpf /);
  });

  test("names each port for the guest", () => {
    expect(text()).toContain("socket,id=control,path=/s/control");
    expect(text()).toContain("virtserialport,chardev=results,name=rauha.results");
  });

  test("gives the terminal away only when asked", () => {
    expect(text()).not.toContain("stdio");
    expect(text({ terminal: true })).toContain("stdio,id=terminal,signal=off");
  });
});
