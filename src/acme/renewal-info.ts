import { z } from 'zod';
import { parseChain } from '../certificates/certificate.ts';
import { renewalIdentifier } from '../certificates/x509.ts';
import { readDirectory } from './directory.ts';
import { get } from './http.ts';
import { readRetryAfter } from './problem.ts';

const shape = z.object({
  suggestedWindow: z.object({ start: z.coerce.date(), end: z.coerce.date() }),
  explanationURL: z.string().optional(),
});

/** When the CA would like a certificate to be renewed (RFC 9773 section 4.2). */
export interface RenewalInfo {
  readonly start: Date;
  readonly end: Date;
  /** A page about the reason, when there is one. */
  readonly explanation: string | undefined;
  /** When to ask again. */
  readonly retryAfter: Date | undefined;
}

/**
 * Asks for the renewal information of a chain's first certificate. No account is needed.
 * @param directory URL
 * @returns `undefined` where the server has no such thing
 * @throws AcmeProblem, AcmeUnreachable, or an Error when the answer is no window
 */
export async function readRenewalInfo(
  directory: string,
  chain: string,
  now: Date,
): Promise<RenewalInfo | undefined> {
  const { renewalInfo: base } = await readDirectory(directory);
  if (base === undefined) return undefined;
  const { body, headers } = await get(`${base.replace(/\/$/, '')}/${certificateIdentifier(chain)}`);
  const parsed = shape.safeParse(body);
  if (!parsed.success) throw new Error('the renewal information has no window');
  const { suggestedWindow, explanationURL } = parsed.data;
  const retryAfter = readRetryAfter(headers['retry-after'], now);
  return { ...suggestedWindow, explanation: explanationURL, retryAfter };
}

/** The name of a certificate in ARI: key identifier of its issuer and serial number (RFC 9773 section 4.1). */
export function certificateIdentifier(chain: string): string {
  return renewalIdentifier(parseChain(chain)[0].raw);
}
