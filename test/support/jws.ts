import { z } from 'zod';
import type { Fields } from './fault-rules.ts';

const object = z.record(z.string(), z.unknown());
const jws = z.object({ protected: z.string(), payload: z.string() });
const header = z.object({ kid: z.string() });

/** Payload and signer of a signed request (RFC 8555 section 6.2), unverified. */
export function readJws(body: string): { payload: Fields | undefined; account: string | undefined } {
  const signed = jws.safeParse(json(body));
  if (!signed.success) return { payload: undefined, account: undefined };
  const signer = header.safeParse(json(decode(signed.data.protected)));
  return {
    payload: jsonObject(decode(signed.data.payload)),
    account: signer.success ? signer.data.kid : undefined,
  };
}

/** The JSON object that a text is; `undefined` when it is none. */
export function jsonObject(text: string): Fields | undefined {
  const parsed = object.safeParse(json(text));
  return parsed.success ? parsed.data : undefined;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decode(part: string): string {
  return Buffer.from(part, 'base64url').toString();
}
