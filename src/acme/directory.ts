import { z } from 'zod';
import { get } from './http.ts';
import { AcmeUnreachable } from './problem.ts';

const shape = z.object({
  newNonce: z.string(),
  newAccount: z.string(),
  newOrder: z.string(),
  renewalInfo: z.string().optional(),
  meta: z
    .object({
      externalAccountRequired: z.boolean().optional(),
      caaIdentities: z.array(z.string()).optional(),
      /** draft-ietf-acme-profiles: name to description. */
      profiles: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});

/** What an ACME server says of itself (RFC 8555 section 7.1.1). */
export interface DirectoryObject {
  /** Names of the certificate profiles that may be asked for; none where the server knows none. */
  readonly profiles: readonly string[];
  /** Base URL of renewal information (RFC 9773 section 4). */
  readonly renewalInfo: string | undefined;
  readonly externalAccountRequired: boolean;
  /** The server's names in CAA records (RFC 8659). */
  readonly caaIdentities: readonly string[];
  /** The server's clock, from the `Date` header. */
  readonly date: Date | undefined;
}

/** @throws AcmeProblem, or AcmeUnreachable also when something else answers there */
export async function readDirectory(url: string): Promise<DirectoryObject> {
  const { body, headers } = await get(url);
  const parsed = shape.safeParse(body);
  if (!parsed.success) throw new AcmeUnreachable(`${url} is not an ACME directory`);
  const date = new Date(Date.parse(String(headers.date)));
  return {
    profiles: Object.keys(parsed.data.meta?.profiles ?? {}),
    renewalInfo: parsed.data.renewalInfo,
    externalAccountRequired: parsed.data.meta?.externalAccountRequired ?? false,
    caaIdentities: parsed.data.meta?.caaIdentities ?? [],
    date: Number.isNaN(date.getTime()) ? undefined : date,
  };
}
