import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';

let checkout: Checkout;

beforeAll(async () => {
  checkout = await Checkout.make();
});

afterAll(() => checkout.dispose());

interface Project {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly network_mode?: string;
        readonly networks?: Readonly<Record<string, unknown>>;
        readonly cap_drop: readonly string[];
        readonly volumes?: readonly {
          readonly source?: string;
          readonly target: string;
          readonly read_only?: boolean;
        }[];
        readonly ports?: readonly { readonly host_ip?: string; readonly target: number }[];
      }
    >
  >;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

async function project(env: Record<string, string>): Promise<Project> {
  const { exitCode, stdout, stderr } = await checkout.run(
    'docker',
    ['compose', 'config', '--format', 'json'],
    {
      env,
    },
  );
  expect({ env, exitCode, stderr }).toEqual({ env, exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
}

const STORAGES = ['filesystem', 's3'];
const CACHES = ['memory', 'server', 'stack'];
const combinations = STORAGES.flatMap((STORAGE) =>
  CACHES.flatMap((CACHE) =>
    ['gate', 'registry'].flatMap((AUTH) =>
      ['tls', 'plain'].map((LISTEN) => ({ STORAGE, CACHE, AUTH, LISTEN })),
    ),
  ),
);

test.each(combinations)('Compose takes %j', async (env) => {
  const { services, networks } = await project(env);
  const { registry, redis } = services;
  const wanted = [
    ...(env.CACHE === 'stack' ? ['cache'] : []),
    ...(env.CACHE === 'server' || env.STORAGE === 's3' ? ['outside'] : []),
  ];
  expect(registry?.network_mode).toBe(wanted.length === 0 ? 'none' : undefined);
  expect(Object.keys(registry?.networks ?? {}).sort()).toEqual(wanted);
  expect(registry?.cap_drop).toEqual(['ALL']);
  expect(Object.keys(redis?.networks ?? {})).toEqual(env.CACHE === 'stack' ? ['cache'] : []);
  if (env.CACHE === 'stack') expect(networks.cache?.internal).toBe(true);
  const data = registry?.volumes?.find(({ target }) => target === '/var/lib/registry');
  expect(data !== undefined).toBe(env.STORAGE === 'filesystem');
});

test('nobody but the registry and Redis is in their networks', async () => {
  const { services } = await project({ STORAGE: 's3', CACHE: 'stack' });
  const inside = Object.entries(services).filter(
    ([, { networks = {} }]) => 'cache' in networks || 'outside' in networks,
  );
  expect(inside.map(([name]) => name).sort()).toEqual(['redis', 'registry']);
});

test('nginx and the registry see who wants nothing written, and can’t say so themselves', async () => {
  const { services } = await project({});
  const all = Object.entries(services).flatMap(([name, { volumes = [] }]) =>
    volumes.filter(({ target }) => target === '/run/maintenance').map((volume) => [name, volume.read_only]),
  );
  expect(all.sort()).toEqual([
    ['nginx', true],
    ['registry', true],
  ]);
});

test('what does not run has no image of its own, which Compose would pull or build all the same', async () => {
  const { stdout } = await checkout.run('docker', ['compose', 'config', '--images']);
  expect(stdout).not.toMatch(/relay|valkey/);
});

test('without a setting the registry has no network', async () => {
  const { services } = await project({});
  expect(services.registry?.network_mode).toBe('none');
  expect(services.redis).toBeUndefined();
});

test.each([{}, { STORAGE: 's3' }, { AUTH: 'registry', LISTEN: 'plain' }])(
  'Prometheus and the exporter are there by their profile alone, and nobody else notices: %j',
  async (env) => {
    const without = await project(env);
    const { services } = await project({ ...env, COMPOSE_PROFILES: 'monitoring' });
    const { exporter, prometheus, ...others } = services;
    expect(others).toEqual(without.services);
    expect(Object.keys(exporter?.networks ?? {}).sort()).toEqual(['frontend', 'monitoring']);
    expect(Object.keys(prometheus?.networks ?? {})).toEqual(['monitoring']);
    expect(exporter?.ports).toBeUndefined();
    expect(prometheus?.ports).toMatchObject([{ host_ip: '127.0.0.1', target: 9090 }]);
    // No images, no secrets: what parts have written, to be read.
    expect(exporter?.volumes).toMatchObject([
      { source: 'metrics', target: '/run/metrics', read_only: true },
      { source: join(checkout.root, 'var/metrics'), target: '/moorage/var/metrics', read_only: true },
    ]);
    for (const { cap_drop } of [exporter, prometheus].filter((part) => part !== undefined))
      expect(cap_drop).toEqual(['ALL']);
  },
);
