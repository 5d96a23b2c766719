import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerUser, EngineImages } from '../support/docker-user.ts';
import { GuardedStack } from '../support/guarded-stack.ts';

const ACCESS = `
users:
  admin: [admin]
  puller: [pull:team/**]
  pusher: [push:team/**]
anonymous: [pull:public/**]
immutable: ['team/**:v*']
`;

let stack: GuardedStack;
let images: EngineImages;
let admin: DockerUser;
let pusher: DockerUser;
let puller: DockerUser;
let nobody: DockerUser;

/** Layers that no engine has seen anywhere. */
const fresh = () => randomBytes(8).toString('hex');

beforeAll(async () => {
  stack = await GuardedStack.open(ACCESS, ['puller', 'pusher', 'leaver']);
  images = new EngineImages(stack);
  admin = await DockerUser.loggedIn(stack, 'admin');
  pusher = await DockerUser.loggedIn(stack, 'pusher');
  puller = await DockerUser.loggedIn(stack, 'puller');
  nobody = await DockerUser.make(stack);
});

afterAll(async () => {
  await Promise.all([admin, pusher, puller, nobody].map((user) => user?.dispose()));
  await images?.dispose();
  await stack?.checkout.dispose();
});

test('who may push pushes, who may pull pulls', async () => {
  await images.make(fresh(), 'team/app:1');
  expect(await pusher.push('team/app:1')).toMatchObject({ exitCode: 0 });
  await images.forget('team/app:1');
  expect((await puller.pull('team/app:1')).stdout).toContain('Downloaded newer image');
});

test('a push that is not allowed is denied with the reason', async () => {
  await images.make(fresh(), 'team/denied:1');
  const { exitCode, stderr } = await puller.push('team/denied:1');
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'denied: you may not push in team/denied' });
});

test('so is a pull', async () => {
  await images.make(fresh(), 'secret/app:1');
  expect(await admin.push('secret/app:1')).toMatchObject({ exitCode: 0 });
  const { exitCode, stderr } = await puller.pull('secret/app:1');
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/denied: you may not pull in secret\/app$/),
  });
});

describe('without a login', () => {
  beforeAll(async () => {
    for (const name of ['public/app:1', 'team/private:1']) {
      await images.make(fresh(), name);
      expect(await admin.push(name)).toMatchObject({ exitCode: 0 });
      await images.forget(name);
    }
  });

  test('a public image is pulled', async () => {
    expect(await nobody.pull('public/app:1')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('another one is not, and it is said that a login may help', async () => {
    const { exitCode, stderr } = await nobody.pull('team/private:1');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/unauthorized: authentication required; please log in$/);
  });

  test('nothing is pushed, not even where everybody may pull', async () => {
    await images.make(fresh(), 'public/app:2');
    const { exitCode, stderr } = await nobody.push('public/app:2');
    expect(exitCode).toBe(1);
    expect(stderr).toBe('unauthorized: authentication required; please log in');
  });
});

describe('the tokens by which Docker pulls without a login', () => {
  const HEADERS = { accept: 'application/vnd.docker.distribution.manifest.v2+json' };
  const get = async (as?: string) => {
    const { status, text } = await stack.calls.ask('GET', '/v2/token?service=x&scope=y', { as });
    return { status, token: status === 200 ? String(JSON.parse(text).token) : undefined };
  };
  const use = async (token: string | undefined, path: string) => {
    const headers = { ...HEADERS, authorization: `Bearer ${token}` };
    return (await stack.calls.ask('GET', path, { headers })).status;
  };

  test('may what the login may with which they were got, and nothing else', async () => {
    const paths = ['/v2/public/app/manifests/1', '/v2/team/app/manifests/1', '/v2/secret/app/manifests/1'];
    const statuses = async (as?: string) => {
      const { token } = await get(as);
      return Promise.all(paths.map((path) => use(token, path)));
    };
    expect(await statuses()).toEqual([200, 401, 401]);
    expect(await statuses(stack.login('puller'))).toEqual([200, 200, 403]);
    expect(await statuses(stack.login('admin'))).toEqual([200, 200, 200]);
  });

  test('are not got by a wrong password, nor by another one', async () => {
    expect((await get('puller:wrong')).status).toBe(401);
    const { token } = await get(stack.login('puller'));
    expect(await use(token, '/v2/token')).toBe(401);
    expect(await use('made-up', '/v2/public/app/manifests/1')).toBe(401);
  });

  test('end with the login with which they were got', async () => {
    const { token } = await get(stack.login('leaver'));
    const visit = () => use(token, '/v2/team/app/tags/list');
    expect(await visit()).toBe(403);
    await stack.checkout.command('user', ['remove', 'leaver']);
    await expect.poll(visit, { timeout: 20_000 }).toBe(401);
  });

  test('are not what a person with a browser is asked for', async () => {
    const asked = async (accept: string) =>
      (await stack.calls.ask('GET', '/v2/', { headers: { accept } })).headers['www-authenticate'];
    expect(await asked('text/html,*/*;q=0.8')).toMatch(/^Basic /);
    expect(await asked('*/*')).toBe(
      `Bearer realm="https://${stack.authority}/v2/token",service="${stack.authority}"`,
    );
  });
});

test('who has logged out may no more than anybody else', async () => {
  const user = await DockerUser.loggedIn(stack, 'puller');
  expect(await user.pull('team/app:1')).toMatchObject({ exitCode: 0 });
  await user.logout();
  expect(await user.pull('team/app:1')).toMatchObject({ exitCode: 1 });
  await user.dispose();
});

test('a wrong password is refused when it is given, and so is the name of nobody', async () => {
  for (const [name, password] of [
    ['puller', 'wrong'],
    ['nobody', 'wrong'],
  ] as const) {
    const { exitCode, stderr } = await nobody.login(name, password);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/unauthorized/i);
  }
});

test('an immutable tag is named when its image can’t be replaced', async () => {
  await images.make(fresh(), 'team/app:v1');
  expect(await pusher.push('team/app:v1')).toMatchObject({ exitCode: 0 });
  expect(await pusher.push('team/app:v1')).toMatchObject({ exitCode: 0 });
  await images.make(fresh(), 'team/app:v1');
  const { exitCode, stderr } = await pusher.push('team/app:v1');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: 'denied: the tag v1 of team/app is immutable; push under another one',
  });
});

/** nginx keeps its lines for a second. */
const LOGGED = { timeout: 10_000, interval: 100 };

describe('layers that another repository has', () => {
  /** How uploads to a repository were begun: 201 is a mount, and nothing to upload (distribution-spec, end-11). */
  const begun = async (repository: string) => {
    const written = `"method":"POST","host":"localhost","path":"/v2/${repository}/blobs/uploads/","status":`;
    const lines = (await stack.accessLog()).split('\n').filter((line) => line.includes(written));
    return new Set(lines.map((line) => line.split(written)[1]?.slice(0, 3)));
  };

  test('are mounted where the user may pull there', async () => {
    const text = fresh();
    await images.make(text, 'team/origin:1');
    await images.make(text, 'team/second:1');
    expect(await pusher.push('team/origin:1')).toMatchObject({ exitCode: 0 });
    const { stdout } = await pusher.push('team/second:1');
    expect(stdout).toContain('Mounted from team/origin');
    await expect.poll(() => begun('team/second'), LOGGED).toEqual(new Set(['201', '202']));
  });

  test('are uploaded where the user may not', async () => {
    const text = fresh();
    await images.make(text, 'secret/origin:1');
    await images.make(text, 'team/third:1');
    expect(await admin.push('secret/origin:1')).toMatchObject({ exitCode: 0 });
    const pushed = await pusher.push('team/third:1');
    expect(pushed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Pushed') });
    await expect.poll(() => begun('team/third'), LOGGED).toEqual(new Set(['202']));
    await images.forget('secret/origin:1');
    await images.forget('team/third:1');
    expect((await puller.pull('team/third:1')).stdout).toContain('Downloaded newer image');
  });
});
