/** Many connections, slow peers, large transfers: all of them arrive, and nothing grows without bound. */
import { expect, test } from "bun:test";
import { patient } from "../support/identity.ts";
import { worldForTests } from "./world.ts";

const world = await worldForTests();
const good = ["--allow-domain", "*.good.example", "--limit-nofile", "8192"];

test(
  "2,000 connections at a time, each with its own bytes",
  async () => {
    const script = `
import selectors, socket
N = 2000
address = socket.getaddrinfo("www.good.example", 7, socket.AF_INET, socket.SOCK_STREAM)[0][4]
socks = []
for i in range(N):
  s = socket.socket(); s.connect(address); socks.append(s)
for i, s in enumerate(socks): s.sendall(b"\\x01%06d" % i)
good = 0
for i, s in enumerate(socks):
  s.settimeout(60)
  data = b""
  while len(data) < 7:
    piece = s.recv(7 - len(data))
    if not piece: break
    data += piece
  good += data == b"\\x01%06d" % i
for s in socks: s.close()
print(good)`;
    const run = await world.sandbox(good, ["python3", "-c", script]);
    expect({ stdout: run.result.stdout, stderr: run.result.stderr }).toEqual({ stdout: "2000\n", stderr: "" });
    const dropped = run.result.events.find((event) => event["event.name"] === "rauha.network.egress.dropped");
    expect(dropped?.degraded_reason).toBe("1488 more attempts were counted, not listed");
  },
  patient(120_000),
);

test(
  "a large transfer each way, at once, through one connection",
  async () => {
    const script = `
import socket, threading, hashlib
s = socket.create_connection(("www.good.example", 7))
size, piece = 64 << 20, bytes(range(1, 256)) * 257
sent, got = hashlib.sha256(), hashlib.sha256()
def send():
  left = size
  while left:
    part = piece[:min(left, len(piece))]; s.sendall(part); sent.update(part); left -= len(part)
  s.shutdown(socket.SHUT_WR)
t = threading.Thread(target=send); t.start()
total = 0
while True:
  data = s.recv(1 << 16)
  if not data: break
  got.update(data); total += len(data)
t.join()
print(total == size, sent.digest() == got.digest())`;
    const run = await world.sandbox(good, ["python3", "-c", script]);
    expect(run.result.stdout).toBe("True True\n");
  },
  patient(120_000),
);

test(
  "a reader that does not read holds the server back, and loses nothing",
  async () => {
    const script = `
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect((socket.gethostbyname("www.good.example"), 19)); s.sendall(b"20000000\\n")
time.sleep(0.5)
total = 0
while True:
  data = s.recv(65536)
  if not data: break
  total += len(data)
print(total)`;
    const run = await world.sandbox(good, ["python3", "-c", script]);
    expect(run.result.stdout).toBe("20000000\n");
  },
  patient(60_000),
);

test(
  "a flood of denied datagrams and connections is counted, and ends with the task",
  async () => {
    const script = `
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(5000):
  try: u.sendto(b"x", ("203.0.113.66", 1000 + i))
  except OSError: pass
for i in range(800):
  s = socket.socket()
  try: s.connect(("10.0.0.1", 80)); s.recv(1)
  except OSError: pass
  s.close()
print("done")`;
    const run = await world.sandbox(good, ["python3", "-c", script]);
    expect(run.result.stdout).toBe("done\n");
    expect(run.result.enforcement_events.length).toBe(512);
    expect(run.result.enforcement.trust_level).toBe("partial");
  },
  patient(60_000),
);
