import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Credentials, type Endpoint, RegistryClient } from '../../src/registry/client.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { type Blob, makeImage } from '../../src/registry/image.ts';
import type { Tally } from './tally.ts';

/** A registry's public address as its clients see it, who they trust and who they are. */
export interface Target {
  /** In the URL and in the certificate. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** PEM */
  readonly root: string;
  readonly credentials: Credentials;
}

export const REPOSITORY = 'bench/renewal';
/** Milliseconds from one new connection to the next: four in 100 ms. */
const KNOCK_EVERY = 25;
/** Milliseconds between two rounds of a push and a pull: of two cores, nginx shall have some. */
const ROUND_PAUSE = 50;
const LAYER = 2 * 1024 * 1024;

/**
 * Asks without a pause until it is stopped: a new TLS connection every 25 ms, and beside it pushes and pulls of an
 * image, each request over a connection of its own. The certificate is verified each time.
 */
export async function startLoad(target: Target, tally: Tally): Promise<{ stop: () => Promise<void> }> {
  const underWay = new Set<Promise<unknown>>();
  const anybody = new RegistryClient(endpointOf(target));
  const knock = async () => void (await tally.count('GET /v2/', () => expectRefusal(anybody)));
  const knocking = setInterval(() => {
    const asked = knock();
    underWay.add(asked);
    asked.then(() => underWay.delete(asked));
  }, KNOCK_EVERY);
  const stopped = new AbortController();
  const pushing = pushAndPull(target, tally, stopped.signal);
  return {
    stop: async () => {
      clearInterval(knocking);
      stopped.abort();
      await Promise.all([pushing, ...underWay]);
    },
  };
}

export function endpointOf({ name, host, port, root }: Target): Endpoint {
  return { name, host, port, trust: { kind: 'authority', pem: root } };
}

export function randomBlob(size: number): Blob {
  const bytes = randomBytes(size);
  return { digest: digestOf(bytes), bytes };
}

async function expectRefusal(client: RegistryClient): Promise<void> {
  const status = await client.check();
  if (status !== 401) throw new Error(`it was answered with ${status}`);
}

async function pushAndPull(target: Target, tally: Tally, stopped: AbortSignal): Promise<void> {
  const client = new RegistryClient(endpointOf(target), target.credentials);
  const { config, layer, manifest } = await makeImage(randomBytes(16).toString('hex'));
  const large = randomBlob(LAYER);
  while (!stopped.aborted) {
    for (const blob of [config, layer, large])
      await tally.count('push', () => client.pushBlob(REPOSITORY, blob));
    await tally.count('push', () => client.pushManifest(REPOSITORY, 'latest', manifest));
    await tally.count('pull', async () =>
      same(manifest.digest, await client.pullManifest(REPOSITORY, 'latest')),
    );
    for (const { digest } of [config, layer, large])
      await tally.count('pull', async () => same(digest, await client.pullBlob(REPOSITORY, digest)));
    await sleep(ROUND_PAUSE);
  }
}

function same(pushed: string, pulled: string): void {
  if (pushed !== pulled) throw new Error(`pushed ${pushed}, pulled ${pulled}`);
}
