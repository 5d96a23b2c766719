import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DnsHook } from '../../src/issuers/dns-hook.ts';
import { paths } from '../../src/paths.ts';
import { environment } from '../../src/settings/environment.ts';
import { systemClock } from '../../src/system/clock.ts';
import { run } from '../../src/system/processes.ts';
import { type ChallengeDns, startChallengeDns } from '../support/challenge-dns.ts';
import { freePort } from '../support/checkout.ts';
import { type Cloudflare, startCloudflare } from '../support/cloudflare.ts';

const TOKEN = 'Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY';

let dns: ChallengeDns;
let cloudflare: Cloudflare;
/** What has to come before a change is seen in the DNS. */
let publishable: Promise<void>;

beforeAll(async () => {
  dns = await startChallengeDns();
  const zone = { status: 'active', name_servers: [dns.address], editable: true } as const;
  cloudflare = await startCloudflare({
    token: TOKEN,
    zones: [
      { ...zone, id: '1', name: 'example.com' },
      { ...zone, id: '2', name: 'deep.example.com' },
      { ...zone, id: '3', name: 'pending.example', status: 'pending' },
      { ...zone, id: '4', name: 'foreign.example', editable: false },
      { ...zone, id: '5', name: 'silent.example', name_servers: ['localhost'] },
    ],
    publish: async (name, values) => {
      await publishable;
      await dns.setTxt(name, values);
    },
  });
});

beforeEach(() => {
  publishable = Promise.resolve();
});

afterAll(async () => {
  cloudflare?.dispose();
  await dns?.dispose();
});

async function hook(values: Readonly<Record<string, string>> = {}): Promise<DnsHook> {
  const envFile = join(await mkdtemp(join(tmpdir(), 'moorage-cloudflare-')), 'hook.env');
  const set = { CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_API: cloudflare.api, CLOUDFLARE_DNS: dns.server };
  const lines = Object.entries({ ...set, ...values }).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(envFile, lines.join(''), { mode: 0o600 });
  const program = join(paths().root, 'dns-hooks/cloudflare.mjs');
  return new DnsHook({ run, clock: systemClock, environment: environment(), program, envFile });
}

const challenge = (name: string, keyAuthorization: string) => ({ name, token: 'token', keyAuthorization });
const digest = (authorization: string) => createHash('sha256').update(authorization).digest('base64url');

test('the record is put into the zone with the longest name, and the hook waits until it can be asked for', async () => {
  publishable = dns.askedFor('_acme-challenge.r.deep.example.com');
  await (await hook()).present(challenge('r.deep.example.com', 'one'));
  expect(await dns.txt('_acme-challenge.r.deep.example.com')).toEqual([digest('one')]);
  expect(cloudflare.records('deep.example.com')).toEqual([
    `_acme-challenge.r.deep.example.com 60 "${digest('one')}"`,
  ]);
  expect(cloudflare.records('example.com')).toEqual([]);
});

test('without CLOUDFLARE_DNS the zone’s own name servers are asked, on port 53', async () => {
  publishable = dns.askedFor('_acme-challenge.own.example.com');
  await (await hook({ CLOUDFLARE_DNS: '' })).present(challenge('own.example.com', 'one'));
  expect(await dns.txt('_acme-challenge.own.example.com')).toEqual([digest('one')]);
});

test('a name and its wildcard: two values at one place, and each is taken away alone', async () => {
  const [name, record] = ['both.example.com', '_acme-challenge.both.example.com'];
  const solver = await hook();
  await Promise.all(['apex', 'wildcard'].map((each) => solver.present(challenge(name, each))));
  expect(await dns.txt(record)).toEqual([digest('apex'), digest('wildcard')].sort());
  await solver.cleanUp(challenge(name, 'apex'));
  expect(await dns.txt(record)).toEqual([digest('wildcard')]);
  await solver.cleanUp(challenge(name, 'wildcard'));
  expect(await dns.txt(record)).toEqual(['ENODATA']);
});

test('what a killed run left behind is no error, and cleaning up twice is none either', async () => {
  const solver = await hook();
  await solver.present(challenge('again.example.com', 'one'));
  await solver.present(challenge('again.example.com', 'one'));
  await solver.cleanUp(challenge('again.example.com', 'one'));
  await solver.cleanUp(challenge('again.example.com', 'one'));
  expect(await dns.txt('_acme-challenge.again.example.com')).toEqual(['ENODATA']);
});

test('the value is found on a later page, and one that differs only in case stays', async () => {
  const record = '_acme-challenge.pages.example.com';
  const others = ['a', 'b', digest('one').toLowerCase(), digest('one').toUpperCase()];
  for (const value of [...others, digest('one')]) await cloudflare.add('example.com', record, value);
  await (await hook()).cleanUp(challenge('pages.example.com', 'one'));
  expect(await dns.txt(record)).toEqual(others.sort());
});

test.each([
  [
    'a token that is unknown',
    'r.example.com',
    { CLOUDFLARE_API_TOKEN: `${TOKEN.slice(1)}x` },
    /Invalid access token \(code 9109\)\n.*Zone:Read and DNS:Edit/,
  ],
  [
    'a token that is none',
    'r.example.com',
    { CLOUDFLARE_API_TOKEN: 'hunter2' },
    /Invalid request headers \(code 6003\); .*header \(code 6111\)/,
  ],
  ['no token', 'r.example.com', { CLOUDFLARE_API_TOKEN: '' }, /CLOUDFLARE_API_TOKEN is not set/],
  ['a token with a space', 'r.example.com', { CLOUDFLARE_API_TOKEN: '"hunter2 hunter2"' }, /has a space/],
  ['a token without DNS:Edit', 'r.foreign.example', {}, /Authentication error \(code 10000\)\n.*DNS:Edit/],
  ['a zone of somebody else', 'r.other.example', {}, /no zone for _acme-challenge\.r\.other\.example/],
  ['a zone that is not delegated yet', 'r.pending.example', {}, /pending\.example is pending/],
  [
    'an API over plain HTTP',
    'r.example.com',
    { CLOUDFLARE_API: 'http://api.example/v4' },
    /must not travel unencrypted/,
  ],
  [
    'name servers that do not answer',
    'r.silent.example',
    { CLOUDFLARE_DNS: '', CLOUDFLARE_WAIT: '1' },
    /localhost: no answer[\s\S]*CLOUDFLARE_DNS/,
  ],
])('%s is told in plain words, without the token', async (_, name, values, words) => {
  const error = await (await hook(values)).present(challenge(name, 'one')).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'dns-hook-failed', message: expect.stringMatching(words) });
  expect(String(error)).not.toMatch(new RegExp(`hunter2|${TOKEN.slice(1, 20)}|at .*mjs`));
});

test('a record that does not get published ends the hook, in its time', async () => {
  const never = new Promise<void>(() => undefined);
  publishable = never;
  const attempt = (await hook({ CLOUDFLARE_WAIT: '1' })).present(challenge('never.example.com', 'one'));
  await expect(attempt).rejects.toMatchObject({
    message: expect.stringMatching(/after 1 seconds.*\n.*no such record/),
  });
});

test('an API that can’t be reached is told from one that refuses', async () => {
  const api = `http://127.0.0.1:${await freePort()}/v4`;
  const attempt = (await hook({ CLOUDFLARE_API: api })).present(challenge('r.example.com', 'one'));
  await expect(attempt).rejects.toMatchObject({
    message: expect.stringMatching(/can't be reached for GET \/zones .*ECONNREFUSED/),
  });
});
