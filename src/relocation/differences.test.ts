import { expect, test } from 'vitest';
import { differences, digestIn, lateArrivals } from './differences.ts';
import type { Scan } from './scan.ts';

const HEX = 'a'.repeat(64);
const BLOB = `docker/registry/v2/blobs/sha256/aa/${HEX}/data`;
const APP = 'docker/registry/v2/repositories/app';
const LINK = `${APP}/_manifests/tags/1/current/link`;

/** Files as [path, bytes, written]; folders are those above them, and more. */
function scanOf(files: readonly (readonly [string, number, number])[], ...more: string[]): Scan {
  const above = (path: string): string[] => {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    return parent === '' ? [] : [...above(parent), parent];
  };
  const folders = [...files.flatMap(([path]) => above(path)), ...more];
  return {
    files: new Map(files.map(([path, bytes, written]) => [path, { bytes, written }])),
    folders: new Set(folders.sort()),
    halves: [],
    bytes: 0,
  };
}

test('an empty place gets everything, folders before what is in them', () => {
  const from = scanOf([
    [LINK, 71, 1],
    [BLOB, 500, 1],
  ]);
  const found = differences(from, scanOf([]));
  expect(found).toMatchObject({ copy: [BLOB, LINK], remove: [], bytes: 571 });
  expect(found.folders.indexOf(APP)).toBeLessThan(found.folders.indexOf(`${APP}/_manifests`));
});

test.each<[string, [string, number, number], readonly string[]]>([
  ['the same', [LINK, 71, 1000], []],
  ['the same, but for what a double loses of its time', [LINK, 71, 1000.0005], []],
  ['written again', [LINK, 71, 1001], [LINK]],
  ['of another length', [LINK, 0, 1000], [LINK]],
])('a link that is %s', (_, there, copied) => {
  expect(differences(scanOf([[LINK, 71, 1000]]), scanOf([there])).copy).toEqual(copied);
});

test.each<[string, [string, number, number], readonly string[]]>([
  ['of another time: it never changes', [BLOB, 500, 7], []],
  ['cut off', [BLOB, 499, 1], [BLOB]],
])('a blob that is %s', (_, there, copied) => {
  expect(differences(scanOf([[BLOB, 500, 1]]), scanOf([there])).copy).toEqual(copied);
});

test('what was deleted meanwhile goes, each folder once and with all that is in it', () => {
  const to = scanOf([
    [LINK, 71, 1],
    [BLOB, 500, 1],
  ]);
  const from = scanOf([[BLOB, 500, 1]], 'docker/registry/v2/repositories');
  expect(differences(from, to)).toMatchObject({ copy: [], remove: [APP] });
});

test('an empty folder is a tag to whoever lists folders: it comes and goes, too', () => {
  const folder = `${APP}/_manifests/tags/gone`;
  const [with_, without] = [scanOf([[LINK, 71, 1]], folder), scanOf([[LINK, 71, 1]])];
  expect(differences(with_, without).folders).toEqual([folder]);
  expect(differences(without, with_).remove).toEqual([folder]);
});

test('after a kill only what the old place got since comes along, and what is newer in the new one stays', () => {
  const newer = `${APP}/_manifests/tags/2/current/link`;
  const from = scanOf([
    [BLOB, 500, 200],
    [LINK, 71, 300],
    [newer, 71, 150],
    [`${APP}/_layers/sha256/deleted/link`, 71, 50],
  ]);
  const to = scanOf([
    [LINK, 71, 100],
    [newer, 71, 400],
    [`${APP}/_layers/sha256/only-new/link`, 71, 400],
  ]);
  expect(lateArrivals(from, to, 120)).toMatchObject({ copy: [BLOB, LINK], remove: [] });
});

test('a blob whose upload was begun before and ended after comes along, though nothing wrote to it since', () => {
  const from = scanOf([
    [BLOB, 500, 100],
    [`${APP}/_layers/sha256/${HEX}/link`, 71, 300],
  ]);
  expect(lateArrivals(from, scanOf([]), 200).copy).toEqual([BLOB, `${APP}/_layers/sha256/${HEX}/link`]);
  expect(lateArrivals(from, from, 200).copy).toEqual([]);
});

test('a link that a machine which lost power left cut off is copied once more', () => {
  const cut = scanOf([[LINK, 0, 300]]);
  expect(lateArrivals(scanOf([[LINK, 71, 300]]), cut, 0).copy).toEqual([LINK]);
  expect(lateArrivals(scanOf([[LINK, 71, 300]]), scanOf([[LINK, 71, 300]]), 0).copy).toEqual([]);
});

test('and never takes the place of a whole one', () => {
  const whole = scanOf([[LINK, 71, 300]]);
  expect(lateArrivals(scanOf([[LINK, 0, 300]]), whole, 0).copy).toEqual([]);
  expect(lateArrivals(scanOf([[LINK, 0, 400]]), whole, 0).copy).toEqual([]);
});

test.each([
  [BLOB, { algorithm: 'sha256', hex: HEX }],
  [
    BLOB.replace('sha256', 'sha512').replace(HEX, 'b'.repeat(128)),
    { algorithm: 'sha512', hex: 'b'.repeat(128) },
  ],
  [LINK, undefined],
  [`${BLOB}.moorage-copy`, undefined],
])('%s is named after %j', (path, named) => {
  expect(digestIn(path)).toEqual(named);
});
