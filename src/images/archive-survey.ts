import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Header } from 'tar-stream';
import { type Copy, damaged, type Entry, eachEntry, give } from './archive-entries.ts';

/** What was seen of one file in an archive. */
export interface Seen {
  /** `sha256:…` of its bytes. */
  readonly digest: string;
  /**
   * The same of what is in it, where gzip packed it; else `digest`. `undefined` for what zstd packed: not every Node can look
   * into it, but the engine does when it loads it.
   */
  readonly content: string | undefined;
  readonly size: number;
  /** Of a small one. */
  readonly text: string | undefined;
}

/** All that an archive holds. */
export interface Survey {
  readonly files: ReadonlyMap<string, Seen>;
  /** Symbolic links, by name, and what they lead to: both from the top of the archive. */
  readonly links: ReadonlyMap<string, string>;
}

/** What is JSON in such an archive has some KiB. */
const SMALL = 1 << 20;
const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/**
 * Reads an archive to its end and keeps digests alone.
 * @param copy where each entry is to go as well, also by the name that a survey has it by
 * @throws Failure `archive-damaged`, also for names that lead out of it, names that come twice, and devices
 */
export async function surveyArchive(
  tar: Readable,
  file: string,
  copy: (header: Header, name: string) => Copy | undefined = () => undefined,
): Promise<Survey> {
  const files = new Map<string, Seen>();
  const links = new Map<string, string>();
  await eachEntry(tar, file, async (entry) => {
    const { header } = entry;
    const name = safeName(header.name, file);
    if (header.type !== 'directory' && (files.has(name) || links.has(name)))
      throw damaged(file, `${name} comes twice`);
    switch (header.type) {
      case 'directory':
        copy(header, name);
        return true;
      case 'symlink':
        links.set(name, safeName(targetOf(name, header.linkname), file));
        copy(header, name);
        return true;
      case 'file':
      case 'contiguous-file':
        files.set(name, await look(entry, copy(header, name)));
        return true;
      default:
        throw damaged(file, `${name} is neither a file nor a folder`);
    }
  });
  return { files, links };
}

function targetOf(name: string, link: string): string {
  return posix.isAbsolute(link) ? link : posix.join(posix.dirname(name), link);
}

/** A name that stays within the archive. */
function safeName(name: string, file: string): string {
  const clean = posix.normalize(name).replace(/\/$/, '');
  if (name === '' || clean.startsWith('/') || clean === '..' || clean.startsWith('../'))
    throw damaged(file, `it has a name that leads out of it, ${JSON.stringify(name)}`);
  return clean;
}

async function look({ header, body }: Entry, copy: Copy | undefined): Promise<Seen> {
  const hash = createHash('sha256');
  const content = new Content();
  const kept: Uint8Array[] = [];
  const small = header.size <= SMALL;
  for await (const chunk of body) {
    hash.update(chunk);
    await content.update(chunk);
    if (small) kept.push(chunk);
    await copy?.give(chunk);
  }
  copy?.end();
  const digest = `sha256:${hash.digest('hex')}`;
  const unpacked = await content.digest();
  return {
    digest,
    content: content.zstd ? undefined : (unpacked ?? digest),
    size: header.size,
    text: small ? Buffer.concat(kept).toString() : undefined,
  };
}

/** The digest of what gzip packed. What is broken has none. */
class Content {
  readonly #hash = createHash('sha256');
  readonly #head: Uint8Array[] = [];
  #gunzip: ReturnType<typeof createGunzip> | undefined;
  #begun = false;
  #broken = false;
  zstd = false;

  async update(chunk: Uint8Array): Promise<void> {
    if (this.#begun) return this.#give(chunk);
    this.#head.push(chunk); // an engine's chunks may end anywhere
    if (this.#head.reduce((sum, { length }) => sum + length, 0) >= ZSTD.length) await this.#begin();
  }

  /** `undefined` for what was not packed. */
  async digest(): Promise<string | undefined> {
    if (!this.#begun) await this.#begin();
    if (this.#gunzip === undefined) return undefined;
    if (!this.#broken) {
      const closed = new Promise((resolve) => this.#gunzip?.once('close', resolve)); // also after an error
      this.#gunzip.end();
      await closed;
    }
    return this.#broken ? 'broken' : `sha256:${this.#hash.digest('hex')}`;
  }

  async #give(chunk: Uint8Array): Promise<void> {
    if (this.#gunzip !== undefined && !this.#broken) await give(this.#gunzip, chunk);
  }

  async #begin(): Promise<void> {
    this.#begun = true;
    const head = Buffer.concat(this.#head);
    this.zstd = ZSTD.equals(head.subarray(0, ZSTD.length));
    if (!GZIP.equals(head.subarray(0, GZIP.length))) return;
    this.#gunzip = createGunzip();
    this.#gunzip.on('data', (part) => this.#hash.update(part));
    this.#gunzip.on('error', () => {
      this.#broken = true;
    });
    await this.#give(head);
  }
}
