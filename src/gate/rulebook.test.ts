import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { may } from '../access/rights.ts';
import { writeAtomically } from '../system/files.ts';
import { highestCost, Rulebook, type RulebookFiles } from './rulebook.ts';

const HASH = `$2y$12$${'a'.repeat(53)}`;
const WEAKER = `$2y$05$${'a'.repeat(53)}`;

let files: RulebookFiles;
let told: string[];
let clock: FakeClock;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rulebook-'));
  files = {
    usersFile: join(folder, 'registry.password'),
    accessFile: join(folder, 'access.yaml'),
    tokensFile: join(folder, 'tokens.json'),
    root: folder,
    gate: join(folder, 'gate'),
  };
  told = [];
  clock = new FakeClock('2026-01-01T00:00:00Z');
});

const open = () => Rulebook.open(files, clock, (line) => told.push(line));
const state = async () => JSON.parse(await readFile(join(files.gate, 'rules.json'), 'utf8'));
const ada = { kind: 'user', name: 'ada' } as const;

test('users alone: every user may do everything', async () => {
  await writeFile(files.usersFile, `ada:${HASH}\n`);
  const { current } = await open();
  expect(current?.users).toEqual(new Map([['ada', HASH]]));
  expect(current && may(current.policy, ada, 'delete', 'team/app')).toBe(true);
  expect(await state()).toEqual({ problems: [], inForce: true });
});

test('what is replaced is in force with the next look, twice a second', async () => {
  await writeFile(files.usersFile, `ada:${HASH}\n`);
  const rules = await open();
  await writeAtomically(files.accessFile, 'users:\n  ada: [pull]\n', 0o600);
  await rules.refresh();
  const { current } = rules;
  expect(current && may(current.policy, ada, 'push', 'team/app')).toBe(false);
  await rules.refresh();
  expect(rules.current).toBe(current);
});

test('one file that is wrong leaves its last good content in force, and the others go on changing', async () => {
  await writeFile(files.usersFile, `ada:${HASH}\n`);
  await writeFile(files.accessFile, 'users:\n  ada: [pull]\n');
  const rules = await open();
  await writeAtomically(files.accessFile, 'users:\n  ada: [fly]\n', 0o600);
  await writeAtomically(files.usersFile, `ada:${HASH}\nbob:${WEAKER}\n`, 0o600);
  await rules.refresh();
  expect([...(rules.current?.users.keys() ?? [])]).toEqual(['ada', 'bob']);
  expect(rules.current && may(rules.current.policy, ada, 'push', 'a')).toBe(false);
  expect(await state()).toMatchObject({ inForce: true, problems: [{ input: 'access.yaml:2' }] });
  expect(told).toEqual([expect.stringMatching(/access\.yaml:2: .*fly.*stays in force/)]);
});

test('a file that never was right lets nobody in, until it is mended', async () => {
  await writeFile(files.usersFile, 'ada:plain\n');
  const rules = await open();
  expect(rules.current).toBeUndefined();
  expect(await state()).toMatchObject({ inForce: false, problems: [{ input: 'registry.password:1' }] });
  await writeAtomically(files.usersFile, `ada:${HASH}\n`, 0o600);
  await rules.refresh();
  expect(rules.current?.users.size).toBe(1);
  expect(await state()).toMatchObject({ inForce: true, problems: [] });
});

test('who asks during a look gets one that begins after the question', async () => {
  await writeFile(files.usersFile, `ada:${HASH}\n`);
  const rules = await open();
  const first = rules.refresh();
  await writeAtomically(files.usersFile, '', 0o600);
  await Promise.all([first, rules.refresh(), rules.refresh()]);
  expect(rules.current?.users.size).toBe(0);
});

test('it looks until it is told to stop', async () => {
  const rules = await open();
  const ending = new AbortController();
  const looking = rules.keepFresh(ending.signal);
  await writeAtomically(files.usersFile, `ada:${HASH}\n`, 0o600);
  await expect.poll(() => rules.current?.users.size).toBe(1);
  ending.abort();
  await looking;
});

test('the highest cost is that of the strongest hash there is', () => {
  expect(
    highestCost(
      new Map([
        ['ada', HASH],
        ['bob', WEAKER],
      ]),
    ),
  ).toBe(12);
  expect(highestCost(new Map())).toBe(0);
});
