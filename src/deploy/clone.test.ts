import { mkdir, mkdtemp, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { FRESH_MACHINE } from '../../test/support/machine-facts.ts';
import { run } from '../system/processes.ts';
import { COPIED } from './contents.ts';
import { copyProject } from './copy.ts';
import { judgeMachine } from './judge-machine.ts';

const AS_ADA = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com'];
const IMAGES = 'images-of-mine/layer';

async function write(folder: string, path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** A clone with work of its own in it, and things that no deployment touches. */
async function workedIn(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'clone-')));
  for (const path of ['compose.yaml', 'src/app.ts', 'docs/deploy.md']) await write(folder, path, 'as it was');
  const git = (...args: string[]) => execa('git', [...AS_ADA, ...args], { cwd: folder });
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'all');
  await write(folder, 'compose.yaml', 'other');
  for (const path of ['src/ä mine.ts', 'dns-hooks/mine.sh', IMAGES]) await write(folder, path, 'mine');
  return folder;
}

/** What machine.sh tells of the clone, without what else it looks at. */
async function told(folder: string, env: Record<string, string> = {}): Promise<readonly string[]> {
  const script = await readFile(new URL('machine.sh', import.meta.url), 'utf8');
  const functions = script.slice(0, script.lastIndexOf('main "$@"'));
  const input = `${functions}\nfolder=$1; shift; uncommitted "$@"`;
  const { stdout } = await execa('sh', ['-s', '--', folder, ...COPIED], {
    input,
    env: { LC_ALL: 'C', ...env },
  });
  return stdout.split('\n').filter(Boolean);
}

test('what nobody has committed is told, and the stash that is advised takes that and nothing else', async () => {
  const folder = await workedIn();
  const lines = await told(folder);
  expect(lines).toEqual(['uncommitted=compose.yaml', 'uncommitted="src/ä mine.ts"']);
  const uncommitted = lines.map((line) => line.replace('uncommitted=', ''));
  const content = { kind: 'moorage', version: '0.1.0' } as const;
  const facts = { ...FRESH_MACHINE, folder: { ...FRESH_MACHINE.folder, content, uncommitted } };
  const [verdict] = judgeMachine(facts, { images: 'pull', bindAddress: undefined });
  const [, advised = 'false'] = /\((git stash .*?)\)/.exec(verdict?.remedy ?? '') ?? [];
  await execa('sh', ['-c', advised], { cwd: folder });
  expect(await told(folder)).toEqual([]);
  expect((await readdir(folder)).sort()).toEqual(
    ['.git', 'compose.yaml', 'dns-hooks', 'docs', 'images-of-mine', 'src'].sort(),
  );
});

test('of a worktree it is told, too, until a deployment has brought its files', async () => {
  const clone = await workedIn();
  const folder = `${clone}-worktree`;
  await execa('git', ['worktree', 'add', '--quiet', folder], { cwd: clone });
  await write(folder, 'compose.yaml', 'other');
  expect(await told(folder)).toEqual(['uncommitted=compose.yaml']);
  const here = {
    name: 'here',
    address: 'here',
    run: ([program = '', ...args]: readonly string[]) => run(program, args),
    rsync: async () => ({ exitCode: 0, stdout: '', stderr: '' }),
    close: async () => undefined,
  };
  await copyProject(here, { project: clone, packages: clone }, folder, () => undefined);
  expect(await told(folder)).toEqual([]);
});

test('whatever the clone says of what is shown', async () => {
  const folder = await workedIn();
  await execa('git', ['config', 'status.showUntrackedFiles', 'no'], { cwd: folder });
  expect(await told(folder)).toHaveLength(2);
});

test('where git does not look, that is told: it is no sign that there is nothing', async () => {
  const folder = await workedIn();
  expect(await told(folder, { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' })).toEqual([
    expect.stringMatching(/^git_failed=fatal: .*dubious ownership/),
  ]);
});
