import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Events } from '../../src/events.ts';
import { Journal } from '../../src/journal.ts';
import { systemClock } from '../../src/system/clock.ts';
import { readIfExists } from '../../src/system/files.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { TerminalSession } from '../support/terminal-session.ts';

let checkout: Checkout;
let calls: RegistryCalls;
let as: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  calls = new RegistryCalls(checkout);
});

afterAll(() => checkout.dispose());

const status = (args: readonly string[] = [], env: Record<string, string> = {}) =>
  checkout.command('status', args, { env });
const state = async (env: Record<string, string> = {}) => {
  const { exitCode, stdout } = await status(['--json'], env);
  return { exitCode, ...JSON.parse(stdout) };
};

test('before anything is set up it says how to do that', async () => {
  expect(await status()).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'There is no registry here yet.\nMake one: npm run init-tls -- --yes',
  });
  expect(await state()).toMatchObject({ exitCode: 1, error: { code: 'not-set-up' } });
});

describe('a healthy stack', () => {
  beforeAll(async () => {
    as = loginOf(await checkout.init());
  });

  test('is told on one screen, without a trouble', async () => {
    const { exitCode, stdout } = await status();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^ +Registry +✓ https://${checkout.authority}\n`));
    for (const part of ['nginx', 'gate', 'registry', 'renewer'])
      expect(stdout).toMatch(new RegExp(`[✓·] ${part} +(running|starting) \\d+ (second|minute)`));
    expect(stdout).toMatch(
      /Certificate +90 days left, by Moorage local CA .*, for localhost, 127\.0\.0\.1, ::1\n/,
    );
    expect(stdout).toMatch(/valid until .*, renewal due /);
    expect(stdout).toMatch(/Users +1 user, 0 tokens\n/);
    expect(stdout).toMatch(
      /Disk +[\d.]+ [MGT]iB free of .*; pushes are refused below .*\n +when it is full is not known yet/,
    );
    expect(stdout).toMatch(/(ago|just now) +init-tls: changed .*Certificate/);
    expect(stdout).toMatch(/(ago|just now) +certificate: a new one is served for localhost and 2 more names/);
  });

  test('has a state for programs', async () => {
    expect(await state()).toMatchObject({
      exitCode: 0,
      ok: true,
      troubles: [],
      registry: { url: `https://${checkout.authority}`, answers: true, silence: null },
      parts: ['nginx', 'gate', 'registry', 'renewer'].map((name) => ({ name, restarts: 0 })),
      certificate: {
        decision: { kind: 'keep' },
        issuer: 'local',
        names: ['localhost', '127.0.0.1', '::1'],
        daysLeft: 89,
        failure: null,
      },
      access: { by: 'gate', problems: [], inForce: true },
      users: { users: 1, tokens: 0, expired: [], expiring: [] },
      storage: { repositories: [{ name: 'moorage/proof' }] },
      disk: { kind: 'enough' },
      forecast: { kind: 'unknown' },
      underWay: [],
    });
  });

  test('shows what was pushed, what is shared, and who was given a token', async () => {
    for (const tag of ['v1', 'v2']) await calls.pushImage('team/large', tag, as, tag.repeat(5_000));
    await calls.pushImage('team/small', 'v1', as, 'v1'.repeat(5_000));
    await checkout.command('user', ['token', 'admin', '--expires', '2d']);
    const { stdout } = await status();
    expect(stdout).toMatch(/Storage +20 KiB in 2 repositories, 3 tags\n/);
    expect(stdout).toMatch(/team\/large +20 KiB +2 tags █+░+\n.*team\/small +[\d.]+ KiB +1 tag ░+\n/);
    expect(stdout).toMatch(/1 user, 1 token\n +expire soon: admin:\w+ in (48 hours|2 days)/);
    expect(stdout).toMatch(/Events +· .* +user: token admin:\w+ made/);
    expect((await status(['--no-storage'])).stdout).not.toContain('team/large');
  });

  test('the renewer writes down how full the disk is, and from that comes the day when it is full', async () => {
    const file = join(checkout.root, 'var/usage.jsonl');
    const lines = async () => (await readIfExists(file))?.trim().split('\n') ?? [];
    await expect.poll(lines, { timeout: 60_000 }).toHaveLength(1);
    const { free, size } = JSON.parse((await lines())[0] ?? '');
    const sampled = Array.from({ length: 5 * 24 }, (_, hours) => {
      const used = Math.round((free / 100) * (hours / 24)); // a hundredth of what is free each day
      return JSON.stringify({ at: new Date(Date.now() - hours * 3_600_000), free: free + used, size });
    });
    await writeFile(file, `${sampled.reverse().join('\n')}\n`);
    expect((await status()).stdout).toMatch(
      /Disk .*\n +full on \d+ \w+ 20\d\d, in \d\d days, at [\d.]+ [MG]iB more a day\n/,
    );
    expect(await state()).toMatchObject({ ok: true, forecast: { kind: 'full' } });
  });

  test('a command that was interrupted is named, and how to end it', async () => {
    const journal = new Journal(join(checkout.root, 'var/journal/gc.json'), systemClock);
    await journal.begin();
    await journal.reach('Collect');
    const { exitCode, stdout } = await status();
    expect([exitCode, stdout.split('\n')[0]]).toEqual([
      1,
      expect.stringMatching(/^✗ gc was interrupted \d+ seconds? ago at the step Collect → npm run gc$/),
    ]);
    await journal.end();
  });

  test('what happened last comes last, the newest first', async () => {
    const events = new Events(join(checkout.root, 'var/events.jsonl'), systemClock);
    await events.record('gc', 'trouble', 'the first line\nand the second');
    expect((await status()).stdout).toMatch(
      /Events +✗ (just now|\d+ seconds? ago) +gc: the first line\n +· .*user: token/,
    );
    for (const text of ['two', 'three', 'four']) await events.record('gc', 'done', text);
    const last = (await state()).events.map((event: { text: string }) => event.text);
    expect(last).toEqual(['four', 'three', 'two', 'the first line', expect.stringMatching(/^token admin/)]);
  });
});

describe('on a terminal', () => {
  const open = (env: Record<string, string> = {}, args = '') =>
    new TerminalSession(`npm run --silent status -- ${args}`, {
      cwd: checkout.root,
      env: { ...checkout.env, ...env },
      columns: 80,
      rows: 24,
    });

  test('it fits on 80 columns and 24 rows, and without colours too', async () => {
    const session = open({ NO_COLOR: '1' });
    expect(await session.exitCode()).toBe(0);
    const lines = session.seen.trimEnd().split('\r\n');
    expect(lines.length).toBeLessThan(24);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(session.seen).not.toContain('\x1b');
  });

  test('--watch draws in place what changes, until q, and then the screen is as it was', async () => {
    const session = open({}, '--watch');
    try {
      await session.shows(/q ends/);
      await calls.pushImage('team/watched', 'v1', as);
      await checkout.command('user', ['add', 'somebody', '--generate']);
      await session.shows(/2 users/);
      session.press('q');
      expect(await session.exitCode()).toBe(0);
      expect(session.seen.startsWith('\x1b[?1049h')).toBe(true);
      expect(session.seen).not.toContain('\x1b[2J'); // a screen that is cleared flickers
      expect(session.seen.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    } finally {
      session.dispose();
    }
  });

  test('Ctrl-C ends it as well', async () => {
    const session = open({}, '--watch');
    try {
      await session.shows(/q ends/);
      session.press('\x03');
      expect(await session.exitCode()).toBe(0);
      expect(session.seen.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    } finally {
      session.dispose();
    }
  });

  test('without one there is nothing to watch', async () => {
    expect(await status(['--watch'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--json'),
    });
    expect(await status(['--watch', '--json'])).toMatchObject({ exitCode: 2 });
  });
});

describe('what is wrong', () => {
  test('a part that was stopped comes first, with what to do', async () => {
    await checkout.compose('stop', '--timeout', '2', 'renewer');
    const { exitCode, stdout } = await status();
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^✗ renewer has not run since .* UTC \(exit code \d+\) → docker compose up -d\n/);
    expect(stdout).toMatch(/✗ renewer +stopped \d+ second/);
    expect(await state()).toMatchObject({ exitCode: 1, ok: false, troubles: [{ code: 'part-stopped' }] });
    await checkout.compose('up', '--detach', 'renewer');
  });

  test('a part that is not there is missed', async () => {
    await checkout.compose('rm', '--stop', '--force', 'renewer');
    expect((await status()).stdout).toMatch(/^✗ renewer is not there → docker compose up -d\n/);
    expect((await status([], { RENEWER_REPLICAS: '0' })).exitCode).toBe(0);
    await checkout.compose('up', '--detach', 'renewer');
  });

  test('without an engine the rest is shown', async () => {
    const away = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
    const { exitCode, stdout } = await status([], away);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^! No engine answers at unix:\/\/\/nowhere\/docker\.sock.* → Start it/);
    expect(stdout).toMatch(/Registry +✓ https/);
    expect(stdout).toMatch(/team\/large/);
    expect((await state(away)).parts.error).toContain('No engine answers');
  });

  test('files that can’t be read take nothing else with them', async () => {
    const users = join(checkout.root, 'registry/auth/registry.password');
    await rename(users, `${users}.away`);
    await mkdir(users);
    const { stdout } = await status();
    expect(stdout).toMatch(/registry\.password is a folder/);
    expect(stdout).toMatch(/team\/large/);
    await rm(users, { recursive: true });
    await rename(`${users}.away`, users);
  });

  test('a stack that was taken down is silent and not there', async () => {
    await checkout.compose('down', '--timeout', '2');
    const { exitCode, stdout } = await status();
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^✗ https:\/\/localhost:\d+ does not answer: connect ECONNREFUSED .* → npm run doctor\n/,
    );
    expect(stdout).toMatch(/✗ nginx, gate, registry and renewer are not there → docker compose up -d\n/);
    expect(stdout).toMatch(/team\/large/);
  });
});
