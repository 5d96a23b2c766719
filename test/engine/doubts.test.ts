import { Resolver } from 'node:dns/promises';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Doubts, doubtsOf } from '../../src/issuers/doubts.ts';
import { Http01 } from '../../src/issuers/http-01.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { serveWebroot, type WebrootServer } from '../support/webroot-server.ts';

let web: WebrootServer;
let pebble: Pebble;
let doubts: Doubts;

beforeAll(async () => {
  const webroot = await mkdtemp(join(tmpdir(), 'moorage-doubts-'));
  web = await serveWebroot(webroot);
  pebble = await startLocalPebble({ httpPort: web.port });
  const resolver = new Resolver();
  resolver.setServers([pebble.dns]);
  const solver = new Http01(webroot, { host: '127.0.0.1', port: web.port });
  const issuerDomains = async () => ['ca.example'];
  doubts = doubtsOf({ solver, issuerDomains, resolver, port: web.port });
});

afterAll(async () => {
  await pebble.dispose();
  await web.close();
});

test('a name that leads here leaves no doubt', async () => {
  await pebble.setAddress('good.example', '127.0.0.1');
  expect(await doubts(['good.example', '203.0.113.7'])).toEqual([]);
});

test('an address where nobody answers is named, with what came', async () => {
  await pebble.setAddress('wrong.example', '127.0.0.9');
  expect(await doubts(['wrong.example'])).toEqual([
    expect.stringMatching(/^wrong\.example: 127\.0\.0\.9 \(A\) does not lead here: connect ECONNREFUSED/),
  ]);
});

test('a wrong AAAA beside a right A is found, and that CAs prefer it', async () => {
  await pebble.setAddress('six.example', '127.0.0.1');
  await pebble.setAddress6('six.example', '::1');
  expect(await doubts(['six.example'])).toEqual([
    expect.stringMatching(
      /^six\.example: ::1 \(AAAA\) does not lead here: .*; CAs prefer it to the A record$/,
    ),
  ]);
});

test('somebody else’s server is told from ours', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-other-'));
  const other = await serveWebroot(folder, '127.0.0.2', web.port);
  await pebble.setAddress('other.example', '127.0.0.2');
  expect(await doubts(['other.example'])).toEqual([
    'other.example: 127.0.0.2 (A) does not lead here: it answered with HTTP 404',
  ]);
  await other.close();
});

test('CAA records that name another CA are found, also those of a parent', async () => {
  await pebble.setAddress('r.zone.example', '127.0.0.1');
  await pebble.forbidByCaa('zone.example', 'other-ca.example');
  expect(await doubts(['r.zone.example'])).toEqual([
    'r.zone.example: the CAA records of zone.example allow only other-ca.example',
  ]);
  await pebble.clearCaa('zone.example');
  expect(await doubts(['r.zone.example'])).toEqual([]);
});

test('a name without addresses is told', async () => {
  await pebble.setServfail('nothing.example');
  expect(await doubts(['nothing.example'])).toEqual(['nothing.example has neither an A nor an AAAA record']);
});
