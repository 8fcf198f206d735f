import {
  type GatewayField,
  type GatewayOrder,
  type GatewayRecordSpec,
  type GatewayReport,
  gatewayLimits,
  gatewayOrders,
  gatewayReports,
} from "./contract.ts";

const size: Readonly<Record<GatewayField, number>> = { u32: 4, u64: 8, address: 16 };

function fixedBytes({ fields }: GatewayRecordSpec): number {
  return Object.values(fields).reduce((sum, type) => sum + size[type], 0);
}

type Loose = Readonly<Record<string, unknown>>;

function encode(spec: GatewayRecordSpec, record: Loose): Uint8Array {
  const data = spec.data === true ? (record["data"] as Uint8Array) : new Uint8Array();
  const length = fixedBytes(spec) + data.length;
  if (length > gatewayLimits.record) throw new Error(`a record of ${length} bytes for the gateway`);
  const bytes = new Uint8Array(8 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, spec.id, true);
  view.setUint32(4, length, true);
  let at = 8;
  for (const [name, type] of Object.entries(spec.fields)) {
    const value = record[name];
    if (type === "u32") view.setUint32(at, value as number, true);
    else if (type === "u64") view.setBigUint64(at, BigInt(value as number), true);
    else bytes.set(value as Uint8Array, at);
    at += size[type];
  }
  bytes.set(data, at);
  return bytes;
}

/** An order as the gateway reads it. */
export function encodeOrder(order: GatewayOrder): Uint8Array {
  return encode(gatewayOrders[order.record], order as unknown as Loose);
}

/** The other direction: what the gateway writes. For tests, and for a gateway that is no C program. */
export function encodeReport(report: GatewayReport): Uint8Array {
  return encode(gatewayReports[report.record], report as unknown as Loose);
}

/** Turns a stream of bytes into the gateway's reports. A record that is not in the contract is an error. */
export class GatewayDecoder {
  #rest: Uint8Array = new Uint8Array();

  push(bytes: Uint8Array): GatewayReport[] {
    const all = this.#rest.length === 0 ? bytes : join(this.#rest, bytes);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    const reports: GatewayReport[] = [];
    let at = 0;
    while (at + 8 <= all.length) {
      const length = view.getUint32(at + 4, true);
      const entry = byId.get(view.getUint32(at, true));
      if (entry === undefined || length > gatewayLimits.record)
        throw new Error("the gateway reports what is not in its contract");
      if (at + 8 + length > all.length) break;
      reports.push(decode(entry[0], entry[1], all.subarray(at + 8, at + 8 + length)));
      at += 8 + length;
    }
    this.#rest = all.slice(at);
    return reports;
  }
}

const byId = new Map(
  Object.entries<GatewayRecordSpec>(gatewayReports).map(([name, spec]) => [spec.id, [name, spec] as const]),
);

function decode(name: string, spec: GatewayRecordSpec, body: Uint8Array): GatewayReport {
  const fixed = fixedBytes(spec);
  if (body.length < fixed || (spec.data !== true && body.length > fixed))
    throw new Error(`the gateway reports a ${name} of ${body.length} bytes`);
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const record: Record<string, unknown> = { record: name };
  let at = 0;
  for (const [field, type] of Object.entries(spec.fields)) {
    if (type === "u32") record[field] = view.getUint32(at, true);
    else if (type === "u64") record[field] = Number(view.getBigUint64(at, true));
    else record[field] = body.slice(at, at + size.address);
    at += size[type];
  }
  if (spec.data === true) record["data"] = body.slice(fixed);
  return record as GatewayReport;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
