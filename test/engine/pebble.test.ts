import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { json } from 'node:stream/consumers';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { makeNetwork, type Pebble, startPebble } from '../support/pebble.ts';

let checkout: Checkout;
let gateway: string;
let pebble: Pebble;

beforeAll(async () => {
  checkout = await Checkout.make();
  ({ gateway } = await makeNetwork(checkout));
  pebble = await startPebble(checkout, { name: 'pebble', profiles: { short: 60 } });
});

afterAll(async () => {
  await pebble.dispose();
  await execa('docker', ['network', 'rm', `${checkout.project}_frontend`]);
  await checkout.dispose();
});

test('beside a stack the CA can be had through a proxy at the network’s gateway, and after a restart again', async () => {
  const proxy = await FaultProxy.start(pebble, { host: gateway });
  try {
    const directory = {
      newOrder: proxy.directory.replace('/dir', '/order-plz'),
      meta: { profiles: { short: '60 seconds' } },
    };
    expect(await read(proxy.directory)).toMatchObject(directory);
    await pebble.restart();
    expect(await read(proxy.directory)).toMatchObject(directory);
    expect((await pebble.log()).split('Starting Pebble ACME server')).toHaveLength(3);
    expect(await pebble.orders()).toBe(0);
  } finally {
    await proxy.close();
  }
});

test('its DNS is told from outside what names resolve to', async () => {
  await pebble.setTxt('name.moorage.example', 'said');
  expect(await pebble.txt('name.moorage.example')).toEqual(['said']);
});

async function read(url: string): Promise<unknown> {
  const headers = { 'user-agent': 'moorage-test' };
  const asked = get(url, { ca: pebble.ca.certificate, headers, agent: false });
  const [answer]: IncomingMessage[] = await once(asked, 'response');
  return answer === undefined ? undefined : json(answer);
}
