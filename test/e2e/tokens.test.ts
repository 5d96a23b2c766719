import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { writeAtomically } from '../../src/system/files.ts';
import { DockerUser, EngineImages } from '../support/docker-user.ts';
import { GuardedStack } from '../support/guarded-stack.ts';

const ACCESS = `
users:
  admin: [admin]
  ci: [push:team/**, delete:team/**]
`;

interface Made {
  readonly id: string;
  readonly password: string;
}

let stack: GuardedStack;
/** Each that was ever made here. */
const made: Made[] = [];

beforeAll(async () => {
  stack = await GuardedStack.open(ACCESS, ['ci']);
  for (const name of ['team/app', 'team/other', 'secret/app'])
    await stack.calls.pushImage(name, '1', stack.login('admin'));
});

afterAll(() => stack?.checkout.dispose());

const user = (...args: string[]) => stack.checkout.command('user', args);
const makeToken = async (...args: string[]): Promise<Made> => {
  const { stdout, stderr } = await user('token', 'ci', ...args);
  const [password, id] = /mrg_([a-z0-9]{8})_[\w-]{43}/.exec(stdout) ?? expect.fail(stdout + stderr);
  const token = { id: id ?? '', password };
  made.push(token);
  return token;
};
const status = async (method: string, path: string, { password }: Made, name = 'ci') =>
  (await stack.calls.ask(method, path, { as: `${name}:${password}` })).status;
const becomes = (expected: number, token: Made) =>
  vi.waitFor(async () => expect(await status('GET', '/v2/', token)).toBe(expected), {
    timeout: 20_000,
    interval: 50,
  });
const authFile = (name: string) => join(stack.checkout.root, 'registry/auth', name);

describe('a token', () => {
  test('is a password for Docker, skopeo and curl', async () => {
    const { password } = await makeToken('--allow', 'push:team/app');
    const images = new EngineImages(stack);
    const docker = await DockerUser.make(stack);
    await images.make('by a token', 'team/app:2');
    expect(await docker.login('ci', password)).toMatchObject({ exitCode: 0 });
    expect(await docker.push('team/app:2')).toMatchObject({ exitCode: 0 });
    await docker.dispose();
    await images.dispose();
    const run = (program: string, args: string[]) => stack.checkout.run(program, args);
    const tags = ['list-tags', '--cert-dir', 'var/ca', '--creds', `ci:${password}`];
    const listed = await run('skopeo', [...tags, `docker://${stack.authority}/team/app`]);
    expect(JSON.parse(listed.stdout).Tags.sort()).toEqual(['1', '2']);
    const got = await run('curl', [
      ...['-sS', '--cacert', 'var/ca/ca.crt', '-u', `ci:${password}`],
      `https://${stack.authority}/v2/_catalog`,
    ]);
    expect(JSON.parse(got.stdout)).toEqual({ repositories: ['team/app'] });
  });

  test('may what both it and its user may, and nothing else', async () => {
    const token = await makeToken('--allow', 'push:team/app', 'pull:secret/**');
    expect(await status('GET', '/v2/team/app/tags/list', token)).toBe(200);
    expect(await status('POST', '/v2/team/app/blobs/uploads/', token)).toBe(202);
    expect(await status('GET', '/v2/team/other/tags/list', token)).toBe(403);
    expect(await status('GET', '/v2/secret/app/tags/list', token)).toBe(403);
    expect(await status('DELETE', `/v2/team/app/manifests/sha256:${'0'.repeat(64)}`, token)).toBe(403);
  });

  test('is stored as the hash of its secret', async () => {
    const { id, password } = await makeToken();
    const secret = password.slice(`mrg_${id}_`.length);
    const stored = await readFile(authFile('tokens.json'), 'utf8');
    expect(stored).not.toContain(secret);
    expect(stored).toContain(createHash('sha256').update(secret).digest('hex'));
    expect((await stat(authFile('tokens.json'))).mode & 0o777).toBe(0o600);
  });

  test('is good for its own user alone, and whole', async () => {
    const token = await makeToken();
    expect(await status('GET', '/v2/', token)).toBe(200);
    expect(await status('GET', '/v2/', token, 'admin')).toBe(401);
    expect(await status('GET', '/v2/', { ...token, password: token.password.slice(0, -1) })).toBe(401);
    const other = token.password.endsWith('A') ? 'E' : 'A';
    expect(await status('GET', '/v2/', { ...token, password: token.password.slice(0, -1) + other })).toBe(
      401,
    );
  });

  test('is listed with its rights, last use and end', async () => {
    const { id } = await makeToken('--allow', 'pull:team/**', '--expires', '12h');
    const line = async () =>
      (await user('list')).stdout.split('\n').find((each) => each.includes(`token ${id}`)) ?? '';
    expect(await line()).toMatch(/: pull:team\/\*\*; never used; expires 20\d\d-\d\d-\d\d \d\d:\d\dZ$/);
    const token = made.find((each) => each.id === id) ?? expect.fail();
    expect(await status('GET', '/v2/', token)).toBe(200);
    await expect.poll(line, { timeout: 20_000 }).toMatch(/; last used 20\d\d-/);
  });
});

describe('its end', () => {
  test('comes by itself when it is time', async () => {
    const token = await makeToken('--expires', '12h');
    expect(await status('GET', '/v2/', token)).toBe(200);
    const file = authFile('tokens.json');
    const content: { tokens: { id: string; expires: string }[] } = JSON.parse(await readFile(file, 'utf8'));
    const soon = new Date(Date.now() + 2_000).toISOString();
    const tokens = content.tokens.map((each) => (each.id === token.id ? { ...each, expires: soon } : each));
    await writeAtomically(file, JSON.stringify({ tokens }), 0o600);
    await becomes(401, token);
    expect((await user('list')).stdout).toMatch(new RegExp(`token ${token.id}: .*; expired 20`));
  });

  test('is there when it is removed, and for no other', async () => {
    const [token, other] = [await makeToken(), await makeToken()];
    expect(await status('GET', '/v2/', token)).toBe(200);
    expect(await user('remove', `ci:${token.id}`)).toMatchObject({ exitCode: 0 });
    await becomes(401, token);
    expect(await status('GET', '/v2/', other)).toBe(200);
  });

  test('is that of its user, and one of the same name does not bring it back', async () => {
    const token = await makeToken('--expires', 'never');
    expect(await status('GET', '/v2/', token)).toBe(200);
    expect(await user('remove', 'ci')).toMatchObject({ exitCode: 0 });
    await becomes(401, token);
    expect(await user('add', 'ci', '--generate')).toMatchObject({ exitCode: 0 });
    expect(await status('GET', '/v2/', token)).toBe(401);
  });
});

test('no secret is kept anywhere, nor told in a log', async () => {
  expect(made.length).toBeGreaterThan(5);
  const logs = await stack.checkout.compose('logs');
  for (const { id, password } of made) {
    const secret = password.slice(`mrg_${id}_`.length);
    const found = await stack.checkout.run('grep', ['-rlF', '--exclude-dir=node_modules', '-e', secret, '.']);
    expect({ found: found.stdout, exitCode: found.exitCode }).toEqual({ found: '', exitCode: 1 });
    expect(logs.stdout + logs.stderr).not.toContain(secret);
    expect(logs.stdout).not.toContain(Buffer.from(`ci:${password}`).toString('base64'));
  }
  const audit = await readFile(join(stack.checkout.root, 'var/gate/audit.log'), 'utf8');
  const push = audit
    .split('\n')
    .find((line) => line.includes('"event":"push"') && line.includes('"tag":"2"'));
  expect(JSON.parse(push ?? '{}')).toMatchObject({ user: 'ci', token: made[0]?.id, repository: 'team/app' });
});
