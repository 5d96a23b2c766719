import { chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allow } from '../access/edit.ts';
import { parseGrant } from '../access/grant.ts';
import { createToken } from './tokens.ts';
import { addUser } from './users.ts';

/** Somebody else where this runs as root, as under sudo. */
const OWNER = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() ?? 0);
const STRANGER = process.getuid?.() === 0 ? 54_321 : OWNER;
const GROUP = process.getgid?.() ?? 0;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moorage-owner-'));
  await chown(folder, OWNER, GROUP);
});

afterEach(() => rm(folder, { recursive: true }));

const changes = {
  'registry.password': (file: string, number: number) =>
    addUser(file, `ada-${number}`, `$2y$12$${'a'.repeat(53)}`),
  'tokens.json': (file: string) =>
    createToken(file, { user: 'ada', allow: undefined, expires: undefined, now: new Date() }),
  'access.yaml': (file: string, number: number) => {
    const grant = parseGrant(`pull:team-${number}`);
    return typeof grant === 'string' ? expect.fail(grant) : allow(file, 'ada', [grant], ['ada']);
  },
};

test.each(Object.entries(changes))(
  'root leaves the gate what it reads: a new %s is whose its folder is, and stays whose it is',
  async (name, change) => {
    const file = join(folder, name);
    await change(file, 1);
    expect((await stat(file)).uid).toBe(OWNER);
    await chown(file, STRANGER, GROUP);
    await change(file, 2);
    expect((await stat(file)).uid).toBe(STRANGER);
  },
);
