import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Failure, messageOf } from '../errors.ts';
import { ensureDirectory, writeAtomically } from '../system/files.ts';
import type { Challenge, Solver } from './solver.ts';

/** Where a CA looks (RFC 8555 section 8.3). */
export const CHALLENGE_PATH = '/.well-known/acme-challenge';
/** base64url, as RFC 8555 section 8.3 demands: a token becomes a file name. */
const TOKEN = /^[A-Za-z0-9_-]+$/;
const TIMEOUT = 5_000;

/** Where nginx answers plain HTTP, seen from this process. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

/** HTTP-01 (RFC 8555 section 8.3): files in the webroot that nginx serves on port 80. */
export class Http01 implements Solver {
  readonly type = 'http-01';
  readonly #folder: string;
  readonly #address: HttpAddress;

  constructor(webroot: string, address: HttpAddress) {
    this.#folder = join(webroot, CHALLENGE_PATH);
    this.#address = address;
  }

  async present({ token, keyAuthorization }: Challenge): Promise<void> {
    await ensureDirectory(this.#folder);
    await writeAtomically(this.#file(token), keyAuthorization, 0o644);
  }

  async cleanUp({ token }: Challenge): Promise<void> {
    await rm(this.#file(token), { force: true });
  }

  /**
   * Fetches a token of our own through nginx, as the CA will do. What killed runs left is taken away first.
   * @throws Failure `challenge-not-served`
   */
  async check(name: string): Promise<void> {
    await ensureDirectory(this.#folder);
    for (const file of await readdir(this.#folder))
      await rm(join(this.#folder, file), { recursive: true, force: true });
    const challenge = {
      name,
      token: `check-${randomBytes(9).toString('hex')}`,
      keyAuthorization: randomBytes(16).toString('hex'),
    };
    await this.present(challenge);
    try {
      const answer = await fetchPlain(this.#address, name, `${CHALLENGE_PATH}/${challenge.token}`);
      if (answer === challenge.keyAuthorization) return;
      throw new Error(`it answered ${answer.slice(0, 80)}`);
    } catch (error) {
      const { host, port } = this.#address;
      throw new Failure(
        'challenge-not-served',
        `nginx at ${host}:${port} does not serve challenges for ${name}: ${messageOf(error)}. The CA was not asked.`,
        'Look whether nginx runs and what answers on its port: docker compose ps; docker compose logs nginx',
        { cause: error },
      );
    } finally {
      await this.cleanUp(challenge);
    }
  }

  #file(token: string): string {
    if (!TOKEN.test(token))
      throw new Error(`the CA sent a token that is not base64url: ${token.slice(0, 80)}`);
    return join(this.#folder, token);
  }
}

/**
 * GET over plain HTTP from just this address, as the host `name`. Redirects are not followed.
 * @throws when there is no whole answer within `timeout` ms, or another one than 200
 */
export function fetchPlain(
  address: HttpAddress,
  name: string,
  path: string,
  timeout = TIMEOUT,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const host = isIP(name) === 6 ? `[${name}]` : name;
    const outgoing = request({ ...address, path, headers: { Host: host }, agent: false });
    // For the whole answer: who is asked may be a stranger, and one that never ends would hold up the renewal.
    const limit = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${timeout / 1000} s`)),
      timeout,
    );
    outgoing.once('close', () => clearTimeout(limit));
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      if (response.statusCode === 200) text(response).then(resolve, reject);
      else {
        response.resume();
        reject(new Error(`it answered with HTTP ${response.statusCode}`));
      }
    });
    outgoing.end();
  });
}
