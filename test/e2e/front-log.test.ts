import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { type StandIn, standInFor } from '../support/stand-in.ts';

const SOON = { timeout: 30_000, interval: 100 };
const TYPED = 'a-password-typed-as-the-name';
const STATE = 'the-state-of-an-upload';

let checkout: Checkout;
let standIns: StandIn[];

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.init();
  standIns = [await standInFor(checkout, 'gate'), await standInFor(checkout, 'registry')];
});

afterAll(async () => {
  for (const each of standIns) await each.leave();
  await checkout.dispose();
});

const curl = async (path: string, ...args: string[]) =>
  (await checkout.run('curl', ['-sSk', ...args, `https://${checkout.authority}${path}`])).stdout;

/** Everything that nginx has written, and its lines about requests. */
async function log(): Promise<{ all: string; requests: Record<string, unknown>[] }> {
  const { stdout, stderr } = await checkout.run('docker', ['logs', `${checkout.project}-nginx-1`]);
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return { all: `${stdout}\n${stderr}`, requests: lines.map((line) => JSON.parse(line)) };
}

/** The lines about `path`, when there is one. */
async function linesAbout(path: string): Promise<Record<string, unknown>[]> {
  const found = async () => (await log()).requests.filter((line) => line.path === path);
  await expect.poll(async () => (await found()).length, SOON).toBeGreaterThan(0);
  return found();
}

test.each([
  ['/v2/allowed', 'that the gate has let through'],
  ['/v2/refused', 'that the gate answers'],
])('%s, a request %s: one line with who, what and how much', async (path) => {
  const body = 'x'.repeat(1_000);
  const answer = await curl(
    `${path}?_state=${STATE}`,
    '-i',
    '-d',
    body,
    '-u',
    `${TYPED}:other`,
    '-A',
    'it "s" me',
  );
  expect(answer).not.toMatch(/^x-user/im);
  expect(await linesAbout(path)).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/),
      address: expect.stringMatching(/^[\d.]+$/),
      user: 'ada',
      method: 'POST',
      host: 'localhost',
      path,
      status: 200,
      sent: expect.any(Number),
      received: expect.any(Number),
      seconds: expect.any(Number),
      upstream_seconds: expect.stringMatching(/^[\d.]+$/),
      tls: 'TLSv1.3',
      http: 'HTTP/2.0',
      agent: 'it "s" me',
    },
  ]);
});

test('nothing that is secret is in it, nor what is typed in its place, when parts fail either', async () => {
  await checkout.run('docker', ['stop', '--time', '1', `${checkout.project}-in-place-of-gate`]);
  expect(await curl('/v2/without-gate', '-u', `${TYPED}:other`, '-w', '%{http_code}')).toMatch(/503$/);
  await curl('/v2/bad-line', '--request-target', `http://${TYPED}:x@localhost/v2/`, '--http1.1');
  expect(await linesAbout('/v2/without-gate')).toMatchObject([{ status: 503, user: '' }]);
  const { all } = await log();
  const encoded = Buffer.from(`${TYPED}:other`).toString('base64');
  for (const secret of [TYPED, STATE, encoded]) expect(all).not.toContain(secret);
});

test('health checks are not in it, and nothing is there twice', async () => {
  await curl('/once');
  expect(await linesAbout('/once')).toHaveLength(1);
  const { requests } = await log();
  expect(requests.filter(({ path }) => String(path).includes('healthz'))).toEqual([]);
});
