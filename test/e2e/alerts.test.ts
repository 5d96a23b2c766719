import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { problem } from '../support/fault-rules.ts';
import { listen } from '../support/listening.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import { makeNetwork, type Pebble } from '../support/pebble.ts';

const NAME = 'registry.moorage.example';

let checkout: Checkout;
let pebble: Pebble;
let ca: FaultProxy;
let hook: Server;
const alerts: Record<string, unknown>[] = [];

beforeAll(async () => {
  checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'acme' });
  const { gateway } = await makeNetwork(checkout);
  pebble = await startLocalPebble({ httpPort: Number(checkout.env.HTTP_PORT) });
  ca = await FaultProxy.start(pebble, { host: gateway });
  hook = createServer(async (request, answer) => {
    alerts.push(JSON.parse(await text(request)));
    answer.end();
  });
  const port = await listen(hook, gateway);
  const ALERT_URL = `http://${gateway}:${port}/token-of-mine`;
  await checkout.init({ ACME_DIRECTORY: ca.directory, ACME_CA_BUNDLE: ca.trust, ALERT_URL });
});

afterAll(async () => {
  hook.close();
  await ca.close();
  await pebble.dispose();
  await checkout.dispose();
});

test('a renewal that fails is told once, with the CA’s words, also when the renewer starts again', async () => {
  ca.add({ on: 'newOrder', act: problem(403, 'unauthorized') });
  const chain = await readFile(join(checkout.root, 'var/tls/current/fullchain.pem'), 'utf8');
  const [start, end] = [new Date(Date.now() - 7_200_000), new Date(Date.now() - 3_600_000)];
  await pebble.setRenewalWindow(chain, { start, end });
  await writeFile(join(checkout.root, 'var/renewal.json'), '{}');
  await checkout.compose('restart', 'renewer');
  await expect.poll(() => alerts, { timeout: 60_000, interval: 100 }).toHaveLength(1);
  expect(alerts[0]).toMatchObject({ event: 'failing', domain: NAME });
  expect(JSON.stringify(alerts[0])).toContain('unauthorized, says the test');

  await checkout.compose('restart', 'renewer');
  await expect.poll(renewerLog, { timeout: 60_000, interval: 200 }).toMatch(/waiting: one failure since/);
  expect(alerts).toHaveLength(1);
});

test('renew shows the last error, and when the next attempt is', async () => {
  const { stdout } = await checkout.command('renew', ['--dry-run']);
  expect(stdout).toMatch(/Last error .*unauthorized, says the test/);
  expect(stdout).toMatch(/Attempts +one failure since .* UTC; next attempt .* UTC/);
  expect(stdout).toMatch(/Last attempt .*: failed, unauthorized/);
});

test('when it works again that is told too', async () => {
  ca.clear();
  expect(await checkout.command('renew')).toMatchObject({ exitCode: 0 });
  await checkout.compose('restart', 'renewer');
  await expect.poll(() => alerts, { timeout: 60_000, interval: 100 }).toHaveLength(2);
  expect(alerts[1]).toMatchObject({ event: 'recovered', domain: NAME });
});

test('where alerts go is in no log: the address is a secret', async () => {
  const log = await renewerLog();
  expect(log).toMatch(/alert sent to /);
  expect(log).not.toContain('token-of-mine');
});

async function renewerLog(): Promise<string> {
  return (await checkout.compose('logs', '--no-log-prefix', 'renewer')).stdout;
}
