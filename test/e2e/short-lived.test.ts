import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import { makeNetwork, type Pebble } from '../support/pebble.ts';
import { keepAsking } from '../support/traffic.ts';

const NAME = 'registry.moorage.example';
/** Shorter than any CA’s: the renewals of years in two minutes. Seconds. */
const LIFETIME = 20;
const RENEWALS = 10;
const PARTS = ['renewer', 'nginx'] as const;

let checkout: Checkout;
let pebble: Pebble;
let ca: FaultProxy;

beforeAll(async () => {
  checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'acme' });
  const { gateway } = await makeNetwork(checkout);
  pebble = await startLocalPebble({
    httpPort: Number(checkout.env.HTTP_PORT),
    profiles: { default: LIFETIME },
  });
  ca = await FaultProxy.start(pebble, { host: gateway });
  await checkout.init({ ACME_DIRECTORY: ca.directory, ACME_CA_BUNDLE: ca.trust });
});

afterAll(async () => {
  await ca.close();
  await pebble.dispose();
  await checkout.dispose();
});

describe('fault 25: certificates that live for seconds', () => {
  test('renewal after renewal by the renewer alone: no request fails, nothing is expired, nothing leaks', async () => {
    const requests = keepAsking(Number(checkout.env.HTTPS_PORT), NAME);
    const first = await pebble.issued();
    const renewed = (count: number) =>
      expect
        .poll(() => pebble.issued(), { timeout: 120_000, interval: 100 })
        .toBeGreaterThanOrEqual(first + count);
    await renewed(2);
    const before = { renewer: await openFiles('renewer'), nginx: await openFiles('nginx') };
    await renewed(RENEWALS);
    const { asked, failed, expired } = await requests.stop();
    expect(failed).toEqual([]);
    expect(expired).toBe(0);
    expect(asked).toBeGreaterThan(100);
    // What leaks grows with each renewal and stays; an old worker has its own until it is gone.
    for (const part of PARTS) {
      await expect
        .poll(() => openFiles(part), { timeout: 60_000, interval: 500 })
        .toBeLessThan(before[part] + RENEWALS - 2);
    }
  });

  test('each order names what it replaces, and the CA takes it', async () => {
    const orders = ca.seen('newOrder').slice(1);
    expect(orders.filter(({ payload }) => payload?.replaces === undefined)).toEqual([]);
  });

  test('three generations are kept, and no more', async () => {
    const names = await readdir(join(checkout.root, 'var/tls'));
    expect(names.filter((name) => name.startsWith('generation-')).length).toBeLessThanOrEqual(4);
  });

  test('the ledger tells of every one of them', async () => {
    const ledger = await readFile(join(checkout.root, 'var/ledger.jsonl'), 'utf8');
    const served = ledger.split('\n').filter((line) => line.includes('"served"'));
    expect(served.length).toBeGreaterThanOrEqual(RENEWALS);
  });
});

/** Open file descriptors of all processes of a part. */
async function openFiles(part: (typeof PARTS)[number]): Promise<number> {
  const { stdout } = await checkout.compose('exec', part, 'sh', '-c', 'ls /proc/[0-9]*/fd | wc -l');
  return Number(stdout);
}
