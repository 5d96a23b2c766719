import { randomBytes } from 'node:crypto';
import { vi } from 'vitest';
import { digestOf } from '../../src/registry/digest.ts';
import { CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE } from '../../src/registry/image.ts';
import type { Pushed } from './pushed-images.ts';
import { ANY_MANIFEST, type Call, type Called, INDEX_TYPE, type RegistryCalls } from './registry-calls.ts';

/** All images of a repository stand on it, so most pushes find it there. */
const BASE = Buffer.alloc(200_000, 'base');
const LAYER_BYTES = 20_000;
/** Longer than any collection takes here. */
const OPEN_AGAIN = { timeout: 120_000, interval: 100 };

/** What one push made: a tag, and the digests of all that has to be there as long as the tag is kept. */
export interface Release {
  readonly tag: string;
  readonly manifests: readonly string[];
  readonly blobs: readonly string[];
  /** Tags that follow it: those of its referrers. */
  readonly followers: readonly string[];
}

interface Put {
  readonly described: Pushed;
  readonly blobs: readonly string[];
}

/** Pushes one release after the other to a repository, as a client does that comes again when writes are closed. */
export class Releases {
  readonly repository: string;
  /** In the order of their pushes. */
  readonly all: Release[] = [];
  /** Pushes that had to be done once more from their beginning. */
  repeated = 0;
  readonly #calls: RegistryCalls;
  readonly #as: string;

  constructor(repository: string, calls: RegistryCalls, as: string) {
    this.repository = repository;
    this.#calls = calls;
    this.#as = as;
  }

  async push(): Promise<void> {
    const number = this.all.length;
    const kinds = [this.#image, this.#alias, this.#index, this.#signed];
    const kind = kinds[number % kinds.length] ?? this.#image;
    for (;;) {
      const release = await kind.call(this, `v${number}`);
      if (release !== undefined) {
        this.all.push(release);
        return;
      }
      this.repeated += 1; // layers of a push that had begun went with a collection
    }
  }

  /** Pulls all of a release. @throws when something is missing or is not what its digest says */
  async verify({ tag, manifests, blobs, followers }: Release): Promise<void> {
    for (const reference of [tag, ...followers, ...manifests]) {
      const got = await this.#read(`manifests/${reference}`);
      if (reference.startsWith('sha256:') && digestOf(Buffer.from(got.text)) !== reference)
        throw new Error(`${this.repository}@${reference} is another`);
    }
    for (const digest of blobs) {
      const got = await this.#read(`blobs/${digest}`);
      if (digestOf(Buffer.from(got.text, 'utf8')) !== digest)
        throw new Error(`${this.repository}: ${digest} is another`);
    }
  }

  async #image(tag: string): Promise<Release | undefined> {
    const put = await this.#putImage(tag);
    return put && { tag, manifests: [put.described.digest], blobs: put.blobs, followers: [] };
  }

  /** A second tag of what was pushed last. */
  async #alias(tag: string): Promise<Release | undefined> {
    const last = this.all.at(-1);
    const digest = last?.manifests.at(-1);
    if (last === undefined || digest === undefined) return this.#image(tag);
    const { text, headers } = await this.#read(`manifests/${digest}`);
    const put = await this.#put(tag, Buffer.from(text), String(headers['content-type']));
    return put && { ...last, tag };
  }

  async #index(tag: string): Promise<Release | undefined> {
    const children = [await this.#putImage(undefined), await this.#putImage(undefined)];
    const there = children.flatMap((child) => child ?? []);
    if (there.length < children.length) return undefined;
    const manifests = there.map(({ described }) => described);
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
    const put = await this.#put(tag, index, INDEX_TYPE);
    return (
      put && {
        tag,
        manifests: [...manifests.map(({ digest }) => digest), put.digest],
        blobs: there.flatMap(({ blobs }) => blobs),
        followers: [],
      }
    );
  }

  /** With a signature beside it, found by the tag that stands in for the referrers API (OCI distribution spec 1.1). */
  async #signed(tag: string): Promise<Release | undefined> {
    const subject = await this.#putImage(tag);
    const signature = subject && (await this.#putImage(undefined, subject.described));
    if (subject === undefined || signature === undefined) return undefined;
    const follower = subject.described.digest.replace(':', '-');
    const body = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [signature.described] };
    const index = await this.#put(follower, Buffer.from(JSON.stringify(body)), INDEX_TYPE);
    return (
      index && {
        tag,
        manifests: [signature.described.digest, index.digest, subject.described.digest],
        blobs: [...subject.blobs, ...signature.blobs],
        followers: [follower],
      }
    );
  }

  async #putImage(tag: string | undefined, subject?: Pushed): Promise<Put | undefined> {
    const label = randomBytes(8).toString('hex');
    const own = Buffer.from(randomBytes(LAYER_BYTES / 2).toString('hex'));
    const config = await this.#blob(CONFIG_TYPE, Buffer.from(JSON.stringify({ label })));
    const layers = [await this.#blob(LAYER_TYPE, BASE), await this.#blob(LAYER_TYPE, own)];
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        config,
        layers,
        ...(subject && { subject }),
      }),
    );
    const put = await this.#put(tag ?? digestOf(manifest), manifest, MANIFEST_TYPE);
    return put && { described: put, blobs: [config, ...layers].map(({ digest }) => digest) };
  }

  /** `undefined`: something it names is not there. */
  async #put(reference: string, body: Buffer, mediaType: string): Promise<Pushed | undefined> {
    const headers = { 'content-type': mediaType };
    const { status, text } = await this.#patiently('PUT', `manifests/${reference}`, { body, headers });
    if (status === 400 || status === 404) return undefined;
    if (status !== 201) throw new Error(`PUT ${this.repository}:${reference}: ${status} ${text}`);
    return { mediaType, digest: digestOf(body), size: body.length };
  }

  async #blob(mediaType: string, content: Buffer): Promise<Pushed> {
    const digest = digestOf(content);
    const described = { mediaType, digest, size: content.length };
    const { status } = await this.#ask('HEAD', `blobs/${digest}`);
    if (status === 200) return described;
    for (;;) {
      const { headers } = await this.#patiently('POST', 'blobs/uploads/', {});
      const { pathname, search } = new URL(String(headers.location), 'https://localhost');
      const uri = `${pathname}${search}&digest=${digest}`;
      const put = await this.#calls.ask('PUT', uri, {
        as: this.#as,
        body: content,
        headers: { 'content-type': 'application/octet-stream' },
      });
      if (put.status === 201) return described;
      if (put.status !== 503 && put.status !== 404) throw new Error(`PUT ${uri}: ${put.status} ${put.text}`);
    }
  }

  async #read(path: string): Promise<Called> {
    const headers = { accept: `${ANY_MANIFEST}, */*` };
    const got = await this.#ask('GET', path, { headers });
    if (got.status !== 200) throw new Error(`GET ${this.repository}/${path}: ${got.status} ${got.text}`);
    return got;
  }

  /** Comes again while writes are closed. */
  #patiently(method: string, path: string, call: Call): Promise<Called> {
    return vi.waitUntil(async () => {
      const answer = await this.#ask(method, path, call);
      return answer.status === 503 ? undefined : answer;
    }, OPEN_AGAIN);
  }

  #ask(method: string, path: string, call: Call = {}): Promise<Called> {
    return this.#calls.ask(method, `/v2/${this.repository}/${path}`, { as: this.#as, ...call });
  }
}
