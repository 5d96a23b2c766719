import { expect, test } from 'vitest';
import { PLAIN_ENGINE } from '../../test/support/engine-info.ts';
import type { EngineInfo } from '../host/engine-info.ts';
import { systemClock as clock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import { judgePull, provePull } from './prove-pull.ts';

const ENGINE: EngineInfo = { ...PLAIN_ENGINE, insecure: ['plain.lan'] };

const saying =
  (stderr: string): Run =>
  async () => ({ exitCode: 1, stdout: '', stderr: `Using default tag\n${stderr}` });

test.each([
  ['Error response from daemon: Head "https://r.lan/v2/a/manifests/b": no basic auth credentials', 'trusted'],
  ['Error response from daemon: unauthorized: authentication required', 'trusted'],
  [
    'Error response from daemon: manifest for r.lan/a:b not found: manifest unknown: manifest unknown',
    'trusted',
  ],
  ['failed to resolve reference "r.lan/a:b": r.lan/a:b: not found', 'trusted'],
  ['pull access denied for r.lan/a, repository does not exist or may require docker login', 'trusted'],
  ['Get "https://r.lan/v2/": x509: certificate signed by unknown authority', 'distrusted'],
  [
    'Get "https://r.lan/v2/": tls: failed to verify certificate: x509: certificate is valid for x',
    'distrusted',
  ],
  ['Get "https://r.lan/v2/": dial tcp: lookup r.lan: no such host', 'unclear'],
  ['Get "https://r.lan/v2/": dial tcp 10.0.0.1:443: connect: connection refused', 'unclear'],
  ['Get "https://r.lan/v2/": proxyconnect tcp: dial tcp 10.0.0.2:3128: i/o timeout', 'unclear'],
  ['Get "https://r.lan/v2/": Forbidden', 'unclear'],
  ['Get "https://r.lan/v2/": http: server gave HTTP response to HTTPS client', 'unclear'],
])('%s: %s', (said, judgement) => {
  expect(judgePull(said)).toBe(judgement);
});

test('what proves nothing is not called a proof', async () => {
  const never: Run = () => Promise.reject(new Error('nothing is to be run'));
  expect((await provePull({ run: never, clock }, 'r.lan', 'no docker')).summary).toMatch(/^not proved/);
  expect((await provePull({ run: never, clock }, 'plain.lan', ENGINE)).summary).toMatch(
    /^not proved.*insecure-registries/,
  );
});

test('an engine that does not trust it, or does not get there, fails the command', async () => {
  const pull = (stderr: string) => provePull({ run: saying(stderr), clock }, 'r.lan', ENGINE);
  await expect(pull('x509: unknown authority')).rejects.toMatchObject({ code: 'trust-refused' });
  await expect(pull('dial tcp: no such host')).rejects.toMatchObject({ code: 'pull-failed' });
  expect((await pull('unauthorized: authentication required')).summary).toMatch(/Docker trusts it/);
});

test('a name that was put into /etc/hosts just now is waited for', async () => {
  let asked = 0;
  const run: Run = async () => {
    asked += 1;
    const stderr = asked < 3 ? 'dial tcp: lookup r.lan on 10.0.0.1:53: no such host' : 'unauthorized';
    return { exitCode: 1, stdout: '', stderr };
  };
  const instantly = { now: () => new Date(asked * 1_000), sleep: async () => undefined };
  const done = await provePull({ run, clock: instantly }, 'r.lan', ENGINE, { patience: 8_000 });
  expect(done.summary).toMatch(/Docker trusts it/);
});
