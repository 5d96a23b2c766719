import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Finished, Run } from '../system/processes.ts';
import { dnfInstall } from './dnf.ts';
import { dnfInstallFromDocker } from './docker-dnf-repository.ts';
import { ensureRestic } from './restic.ts';

const FINGERPRINT = '060A61C51B558A7F742B77AAC52FEB6B621E9F35';
const rocky = { id: 'rocky', version: '9.4', codename: '', family: 'redhat' } as const;
const silently = () => undefined;

let root: string;
let ran: string[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'moorage-dnf-'));
  ran = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

function recording(answer: (line: string) => Partial<Finished> = () => ({})): Run {
  return async (program, args) => {
    const line = [program, ...args].join(' ');
    ran.push(line);
    return { exitCode: 0, stdout: '', stderr: '', ...answer(line) };
  };
}

const listing = (fingerprint: string) =>
  `pub:-:4096:1:C52FEB6B621E9F35:1487792064:::-:::scESC:\nfpr:::::::::${fingerprint}:\nuid:-::::1::x::Docker Release (CE rpm):\n`;
const published = async () => new Response('the key');

test('Docker’s repository is written with the key that is known, then dnf installs from it', async () => {
  const run = recording((line) => (line.startsWith('gpg') ? { stdout: listing(FINGERPRINT) } : {}));
  await dnfInstallFromDocker({ fetch: published, run }, rocky, ['docker-ce'], silently, root);
  expect(await readFile(join(root, 'etc/pki/rpm-gpg/RPM-GPG-KEY-docker'), 'utf8')).toBe('the key');
  expect(await readFile(join(root, 'etc/yum.repos.d/docker-ce.repo'), 'utf8')).toBe(`[docker-ce-stable]
name=Docker CE Stable - $basearch
baseurl=https://download.docker.com/linux/centos/$releasever/$basearch/stable
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-docker
`);
  expect(ran.at(-1)).toBe(
    'dnf -y install --setopt=install_weak_deps=False --setopt=protected_packages=runc,containerd docker-ce',
  );
});

test('where there is no gpg to look at the key with, it is installed', async () => {
  const run = recording((line) => {
    if (!line.startsWith('gpg')) return {};
    return ran.some((each) => each.endsWith(' gnupg2'))
      ? { stdout: listing(FINGERPRINT) }
      : { exitCode: 127 };
  });
  await dnfInstallFromDocker({ fetch: published, run }, rocky, ['docker-ce'], silently, root);
  expect(ran.at(-1)).toMatch(/ docker-ce$/);
});

test('a repository of somebody else’s for Docker is used as it is', async () => {
  const theirs = '[docker-ce-stable]\nbaseurl=https://mirror.example.com/docker/\n';
  await mkdir(join(root, 'etc/yum.repos.d'), { recursive: true });
  await writeFile(join(root, 'etc/yum.repos.d/docker-ce.repo'), theirs);
  const nobody = () => Promise.reject(new Error('nothing is fetched'));
  await dnfInstallFromDocker({ fetch: nobody, run: recording() }, rocky, ['docker-ce'], silently, root);
  expect(await readFile(join(root, 'etc/yum.repos.d/docker-ce.repo'), 'utf8')).toBe(theirs);
  expect(ran).toEqual([expect.stringMatching(/^dnf .* docker-ce$/)]);
});

test('where dnf can’t install from it, no repository is left for every other dnf to fail at', async () => {
  const run = recording((line) =>
    line.startsWith('gpg') ? { stdout: listing(FINGERPRINT) } : { exitCode: 1, stderr: 'Error: no way' },
  );
  const attempt = dnfInstallFromDocker({ fetch: published, run }, rocky, ['docker-ce'], silently, root);
  await expect(attempt).rejects.toMatchObject({ code: 'dnf-failed' });
  expect(await readdir(join(root, 'etc/yum.repos.d'))).toEqual([]);
});

test.each<[string, () => Promise<Response>, Partial<Finished>]>([
  ['another key', published, { stdout: listing('0'.repeat(40)) }],
  ['a second key beside it', published, { stdout: listing(FINGERPRINT) + listing('0'.repeat(40)) }],
  ['no key at all', published, { exitCode: 2, stderr: 'gpg: no valid OpenPGP data found.' }],
  [
    'an answer that is an error',
    async () => new Response('', { status: 503 }),
    { stdout: listing(FINGERPRINT) },
  ],
])('%s is refused before anything is written', async (_, fetch, gpg) => {
  const attempt = dnfInstallFromDocker(
    { fetch, run: recording(() => gpg) },
    rocky,
    ['docker-ce'],
    silently,
    root,
  );
  await expect(attempt).rejects.toMatchObject({ code: 'docker-key' });
  await expect(readFile(join(root, 'etc/yum.repos.d/docker-ce.repo'))).rejects.toThrow('ENOENT');
  expect(ran.filter((line) => line.startsWith('dnf'))).toEqual([]);
});

test('what dnf complains of is handed on, and no package is ever taken away for another', async () => {
  const stderr =
    'Error: \n Problem: problem with installed package podman-docker\n  - package docker-ce conflicts with docker';
  const run = recording(() => ({
    exitCode: 1,
    stderr,
    stdout: 'Last metadata expiration check: 0:01:02 ago',
  }));
  await expect(dnfInstall(run, ['docker-ce'], silently)).rejects.toMatchObject({
    code: 'dnf-failed',
    message: expect.stringMatching(/podman-docker\n.*conflicts with docker$/),
  });
  expect(ran.join()).not.toContain('allowerasing');
});

test.each([
  ['Fedora', true, ['dnf -y install --setopt=install_weak_deps=False restic']],
  [
    'what is made from RHEL, where it is in EPEL',
    false,
    [
      'dnf -y install --setopt=install_weak_deps=False epel-release',
      'dnf -y install --setopt=install_weak_deps=False restic',
    ],
  ],
])('restic comes by dnf on %s', async (_, listed, expected) => {
  const run = recording((line) => {
    if (line === 'apt-get --version') return { exitCode: 127 };
    if (line === 'dnf -q list restic') return { exitCode: listed ? 0 : 1 };
    if (line.endsWith('restic version'))
      return ran.some((each) => each.endsWith('=False restic'))
        ? { stdout: 'restic 0.16.4 compiled' }
        : { exitCode: 127 };
    return {};
  });
  const clock = { now: () => new Date(0), sleep: async () => {} };
  const host = { run, root: true, clock, fetch: published, dockerHost: undefined };
  const proposed: string[] = [];
  const consent = async (actions: readonly { commands: readonly string[] }[]) => {
    proposed.push(...actions.flatMap(({ commands }) => commands));
    return true;
  };
  expect((await ensureRestic(host, consent, silently)).summary).toBe('restic 0.16.4, installed');
  expect(ran.filter((line) => line.includes(' install '))).toEqual(expected);
  expect(proposed).toEqual(
    expected.map((line) => line.replace('-y install --setopt=install_weak_deps=False', 'install -y')),
  );
});
