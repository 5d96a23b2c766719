import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { MovingRegistry } from '../support/moving-registry.ts';
import { pushRelease, type Released } from '../support/released.ts';

const FOLDER = '/srv/moorage';

let moving: MovingRegistry;
let released: Released;
let to: string;

beforeAll(async () => {
  moving = await MovingRegistry.open();
  to = moving.fresh.login;
  released = await pushRelease(
    moving.calls,
    { repository: 'team/app', tag: '1.0', as: moving.login },
    100_000,
  );
});

afterAll(() => moving?.dispose());

const journal = () => join(moving.old.root, 'var/journal/move-to.json');
const mark = () => join(moving.old.root, 'var/maintenance/moved.lease');
const push = async (tag: string) => (await moving.calls.pushImage('team/late', tag, moving.login)).status;

test('where it never moved there is nothing to take back', async () => {
  const { exitCode, stderr } = await moving.moveTo('--cancel', '--yes');
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('has not moved') });
});

test('killed while it copies: nothing has changed here, and nothing can be started there', async () => {
  expect(await moving.moveUntil('Announced', to, '--yes')).toBe(true);
  expect(JSON.parse(await readFile(journal(), 'utf8')).step).toBe('copy');
  expect(existsSync(mark())).toBe(false);
  expect(await push('after-a-kill')).toBe(201);
  const { stdout, stderr } = await moving.fresh.run(
    ['npm', 'run', '--silent', 'init-tls', '--', '--yes'],
    FOLDER,
  );
  expect(stdout + stderr).toMatch(/is on its way here/);
});

test('another machine is refused while it is half done', async () => {
  const { exitCode, stderr } = await moving.moveTo('root@192.0.2.1', '--yes');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/is half done/) });
});

test('killed after closing: it stays closed, pulls go on', async () => {
  expect(await moving.moveUntil('Closed', '--yes')).toBe(true);
  const { status, text } = await moving.calls.ask('POST', '/v2/team/late/blobs/uploads/', {
    as: moving.login,
  });
  expect({ status, text }).toEqual({ status: 503, text: expect.stringMatching(/moves to another machine/) });
  const pulled = await moving.calls.manifest('team/app', '1.0', moving.login);
  expect(pulled.status).toBe(200);
});

test('what would be lost is refused where it is closed', async () => {
  for (const [name, args] of [
    ['user', ['add', 'ada', '--generate']],
    ['init-tls', ['--yes']],
    ['gc', []],
    ['restore', ['/nowhere', '--yes']],
    ['upgrade', ['--yes']],
    ['backup', ['/tmp/nowhere', '--yes']],
  ] as const) {
    const { exitCode, stderr, stdout } = await moving.old.command(name, args);
    expect({ name, exitCode, told: stderr + stdout }).toMatchObject({
      exitCode: 1,
      told: expect.stringMatching(/moved to root@/),
    });
  }
});

test('given up: writes are open again', async () => {
  const { exitCode, stderr } = await moving.moveTo('--cancel', '--yes');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect((await moving.moveTo('--cancel', '--yes')).stdout).toMatch(
    /^Nothing is left to do: .* was taken back/,
  );
  expect(await push('after-giving-up')).toBe(201);
  expect(existsSync(mark())).toBe(false);
  expect(await readdir(join(moving.old.root, 'var/journal'))).toEqual([]);
});

test('it moves while somebody pushes and somebody pulls: all that was taken is there, and no pull fails', async () => {
  const pusher = moving.keepPushing();
  const puller = moving.keepPulling('team/late', 'after-a-kill');
  const { exitCode, stderr } = await moving.moveTo(to, '--yes', '--json');
  const pushed = await pusher.stop();
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/for \d+ s nobody could write/),
  });
  expect((await puller.stop()).slice(0, 3)).toEqual([]);
  expect(pushed.size).toBeGreaterThan(0);
  const expected = [
    ...[...pushed].map(([tag, digest]) => [`GET /v2/team/pushed/manifests/${tag}`, `200 ${digest}`]),
    ...Object.entries(released).map(([name, digest]) => [
      `GET /v2/team/app/manifests/${name}`,
      `200 ${digest}`,
    ]),
  ];
  const wanted: Record<string, string> = Object.fromEntries(expected);
  expect(await moving.askFresh(...Object.keys(wanted))).toEqual(wanted);
});

const UPLOAD = '/v2/team/new/blobs/uploads/';

test('one of the two takes writes, and the certificate came along', async () => {
  expect(await moving.askFresh(`POST ${UPLOAD}`)).toEqual({ [`POST ${UPLOAD}`]: '202' });
  expect((await moving.calls.ask('POST', UPLOAD, { as: moving.login })).status).toBe(503);
  const here = await readFile(join(moving.old.root, 'var/tls/current/fullchain.pem'), 'utf8');
  expect((await moving.fresh.run(['cat', `${FOLDER}/var/tls/current/fullchain.pem`])).stdout).toBe(
    here.trimEnd(),
  );
});

test('status tells it, and the end waits for the name', async () => {
  const { stdout } = await moving.old.command('status', ['--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    move: { kind: 'gone', other: to, folder: FOLDER },
    troubles: [{ code: 'moved' }],
  });
  const { exitCode, stderr } = await moving.moveTo('--finish', '--yes');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/--force/) });
});

test('it is not taken back unasked when something newer is there, which is named and goes on', async () => {
  await moving.fresh.sh(
    'cd docker/registry/v2/repositories/team/app/_manifests/tags && cp -a 1.0 2.0',
    `${FOLDER}/registry/data`,
  );
  const { exitCode, stderr } = await moving.moveTo('--cancel', '--yes');
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/team\/app:2\.0/),
  });
  await vi.waitFor(async () => {
    expect(await moving.askFresh(`POST ${UPLOAD}`)).toEqual({ [`POST ${UPLOAD}`]: '202' });
  }, 10_000);
});

test.each(['--finish', '--cancel'])('%s of a move to another machine is refused', async (end) => {
  const { exitCode, stderr } = await moving.moveTo('root@192.0.2.1', end, '--yes', '--force');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(to) });
});

test('finished: the old one is stopped and keeps its images', async () => {
  const { exitCode, stdout } = await moving.moveTo('--finish', '--yes', '--force');
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/uninstall -- --purge/),
  });
  expect((await moving.old.compose('ps', '--quiet')).stdout).toBe('');
  expect(await moving.moveTo('--finish', '--yes')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('nothing runs'),
  });
  expect(await readdir(join(moving.old.root, 'registry/data/docker/registry/v2/repositories'))).toContain(
    'team',
  );
});

test('taken back all the same: the new one is stopped before this one may be started', async () => {
  await moving.fresh.sh(`mv ${FOLDER} /srv/elsewhere`);
  const emptied = await moving.moveTo('--cancel', '--yes');
  expect(emptied).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/no registry .* any more/) });
  await moving.fresh.sh(`mv /srv/elsewhere ${FOLDER}`);
  const { exitCode, stdout } = await moving.moveTo('--cancel', '--yes', '--force');
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/init-tls starts it/),
  });
  expect((await moving.fresh.run(['docker', 'ps', '--quiet'])).stdout).toBe('');
  expect(await moving.moveTo('--cancel', '--yes')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^Nothing is left to do/),
  });
  expect(existsSync(mark())).toBe(false);
});
