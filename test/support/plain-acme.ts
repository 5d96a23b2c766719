import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import * as peculiar from '@peculiar/x509';
import acme from 'acme-client';
import type { ChallengeServer } from './challenge-server.ts';

/** The name that is ordered where a test doesn't care. */
export const NAME = 'registry.moorage.example';

/** What an order says beside its name. */
export interface Wanted {
  readonly profile?: string;
  readonly replaces?: string;
}

// Its own interceptor retries, and hides why a connection broke behind a TypeError of its own.
acme.axios.interceptors.response.clear();
acme.axios.interceptors.response.use(null, (error) => error.response ?? Promise.reject(error));

/** acme-client has one HTTP client for all, so one CA that it trusts at a time: PEM file. */
export async function trust(file: string): Promise<void> {
  acme.axios.defaults.httpsAgent = new Agent({ ca: await readFile(file, 'utf8') });
}

/** acme-client as it comes, with a new key. */
export async function newClient(
  directoryUrl: string,
  externalAccountBinding?: acme.ClientExternalAccountBindingOptions,
): Promise<acme.Client> {
  const accountKey = await acme.crypto.createPrivateEcdsaKey();
  const quick = { backoffMin: 20, backoffMax: 100, backoffAttempts: 20 };
  const options = { directoryUrl, accountKey, ...quick };
  return new acme.Client(externalAccountBinding ? { ...options, externalAccountBinding } : options);
}

export function order(client: acme.Client, wanted: Wanted = {}, name = NAME): Promise<acme.Order> {
  const request = { identifiers: [{ type: 'dns', value: name }], ...wanted };
  return client.createOrder(request);
}

/** The whole way from order to chain (PEM), by http-01. */
export async function issue(
  client: acme.Client,
  web: ChallengeServer,
  wanted: Wanted = {},
  name = NAME,
): Promise<string> {
  const made = await order(client, wanted, name);
  for (const authorization of await client.getAuthorizations(made)) {
    const challenge = authorization.challenges.find(({ type }) => type === 'http-01');
    if (challenge === undefined) throw new Error('no http-01 challenge');
    web.tokens.set(challenge.token, await client.getChallengeKeyAuthorization(challenge));
    await client.completeChallenge(challenge);
    await client.waitForValidStatus(challenge);
  }
  await client.waitForValidStatus(made); // `ready` is enough for it
  const key = await acme.crypto.createPrivateEcdsaKey();
  const [, csr] = await acme.crypto.createCsr({ altNames: [name] }, key);
  return client.getCertificate(await client.finalizeOrder(made, csr));
}

/** Any answer to a GET, refusals too. */
export function get(url: string, options: { timeout?: number } = {}) {
  return acme.axios.get(url, { validateStatus: () => true, ...options });
}

/** What renewalInfo and `replaces` call a certificate (RFC 9773 section 4.1). */
export function certificateId(chain: string): string {
  const certificate = new peculiar.X509Certificate(chain);
  const authority = certificate.getExtension(peculiar.AuthorityKeyIdentifierExtension);
  const hex = [authority?.keyId ?? '', certificate.serialNumber];
  return hex.map((digits) => Buffer.from(digits, 'hex').toString('base64url')).join('.');
}
