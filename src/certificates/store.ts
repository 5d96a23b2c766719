import { chmod, mkdir, readdir, readFile, readlink, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure, messageOf, systemCode } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import {
  ensureDirectory,
  readIfExists,
  replaceLink,
  syncDirectory,
  writeAtomically,
  writeSynced,
} from '../system/files.ts';
import { type Certificate, parseChain, readCertificate } from './certificate.ts';
import type { Issued, Origin } from './issuer.ts';
import { keyFaults } from './verify.ts';

/** One whole set of key, chain and origin. Written once, never changed. */
export interface Generation {
  /** `generation-7`, or `placeholder`. */
  readonly name: string;
  readonly origin: Origin;
  readonly certificate: Certificate;
  /** PEM, leaf first */
  readonly chain: string;
}

export type Current =
  | { readonly kind: 'present'; readonly generation: Generation }
  | { readonly kind: 'missing' }
  | { readonly kind: 'damaged'; readonly reason: string };

const CURRENT = 'current';
const PARTIAL = '.partial-';
/** The CA of a local certificate, for clients to fetch: nginx serves it as /ca.crt, and nothing where it is not. */
const AUTHORITY = 'ca.crt';
/** More than a key and a chain have. */
const PROBE_BYTES = 16 * 1024;
const GENERATION = /^generation-(\d+)$/;
/** The files may be whole, only not for this process now. Taken for damage, that would cost an order at the CA. */
const NOT_READABLE_NOW = ['EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOMEM'];

const meta = z.object({
  origin: z.discriminatedUnion('issuer', [
    z.object({ issuer: z.literal('placeholder') }),
    z.object({ issuer: z.literal('local') }),
    z.object({ issuer: z.literal('provided') }),
    z.object({ issuer: z.enum(['certbot', 'acme']), directory: z.string() }),
  ]),
  createdAt: z.string(),
});

/**
 * The certificates that nginx sees: folders `generation-N`, and a link `current` to the one to serve. A folder appears
 * by one rename and the link changes by one rename, so a reader finds a whole pair whenever it looks.
 */
export class CertificateStore {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** @throws the system's error when the files can't be read now, whatever is in them */
  async current(): Promise<Current> {
    try {
      const name = await readlink(join(this.#folder, CURRENT));
      return { kind: 'present', generation: await this.#read(name) };
    } catch (error) {
      const code = systemCode(error);
      if (code !== undefined && NOT_READABLE_NOW.includes(code)) throw error;
      if (code === 'ENOENT') {
        return (await this.#numbers()).length === 0
          ? { kind: 'missing' }
          : { kind: 'damaged', reason: 'files are missing' };
      }
      return { kind: 'damaged', reason: messageOf(error) };
    }
  }

  /**
   * For whoever can do nothing without one.
   * @throws Failure `no-certificate`, and as `current` does
   */
  async expectCurrent(): Promise<Generation> {
    const current = await this.current();
    if (current.kind === 'present') return current.generation;
    throw new Failure('no-certificate', 'There is no certificate yet.', 'Run `npm run init-tls` first.');
  }

  /** The newest generation whose files are whole, for when the current one's are not. */
  async newestWhole(): Promise<Generation | undefined> {
    for (const number of await this.#numbers()) {
      const generation = await this.#read(`generation-${number}`).catch(() => undefined);
      if (generation !== undefined) return generation;
    }
    return undefined;
  }

  /**
   * Writes something as large as a certificate and takes it away again: a full disk or a folder that belongs to
   * somebody else is found before a CA is asked.
   */
  async expectWritable(): Promise<void> {
    await ensureDirectory(this.#folder);
    const probe = join(this.#folder, `${PARTIAL}probe`);
    await rm(probe, { recursive: true, force: true });
    try {
      await writeSynced(probe, ' '.repeat(PROBE_BYTES), 0o600);
    } finally {
      await rm(probe, { force: true });
    }
  }

  /** Stores what was issued as the next generation. It is not served before `activate`. */
  async add(issued: Issued): Promise<Generation> {
    const name = `generation-${Math.max(0, ...(await this.#numbers())) + 1}`;
    await this.#write(name, issued);
    return this.#read(name);
  }

  /** Stores the placeholder, so that nginx can start before there is a certificate. */
  async addPlaceholder(issued: Issued): Promise<Generation> {
    const name = 'placeholder';
    await rm(join(this.#folder, name), { recursive: true, force: true });
    await this.#write(name, issued);
    return this.#read(name);
  }

  /** Puts the CA's certificate beside one of the local CA, where an older version has not. */
  async completeAuthority({ name, origin, chain }: Generation): Promise<void> {
    const authority = authorityIn({ origin, chain });
    const file = join(this.#folder, name, AUTHORITY);
    if (authority === undefined || (await readIfExists(file)) === authority) return;
    await chmod(join(this.#folder, name), 0o755);
    await writeAtomically(file, authority, 0o644);
  }

  /** From now on this is the generation to serve. */
  async activate({ name }: Generation): Promise<void> {
    await replaceLink(join(this.#folder, CURRENT), name);
  }

  /** Removes all but the newest `keep` generations and the current one, and what killed runs left half written. */
  async prune(keep = 3): Promise<void> {
    const current = await readlink(join(this.#folder, CURRENT)).catch(() => undefined);
    const kept = new Set((await this.#numbers()).slice(0, keep).map((number) => `generation-${number}`));
    for (const name of await readdir(this.#folder)) {
      const leftover = name.startsWith(PARTIAL) || name.startsWith(`.${CURRENT}.`);
      const old = (GENERATION.test(name) || name === 'placeholder') && !kept.has(name) && name !== current;
      if (leftover || old) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  async #write(name: string, { privateKey, chain, origin }: Issued): Promise<void> {
    await ensureDirectory(this.#folder);
    const partial = join(this.#folder, `${PARTIAL}${name}`);
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    await chmod(partial, 0o755); // nginx's workers read in it, whatever the umask is
    const createdAt = this.#clock.now().toISOString();
    await writeSynced(join(partial, 'privkey.pem'), privateKey, 0o600);
    await writeSynced(join(partial, 'fullchain.pem'), chain, 0o644);
    await writeSynced(
      join(partial, 'meta.json'),
      `${JSON.stringify({ origin, createdAt }, null, 2)}\n`,
      0o644,
    );
    const authority = authorityIn({ origin, chain });
    if (authority !== undefined) await writeSynced(join(partial, AUTHORITY), authority, 0o644);
    await syncDirectory(partial);
    await rename(partial, join(this.#folder, name));
    await syncDirectory(this.#folder);
  }

  async #read(name: string): Promise<Generation> {
    const folder = join(this.#folder, name);
    const privateKey = await readFile(join(folder, 'privkey.pem'), 'utf8');
    const chain = await readFile(join(folder, 'fullchain.pem'), 'utf8');
    const { origin } = meta.parse(JSON.parse(await readFile(join(folder, 'meta.json'), 'utf8')));
    const [fault] = keyFaults(privateKey, parseChain(chain)[0]);
    if (fault !== undefined) throw new Error(fault);
    return { name, origin, certificate: readCertificate(chain), chain };
  }

  /** The numbers of the generations, the newest first. */
  async #numbers(): Promise<number[]> {
    const names = await readdir(this.#folder).catch((): string[] => []);
    return names
      .map((name) => GENERATION.exec(name)?.[1])
      .filter((number) => number !== undefined)
      .map(Number)
      .sort((a, b) => b - a);
  }
}

/** The last certificate of a chain of the local CA. The key of that one is never here. */
function authorityIn({ origin, chain }: Pick<Generation, 'origin' | 'chain'>): string | undefined {
  const last = origin.issuer === 'local' ? parseChain(chain).at(-1) : undefined;
  return last?.ca === true ? last.toString() : undefined;
}
