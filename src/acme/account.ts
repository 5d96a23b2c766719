import { join } from 'node:path';
import { Client } from 'acme-client';
import { z } from 'zod';
import { keyToPem, newKeyPair } from '../certificates/x509.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, readIfExists, removeSynced, writeAtomically } from '../system/files.ts';
import { readAs } from '../system/json.ts';
import { AcmeProblem } from './problem.ts';
import { persistently } from './retry.ts';

/** Ties a new account to one that the CA knows already (RFC 8555 section 7.3.4). */
export interface ExternalAccount {
  readonly kid: string;
  /** base64url */
  readonly hmacKey: string;
}

export interface AccountOptions {
  /** Keeps the key and the account's URL; one for each directory. */
  readonly folder: string;
  /** URL */
  readonly directory: string;
  readonly email: string | undefined;
  readonly externalAccount: ExternalAccount | undefined;
  readonly clock: Clock;
}

const record = z.object({ url: z.url(), email: z.string().optional() });

/**
 * The account at a CA, registered if need be (RFC 8555 section 7.3). Its key is on the disk before the CA hears of it,
 * so a run that was killed finds its account again.
 * @throws AcmeProblem, AcmeUnreachable
 */
export async function openAccount(options: AccountOptions): Promise<Client> {
  const { folder, directory, email, externalAccount, clock } = options;
  await ensureDirectory(folder, 0o700);
  const accountKey = await accountKeyIn(folder);
  const known = await readRecord(folder);
  const client = new Client({
    directoryUrl: directory,
    accountKey,
    ...(known === undefined ? {} : { accountUrl: known.url }),
    ...(externalAccount === undefined ? {} : { externalAccountBinding: { ...externalAccount } }),
  });
  if (known !== undefined && known.email === email) return client;
  const contact = email === undefined ? [] : [`mailto:${email}`];
  await persistently(clock, async () => {
    if (known === undefined) await register(client, contact);
    else await client.updateAccount({ contact });
  });
  const url = client.getAccountUrl();
  await writeAtomically(recordFile(folder), JSON.stringify({ url, email }), 0o600);
  return client;
}

/** The CA does not know the account any more: the next `openAccount` registers its key anew. */
export async function forgetAccount(folder: string): Promise<void> {
  await removeSynced(recordFile(folder));
}

async function register(client: Client, contact: string[]): Promise<void> {
  try {
    await client.createAccount({ termsOfServiceAgreed: true, ...(contact.length === 0 ? {} : { contact }) });
  } catch (error) {
    // To a key that it knows (a killed run's, or the answer got lost) a CA gives the account that is there. acme-client
    // then sends an update, and CAs refuse one that changes nothing.
    if (!(error instanceof AcmeProblem) || error.problem.status >= 500 || !isRegistered(client)) throw error;
  }
}

function isRegistered(client: Client): boolean {
  try {
    return client.getAccountUrl() !== '';
  } catch {
    return false;
  }
}

async function accountKeyIn(folder: string): Promise<string> {
  const path = join(folder, 'account-key.pem');
  const existing = await readIfExists(path);
  if (existing !== undefined) return existing;
  const key = await keyToPem((await newKeyPair()).privateKey);
  await forgetAccount(folder); // it is that of a key that is lost
  await writeAtomically(path, key, 0o600);
  return key;
}

/** Where there is none that can be read, registering again with the same key finds the same account. */
function readRecord(folder: string): Promise<z.infer<typeof record> | undefined> {
  return readAs(recordFile(folder), record);
}

function recordFile(folder: string): string {
  return join(folder, 'account.json');
}
