import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { type StandIn, standInFor, type Told } from '../support/stand-in.ts';

const SOON = { timeout: 60_000, interval: 100 };
const SAID = ['-H', 'X-Forwarded-For: 203.0.113.9, 198.51.100.5', '-H', 'X-Forwarded-Proto: http'];

let checkout: Checkout;
let standIns: StandIn[];
/** The proxy next to nginx: this test, as nginx sees it. */
let neighbour: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.init();
  standIns = [await standInFor(checkout, 'gate'), await standInFor(checkout, 'registry')];
  neighbour = (await tell('/v2/refused/blobs/x')).headers['x-address'] ?? '';
});

afterAll(async () => {
  for (const each of standIns) await each.leave();
  await checkout.dispose();
});

const curl = async (path: string, ...args: string[]) =>
  (await checkout.run('curl', ['-sk', ...args, `https://${checkout.authority}${path}`])).stdout;
const tell = async (path: string, ...args: string[]): Promise<Told> => JSON.parse(await curl(path, ...args));

/** Sets BEHIND_PROXY as plain Compose sees it; returns what gate and registry then are told of the client. */
async function behind(proxies: string): Promise<(string | undefined)[]> {
  const file = join(checkout.root, '.env');
  const text = (await readFile(file, 'utf8')).replace(/^#?BEHIND_PROXY=.*$/m, `BEHIND_PROXY=${proxies}`);
  await writeFile(file, text);
  expect(await checkout.compose('up', '-d', '--no-deps', 'nginx')).toMatchObject({ exitCode: 0 });
  await expect.poll(() => curl('/v2/refused/blobs/x'), SOON).toContain('gate.sock');
  const { headers, question } = await tell('/v2/refused/blobs/x', ...SAID);
  expect(question?.headers['x-address']).toBe(headers['x-address']);
  expect((await tell('/v2/x', ...SAID)).headers['x-address']).toBe(headers['x-address']); // sent to it unasked
  const passedOn = (await tell('/v2/allowed/blobs/x', ...SAID)).headers;
  expect(passedOn['x-forwarded-for']).toBe(headers['x-address']);
  expect(passedOn['x-forwarded-proto']).toBe(headers['x-forwarded-proto']);
  return [headers['x-address'], headers['x-forwarded-proto']];
}

test('a proxy that is trusted is believed: the address before it, and how the client came', async () => {
  expect(await behind(`${neighbour},192.0.2.0/24`)).toEqual(['198.51.100.5', 'http']);
});

test('BEHIND_PROXY=true trusts private addresses', async () => {
  expect(await behind('true')).toEqual(['198.51.100.5', 'http']);
});

test('through several trusted ones: the first that is not', async () => {
  expect(await behind(`${neighbour},198.51.100.0/24`)).toEqual(['203.0.113.9', 'http']);
});

test.each(['false', '192.0.2.1', '198.51.100.0/24'])(
  'one that is not trusted is not believed: BEHIND_PROXY=%s',
  async (proxies) => {
    expect(await behind(proxies)).toEqual([neighbour, 'https']);
  },
);

test('what is no address never reaches nginx’s configuration, whoever starts it', async () => {
  const bad = ['run', '--rm', '--no-deps', '-e', 'BEHIND_PROXY=10.0.0.1; return 200', 'nginx', 'nginx', '-t'];
  const { exitCode, stderr, stdout } = await checkout.compose(...bad);
  expect(exitCode).not.toBe(0);
  expect(stdout + stderr).toContain('is not an address or network');
});
