import { readFile } from 'node:fs/promises';
import { parse } from 'dotenv';
import { Failure } from '../errors.ts';
import { dnsHookEnvProblem } from '../settings/dns-hook.ts';

type Variables = Readonly<Record<string, string>>;

/**
 * The credentials of a hook: variables of a dotenv file. Read at each call, as they may be exchanged meanwhile.
 * @throws Failure `dns-hook-env` when there is no such file, or one that others can read
 */
export async function readCredentials(file: string | undefined): Promise<Variables> {
  if (file === undefined) return {};
  const problem = await dnsHookEnvProblem(file);
  if (problem === undefined) return parse(await readFile(file));
  throw new Failure('dns-hook-env', `ACME_DNS_HOOK_ENV: ${file} ${problem.what}.`, problem.remedy);
}

/** Shorter values (`1`, `60`, `yes`) are settings, and masking them would make any text unreadable. */
const SHORTEST_SECRET = 4;

/** The text without the values, as they are and as they stand in a URL or in JSON. */
export function mask(text: string, credentials: Variables): string {
  return Object.values(credentials)
    .filter((value) => value.length >= SHORTEST_SECRET)
    .flatMap((value) => [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])
    .flatMap((form) => [form, ...form.split('\n').filter((line) => line.length >= SHORTEST_SECRET)])
    .sort((one, other) => other.length - one.length) // a value may be a part of another
    .reduce((masked, secret) => masked.replaceAll(secret, '[redacted]'), text);
}
