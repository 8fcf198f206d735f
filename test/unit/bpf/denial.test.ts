import { describe, expect, test } from "bun:test";
import { type Hook, hooks, objectKind, type Reason, reasons } from "../../../src/bpf/contract.ts";
import { type Denial, decodeDenial } from "../../../src/bpf/denial.ts";
import { describeDenial } from "../../../src/bpf/describe.ts";
import { encodeRecord, textBytes } from "../../../src/bpf/record.ts";

function event(change: Parameters<typeof encodeRecord<"event">>[1]): Uint8Array {
  return encodeRecord("event", {
    boot_ns: 5n,
    pid: 7,
    done: 1,
    comm: textBytes("cat"),
    hook: hooks.indexOf("file_open"),
    reason: reasons.indexOf("other_zone_file"),
    ...change,
  });
}

function objectOf(kind: number, object: Uint8Array): string | null | undefined {
  return decodeDenial(event({ object_kind: kind, object }))?.object;
}

describe("an event of the programs", () => {
  test("reads as what was denied", () => {
    const bytes = event({ target: 9n, object_kind: objectKind.path, object: textBytes("/etc/shadow") });
    expect(decodeDenial(bytes)).toEqual({
      hook: "file_open",
      reason: "other_zone_file",
      bootNs: 5n,
      pid: 7,
      comm: "cat",
      target: 9n,
      object: "/etc/shadow",
      number: null,
    });
  });

  test("is none before it is whole", () => {
    expect(decodeDenial(event({ done: 0 }))).toBeUndefined();
  });

  test("numbers are no objects", () => {
    expect(decodeDenial(event({ object_kind: objectKind.number, number: 15n }))).toMatchObject({
      object: null,
      number: 15,
    });
  });

  test("addresses are written as people write them", () => {
    const inet = Uint8Array.of(2, 0, 0x1b, 0xbd, 127, 0, 0, 1);
    expect(objectOf(objectKind.address, inet)).toBe("127.0.0.1:7101");
    const inet6 = new Uint8Array(28);
    inet6.set([10, 0, 1, 187]);
    inet6.set([0x20, 0x01, 0x0d, 0xb8], 8);
    inet6[23] = 1;
    expect(objectOf(objectKind.address, inet6)).toBe("[2001:db8::1]:443");
  });

  test("unix sockets have a path, a name, or none", () => {
    const unix = (text: string) => Uint8Array.of(1, 0, ...textBytes(text));
    expect(objectOf(objectKind.address, unix("/run/socket"))).toBe("/run/socket");
    expect(objectOf(objectKind.address, unix("\0name"))).toBe("@name");
    expect(objectOf(objectKind.address, unix(""))).toBeNull();
  });
});

describe("a denial in words", () => {
  const denial = (hook: Hook, reason: Reason, more: Partial<Denial> = {}): Denial => ({
    ...{ hook, reason, bootNs: 0n, pid: 1, comm: "x", target: 0n, object: null, number: null },
    ...more,
  });

  test("every hook and every reason has words, without a hole", () => {
    for (const hook of hooks)
      for (const reason of reasons.slice(1)) {
        const { action, message, why } = describeDenial(denial(hook, reason));
        expect(action).not.toBe("");
        expect(why).not.toBe("");
        expect(message).toMatch(/ denied: (EACCES|EPERM)$/);
      }
  });

  test("file hooks answer EACCES, the others EPERM", () => {
    const errnoOf = (hook: Hook) => describeDenial(denial(hook, "policy")).message.split(" ").at(-1);
    expect(hooks.filter((hook) => errnoOf(hook) === "EACCES").toSorted()).toEqual(
      [
        "file_open",
        "bprm_check_security",
        "cgroup_lock",
        "mmap_file",
        "file_receive",
        "path_change",
      ].toSorted() as Hook[],
    );
  });

  test("the policy key that would allow it is named, where there is one", () => {
    const keyOf = (hook: Hook, reason: Reason) => describeDenial(denial(hook, reason)).policyKey;
    expect(keyOf("file_open", "outside_mount_tree")).toBe("filesystem.readable_paths");
    expect(keyOf("task_kill", "other_zone")).toBe("network.allowed_zones");
    expect(keyOf("capable", "capability")).toBe("capabilities.allowed");
    expect(keyOf("socket_connect", "egress")).toBe("network.allowed_egress");
    expect(keyOf("unix_stream_connect", "host")).toBe("filesystem.allowed_sockets");
    expect(keyOf("ptrace_access_check", "policy")).toBe("syscalls.deny");
    expect(keyOf("bpf", "never")).toBeUndefined();
  });

  test("capabilities and signals are named", () => {
    expect(describeDenial(denial("capable", "capability", { number: 5 }))).toMatchObject({ object: "CAP_KILL" });
    expect(describeDenial(denial("task_kill", "host", { number: 9 })).message).toBe("send signal 9 denied: EPERM");
  });

  test("a failed look-up is an error, not a denial", () => {
    expect(describeDenial(denial("capable", "lookup_failed")).decision).toBe("error");
  });
});
