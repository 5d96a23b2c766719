import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../system/processes.ts';
import { IS_HALF_COPIED, removeProject } from './uninstall.ts';

const here = {
  name: 'here',
  run: ([program = '', ...args]: readonly string[]) => run(program, args),
};

test('backups in var, which uninstalling has left, outlive the project around them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'far-'));
  for (const path of ['package.json', 'src/app.ts', 'node_modules/a/b', 'var/backups/one', 'notes']) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), 'x');
  }
  expect(await removeProject(here, folder)).toBe('notes, var');
  expect(await readdir(join(folder, 'var/backups'))).toEqual(['one']);
});

test('empty folders of somebody else stay, those of the project go', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'far-'));
  const ours = [
    'var/locks',
    'registry/auth',
    'registry/data',
    'nginx/user.d',
    'nginx/templates',
    'dns-hooks',
  ];
  const theirs = ['mail/spool', 'registry/mine', 'var/own'];
  for (const path of [...ours, ...theirs]) await mkdir(join(folder, path), { recursive: true });
  expect(await removeProject(here, folder)).toBe('mail, registry, var');
  expect((await readdir(folder, { recursive: true })).sort()).toEqual([
    'mail',
    'mail/spool',
    'registry',
    'registry/mine',
    'var',
    'var/own',
  ]);
});

test('where nothing is left the folder goes too', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'far-'));
  await mkdir(join(parent, 'moorage/var/locks'), { recursive: true });
  await writeFile(join(parent, 'moorage/package.json'), '{}');
  expect(await removeProject(here, join(parent, 'moorage'))).toBe('');
  expect(await readdir(parent)).toEqual([]);
});

test('of one that is killed the next takes the rest: there is no command left that it could ask there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'far-'));
  const ours = ['package.json', 'scripts/uninstall.ts', 'src/app.ts', 'node_modules/a/b'];
  for (const path of [...ours, 'killing/rm']) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(
      join(folder, path),
      '#!/bin/sh\ncase $* in *scripts) kill -9 $PPID;; *) exec /bin/rm "$@";; esac',
      {
        mode: 0o755,
      },
    );
  }
  const env = { PATH: `${join(folder, 'killing')}:${process.env.PATH}` };
  const killed = {
    ...here,
    run: ([program = '', ...args]: readonly string[]) => run(program, args, { env }),
  };
  await expect(removeProject(killed, folder)).rejects.toMatchObject({ code: 'uninstall-failed' });
  expect((await here.run(['sh', '-c', IS_HALF_COPIED, folder])).exitCode).toBe(0);
  expect(await removeProject(here, folder)).toBe('killing');
});

test('what a copy that was cut left goes as well, and what somebody put there since does not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'far-'));
  for (const path of [
    '.moorage-copy',
    '.~tmp~/compose.yaml',
    'nginx/.~tmp~/nginx.conf',
    'src/.~tmp~/a',
    'notes',
  ]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), 'x');
  }
  expect(await removeProject(here, folder)).toBe('notes');
});

test('a clone that a person brought by git stays, with the work that they may have in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'far-'));
  for (const path of ['.git/HEAD', 'package.json', 'src/mine.ts']) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), 'x');
  }
  expect(await removeProject(here, folder)).toBe('all of it, a git clone');
  expect((await readdir(folder)).sort()).toEqual(['.git', 'package.json', 'src']);
});
