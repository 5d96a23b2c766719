import { chown, mkdir, mkdtemp, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Run } from '../system/processes.ts';
import { gatherUnitFacts, type UnitWishes } from './unit-facts.ts';

let folder: string;
let wishes: UnitWishes;
let names: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facts-'));
  await mkdir(join(folder, 'var/tls'), { recursive: true });
  const { uid, gid } = await stat(folder);
  names = { [`passwd ${uid}`]: 'ada:x', [`group ${gid}`]: 'staff:x' };
  wishes = {
    project: 'moorage',
    checkout: folder,
    state: join(folder, 'var'),
    node: '/usr/bin/node',
    socket: undefined,
    needsEngine: false,
    reads: [],
    writes: [],
    environment: {},
  };
});

/** getent(1) with the names that the test knows. */
const run: Run = async (_, args) => {
  const name = names[args.join(' ')];
  return { exitCode: name === undefined ? 2 : 0, stdout: name ?? '', stderr: '' };
};

test('the daemon is to run as the owner of the state, by name', async () => {
  expect(await gatherUnitFacts(run, wishes)).toMatchObject({
    user: 'ada',
    group: 'staff',
    engineGroup: undefined,
  });
});

test('a name that systemd might not take is left out in favour of the number', async () => {
  const { uid } = await stat(folder);
  names[`passwd ${uid}`] = 'CORP\\ada lovelace:x';
  expect(await gatherUnitFacts(run, wishes)).toMatchObject({ user: String(uid) });
});

test('a number without a name is refused: systemd would not start anything as it', async () => {
  names = {};
  await expect(gatherUnitFacts(run, wishes)).rejects.toMatchObject({ code: 'nameless-owner' });
});

test('before there is any state it says what to run first', async () => {
  const unborn = { ...wishes, state: join(folder, 'nothing') };
  await expect(gatherUnitFacts(run, unborn)).rejects.toMatchObject({
    code: 'not-set-up',
    remedy: expect.stringContaining('init-tls'),
  });
});

test('files are named by where they are, so that a link into a home is noticed', async () => {
  await writeFile(join(folder, 'real.pem'), '');
  await symlink('real.pem', join(folder, 'link.pem'));
  const { reads } = await gatherUnitFacts(run, {
    ...wishes,
    reads: [join(folder, 'link.pem'), '/not/there'],
  });
  expect(reads).toEqual([join(folder, 'real.pem'), '/not/there']);
});

test('the socket of an engine that is not needed is hidden; its group does not matter', async () => {
  const socket = join(folder, 'docker.sock');
  await writeFile(socket, '');
  expect(await gatherUnitFacts(run, { ...wishes, socket })).toMatchObject({
    engineGroup: undefined,
    hidden: [socket],
    reads: [],
  });
});

test('the socket of an engine that is needed is read, by its group where the owner is not root', async () => {
  const socket = join(folder, 'docker.sock');
  await writeFile(socket, '');
  const { uid } = await stat(folder);
  expect(await gatherUnitFacts(run, { ...wishes, socket, needsEngine: true })).toMatchObject({
    engineGroup: uid === 0 ? undefined : 'staff',
    hidden: [],
    reads: [socket],
  });
});

test('what belongs to somebody else in the state is told before the daemon stumbles over it', async () => {
  const { uid } = await stat(folder);
  if (uid === 0) await chown(join(folder, 'var/tls'), 12_345, 12_345);
  const attempt = gatherUnitFacts(run, wishes);
  if (uid === 0) await expect(attempt).rejects.toMatchObject({ code: 'mixed-owners' });
  else await expect(attempt).resolves.toMatchObject({ user: 'ada' }); // nobody else can give a file away
});
