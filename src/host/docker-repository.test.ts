import { expect, test } from 'vitest';
import type { Run } from '../system/processes.ts';
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

/** apt with these sources. */
function apt(...sources: string[]) {
  const ran: string[] = [];
  const run: Run = async (program, args) => {
    ran.push([program, ...args].join(' '));
    return { exitCode: 0, stdout: args.includes('indextargets') ? sources.join('\n') : '', stderr: '' };
  };
  return { run, ran };
}

test('where somebody has Docker’s repository among apt’s sources, that is used and nothing is written', async () => {
  const { run, ran } = apt('http://deb.debian.org/debian/', 'https://download.docker.com/linux/debian/');
  await installFromDocker({ fetch: unreachable, run }, bookworm, () => undefined);
  expect(ran.at(-1)).toMatch(/^apt-get .*install .*docker-ce/);
});

test('a key that is not the known one is refused before anything is written', async () => {
  const { run, ran } = apt('http://deb.debian.org/debian/');
  const attempt = installFromDocker({ fetch: answering(200, 'another key'), run }, bookworm, () => undefined);
  await expect(attempt).rejects.toMatchObject({ code: 'docker-key' });
  expect(ran.filter((line) => !line.includes('indextargets'))).toEqual([]);
});
