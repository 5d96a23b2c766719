import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { Failure, messageOf } from '../errors.ts';
import { type Authority, readAuthority } from './authority.ts';
import type { RegistryName } from './registry-name.ts';

const WITHIN = 15_000;
/** Bytes: a CA has about a thousand. */
const LARGEST = 64 * 1024;

/**
 * What a registry says is its CA. Nothing vouches for that: a person has to compare the fingerprint.
 * @param host where to connect to
 * @throws Failure `ca-not-offered`, `no-authority`
 */
export async function fetchAuthority(
  { name, port, authority }: RegistryName,
  host: string,
  now: Date,
): Promise<Authority> {
  const url = `https://${authority}/ca.crt`;
  let body: string;
  try {
    const asked = request({
      host,
      port,
      path: '/ca.crt',
      headers: { host: authority, connection: 'close' },
      servername: isIP(name) === 0 ? name : '',
      rejectUnauthorized: false, // that is what is to be found out
      agent: false,
      signal: AbortSignal.timeout(WITHIN),
    });
    const [response]: IncomingMessage[] = await once(asked.end(), 'response');
    if (response === undefined || response.statusCode !== 200)
      throw new Error(`the answer is ${response?.statusCode ?? 'none'}`);
    body = await read(response);
  } catch (error) {
    throw new Failure(
      'ca-not-offered',
      `The CA can't be fetched from ${url}: ${messageOf(error)}.`,
      'Copy var/ca/ca.crt from the registry’s machine, and give it by --ca FILE.',
      { cause: error },
    );
  }
  return readAuthority(body, url, now);
}

async function read(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) {
    text += piece;
    if (text.length > LARGEST) throw new Error('it is no CA, but something large');
  }
  return text;
}
