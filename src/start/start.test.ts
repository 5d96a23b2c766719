import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mountSmallDisk } from '../../test/support/mounts.ts';
import { paths } from '../paths.ts';

const { root } = paths();
const NOBODY = 65_534;
const HELLO = `import { readFileSync } from 'node:fs';
import { greeting } from '../src/greeting.ts';
const name: string = readFileSync(new URL('../name', import.meta.url), 'utf8');
if (process.argv.includes('--fail')) throw new Error('on purpose');
console.log(greeting(name), ...process.argv.slice(2));
`;

interface Surroundings {
  readonly from?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: Record<string, string>;
}

let place: string;
let checkout: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'start '));
  await chmod(place, 0o755);
  checkout = await makeCheckout('one', 'Ada');
  const packages = join(checkout, 'node_modules');
  await mkdir(packages);
  for (const name of ['esbuild', '@esbuild'])
    await symlink(join(root, 'node_modules', name), join(packages, name));
  await writeFile(join(packages, '.package-lock.json'), '{}');
});

afterEach(() => rm(place, { recursive: true }));

async function makeCheckout(name: string, greeted: string): Promise<string> {
  const folder = join(place, name);
  for (const path of ['scripts/start.mjs', 'src/start/bundling.mjs', 'src/start/make-bundle.mjs']) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await cp(join(root, path), join(folder, path));
  }
  await writeFile(join(folder, 'scripts/hello.ts'), HELLO);
  await writeFile(
    join(folder, 'src/greeting.ts'),
    "export const greeting = (name: string) => 'Hello '.concat(name);",
  );
  await writeFile(join(folder, 'name'), greeted);
  return folder;
}

async function start(args: readonly string[], { from = checkout, ...options }: Surroundings = {}) {
  const { exitCode, stdout, stderr } = await execa('node', ['scripts/start.mjs', ...args], {
    cwd: from,
    reject: false,
    ...options,
  });
  return { exitCode, stdout, stderr };
}

const kept = () => readdir(join(checkout, 'node_modules/.cache/moorage'));

test('a command runs with its arguments, and is put together once', async () => {
  expect(await start(['hello', 'x y'])).toEqual({ exitCode: 0, stdout: 'Hello Ada x y', stderr: '' });
  const made = await kept();
  expect(made).toEqual([expect.stringMatching(/^commands-[0-9a-f]{16}$/), 'commands.json']);
  await rm(join(checkout, 'node_modules/esbuild'));
  expect(await start(['hello'])).toMatchObject({ stdout: 'Hello Ada' });
  expect(await kept()).toEqual(made);
});

test('a part that changed is seen by the next start, whatever its date', async () => {
  await start(['hello']);
  const part = join(checkout, 'src/greeting.ts');
  await writeFile(part, (await readFile(part, 'utf8')).replace('Hello', 'Howdy'));
  await utimes(part, 0, 0);
  expect(await start(['hello'])).toMatchObject({ stdout: 'Howdy Ada' });
});

test('other packages are seen too', async () => {
  await start(['hello']);
  await writeFile(join(checkout, 'node_modules/.package-lock.json'), '{"packages":{}}');
  await start(['hello']);
  expect(await kept()).toHaveLength(3);
});

test('checkouts that share their packages share what was put together, and each stays itself', async () => {
  await start(['hello']);
  const made = await kept();
  const other = await makeCheckout('two', 'Grace');
  await symlink(join(checkout, 'node_modules'), join(other, 'node_modules'));
  expect(await start(['hello'], { from: other })).toMatchObject({ stdout: 'Hello Grace' });
  expect(await kept()).toEqual(made);
});

test('where nobody may write it runs all the same, and leaves nothing', async () => {
  const temporary = join(place, 'tmp');
  await mkdir(temporary);
  await chmod(temporary, 0o1777);
  const somebody = { uid: NOBODY, gid: NOBODY, env: { TMPDIR: temporary } };
  expect(await start(['hello'], somebody)).toEqual({ exitCode: 0, stdout: 'Hello Ada', stderr: '' });
  expect(await readdir(temporary)).toEqual([]);
});

test('on a disk without room it runs all the same, and takes none', async () => {
  const full = join(checkout, 'node_modules/.cache');
  await mkdir(full);
  const { unmount } = await mountSmallDisk(full, 4);
  try {
    const env = { TMPDIR: full };
    const before = await readdir('/dev/shm');
    expect(await start(['hello'], { env })).toEqual({ exitCode: 0, stdout: 'Hello Ada', stderr: '' });
    expect(await kept()).toEqual([]);
    expect(await readdir('/dev/shm')).toEqual(before);
  } finally {
    await unmount();
  }
});

test('what root put together is for everybody, whatever the umask', async () => {
  await execa('sh', ['-c', 'umask 077; node scripts/start.mjs hello'], { cwd: checkout });
  await rm(join(checkout, 'node_modules/esbuild'));
  expect(await start(['hello'], { uid: NOBODY, gid: NOBODY })).toMatchObject({ stdout: 'Hello Ada' });
});

test('what root put together in somebody’s checkout is theirs', async () => {
  await execa('chown', ['-R', '--no-dereference', `${NOBODY}`, checkout]);
  await start(['hello']);
  const { stdout } = await execa('find', [join(checkout, 'node_modules/.cache'), '-user', 'root']);
  expect(stdout).toBe('');
});

test('half of it is never taken for the whole, and goes after a day', async () => {
  await start(['hello']);
  const old = join(checkout, 'node_modules/.cache/moorage');
  for (const name of ['new-Ab12Cd', 'commands-0123456789abcdef']) {
    await mkdir(join(old, name));
    await utimes(join(old, name), 0, 0);
  }
  await mkdir(join(old, 'new-Ef34Gh'));
  await rm(join(old, 'commands.json'));
  expect(await start(['hello'])).toMatchObject({ stdout: 'Hello Ada' });
  const now = await kept();
  expect(now).toEqual([expect.stringMatching(/^commands-/), 'commands.json', 'new-Ef34Gh']);
});

test('many at once make it once each at most, and all run', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => start(['hello'])));
  expect(all.map(({ stdout, stderr }) => stdout + stderr)).toEqual(Array(4).fill('Hello Ada'));
  expect(await kept()).toHaveLength(2);
});

test('a defect is shown where it stands in the source', async () => {
  const { exitCode, stderr } = await start(['hello', '--fail']);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(/scripts\/hello\.ts:4/),
  });
});

test.each([['nothing'], ['../hello'], []])('%s is no command: exit 2', async (...args) => {
  expect(await start(args)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no command') });
});
