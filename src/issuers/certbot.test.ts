import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { readCertificate } from '../certificates/certificate.ts';
import type { Order } from '../certificates/issuer.ts';
import { Ledger } from '../certificates/ledger.ts';
import { makeLeaf } from '../certificates/x509.ts';
import { type Paths, paths } from '../paths.ts';
import type { Directory } from '../settings/directories.ts';
import { CertbotIssuer } from './certbot.ts';
import type { Solver } from './solver.ts';

const clock = new FakeClock('2027-01-01T00:00:00Z');
const production: Directory = { url: 'https://acme.example/dir', public: true };
const silent = () => undefined;
const REFUSED = { exitCode: 1, output: 'Some challenges have failed.\n  Detail: NXDOMAIN' };
const STAGING_BROKEN = {
  exitCode: 1,
  output:
    'An unexpected error occurred:\nurn:ietf:params:acme:error:serverInternal :: The server experienced an internal error',
};
const UNREACHABLE = { exitCode: 1, output: 'requests.exceptions.ConnectionError: no route' };

let engine: FakeEngine;
let places: Paths;

beforeEach(async () => {
  engine = new FakeEngine();
  theirClock = undefined;
  solver = { type: 'http-01', present: async () => undefined, cleanUp: async () => undefined };
  engine.running = [
    {
      id: 'nginx',
      name: 'nginx',
      running: true,
      project: 'moorage',
      workingDirectory: '/srv',
      networks: ['moorage_backend', 'moorage_frontend'],
      mounts: [{ source: '/host/var/acme-challenge', destination: '/var/www/acme' }],
    },
  ];
  places = paths(await mkdtemp(join(tmpdir(), 'moorage-certbot-')));
});

function issuer(directory: Directory = production): CertbotIssuer {
  const rest = {
    email: undefined,
    externalAccount: undefined,
    profile: undefined,
    limits: undefined,
    doubts: undefined,
    clockOfCa: async () => theirClock,
    ledger: new Ledger(join(places.state, 'ledger.jsonl'), clock),
    solver,
    acmeTrust: undefined,
    user: '1000:1000',
    project: 'moorage',
    image: 'certbot:1',
  };
  return new CertbotIssuer({ engine, clock, paths: places, directory, ...rest });
}

const order = (names: string[], replaces?: string): Order => ({
  names,
  replaces:
    replaces === undefined
      ? undefined
      : { fingerprint: replaces, chain: '', origin: { issuer: 'certbot', directory: production.url } },
});
let theirClock: Date | undefined;
const firstOrder = (names: string[]): Order => ({ ...order(names), rehearse: true });
let solver: Solver;

/** Puts a pair into certbot's archive, as certbot does; answers its fingerprint. */
async function archive(number: number, names: string[]): Promise<string> {
  const folder = join(places.certbot, 'acme.example-dir/archive/registry');
  await mkdir(folder, { recursive: true });
  const { privateKey, certificate } = await makeLeaf(names, clock.now(), 90);
  await writeFile(join(folder, `privkey${number}.pem`), privateKey);
  await writeFile(join(folder, `fullchain${number}.pem`), certificate);
  return readCertificate(certificate).fingerprint;
}

async function issuedFingerprint(names: string[], replaces?: string): Promise<string> {
  return readCertificate((await issuer().issue(order(names, replaces), silent)).chain).fingerprint;
}

test('certbot runs beside nginx, as the owner of the state, with folders as the engine’s host knows them', async () => {
  engine.runs = async () => {
    await archive(1, ['a.example']);
    return { exitCode: 0, output: '' };
  };
  await issuer().issue(order(['a.example']), silent);
  expect(engine.ran).toEqual([
    expect.objectContaining({
      name: 'moorage-certbot',
      network: 'moorage_frontend',
      user: '1000:1000',
      mounts: [
        { source: '/host/var/certbot/acme.example-dir', target: '/etc/letsencrypt' },
        { source: '/host/var/acme-challenge', target: '/var/www/acme' },
      ],
    }),
  ]);
});

test('what is in the archive already, and fit, is taken over without asking the CA', async () => {
  await archive(9, ['a.example']);
  const newest = await archive(10, ['a.example']);
  expect(await issuedFingerprint(['a.example'])).toBe(newest);
  expect(engine.ran).toEqual([]);
});

test('a certificate is no replacement for itself', async () => {
  const current = await archive(1, ['a.example']);
  let fresh = '';
  engine.runs = async () => {
    fresh = await archive(2, ['a.example']);
    return { exitCode: 0, output: '' };
  };
  expect(await issuedFingerprint(['a.example'], current)).toBe(fresh);
});

test('an older certificate than the one to be replaced is no answer either', async () => {
  await archive(1, ['a.example']);
  const current = await archive(2, ['a.example']);
  let fresh = '';
  engine.runs = async () => {
    fresh = await archive(3, ['a.example']);
    return { exitCode: 0, output: '' };
  };
  expect(await issuedFingerprint(['a.example'], current)).toBe(fresh);
});

test('one with more names than wanted is not taken over: it would be replaced again at once', async () => {
  await archive(1, ['a.example', 'b.example']);
  engine.runs = async () => {
    await archive(2, ['a.example']);
    return { exitCode: 0, output: '' };
  };
  const { chain } = await issuer().issue(order(['a.example']), silent);
  expect(readCertificate(chain).names).toEqual(['a.example']);
  expect(engine.ran).toHaveLength(1);
});

test('with a clock that is hours off the CA is not asked', async () => {
  theirClock = new Date('2027-01-01T02:00:00Z');
  await expect(issuer().issue(order(['a.example']), silent)).rejects.toMatchObject({ code: 'clock-wrong' });
  expect(engine.ran).toEqual([]);
});

test('a refused rehearsal ends it: the real CA is not asked', async () => {
  engine.runs = async () => REFUSED;
  const rehearsing = issuer({ ...production, rehearsal: 'https://staging.example/dir' });
  await expect(rehearsing.issue(firstOrder(['a.example']), silent)).rejects.toMatchObject({
    code: 'issuance-refused',
    message: expect.stringContaining('staging.example'),
  });
  expect(engine.ran.map(({ args }) => args[args.indexOf('--server') + 1])).toEqual([
    'https://staging.example/dir',
  ]);
});

test('a staging server that is down does not stand in the way', async () => {
  engine.runs = async ({ args }) => {
    if (args.includes('--dry-run')) return UNREACHABLE;
    await archive(1, ['a.example']);
    return { exitCode: 0, output: '' };
  };
  const rehearsing = issuer({ ...production, rehearsal: 'https://staging.example/dir' });
  await rehearsing.issue(firstOrder(['a.example']), silent);
  expect(engine.ran).toHaveLength(2);
});

test('a staging server with a fault or a limit of its own does not stand in the way either', async () => {
  engine.runs = async ({ args }) => {
    if (args.includes('--dry-run')) return STAGING_BROKEN;
    await archive(1, ['a.example']);
    return { exitCode: 0, output: '' };
  };
  const rehearsing = issuer({ ...production, rehearsal: 'https://staging.example/dir' });
  await rehearsing.issue(firstOrder(['a.example']), silent);
  expect(engine.ran).toHaveLength(2);
});

test('a run that ends well and leaves nothing new is a failure: the old certificate would be due again at once', async () => {
  const current = await archive(1, ['a.example']);
  engine.runs = async () => ({ exitCode: 0, output: 'Certificate not yet due for renewal' });
  await expect(issuer().issue(order(['a.example'], current), silent)).rejects.toMatchObject({
    blame: 'ca',
  });
  const entries = await new Ledger(join(places.state, 'ledger.jsonl'), clock).read();
  expect(entries.map(({ event }) => event)).toEqual(['order']);
});

test('a container that a killed run left is waited for before anything else: what it brings is taken over', async () => {
  let fresh = '';
  let checked = false;
  engine.leftOver = async () => {
    expect(checked).toBe(false); // the check clears challenges away that the CA may be looking at
    fresh = await archive(1, ['a.example']);
  };
  solver.check = async () => {
    checked = true;
  };
  expect(await issuedFingerprint(['a.example'])).toBe(fresh);
  expect(engine.ran).toEqual([]);
});

test('what comes from certbot and what it cost is written into the ledger', async () => {
  engine.runs = async () => {
    await archive(1, ['a.example']);
    return { exitCode: 0, output: '' };
  };
  await issuer().issue(order(['a.example']), silent);
  const entries = await new Ledger(join(places.state, 'ledger.jsonl'), clock).read();
  expect(entries.map(({ event, directory }) => [event, directory])).toEqual([
    ['order', production.url],
    ['issued', production.url],
  ]);
});

test('a renewal is not rehearsed', async () => {
  const current = await archive(1, ['a.example']);
  engine.runs = async () => {
    await archive(2, ['a.example']);
    return { exitCode: 0, output: '' };
  };
  const rehearsing = issuer({ ...production, rehearsal: 'https://staging.example/dir' });
  await rehearsing.issue(order(['a.example'], current), silent);
  expect(engine.ran).toHaveLength(1);
});

test('without nginx nobody could answer the challenge, so nobody is asked', async () => {
  engine.running = [];
  await expect(issuer().issue(order(['a.example']), silent)).rejects.toMatchObject({
    code: 'nginx-not-running',
  });
});
