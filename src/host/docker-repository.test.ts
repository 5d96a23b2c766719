import { expect, test } from 'vitest';
import type { Distribution } from './distribution.ts';
import { dockerRepositoryAnswers, type Fetch, installFromDocker } from './docker-repository.ts';

const bookworm: Distribution = { id: 'debian', version: '12', codename: 'bookworm', family: 'debian' };

const answering =
  (status: number, body = ''): Fetch =>
  async () =>
    new Response(body, { status });
const unreachable: Fetch = async () => {
  throw new TypeError('fetch failed');
};

test.each<[string, Fetch, boolean]>([
  ['answers', answering(200), true],
  ['has no such release', answering(404), false],
  ['is out of reach', unreachable, false],
])('Docker’s repository that %s', async (_, fetch, expected) => {
  expect(await dockerRepositoryAnswers(fetch, bookworm)).toBe(expected);
});

test('it is not asked for a distribution it does not serve', async () => {
  expect(await dockerRepositoryAnswers(answering(200), { ...bookworm, id: 'linuxmint' })).toBe(false);
});

test('a key that is not the known one is refused before anything is written', async () => {
  const run = () => Promise.reject(new Error('nothing may be run'));
  const attempt = installFromDocker({ fetch: answering(200, 'another key'), run }, bookworm, () => undefined);
  await expect(attempt).rejects.toMatchObject({ code: 'docker-key' });
});
