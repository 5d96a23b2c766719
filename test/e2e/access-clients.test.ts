import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Image, MANIFEST_TYPE, makeImage } from '../../src/registry/image.ts';
import type { Ran } from '../support/checkout.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import { writeLayout } from '../support/oci-layout.ts';

const ACCESS = `
users:
  admin: [admin]
  puller: [pull:team/**]
  pusher: [push:team/**]
  keeper: [delete:team/**]
anonymous: [pull:public/**]
immutable: ['team/**:v*']
`;

let stack: GuardedStack;
let image: Image;
let layout: string;

beforeAll(async () => {
  stack = await GuardedStack.open(ACCESS, ['puller', 'pusher', 'keeper']);
  image = await makeImage('for clients');
  layout = join(stack.checkout.root, 'var/layout');
  await mkdir(layout);
  await writeLayout(layout, [
    { architecture: 'amd64', image },
    { architecture: 'arm64', image: await makeImage('for other machines') },
  ]);
  for (const name of ['public/app:1', 'team/app:1', 'team/app:v1', 'secret/app:1'])
    expect(await copyTo(name, 'admin')).toMatchObject({ exitCode: 0 });
});

afterAll(() => stack?.checkout.dispose());

const at = (name: string) => `docker://${stack.authority}/${name}`;
const skopeo = (verb: string, who: string | undefined, ...args: string[]) => {
  const login = who === undefined ? ['--no-creds'] : ['--creds', stack.login(who)];
  return stack.checkout.run('skopeo', [verb, '--cert-dir', 'var/ca', ...login, ...args]);
};
/** The index with all its images, from where it was made by hand. */
const copyTo = (name: string, who: string) => {
  const to = ['--dest-cert-dir', 'var/ca', '--dest-creds', stack.login(who)];
  return stack.checkout.run('skopeo', ['copy', '--quiet', '--all', ...to, `oci:${layout}`, at(name)]);
};
const succeeded = { exitCode: 0, stderr: '' };
const failed = (because: RegExp) => ({ exitCode: 1, stderr: expect.stringMatching(because) });

describe('skopeo', () => {
  test('the one who may pushes an index with its images, the other is told why not', async () => {
    expect(await copyTo('team/index:1', 'pusher')).toEqual({ ...succeeded, stdout: '' });
    const { stdout } = await skopeo('inspect', 'puller', '--raw', at('team/index:1'));
    const { manifests }: { manifests: { platform: { architecture: string } }[] } = JSON.parse(stdout);
    expect(manifests.map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);
    expect(await copyTo('team/index:2', 'puller')).toMatchObject(
      failed(/denied: you may not push in team\/index/),
    );
    expect(await copyTo('secret/index:1', 'pusher')).toMatchObject(failed(/403 \(Forbidden\)/));
  });

  test('copies from one repository to another with the rights of each login', async () => {
    const copy = (from: string, reader: string, to: string) =>
      stack.checkout.run('skopeo', [
        ...['copy', '--quiet', '--all', '--src-cert-dir', 'var/ca', '--dest-cert-dir', 'var/ca'],
        ...['--src-creds', stack.login(reader), '--dest-creds', stack.login('pusher'), at(from), at(to)],
      ]);
    expect(await copy('secret/app:1', 'admin', 'team/copied:1')).toMatchObject(succeeded);
    expect(await copy('secret/app:1', 'puller', 'team/copied:2')).toMatchObject(
      failed(/you may not pull in secret\/app/),
    );
    expect(await skopeo('inspect', 'puller', at('team/copied:1'))).toMatchObject(succeeded);
  });

  test('inspects and lists tags where it may be pulled, without a login where anybody may', async () => {
    const tags = async (who: string | undefined, name: string) => {
      const { exitCode, stdout } = await skopeo('list-tags', who, at(name));
      return exitCode === 0 ? JSON.parse(stdout).Tags.sort() : undefined;
    };
    expect(await tags('puller', 'team/app')).toEqual(['1', 'v1']);
    expect(await tags('puller', 'secret/app')).toBeUndefined();
    expect(await tags(undefined, 'public/app')).toEqual(['1']);
    expect(await tags(undefined, 'team/app')).toBeUndefined();
    expect(await skopeo('inspect', undefined, at('public/app:1'))).toMatchObject(succeeded);
    expect(await skopeo('inspect', undefined, at('team/app:1'))).toMatchObject(
      failed(/unauthorized: authentication required; please log in/),
    );
  });

  test('deletes with the right to, and no immutable tag', async () => {
    expect(await copyTo('team/short-lived:1', 'pusher')).toMatchObject(succeeded);
    const remove = (who: string, name: string) => skopeo('delete', who, at(name));
    expect(await remove('pusher', 'team/short-lived:1')).toMatchObject(
      failed(/you may not delete in team\/short-lived/),
    );
    expect(await remove('keeper', 'team/short-lived:1')).toMatchObject(succeeded);
    expect(await skopeo('inspect', 'puller', at('team/short-lived:1'))).toMatchObject(
      failed(/manifest unknown/),
    );
    expect(await remove('keeper', 'team/app:v1')).toMatchObject(
      failed(/the tag v1 of team\/app is immutable/),
    );
  });
});

describe('curl', () => {
  const curl = (path: string, ...args: string[]): Promise<Ran> =>
    stack.checkout.run('curl', [
      ...['-sS', '--cacert', 'var/ca/ca.crt', '-w', '\n%{http_code} HTTP/%{http_version}'],
      ...args,
      `https://${stack.authority}${path}`,
    ]);
  const last = ({ stdout }: Ran) => stdout.split('\n').at(-1);

  test.each([
    ['--http1.1', '1.1'],
    ['--http2', '2'],
  ])('with %s is answered alike', async (option, version) => {
    const status = async (path: string, ...args: string[]) => last(await curl(path, option, ...args));
    const login = ['-u', stack.login('puller')];
    expect(await status('/v2/', ...login)).toBe(`200 HTTP/${version}`);
    expect(await status('/v2/team/app/tags/list', ...login)).toBe(`200 HTTP/${version}`);
    expect(await status('/v2/secret/app/tags/list', ...login)).toBe(`403 HTTP/${version}`);
    expect(await status('/v2/team/app/tags/list')).toBe(`401 HTTP/${version}`);
    expect(await status('/v2/public/app/tags/list')).toBe(`200 HTTP/${version}`);
    const put = ['-X', 'PUT', '--data-binary', 'x'.repeat(100_000), '-H', `content-type: ${MANIFEST_TYPE}`];
    expect(await status('/v2/team/app/manifests/1', ...login, ...put)).toBe(`403 HTTP/${version}`);
  });

  test('-I has the head of what a GET has, whatever the answer is', async () => {
    const head = async (path: string, ...args: string[]) => {
      const { stdout } = await curl(path, '-I', ...args);
      return new Map(
        [...stdout.matchAll(/^([\w-]+): (.*?)\r?$/gm)].map(([, name = '', value]) => [name, value]),
      );
    };
    const accept = ['-H', 'accept: application/vnd.oci.image.index.v1+json'];
    const found = await head('/v2/team/app/manifests/1', '-u', stack.login('puller'), ...accept);
    expect(found.get('docker-content-digest')).toMatch(/^sha256:/);
    expect(found.get('docker-distribution-api-version')).toBe('registry/2.0');
    const { stdout } = await curl('/v2/team/app/tags/list', '-o', '/dev/null', '-w', '%{size_download}');
    const asked = await head('/v2/team/app/tags/list');
    expect(asked.get('content-length')).toBe(stdout);
    expect(asked.get('www-authenticate')).toBe('Basic realm="Moorage", charset="UTF-8"');
  });

  test('--path-as-is gets nowhere by dots', async () => {
    const sent = (path: string) => curl(path, '--path-as-is', '-u', stack.login('puller'));
    for (const path of [
      '/v2/team/../secret/app/tags/list',
      '/v2/team/app/../../secret/app/tags/list',
      '/v2/./secret/app/tags/list',
      '/v2//secret/app/tags/list',
      '/v2/team%2f..%2f..%2fsecret/app/tags/list',
    ]) {
      const answered = await sent(path);
      expect([path, last(answered)]).toEqual([path, expect.stringMatching(/^4\d\d /)]);
      expect(answered.stdout).not.toContain('"tags"');
    }
    expect(last(await sent('/v2/team/app/tags/list'))).toMatch(/^200 /);
  });

  test('-n takes the login from a .netrc', async () => {
    const file = join(stack.checkout.root, 'var/netrc');
    const netrc = (password: string) =>
      writeFile(file, `machine localhost\nlogin puller\npassword ${password}\n`, { mode: 0o600 });
    const ask = () => curl('/v2/team/app/tags/list', '-n', '--netrc-file', file);
    await netrc(stack.password('puller'));
    expect(last(await ask())).toMatch(/^200 /);
    await netrc('outdated');
    expect(last(await ask())).toMatch(/^401 /);
  });
});
