import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import {
  blobPath,
  layerLink,
  onDisk,
  repositoryFolder,
  revisionLink,
  tagLink,
} from '../../inventory/layout.ts';
import { paths } from '../../paths.ts';
import { loadSettings } from '../../settings/load.ts';
import { Leavings } from './leavings.ts';

const PLACE = 'moorage/doctor';
const OURS = 'a'.repeat(64);
const THEIRS = 'b'.repeat(64);

let root: string;
let open: () => Promise<Leavings>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'leavings-'));
  const places = paths(root);
  await mkdir(places.state, { recursive: true });
  const settings = await loadSettings(places, {});
  const clock = new FakeClock('2026-11-21T12:00:00Z');
  const asRegistry = async () => undefined;
  open = async () => new Leavings({ paths: places, settings, clock }, PLACE, asRegistry);
});

afterEach(() => rm(root, { recursive: true, force: true }));

const file = (path: string) => onDisk(join(root, 'registry/data'), path);
const has = (path: string) => existsSync(file(path));

/** As distribution keeps an image of one blob. */
async function place(repository: string, hex: string, tag: string): Promise<void> {
  const files = [
    blobPath(hex),
    layerLink(repository, hex),
    revisionLink(repository, hex),
    tagLink(repository, tag),
  ];
  for (const path of files) {
    await mkdir(dirname(file(path)), { recursive: true });
    await writeFile(file(path), `sha256:${hex}`);
  }
}

test('what a killed run has pushed is taken away by the next, with the repository', async () => {
  await (await open()).note(`sha256:${OURS}`);
  await place(PLACE, OURS, 'doctor');
  await place('team/app', THEIRS, 'v1');
  await mkdir(file(`${repositoryFolder(PLACE)}/_uploads/1`), { recursive: true });
  await (await open()).sweep();
  expect([blobPath(OURS), repositoryFolder(PLACE)].filter(has)).toEqual([]);
  expect([blobPath(THEIRS), tagLink('team/app', 'v1')].filter(has)).toHaveLength(2);
  expect(existsSync(join(root, 'var/doctor.json'))).toBe(false);
});

test('what somebody else has put into its repository stays', async () => {
  await (await open()).note(`sha256:${OURS}`);
  await place(PLACE, OURS, 'doctor');
  await place(PLACE, THEIRS, 'v1');
  await (await open()).sweep();
  expect(has(blobPath(OURS))).toBe(false);
  expect([blobPath(THEIRS), layerLink(PLACE, THEIRS), tagLink(PLACE, 'v1')].filter(has)).toHaveLength(3);
});

test('without a note nothing is touched', async () => {
  await place(PLACE, OURS, 'doctor');
  await (await open()).sweep();
  expect(has(blobPath(OURS))).toBe(true);
});
