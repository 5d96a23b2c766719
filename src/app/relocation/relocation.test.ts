import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeEngine } from '../../../test/support/fake-engine.ts';
import type { Teller } from '../../cli/story.ts';
import { paths } from '../../paths.ts';
import { begunIn, noteBegun } from '../../relocation/begun.ts';
import { isMarkedNew, markNew } from '../../relocation/marks.ts';
import { loadSettings } from '../../settings/load.ts';
import { OLD_MARK } from '../../storage/old-places.ts';
import type { Run } from '../../system/processes.ts';
import { type App, openJournal } from '../app.ts';
import { relocate } from './relocation.ts';

const TAG = 'docker/registry/v2/repositories/app/_manifests/tags';
const WELL = { exitCode: 0, stdout: '', stderr: '' };

let app: App;
let root: string;
let [from, to] = ['', ''];
let engine: FakeEngine;
/** What somebody else does right after a step. */
let meanwhile: Readonly<Record<string, () => Promise<void>>>;
let sync: Awaited<ReturnType<Run>>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'relocation-'));
  [from, to] = [join(root, 'registry/data'), join(root, 'new')];
  const clock = new FakeClock(new Date().toISOString());
  const run: Run = async (command) => (command === 'sync' ? sync : WELL);
  app = { paths: paths(root), clock, run, owner: '0:0', environment: {} };
  [engine, meanwhile, sync] = [new FakeEngine(), {}, WELL];
  // Nobody listens there: whatever asks the registry fails.
  await writeFile(app.paths.envFile, 'TLS_ISSUER=none\nAUTH=registry\nHTTP_PORT=1\n');
  await push(from, '1');
});

async function push(place: string, tag: string): Promise<void> {
  const file = join(place, TAG, tag, 'current/link');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `sha256:${tag}`);
}

async function serve(folder: string): Promise<void> {
  const mounts = [{ source: folder, destination: '/var/lib/registry' }];
  const registry = { id: 'registry', name: 'registry', running: true, networks: [], mounts };
  engine.running = [{ ...registry, project: 'moorage', workingDirectory: root }];
}

async function move(forget = false) {
  const teller: Teller = {
    step: async (title, work) => {
      const { value } = await work(() => undefined);
      await meanwhile[title]?.();
      return value;
    },
    stepFor: async () => undefined,
  };
  const settings = await loadSettings(app.paths, app.environment);
  return relocate(app, settings, engine, { from, to, wait: 0, allowDamaged: false, forget }, teller);
}

const folder = async () => (await loadSettings(app.paths, app.environment)).registryDataDirectory;
const linkOf = (place: string, tag: string) => readFile(join(place, TAG, tag, 'current/link'), 'utf8');
const interrupted = () => openJournal(app, 'storage').interrupted();

test('a stack that is down is moved as it is: the new place is named, the old one says that it is one', async () => {
  await move();
  expect(await folder()).toBe(to);
  expect(await linkOf(to, '1')).toBe('sha256:1');
  expect(await readFile(join(from, OLD_MARK), 'utf8')).toContain(to);
  expect(await interrupted()).toBeUndefined();
});

test('one that somebody starts meanwhile is not moved on without closing its writes', async () => {
  meanwhile = { Blobs: () => serve(from) };
  await expect(move()).rejects.toMatchObject({ code: 'registry-down' });
  expect(await folder()).toBe(from);
});

test('what is pushed to one that somebody starts on the new place meanwhile is not taken away', async () => {
  meanwhile = {
    Blobs: async () => {
      await serve(to);
      await push(to, '2');
    },
  };
  await move();
  expect(await linkOf(to, '2')).toBe('sha256:2');
});

test('a new disk that does not take what is written to it is named, the old place stays, and the next run goes on', async () => {
  sync = { ...WELL, exitCode: 1, stderr: `sync: error syncing '${to}': Input/output error` };
  await expect(move()).rejects.toMatchObject({
    code: 'not-written',
    message: expect.stringContaining('Input/output error'),
  });
  expect(await folder()).toBe(from);
  sync = WELL;
  await move();
  expect(await folder()).toBe(to);
});

test('a move that is noted has its mark: a kill between both leaves a folder that the next run knows', async () => {
  const { journals } = app.paths;
  meanwhile = { Places: () => writeFile(journals, 'in the way of the journal') };
  await mkdir(dirname(journals), { recursive: true });
  await expect(move()).rejects.toThrow('EEXIST');
  await rm(journals);
  expect(await isMarkedNew(to, { checkout: root, from })).toBe(true);
  expect(begunIn(await interrupted())).toBeUndefined();
  meanwhile = {};
  await move();
  expect(await folder()).toBe(to);
});

test.each<[string, string]>([
  ['copied', 'Blobs'],
  ['compared', 'Compared'],
])('an old disk that goes away after it was %s is missed: no empty place is switched to', async (_, step) => {
  meanwhile = { [step]: () => rename(from, `${from} elsewhere`) };
  await expect(move()).rejects.toMatchObject({ code: 'no-images' });
  expect(await folder()).toBe(from);
  expect(await linkOf(to, '1')).toBe('sha256:1'); // not taken away like what is in the old place no more
  await rename(`${from} elsewhere`, from);
  meanwhile = {};
  await move();
  expect(await linkOf(to, '1')).toBe('sha256:1');
});

test('a new disk that goes away on the way is missed: nothing is copied to the folder below it', async () => {
  const away = async () => {
    await rename(to, `${to} elsewhere`);
    await mkdir(to);
  };
  meanwhile = { Blobs: away };
  await expect(move()).rejects.toMatchObject({ code: 'copy-missing' });
  meanwhile = {};
  await expect(move()).rejects.toMatchObject({ code: 'copy-missing' });
  await serve(from);
  await expect(move()).rejects.toMatchObject({ code: 'copy-missing' });
  expect(await readdir(to)).toEqual([]);
  expect(await folder()).toBe(from);
});

test('when the new place may have been served first outlives a run that is cut off', async () => {
  const journal = openJournal(app, 'storage');
  await noteBegun(journal, { from, to, compared: 0 }, 'copy');
  const since = (await interrupted())?.since;
  await app.clock.sleep(60_000);
  await mkdir(to);
  await markNew(to, { checkout: root, from });
  sync = { ...WELL, exitCode: 1 };
  await expect(move()).rejects.toMatchObject({ code: 'not-written' });
  expect((await interrupted())?.since).toEqual(since);
});

test('what the old place got last is not given up when its disk is missing, unless told', async () => {
  await push(to, '1');
  await noteBegun(openJournal(app, 'storage'), { from, to, compared: Date.now() }, 'prove');
  await rename(from, `${from} elsewhere`);
  await expect(move()).rejects.toMatchObject({
    code: 'no-images',
    remedy: expect.stringContaining('move --forget'),
  });
  await move(true);
  expect(await folder()).toBe(to);
  expect(await interrupted()).toBeUndefined();
});

test('so it is of one that somebody started on a copy that was not whole', async () => {
  await push(to, '1');
  await markNew(to, { checkout: root, from });
  await noteBegun(openJournal(app, 'storage'), { from, to, compared: 0 }, 'copy');
  await rename(from, `${from} elsewhere`);
  await serve(to);
  await expect(move()).rejects.toMatchObject({ remedy: expect.stringContaining('move --forget') });
  await move(true);
  expect(await interrupted()).toBeUndefined();
});

test('parts that a kill left on the old place are started anew with the rest', async () => {
  await push(to, '1');
  await serve(to);
  const [registry] = engine.running;
  engine.containers.ofProject = async () => (registry === undefined ? [] : [registry]);
  await noteBegun(openJournal(app, 'storage'), { from, to, compared: Date.now() }, 'switch');
  const asked: string[] = [];
  app = {
    ...app,
    run: async (command, args) => {
      asked.push([command, ...args].join(' '));
      return WELL;
    },
  };
  await expect(move()).rejects.toMatchObject({ code: 'registry-down' }); // nobody listens here
  expect(asked).toContainEqual(expect.stringMatching(/^docker compose .* up .*--detach registry$/));
});

test('an old place that goes away at the very end is said to be one once it is back', async () => {
  meanwhile = { Late: () => rename(from, `${from} elsewhere`) };
  await expect(move()).rejects.toMatchObject({ code: 'no-images' });
  expect(await folder()).toBe(to);
  await rename(`${from} elsewhere`, from);
  meanwhile = {};
  await move();
  expect(await readFile(join(from, OLD_MARK), 'utf8')).toContain(to);
});
