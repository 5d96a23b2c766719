import type { Bucket } from '../settings/storage.ts';
import type { Answer } from '../storage/bucket-client.ts';
import type { Attempt } from '../storage/bucket-failure.ts';
import { type Expect, openPatiently } from '../storage/patient-bucket.ts';
import type { Clock } from '../system/clock.ts';
import { inBucket } from './layout.ts';
import type { FileFacts, Tree } from './tree.ts';

const LIST: Attempt = { what: 'list objects', permission: 's3:ListBucket' };
const GET: Attempt = { what: 'get objects', permission: 's3:GetObject', mayBeMissing: isMissing };
const PUT: Attempt = { what: 'put objects', permission: 's3:PutObject' };
const DELETE: Attempt = { what: 'delete objects', permission: 's3:DeleteObject', mayBeMissing: isMissing };

/**
 * The registry's files in a bucket. A top folder (`repositories`, `blobs`) is listed as a whole when something of it is
 * first asked for, a thousand keys a request, and remembered: what others write later is not seen, except by `read`.
 */
export class BucketTree implements Tree {
  readonly #rootDirectory: string;
  readonly #expect: Expect;
  readonly #clock: Clock;
  readonly #listings = new Map<string, Promise<Listing>>();

  private constructor(rootDirectory: string, expect: Expect, clock: Clock) {
    this.#rootDirectory = rootDirectory;
    this.#expect = expect;
    this.#clock = clock;
  }

  static async open(bucket: Bucket, clock: Clock): Promise<BucketTree> {
    return new BucketTree(bucket.rootDirectory, await openPatiently(bucket, clock), clock);
  }

  async list(folder: string): Promise<readonly string[]> {
    return (await this.#listing(folder)).names(folder);
  }

  async facts(path: string): Promise<FileFacts | undefined> {
    return (await this.#listing(path)).files.get(path);
  }

  async read(path: string): Promise<Buffer | undefined> {
    const answer = await this.#expect(GET, 'GET', inBucket(this.#rootDirectory, path));
    return answer.status === 404 ? undefined : answer.bytes;
  }

  async write(path: string, content: Uint8Array): Promise<void> {
    await this.#expect(PUT, 'PUT', inBucket(this.#rootDirectory, path), { body: content });
    (await this.#listing(path)).add(path, { bytes: content.length, written: this.#clock.now() });
  }

  async remove(path: string): Promise<void> {
    const listing = await this.#listing(path);
    for (const file of listing.below(path)) {
      await this.#expect(DELETE, 'DELETE', inBucket(this.#rootDirectory, file));
      listing.drop(file);
    }
  }

  #listing(path: string): Promise<Listing> {
    const top = path.split('/')[0] ?? '';
    const known = this.#listings.get(top);
    if (known !== undefined) return known;
    const listing = this.#listAll(top);
    this.#listings.set(top, listing);
    return listing;
  }

  async #listAll(top: string): Promise<Listing> {
    const prefix = inBucket(this.#rootDirectory, `${top}/`);
    const cut = prefix.length - top.length - 1;
    const listing = new Listing();
    let more: string | undefined;
    do {
      const query = {
        'list-type': '2',
        prefix,
        ...(more === undefined ? {} : { 'continuation-token': more }),
      };
      const { body } = await this.#expect(LIST, 'GET', '', { query });
      for (const [, object = ''] of body.matchAll(/<Contents>(.*?)<\/Contents>/gs))
        listing.add(element(object, 'Key').slice(cut), {
          bytes: Number(element(object, 'Size')),
          written: new Date(element(object, 'LastModified')),
        });
      more = element(body, 'NextContinuationToken') || undefined;
    } while (more !== undefined);
    return listing;
  }
}

/** Keys as a tree of folders. */
class Listing {
  readonly files = new Map<string, FileFacts>();
  readonly #names = new Map<string, Set<string>>();

  add(path: string, facts: FileFacts): void {
    this.files.set(path, facts);
    for (let at = path.lastIndexOf('/'), below = path; at > 0; at = below.lastIndexOf('/')) {
      const folder = below.slice(0, at);
      const names = this.#names.get(folder) ?? new Set();
      this.#names.set(folder, names.add(below.slice(at + 1)));
      below = folder;
    }
  }

  drop(path: string): void {
    this.files.delete(path);
    for (let at = path.lastIndexOf('/'), below = path; at > 0; at = below.lastIndexOf('/')) {
      const folder = below.slice(0, at);
      const names = this.#names.get(folder);
      names?.delete(below.slice(at + 1));
      if (names === undefined || names.size > 0) return;
      this.#names.delete(folder);
      below = folder;
    }
  }

  names(folder: string): readonly string[] {
    return [...(this.#names.get(folder) ?? [])];
  }

  below(path: string): readonly string[] {
    const direct = this.files.has(path) ? [path] : [];
    return [...direct, ...this.names(path).flatMap((name) => this.below(`${path}/${name}`))];
  }
}

function isMissing({ status, code }: Answer): boolean {
  return status === 404 && code !== 'NoSuchBucket';
}

/** Of S3's listings: keys of distribution's have no character that XML escapes. */
function element(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.replaceAll('&amp;', '&') ?? '';
}
