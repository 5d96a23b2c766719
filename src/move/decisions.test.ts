import { expect, test } from 'vitest';
import type { Inventory } from '../inventory/inventory.ts';
import { Secret } from '../secret.ts';
import type { Storage } from '../settings/storage.ts';
import type { Move } from '../stack/moved.ts';
import { addressProblems, addressWarnings, localAddresses } from './address.ts';
import { type Found, judgeOccupancy, type Occupancy } from './arrival.ts';
import { judgeAnswer, type Leads } from './name.ts';
import { chooseSamples } from './pull.ts';
import { storageProblems } from './storage.ts';
import { additions, differences, missing, surveyOf } from './survey.ts';

const move = (id: string, kind: Move['kind'] = 'coming'): Move => ({
  kind,
  id,
  other: 'old',
  folder: '/srv/moorage',
  since: new Date(0),
});

test.each<[string, Partial<Found>, Occupancy]>([
  ['an empty place', {}, 'free'],
  ['settings of somebody', { settings: true }, 'occupied'],
  ['images of somebody', { images: true }, 'occupied'],
  ['a copy that was begun', { settings: true, images: true, claimed: true, move: move('ours') }, 'copy'],
  [
    'where it was before it moved here',
    { settings: true, images: true, claimed: true, move: move('ours', 'gone') },
    'copy',
  ],
  ['a copy that is to go where somebody has images', { images: true, move: move('ours') }, 'occupied'],
  ['another registry on its way', { move: move('another') }, 'occupied'],
])('%s', (_, found, occupancy) => {
  const nothing: Found = { settings: false, images: false, claimed: false, move: undefined };
  expect(judgeOccupancy({ ...nothing, ...found }, 'ours')).toBe(occupancy);
});

const MOVED = '{"errors":[{"message":"writes are closed: this registry moves to another machine, or has"}]}';

test.each<[string, number, string, Leads]>([
  ['who has moved', 503, MOVED, 'here'],
  ['who takes writes of people with a login', 401, '{"errors":[]}', 'there'],
  ['one that collects just now', 503, 'writes are closed for a moment', 'nowhere'],
  ['somebody else', 404, 'not found', 'nowhere'],
  ['nobody', 0, 'ECONNREFUSED', 'nowhere'],
])('the name leads to %s', (_, status, body, leads) => {
  expect(judgeAnswer(status, body)).toBe(leads);
});

const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.0.0.0/24 2 0 2
        |-- 10.0.0.7
           /32 host LOCAL
        |-- 10.0.0.255
           /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
Local:
        |-- 10.0.0.7
           /32 host LOCAL
`;
const INET6 = `00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000007 02 40 00 80     eth0
`;

test('the addresses of a machine are its own, each once', () => {
  expect(localAddresses(TRIE, INET6)).toEqual(['10.0.0.7', '127.0.0.1', '::1', '2001:db8::7']);
});

test.each([
  ['every address', undefined, 'r.example', []],
  ['every address, said so', '::', 'r.example', []],
  ['one that is there', '10.0.0.7', 'r.example', []],
  ['one of the old machine', '192.0.2.1', 'r.example', ['BIND_ADDRESS']],
  ['a name that is an address of the old machine', undefined, '192.0.2.1', ['DOMAIN']],
])('binding to %s', (_, bindAddress, domain, wrong) => {
  const problems = addressProblems({ bindAddress, domain }, localAddresses(TRIE, INET6), 'root@new');
  expect(problems.map(({ input }) => input)).toEqual(wrong);
  for (const { message } of problems) expect(message).toMatch(/--set /);
});

const pushed = (day: number) => new Date(Date.UTC(2026, 6, day));
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const manifest = (letter: string, blobs: readonly { digest: string; bytes: number }[] = []) => ({
  digest: digest(letter),
  pushed: pushed(1),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  bytes: 100,
  blobs,
  manifests: [],
  subject: undefined,
});
const inventory: Inventory = {
  repositories: [
    {
      name: 'team/app',
      tags: [
        { name: '1.0', digest: digest('a'), pushed: pushed(1) },
        { name: '2.0', digest: digest('b'), pushed: pushed(2) },
      ],
      manifests: new Map([
        [digest('a'), manifest('a')],
        [
          digest('b'),
          manifest('b', [
            { digest: digest('1'), bytes: 10 },
            { digest: digest('2'), bytes: 1e9 },
          ]),
        ],
      ]),
      damaged: [digest('c')],
    },
    { name: 'only/an-upload', tags: [], manifests: new Map(), damaged: [] },
  ],
};

test('a folder that an upload left is no repository, and a damaged manifest counts', () => {
  expect(surveyOf(inventory)).toEqual([
    {
      name: 'team/app',
      tags: { '1.0': digest('a'), '2.0': digest('b') },
      manifests: [digest('a'), digest('b'), digest('c')],
    },
  ]);
});

test('what differs is named, and what is more there is told apart', () => {
  const here = surveyOf(inventory);
  expect(differences(here, here)).toEqual([]);
  const there = [
    {
      name: 'team/app',
      tags: { '1.0': digest('a'), '3.0': digest('a') },
      manifests: [digest('a'), digest('c')],
    },
  ];
  expect(differences(here, there)).toEqual(['team/app:2.0', 'team/app:3.0', `team/app@${digest('b')}`]);
  expect(additions(here, there)).toEqual(['team/app:3.0']);
  expect(missing(here, there)).toEqual(['team/app:2.0', `team/app@${digest('b')}`]);
  expect(
    additions(here, [{ ...there[0], name: 'team/app', tags: { '1.0': digest('b') }, manifests: [] }]),
  ).toEqual(['team/app:1.0']);
});

test('the newest image of a repository is pulled, with what of it is small', () => {
  expect(chooseSamples(inventory, surveyOf(inventory))).toEqual([
    { repository: 'team/app', tag: '2.0', digest: digest('b'), blobs: [digest('1')] },
  ]);
});

test('what was pushed to a tag there since is not missing, and what was deleted there is not pulled', () => {
  const there = [
    {
      name: 'team/app',
      tags: { '1.0': digest('a'), '2.0': digest('d') },
      manifests: [digest('a'), digest('d')],
    },
  ];
  expect(missing(surveyOf(inventory), there)).toEqual([`team/app@${digest('b')}`, `team/app@${digest('c')}`]);
  expect(chooseSamples(inventory, there)).toMatchObject([{ tag: '1.0', digest: digest('a') }]);
  expect(chooseSamples(inventory, [])).toEqual([]);
});

const bucket = {
  kind: 's3',
  endpoint: undefined,
  region: 'eu-central-1',
  bucket: 'images',
  accessKey: 'key',
  secretKey: new Secret('secret'),
  rootDirectory: 'registry',
  pathStyle: false,
  redirect: false,
  trust: undefined,
} as const;
const disk = { kind: 'filesystem' } as const;

test.each<[string, Storage, Storage, readonly string[]]>([
  ['from disk to disk', disk, disk, []],
  ['with a bucket by another address of it', bucket, { ...bucket, region: 'auto' }, []],
  ['out of a bucket', bucket, disk, ['STORAGE']],
  ['into a bucket', disk, bucket, ['STORAGE']],
  ['from bucket to bucket', bucket, { ...bucket, bucket: 'others' }, ['S3_BUCKET']],
  ['to another place in the bucket', bucket, { ...bucket, rootDirectory: '' }, ['S3_ROOT_DIRECTORY']],
])('a move %s', (_, here, there, wrong) => {
  expect(storageProblems({ storage: here }, { storage: there }).map(({ input }) => input)).toEqual(wrong);
});

test.each<[string, string | undefined, string, RegExp[]]>([
  ['a name and any address', undefined, 'registry.example.com', []],
  ['this machine’s own address alone', '127.0.0.1', 'registry.example.com', [/BIND_ADDRESS is 127\.0\.0\.1/]],
  ['a name that means whoever says it', undefined, 'localhost', [/^localhost leads every client to itself/]],
])('of %s it is said beforehand who would not get there', (_, bindAddress, domain, said) => {
  expect(addressWarnings({ bindAddress, domain })).toEqual(said.map((each) => expect.stringMatching(each)));
});
