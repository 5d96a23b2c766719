import { mkdir, mkdtemp, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeEngine } from '../../../test/support/fake-engine.ts';
import { paths } from '../../paths.ts';
import { noteBegun } from '../../relocation/begun.ts';
import { isMarkedNew, markNew, markOld } from '../../relocation/marks.ts';
import { loadSettings } from '../../settings/load.ts';
import { readOldPlaces, writeOldPlaces } from '../../storage/old-places.ts';
import { type Run, run } from '../../system/processes.ts';
import { type App, openJournal } from '../app.ts';
import { cancelMove, dropPlace, expectDroppable, forgetGone } from './choice.ts';

const TAG = 'docker/registry/v2/repositories/app/_manifests/tags';

let app: App & { readonly clock: FakeClock };
let root: string;
let [from, to] = ['', ''];
const engine = new FakeEngine();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'choice-'));
  [from, to] = [join(root, 'old'), join(root, 'new')];
  app = {
    paths: paths(root),
    clock: new FakeClock(new Date().toISOString()),
    run,
    owner: '0:0',
    environment: {},
  };
  engine.running = [];
  await push(from, '1');
  await push(to, '1');
  await markNew(to, { checkout: root, from });
});

async function push(place: string, tag: string): Promise<void> {
  const file = join(place, TAG, tag, 'current/link');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `sha256:${tag}`);
}

async function name(folder: string) {
  await writeFile(app.paths.envFile, `REGISTRY_DATA_DIR=${folder}\n`);
  return loadSettings(app.paths, app.environment);
}

const expectNames = async (folder: string) =>
  expect(await readFile(app.paths.envFile, 'utf8')).toContain(`REGISTRY_DATA_DIR=${folder}\n`);
const cancel = async (folder: string) => cancelMove(app, await name(folder), engine, () => undefined);
const linkOf = (place: string, tag: string) => readFile(join(place, TAG, tag, 'current/link'), 'utf8');

test('what the new place got while it served is brought back before its images go', async () => {
  const before = Date.now() - 60_000;
  await noteBegun(openJournal(app, 'storage'), { from, to, compared: before }, 'prove');
  await push(to, '2');
  expect(await cancel(to)).toMatchObject({ changed: true });
  expect(await linkOf(from, '2')).toBe('sha256:2');
  await expect(linkOf(to, '2')).rejects.toThrow('ENOENT');
  expect(await readFile(app.paths.envFile, 'utf8')).toContain(`REGISTRY_DATA_DIR=${from}`);
});

test('so it is where somebody started the registry on a copy that was not whole', async () => {
  await noteBegun(openJournal(app, 'storage'), { from, to, compared: 0 }, 'copy');
  await push(to, '2');
  await cancel(to);
  expect(await linkOf(from, '2')).toBe('sha256:2');
});

test('so it is where .env names the old place again', async () => {
  await noteBegun(openJournal(app, 'storage'), { from, to, compared: 0 }, 'copy');
  await push(to, '2');
  await cancel(from);
  expect(await linkOf(from, '2')).toBe('sha256:2');
});

test('a tag that was deleted meanwhile does not come back from a copy that never served', async () => {
  await push(to, '2');
  await utimes(join(to, TAG, '2', 'current/link'), 1, 1); // a copy has the time of what it is made from
  await noteBegun(openJournal(app, 'storage'), { from, to, compared: 0 }, 'copy');
  await cancel(from);
  await expect(linkOf(from, '2')).rejects.toThrow('ENOENT');
});

test('a move whose notes can’t be read keeps nobody from anything once it is given up', async () => {
  await openJournal(app, 'storage').begin();
  expect(await cancel(from)).toMatchObject({ changed: true });
  expect(await openJournal(app, 'storage').interrupted()).toBeUndefined();
  expect(await linkOf(to, '1')).toBe('sha256:1');
});

test('where the old place is gone for good the move is given up, and what was copied is kept', async () => {
  const gone = join(root, 'gone');
  await noteBegun(openJournal(app, 'storage'), { from: gone, to, compared: 0 }, 'copy');
  await markNew(to, { checkout: root, from: gone });
  await expect(cancel(gone)).rejects.toMatchObject({ remedy: expect.stringContaining('cancel --forget') });
  const { summary } = await cancelMove(app, await name(gone), engine, () => undefined, true);
  expect(summary).toContain(`what was copied stays in ${to}`);
  expect(await linkOf(to, '1')).toBe('sha256:1');
  expect(await isMarkedNew(to, { checkout: root, from: gone })).toBe(false); // it may be served as it is
  expect(await openJournal(app, 'storage').interrupted()).toBeUndefined();
});

test('a copy stays where the old place has no images to go back to', async () => {
  await noteBegun(openJournal(app, 'storage'), { from: join(root, 'gone'), to, compared: 0 }, 'copy');
  await markNew(to, { checkout: root, from: join(root, 'gone') });
  await expect(cancel(from)).rejects.toMatchObject({ code: 'no-images' });
  expect(await linkOf(to, '1')).toBe('sha256:1');
});

test('what has come to its last step is not given up: the old place says already that it is one', async () => {
  await noteBegun(openJournal(app, 'storage'), { from, to, compared: Date.now() }, 'leave');
  await markOld({ folder: from, to, moved: new Date(), bytes: 1 }, root);
  await expect(cancel(to)).rejects.toMatchObject({ code: 'moved-already' });
  expect(await linkOf(to, '1')).toBe('sha256:1');
});

test('a new place that is missing may have what is nowhere else: only who says so goes on without it', async () => {
  const gone = join(root, 'not mounted');
  await noteBegun(openJournal(app, 'storage'), { from, to: gone, compared: Date.now() }, 'prove');
  await expect(cancel(gone)).rejects.toMatchObject({ code: 'copy-missing' });
  await expectNames(gone);
  await cancelMove(app, await name(gone), engine, () => undefined, true);
  await expectNames(from);
});

test('an old place that is there is not forgotten with one that is gone for good', async () => {
  const there = { folder: from, to, moved: new Date(), bytes: 1 };
  const gone = { ...there, folder: join(root, 'gone') };
  await markOld(there, root);
  await mkdir(app.paths.state);
  await writeOldPlaces(app.paths.oldPlaces, [there, gone]);
  expect(await forgetGone(app.paths.oldPlaces)).toEqual([gone]);
  expect(await readOldPlaces(app.paths.oldPlaces)).toEqual([there]);
});

test('an old place is not dropped that serves under another name', async () => {
  const old = { folder: from, to, moved: new Date(), bytes: 1 };
  await markOld(old, root);
  await symlink('old', join(root, 'link'));
  const settings = await name(join(root, 'link'));
  await expect(expectDroppable(app, settings, engine, old)).rejects.toMatchObject({ code: 'in-use' });
});

test('an old place is not dropped that something was pushed to after it was one', async () => {
  const old = { folder: from, to, moved: new Date(Date.now() - 1000), bytes: 1 };
  await markOld(old, root);
  await expect(expectDroppable(app, await name(to), engine, old)).rejects.toMatchObject({
    code: 'newer-there',
    message: expect.stringContaining(TAG),
  });
});

test.each([
  ['stopped', false, ['up', '--no-start']],
  ['running', true, ['up', '--detach']],
])(
  'parts that are %s and made for the copy are made for the old place before that goes',
  async (_, running, words) => {
    await noteBegun(openJournal(app, 'storage'), { from, to, compared: Date.now() }, 'switch');
    engine.containers.ofProject = async () => [
      {
        id: 'gate',
        name: 'gate',
        running,
        project: 'moorage',
        workingDirectory: root,
        networks: [],
        mounts: [{ source: to, destination: '/var/lib/registry' }],
      },
    ];
    const asked: string[][] = [];
    const compose: Run = async (command, args) => {
      if (command === 'docker') asked.push([...args, await linkOf(to, '1')]);
      return { exitCode: 0, stdout: '', stderr: '' };
    };
    const cancelled = cancelMove({ ...app, run: compose }, await name(to), engine, () => undefined);
    if (running)
      await expect(cancelled).rejects.toMatchObject({ code: 'registry-down' }); // nobody listens here
    else await cancelled;
    expect(asked[0]).toEqual(expect.arrayContaining([...words, 'sha256:1']));
    await expectNames(from);
  },
);

test('an old place that is in use again by the time somebody agrees is not dropped', async () => {
  const old = { folder: from, to, moved: new Date(Date.now() + 60_000), bytes: 1 };
  await markOld(old, root);
  await name(from);
  await expect(dropPlace(app, engine, old)).rejects.toMatchObject({ code: 'in-use' });
  expect(await linkOf(from, '1')).toBe('sha256:1');
  await name(to);
  await mkdir(app.paths.state);
  await dropPlace(app, engine, old);
  await expect(linkOf(from, '1')).rejects.toThrow('ENOENT');
});
