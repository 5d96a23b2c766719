import { expect, test } from 'vitest';
import { type Common, expectApart, orderFor } from './order.ts';
import type { HostVariables, Target } from './target.ts';

const ALL: Common = {
  folder: '/opt/all',
  own: { DOMAIN: 'own', EMAIL: 'own', IMAGES: 'build' },
  set: { EMAIL: 'set' },
  extras: ['proxy'],
  skipped: [],
  images: undefined,
  yes: false,
  trust: { system: false, hosts: undefined },
};

function target(variables: Partial<HostVariables> = {}): Target {
  return {
    name: 'web1',
    destination: { host: 'web1', user: undefined, port: undefined, identityFile: undefined },
    groups: [],
    variables: { folder: undefined, settings: {}, extras: new Set(), ...variables },
  };
}

test('--set wins over the inventory, and that over the settings here', () => {
  const { given } = orderFor(target({ settings: { DOMAIN: 'host', EMAIL: 'host' } }), ALL);
  expect(given).toEqual({ DOMAIN: 'host', EMAIL: 'set', IMAGES: 'build' });
});

test('--dir wins over a host’s own folder, and there is one where neither is given', () => {
  expect(orderFor(target({ folder: '/opt/web1' }), ALL).folder).toBe('/opt/all');
  expect(orderFor(target({ folder: '/opt/web1' }), { ...ALL, folder: undefined }).folder).toBe('/opt/web1');
  expect(orderFor(target(), { ...ALL, folder: '/opt/all/' }).folder).toBe('/opt/all');
  expect(orderFor(target(), { ...ALL, folder: undefined }).folder).toBe('/srv/moorage');
});

test('--skip takes away what the inventory or --with asks for', () => {
  const both = target({ extras: new Set(['cacerts']) });
  expect([...orderFor(both, ALL).extras]).toEqual(['cacerts', 'proxy']);
  expect([...orderFor(both, { ...ALL, skipped: ['cacerts', 'proxy'] }).extras]).toEqual([]);
});

test('an archive of images is also what it runs on, wherever another was looked for before', () => {
  const own = { ...ALL.own, IMAGES_FILE: '/media/usb/images.tar' };
  const { given } = orderFor(target(), { ...ALL, own, images: '/tmp/images.tar' });
  expect(given).toMatchObject({ IMAGES: 'load', IMAGES_FILE: '' });
});

test('two names of one machine are refused where they have one folder, and only there', () => {
  const other = { ...target(), name: 'web1-too' };
  const place = (folder?: string) => ({ folder, settings: {}, extras: new Set<never>() });
  expect(() => expectApart([target(), other].map((each) => orderFor(each, ALL)))).toThrow(
    /web1-too: .*web1;/,
  );
  const apart = [target(), { ...other, variables: place('/opt/too') }];
  const anywhere = { ...ALL, folder: undefined };
  expect(() => expectApart(apart.map((each) => orderFor(each, anywhere)))).not.toThrow();
});
