import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { PLAIN_UNIT as facts } from '../../test/support/unit-facts.ts';
import type { Run } from '../system/processes.ts';
import {
  expectServiceManager,
  installUnit,
  refreshUnit,
  type ServiceManager,
  uninstallUnit,
} from './install-unit.ts';
import { type UnitFacts, unitText } from './unit.ts';

const UNIT = 'moorage-renewer.service';
const STARTED = '2126-11-21 08:00:00 UTC';

let folder: string;
let manager: ServiceManager;
/** What systemctl was told, without the questions. */
let told: string[];
let stays: boolean;
let up: boolean;
let started: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unit-'));
  for (const place of ['units', 'run/systemd/system', 'run/moorage-renewer'])
    await mkdir(join(folder, place), { recursive: true });
  manager = {
    run,
    clock: new FakeClock('2026-11-21T08:00:00Z'),
    root: true,
    units: join(folder, 'units'),
    runtime: join(folder, 'run'),
    lastChange: async () => Date.parse('2026-11-21T08:00:00.700Z'),
  };
  [told, stays, up, started] = [[], true, false, STARTED];
});

/** systemd with one unit: it starts, and stays up or not. */
const run: Run = async (program, args) => {
  const answer = (exitCode: number, stdout = '') => ({ exitCode, stdout, stderr: '' });
  if (program === 'journalctl') return answer(0, 'DOMAIN: "-" is not a host name\n');
  const [verb = ''] = args;
  if (verb === 'is-active' || verb === 'is-enabled') return answer(up ? 0 : 3);
  if (verb === 'show') return answer(0, `Thu ${started}\n`);
  told.push(args.join(' '));
  if (verb === 'restart') {
    up = stays;
    await writeFile(join(folder, 'run/moorage-renewer/last-tick'), '');
  }
  return answer(0);
};

const quiet = () => undefined;
const install = (some: Partial<UnitFacts> = {}) => installUnit(manager, { ...facts, ...some }, quiet);
const installed = () => readFile(join(folder, 'units', UNIT), 'utf8');

test('installing writes the unit, then starts it and has it start at boot', async () => {
  expect(await install()).toMatchObject({ changed: true, summary: `${UNIT} installed and active` });
  expect(await installed()).toBe(unitText(facts));
  expect(told).toEqual(['daemon-reload', `enable ${UNIT}`, `restart ${UNIT}`]);
});

test('installed again as it is, nothing is touched', async () => {
  await install();
  told = [];
  expect(await install()).toMatchObject({ changed: false });
  expect(told).toEqual([]);
});

test.each<[string, () => void, Partial<UnitFacts>, string[]]>([
  ['whose text is another one', () => {}, { engineGroup: 'docker' }, ['daemon-reload']],
  [
    'that does not run',
    () => {
      up = false;
    },
    {},
    [],
  ],
  [
    'that is older than the settings',
    () => {
      started = '2026-11-21 07:59:59 UTC';
    },
    {},
    [],
  ],
])('a unit %s is started anew', async (_, disturb, some, first) => {
  await install();
  told = [];
  disturb();
  expect(await install(some)).toMatchObject({ changed: true, summary: `${UNIT} started anew and active` });
  expect(told).toEqual([...first, `enable ${UNIT}`, `restart ${UNIT}`]);
});

test('a unit that started in the second of the last change is not taken for older', async () => {
  started = '2026-11-21 08:00:00 UTC';
  await install();
  expect(await install()).toMatchObject({ changed: false });
});

test('a new unit that does not stay up is taken away again, and its log is shown', async () => {
  stays = false;
  await expect(install()).rejects.toMatchObject({
    code: 'unit-broken',
    message: expect.stringContaining('DOMAIN: "-" is not a host name'),
  });
  expect(await readdir(join(folder, 'units'))).toEqual([]);
  expect(told.slice(-3)).toEqual([`disable --now ${UNIT}`, 'daemon-reload', `reset-failed ${UNIT}`]);
});

test('one that worked before stays where it is: systemd goes on trying', async () => {
  await install();
  stays = false;
  await expect(install({ engineGroup: 'docker' })).rejects.toMatchObject({ code: 'unit-broken' });
  expect(await installed()).toContain('SupplementaryGroups=docker');
});

test('a daemon that is still at its first look after a minute counts as started', async () => {
  manager = { ...manager, runtime: join(folder, 'elsewhere') };
  expect(await install()).toMatchObject({ changed: true });
});

test('a unit of another checkout, or of somebody else, is neither overwritten nor removed', async () => {
  await writeFile(join(folder, 'units', UNIT), unitText({ ...facts, checkout: '/srv/other' }));
  for (const attempt of [install, () => uninstallUnit(manager, facts)])
    await expect(attempt()).rejects.toMatchObject({ code: 'unit-taken' });
  expect(await installed()).toContain('/srv/other');
  expect(told).toEqual([]);
});

test('uninstalling takes away what was installed, and the second time nothing', async () => {
  await install();
  told = [];
  expect(await uninstallUnit(manager, facts)).toMatchObject({ changed: true });
  expect(await readdir(join(folder, 'units'))).toEqual([]);
  expect(told).toEqual([`disable --now ${UNIT}`, 'daemon-reload', `reset-failed ${UNIT}`]);
  expect(await uninstallUnit(manager, facts)).toMatchObject({ changed: false });
});

test('init-tls brings a unit up to date as root, and tells others how', async () => {
  await install();
  const newer = async () => ({ ...facts, engineGroup: 'docker' });
  const ordinary = { ...manager, root: false };
  expect(await refreshUnit(ordinary, facts, newer, quiet)).toMatchObject({
    changed: false,
    summary: expect.stringContaining('run sudo env "PATH=$PATH" npm run daemon -- --install'),
  });
  expect(await refreshUnit(manager, facts, newer, quiet)).toMatchObject({ changed: true });
  expect(await refreshUnit(ordinary, facts, newer, quiet)).toMatchObject({ summary: `${UNIT} is active` });
});

test('where another supervisor runs the daemon, init-tls neither installs a unit nor asks who owns what', async () => {
  const gather = () => Promise.reject(new Error('asked'));
  expect(await refreshUnit(manager, facts, gather, quiet)).toMatchObject({ changed: false });
  expect(await readdir(join(folder, 'units'))).toEqual([]);
});

test('without systemd: exit 1 with what does the same', async () => {
  const elsewhere = { runtime: join(folder, 'elsewhere'), root: true };
  await expect(expectServiceManager(elsewhere, '/srv/moorage', '--install')).rejects.toMatchObject({
    code: 'no-systemd',
    remedy: expect.stringMatching(/docker compose up -d.*\/srv\/moorage.*scripts\/start\.mjs daemon/s),
  });
});

test('without root: exit 1 with the command', async () => {
  const ordinary = { ...manager, root: false };
  await expect(expectServiceManager(ordinary, '/srv/moorage', '--uninstall')).rejects.toMatchObject({
    code: 'root-needed',
    remedy: 'Run: sudo env "PATH=$PATH" npm run daemon -- --uninstall',
  });
  await expectServiceManager(manager, '/srv/moorage', '--install');
});

test('systemd’s own complaint is passed on', async () => {
  const refusing: Run = async (_, args) =>
    args[0] === 'enable'
      ? { exitCode: 1, stdout: '', stderr: 'Failed to enable unit' }
      : run('systemctl', args);
  await expect(installUnit({ ...manager, run: refusing }, facts, quiet)).rejects.toMatchObject({
    code: 'systemd-failed',
    message: `systemctl enable ${UNIT} failed: Failed to enable unit`,
  });
});
