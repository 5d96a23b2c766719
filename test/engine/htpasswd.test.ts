import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';

/** The command as a person runs it, and Apache's htpasswd on the same file. */
let checkout: Checkout;
let file: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  file = join(checkout.root, 'registry/auth/registry.password');
});

afterAll(async () => {
  await rm(join(checkout.root, '..'), { recursive: true, force: true });
});

async function accepts(name: string, password: string): Promise<boolean> {
  const { exitCode, stderr } = await checkout.run('htpasswd', ['-vi', file, name], { input: password });
  if (exitCode !== 0 && exitCode !== 3) throw new Error(`htpasswd ended with ${exitCode}: ${stderr}`);
  return exitCode === 0;
}

/** The command on a terminal of its own: `typed` goes in a line a prompt; what the screen shows comes back. */
async function onTerminal(args: string, typed: readonly [prompt: string, keys: string][]) {
  const command = `node --import ./scripts/setup.mjs scripts/start.mjs user ${args}`;
  const child = execa('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd: checkout.root,
    reject: false,
    all: true,
    buffer: false,
  });
  const waiting = [...typed];
  let screen = '';
  let seen = 0;
  for await (const chunk of child.all) {
    screen += String(chunk);
    const [prompt, keys] = waiting[0] ?? [];
    if (prompt === undefined || keys === undefined || screen.indexOf(prompt, seen) < 0) continue;
    seen = screen.length;
    waiting.shift();
    child.stdin.write(keys);
  }
  return { exitCode: (await child).exitCode, screen };
}

test.each([
  ['plain', 'correct horse'],
  ['beyond ASCII', 'pässwörd 🐳'],
  ['as long as bcrypt takes', 'x'.repeat(72)],
  ['with what a shell or a file would read otherwise', ` $HOME:"'\\# `],
])('Apache accepts what --password-stdin was given: %s', async (name, password) => {
  const added = await checkout.command('user', ['add', name, '--password-stdin'], { input: `${password}\n` });
  expect(added).toEqual({ exitCode: 0, stdout: `${name} added`, stderr: '' });
  expect(await accepts(name, password)).toBe(true);
  expect(await accepts(name, `not ${password}`)).toBe(false);
});

test('Apache accepts a generated password, which is shown once and stored nowhere', async () => {
  const { stdout } = await checkout.command('user', ['add', 'ci', '--generate']);
  const password = /password (\S{24}) /.exec(stdout)?.[1] ?? '';
  expect(await accepts('ci', password)).toBe(true);
  expect(await readFile(file, 'utf8')).not.toContain(password);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('comments, empty lines and users of htpasswd -B stay through add, passwd and remove', async () => {
  await writeFile(file, '# the team\n\n');
  await checkout.run('htpasswd', ['-iB', file, 'bob'], { input: 'staple' });
  const theirs = await readFile(file, 'utf8');
  await checkout.command('user', ['add', 'ada', '--password-stdin'], { input: 'one' });
  await checkout.command('user', ['passwd', 'ada', '--password-stdin'], { input: 'two' });
  expect([await accepts('ada', 'one'), await accepts('ada', 'two')]).toEqual([false, true]);
  await checkout.command('user', ['remove', 'ada']);
  expect(await readFile(file, 'utf8')).toBe(theirs);
  expect(await accepts('bob', 'staple')).toBe(true);
  const { stdout } = await checkout.command('user', ['list', '--json']);
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'bob', cost: 5 }]);
});

test('what is asked for on a terminal is not echoed, and Apache accepts it', async () => {
  const { exitCode, screen } = await onTerminal('add eve', [
    ['Password for eve', 'hunter2\r'],
    ['Once more', 'hunter2\r'],
  ]);
  expect({ exitCode, screen }).toMatchObject({ exitCode: 0, screen: expect.stringContaining('eve added') });
  expect(screen).not.toContain('hunter2');
  expect(await accepts('eve', 'hunter2')).toBe(true);
});

test.each<[how: string, exitCode: number, typed: [string, string][]]>([
  [
    'two passwords that differ',
    2,
    [
      ['Password for', 'one\r'],
      ['Once more', 'two\r'],
    ],
  ],
  [
    'no password',
    2,
    [
      ['Password for', '\r'],
      ['Once more', '\r'],
    ],
  ],
  ['Ctrl-C', 130, [['Password for', 'half\x03']]],
  [
    'Ctrl-C at the second question',
    130,
    [
      ['Password for', 'one\r'],
      ['Once more', '\x03'],
    ],
  ],
])('on a terminal %s ends with %i, without a stack trace, and changes nothing', async (_how, code, typed) => {
  const before = await readFile(file, 'utf8');
  const { exitCode, screen } = await onTerminal('add mallory', typed);
  expect({ exitCode, screen }).toMatchObject({ exitCode: code });
  expect(screen).not.toMatch(/\n\s+at |defect/);
  expect(await readFile(file, 'utf8')).toBe(before);
});

test('with neither a terminal nor a flag it names both flags and changes nothing', async () => {
  const before = await readFile(file, 'utf8');
  const { exitCode, stderr } = await checkout.command('user', ['add', 'mallory']);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/--generate.*--password-stdin/),
  });
  expect(await readFile(file, 'utf8')).toBe(before);
});
