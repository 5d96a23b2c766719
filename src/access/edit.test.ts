import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allow, disallow, withGrants, withoutGrants } from './edit.ts';
import { formatGrant, type Grant, parseGrant } from './grant.ts';
import { parsePolicy } from './policy.ts';

const TEXT = `# the team

users:
  ada: [admin]                    # a role alone
  bob: [ push:team/**,  pull:a ]  # two
  eve: # a list
    - pull:x # one


    - pull:y # two
groups:
  developers:
    members:
    - bob
    allow: [push:team/**]
immutable: ['team/**:v*']
# end
`;

let file: string;

beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'moorage-access-')), 'access.yaml');
});

afterEach(async () => {
  await rm(dirname(file), { recursive: true });
});

test.each<[string, string, string[], string, string]>([
  [
    'a list on one line',
    'ada',
    ['pull:b'],
    'ada: [admin]                    # a',
    'ada: [admin, pull:b] # a',
  ],
  ['a list on many lines', 'eve', ['pull:z'], '- pull:y # two\n', '- pull:y # two\n    - pull:z\n'],
  ['a new user', 'joe', ['pull', 'push:b'], 'groups:\n', '  joe: [pull, push:b]\ngroups:\n'],
  ['a name that needs quotes', 'x: #', ['pull'], 'groups:\n', '  "x: #": [pull]\ngroups:\n'],
  ['a grant that is there', 'bob', ['pull:a'], 'groups:', 'groups:'],
  ['the same grant twice', 'eve', ['push', 'push:**'], '- pull:y # two\n', '- pull:y # two\n    - push\n'],
])('%s is added to, and no other line changes', (_, name, grants, from, to) => {
  expect(withGrants(TEXT, 'f', name, granted(grants))).toBe(TEXT.replace(from, to));
});

test.each<[string, string, string[], string, string]>([
  ['the last grant of a user', 'ada', ['admin'], '  ada: [admin]                    # a role alone\n', ''],
  ['the last of a list', 'eve', ['pull:y'], '\n\n\n    - pull:y # two\n', '\n'],
  ['one on a line', 'bob', ['pull:a'], '[ push:team/**,  pull:a ]  #', '[push:team/**] #'],
])('%s is taken away, and no other line changes', (_, name, grants, from, to) => {
  expect(withoutGrants(TEXT, 'f', name, granted(grants))).toBe(TEXT.replace(from, to));
});

test.each([
  ['everyone: [pull]', 'everyone: [pull]\nusers:\n  ada: [push]\n'],
  ['users: # none yet\neveryone: [pull]\n', 'users:\n  ada: [push]\n  # none yet\neveryone: [pull]\n'],
  ['users: {}\n', 'users:\n  ada: [push]\n'],
  ['users:\n  ada:\n  bob: [pull]\n', 'users:\n  ada: [push]\n  bob: [pull]\n'],
  ['users:\r\n  bob: [pull] # one\r\n', 'users:\r\n  bob: [pull] # one\r\n  ada: [push]\n'],
])('where there are no users yet they begin: %j', (text, edited) => {
  expect(withGrants(text, 'f', 'ada', granted(['push']))).toBe(edited);
});

test('what is not there can’t be taken away, and it is told what is', () => {
  expect(() => withoutGrants(TEXT, 'f', 'bob', granted(['pull:b']))).toThrow(
    'pull:b: bob does not have it by name, but push:team/**, pull:a',
  );
  expect(() => withoutGrants(TEXT, 'f', 'joe', granted(['pull']))).toThrow('nothing');
});

const name = fc.oneof(
  fc.constantFrom('ada', 'bob', '123', 'null', '__proto__', '*x', '- y', '# z', 'Ada Lovelace'),
  fc.stringMatching(/^[^\p{C}\s:]{1,12}$/u),
);
const grant = fc
  .tuple(
    fc.constantFrom('pull', 'push', 'delete', 'admin'),
    fc.constantFrom('', ':a', ':a/**', ':*', ':**/b'),
  )
  .map((parts) => parts.join(''));
const blank = fc.constantFrom('', ' ', '   ');
const comment = fc.constantFrom('', ' # why', '   # note: [of time]');
const user = fc
  .tuple(
    fc.uniqueArray(grant, { selector: normal, minLength: 1, maxLength: 3 }),
    fc.boolean(),
    blank,
    comment,
  )
  .map(([grants, block, pad, note]) =>
    block
      ? `${note}\n${grants.map((each) => `    - '${each}'${note}\n`).join('')}`
      : ` [${pad}${grants.map((each) => `'${each}'`).join(`,${pad}`)}${pad}]${note}\n`,
  );
const policy = fc
  .tuple(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), user, { minKeys: 1 }), comment, blank)
  .map(([users, note, gap]) => {
    const entries = Object.entries(users).map(([key, rest]) => `  # on ${key}\n  ${key}:${rest}`);
    return `# top\nusers:${note}\n${entries.join('\n'.repeat(gap.length))}\neveryone: [pull:b]${note}\n`;
  });

test('an edit gives what was asked for, is read back, and keeps every comment', () => {
  fc.assert(
    fc.property(
      policy,
      name,
      fc.uniqueArray(grant, { selector: normal, minLength: 1 }),
      (text, who, more) => {
        const edited = withGrants(text, 'f', who, granted(more));
        const before = usersOf(text);
        const all = [...(before.get(who) ?? []), ...more.map(normal)];
        expect(usersOf(edited)).toEqual(new Map(before).set(who, [...new Set(all)]));
        const comments = text.match(/# [a-z].*/g) ?? [];
        for (const each of comments) expect(countOf(each, edited)).toBe(countOf(each, text));
        const back = usersOf(withoutGrants(edited, 'f', who, granted(more)));
        const left = (before.get(who) ?? []).filter((each) => !more.map(normal).includes(each));
        expect(back.get(who) ?? []).toEqual(left);
        before.delete(who);
        back.delete(who);
        expect(back).toEqual(before);
      },
    ),
  );
});

test('a file that is made keeps all others at what they may', async () => {
  expect(await allow(file, 'bob', granted(['pull']), ['ada', 'bob', 'moorage-proof'])).toEqual(['ada']);
  expect(await readFile(file, 'utf8')).toBe(
    '# Who may do what; docs/users.md says how.\n\nusers:\n  ada: [admin]\n  bob: [pull]\n',
  );
  expect(await allow(file, 'bob', granted(['push:a']), ['ada', 'bob'])).toBeUndefined();
  await disallow(file, 'bob', granted(['pull']));
  expect(usersOf(await readFile(file, 'utf8')).get('bob')).toEqual(['push:a']);
  expect(await readdir(dirname(file))).toEqual(['access.yaml']);
});

test('the file stays readable to whom it was, and is replaced as a whole', async () => {
  await writeFile(file, TEXT);
  await chmod(file, 0o640);
  const before = await stat(file);
  await allow(file, 'bob', granted(['pull']), []);
  const after = await stat(file);
  expect(after.mode).toBe(before.mode);
  expect(after.ino).not.toBe(before.ino);
});

test('a file that is not right is refused, and stays', async () => {
  await writeFile(file, 'users: [ada]\n');
  await expect(allow(file, 'bob', granted(['pull']), [])).rejects.toThrow(`${file}:1: `);
  await expect(disallow(file, 'bob', granted(['pull']))).rejects.toThrow(`${file}:1: `);
  expect(await readFile(file, 'utf8')).toBe('users: [ada]\n');
});

test('without a file there is nothing to take away', async () => {
  await expect(disallow(file, 'bob', granted(['pull']))).rejects.toThrow('every user may do everything');
});

test('of many changes at once none is lost', async () => {
  await writeFile(file, TEXT);
  const names = Array.from({ length: 10 }, (_, number) => `user${number}`);
  await Promise.all(names.map((each) => allow(file, each, granted(['pull']), [])));
  expect([...usersOf(await readFile(file, 'utf8')).keys()].sort()).toEqual(
    ['ada', 'bob', 'eve', ...names].sort(),
  );
});

function countOf(part: string, text: string): number {
  return text.split(part).length - 1;
}

function usersOf(text: string): Map<string, string[]> {
  const { users } = parsePolicy(text, 'f');
  return new Map([...users].map(([key, grants]) => [key, grants.map(formatGrant)]));
}

function granted(texts: readonly string[]): Grant[] {
  return texts.map((text) => {
    const parsed = parseGrant(text);
    if (typeof parsed === 'string') throw new Error(parsed);
    return parsed;
  });
}

function normal(text: string): string {
  return granted([text]).map(formatGrant).join('');
}
