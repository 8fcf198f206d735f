/** Zones from images: the root is the image, all of it, and the image is never written to. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { kernelIsAtLeast, needs, patient } from "../support/identity.ts";
import { parseResult, start } from "../support/rauha.ts";
import { fingerprint } from "../support/tree.ts";
import { dir, file, layers, smallImageStore } from "./small-image.ts";
import { tarOf } from "./tar-builder.ts";

const store = await smallImageStore();
const sh = (script: string, flags: readonly string[] = [], image = "base") =>
  store.run(image, ["sh", "-c", script], flags);

describe("the root is the image", () => {
  test("whiteouts are gone, upper layers are on top, nothing of the host shows", async () => {
    const { result } = await sh("ls /; ls /var/old; cat /opt/top /var/kept; ls /usr /lib 2>&1");
    expect(result.stdout?.split("\n")).toEqual([
      ..."bin dev etc home opt proc root tmp var".split(" "),
      "topkeptls: /usr: No such file or directory",
      "ls: /lib: No such file or directory",
      "",
    ]);
    expect(result.image).toEqual({ reference: "base", digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  });

  test("the zone's own hosts, hostname and resolv.conf take the place of the image's, a symlink's too", async () => {
    const { result } = await sh("cat /etc/hosts /etc/hostname; stat -c %F /etc/resolv.conf", ["--hostname", "here"]);
    expect(result.stdout).toBe(
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\there\nhere\nregular empty file\n",
    );
  });

  test("all of it can be written to, and nothing of that reaches the store", async () => {
    const before = fingerprint(join(store.root, "layers"));
    const script = `set -e; echo new > /etc/passwd; rm /var/kept; mkdir /opt/d; mv /opt/top /opt/d; rm -r /home/app
      echo x >> /bin/setuid; ln /etc/group /etc/linked; touch /bin/busybox; cat /etc/passwd; ls /opt /var`;
    const { result } = await sh(script);
    expect([result.stderr, result.stdout]).toEqual(["", "new\n/opt:\nd\n\n/var:\nold\n"]);
    expect(fingerprint(join(store.root, "layers"))).toEqual(before);
    expect((await sh("cat /var/kept /opt/top")).result.stdout).toBe("kepttop");
  });

  needs("Linux 6.6", kernelIsAtLeast(6, 6))(
    "a directory of the image that was removed can be made again, and is empty",
    async () => {
      const { result } = await sh("rm -r /var/old && mkdir /var/old && ls -A /var/old && echo made");
      expect(result.stdout).toBe("made\n");
    },
  );

  test(
    "neighbours with the same image see nothing of each other",
    async () => {
      const begun = start(
        ["sandbox", "--image", "base", "--pull", "never", "--", "sh", "-c", "echo mine > /var/mine; sleep 3; ls /var"],
        {
          env: { RAUHA_STORE: store.root },
        },
      );
      const { result } = await sh("sleep 1; ls /var; echo yours > /var/yours");
      expect(result.stdout).toBe("kept\nold\n");
      expect(parseResult(await begun.stdout.text()).stdout).toBe("kept\nmine\nold\n");
    },
    patient(30_000),
  );
});

describe("many layers", () => {
  const stacked = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ archive: tarOf([dir("n"), file(`n/${index}`, String(index))]) }));

  test(
    "128 can be stacked, 129 are refused",
    async () => {
      await store.add("tall", { layers: [...layers, ...stacked(126)] });
      const { result } = await sh(
        "ls /n | sort -n | tail -1 2>/dev/null; cat /n/125 /n/0",
        ["-e", "PATH=/bin"],
        "tall",
      );
      expect(result.stdout?.endsWith("1250")).toBe(true);
      await store.add("taller", { layers: [...layers, ...stacked(127)] });
      expect((await sh("true", [], "taller")).result.error?.message).toContain("129 layers: 1 to 128 can be stacked");
    },
    patient(120_000),
  );
});
