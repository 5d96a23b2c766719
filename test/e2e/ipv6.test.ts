import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import { makeNetwork, type Pebble } from '../support/pebble.ts';

const NAME = 'registry.six.example';

let checkout: Checkout;
let pebble: Pebble;
let ca: FaultProxy;

beforeAll(async () => {
  checkout = await Checkout.make({ DOMAIN: NAME, BIND_ADDRESS: '::1', TLS_ISSUER: 'acme' });
  const { gateway } = await makeNetwork(checkout);
  pebble = await startLocalPebble({
    httpPort: Number(checkout.env.HTTP_PORT),
    profiles: { default: 7_776_000, shortlived: 576_000 },
  });
  ca = await FaultProxy.start(pebble, { host: gateway });
  Object.assign(checkout.env, { ACME_DIRECTORY: ca.directory, ACME_CA_BUNDLE: ca.trust });
});

afterAll(async () => {
  await ca.close();
  await pebble.dispose();
  await checkout.dispose();
});

test('a name that has an IPv6 address alone: the CA comes over IPv6', async () => {
  await pebble.setAddress6(NAME, '::1');
  const { certificate } = await checkout.init();
  expect(certificate).toMatchObject({ issuer: 'acme', names: [NAME] });
});

test('an IPv6 address as the name: a short-lived certificate for it, pushed to and pulled from', async () => {
  const { certificate, url, steps } = await checkout.init({ DOMAIN: '::1' });
  expect(certificate.names).toEqual(['::1']);
  expect(url).toBe(`https://[::1]:${checkout.env.HTTPS_PORT}`);
  expect(steps.find(({ title }) => title === 'Proof')?.summary).toMatch(/^pushed and pulled sha256:/);
  expect(ca.seen('newOrder').at(-1)?.payload).toMatchObject({
    profile: 'shortlived',
    identifiers: [{ type: 'ip', value: '::1' }],
  });
});
