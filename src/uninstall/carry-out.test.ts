import { expect, test } from 'vitest';
import { Failure } from '../errors.ts';
import type { Action } from './action.ts';
import { carryOut, type Hands, type Tell } from './carry-out.ts';

const tell: Tell = async (_, work) => (await work(() => undefined)).value;
const failure = new Failure('no', 'it does not go', 'try again');

/** Hands that note what they take away. */
function hands(wish: Partial<Hands> & { readonly refuses?: string } = {}) {
  const gone: string[] = [];
  const remove = async (name: string) => {
    if (name === wish.refuses) throw failure;
    gone.push(name);
    return true;
  };
  const all: Hands = {
    holdings: {
      look: async () => ({ containers: [], networks: [], volumes: [], images: [] }),
      removeContainer: async (id) => void (await remove(id)),
      removeNetwork: remove,
      removeVolume: remove,
      removeImage: remove,
    },
    removeUnit: async (name) => void (await remove(name)),
    removeMade: async (purpose) => {
      await remove(purpose);
      return [];
    },
    removeFiles: async ({ name }) => {
      await remove(name);
      return [];
    },
    ...wish,
  };
  return { all, gone };
}

const container: Action = { kind: 'container', name: 'nginx', id: 'nginx' };
const data: Action = { kind: 'data', name: '/data/docker/registry/v2', bytes: 1, root: '/data' };
const settings: Action = { kind: 'settings', name: '/.env', bytes: 1 };
const made: Action = { kind: 'made', name: '/etc/ca.crt', purpose: 'trust' };

test('all that is planned goes, and is told', async () => {
  const { all, gone } = hands();
  const outcome = await carryOut([container, made, data, settings], all, tell);
  expect(gone).toEqual(['nginx', 'trust', data.name, settings.name]);
  expect(outcome).toEqual({ removed: [container, made, data, settings], kept: [], remains: [] });
});

test('nothing goes that a container which does not end may be writing', async () => {
  const { all, gone } = hands({ refuses: 'nginx' });
  const { remains } = await carryOut([container, made, data, settings], all, tell);
  expect(gone).toEqual(['trust']);
  expect(remains.map(({ what }) => what)).toEqual(['nginx', data.name, settings.name]);
});

test('.env stays while something remains that it names', async () => {
  const { all, gone } = hands({ removeFiles: async ({ name }) => [{ path: name, because: 'denied' }] });
  const { remains } = await carryOut([data, settings], all, tell);
  expect(gone).toEqual([]);
  expect(remains).toEqual([
    expect.objectContaining({ what: data.name, command: `sudo rm -rf ${data.name}` }),
    expect.objectContaining({ what: settings.name }),
  ]);
});

test('what was made outside and belongs to root remains, with what to do', async () => {
  const { all } = hands({ refuses: 'trust' });
  expect((await carryOut([made], all, tell)).remains).toEqual([
    { what: '/etc/ca.crt', why: failure.message, command: failure.remedy },
  ]);
});

test('a file that somebody has changed since stays theirs', async () => {
  const { all } = hands({ removeMade: async () => ['/etc/ca.crt'] });
  const { removed, kept } = await carryOut([made], all, tell);
  expect(removed).toEqual([]);
  expect(kept[0]?.what).toBe('/etc/ca.crt');
});

test('a network that somebody else’s container is in remains', async () => {
  const { all } = hands();
  const network: Action = { kind: 'network', name: 'moorage_frontend', id: 'n' };
  const busy = { ...all, holdings: { ...all.holdings, removeNetwork: async () => false } };
  expect((await carryOut([network], busy, tell)).remains).toHaveLength(1);
});

test('an image that came into use stays, and that is no failure', async () => {
  const { all } = hands();
  const image: Action = { kind: 'image', name: 'moorage/gate:1', bytes: 1 };
  const busy = { ...all, holdings: { ...all.holdings, removeImage: async () => false } };
  expect(await carryOut([image], busy, tell)).toMatchObject({ removed: [], remains: [], kept: [{}] });
});
