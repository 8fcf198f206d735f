/** Network mode bridged on Linux 6.1, where bridge, veth and nftables are modules that the kernel loads when they are asked for. */
import { bridgedCases } from "../network/bridged-cases.ts";
import { inVm, isRoot } from "../support/identity.ts";

if (inVm && isRoot) bridgedCases({ zones: 16, kills: 6 });
