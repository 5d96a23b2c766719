import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import {
  archivePieces,
  filesOf,
  listFor,
  type Piece,
  savedImage,
  tarOf,
} from '../../test/support/image-archive.ts';
import { isListed } from './archive-list.ts';
import { surveyArchive } from './archive-survey.ts';
import { loadImages, missingOf } from './load-archive.ts';
import { expectArchive, openArchive } from './read-archive.ts';

const registry = savedImage('registry', 'registry:2.8.3', 'a layer of the registry');
const nginx = savedImage('nginx', 'moorage/nginx:1.26', 'a layer of nginx');
const both = [registry, nginx];
const silent = () => undefined;

let folder: string;
let file: string;
let engine: FakeEngine;
/** What the engine was given. */
let given: ReadonlyMap<string, string>[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-'));
  file = join(folder, 'images.tar');
  engine = new FakeEngine();
  given = [];
  engine.loads = async (archive) => {
    const files = await filesOf(archive);
    given.push(files);
    for (const { RepoTags } of JSON.parse(files.get('manifest.json') ?? '[]'))
      for (const image of both)
        if (RepoTags.includes(image.listed.reference)) engine.has(image.listed.reference, image.facts);
  };
});

afterEach(() => rm(folder, { recursive: true }));

async function load(pieces: readonly Piece[] | Buffer, wanted = both): Promise<void> {
  await writeFile(file, Buffer.isBuffer(pieces) ? pieces : await tarOf(pieces));
  const archive = await expectArchive(file);
  const references = wanted.map(({ listed }) => listed.reference);
  const listed = archive.list.images.filter(({ reference }) => references.includes(reference));
  await loadImages(engine, archive, listed, silent);
}

async function expectRefused(pieces: readonly Piece[] | Buffer, code: string, about: RegExp): Promise<void> {
  await expect(load(pieces)).rejects.toMatchObject({ code, message: expect.stringMatching(about) });
  expect(given).toEqual([]);
}

const withContent = (name: RegExp, content: string) =>
  archivePieces(both).map((piece) => (name.test(piece.name) ? { ...piece, content } : piece));

test('the engine gets the images that are wanted, under their names, and nothing else', async () => {
  await load(archivePieces(both), [nginx]);
  const [files] = given;
  expect(JSON.parse(files?.get('manifest.json') ?? '')).toMatchObject([{ RepoTags: ['moorage/nginx:1.26'] }]);
  expect([...(files?.values() ?? [])]).toContain('a layer of nginx');
  expect([...(files?.values() ?? [])]).not.toContain('a layer of the registry');
});

test('what is here already is not missing, also where an engine gives other ids', async () => {
  engine.has('registry:2.8.3', registry.facts);
  engine.has('moorage/nginx:1.26', { ...nginx.facts, id: `sha256:${'0'.repeat(64)}` });
  expect(await missingOf(engine, listFor(both).images)).toEqual([]);
  engine.has('registry:2.8.3', nginx.facts);
  expect(await missingOf(engine, listFor(both).images)).toEqual([registry.listed]);
  expect(isListed(undefined, registry.listed)).toBe(false);
});

test('a flipped byte is refused wherever it is', async () => {
  await expectRefused(
    withContent(/layer\.tar$/, 'a layer of NGINX'),
    'archive-damaged',
    /layer 1 of registry/,
  );
  await expectRefused(
    withContent(/^[0-9a-f]{64}\.json$/, '{}'),
    'archive-damaged',
    /configuration of registry/,
  );
  const whole = await tarOf(archivePieces(both));
  for (const name of ['manifest.json', registry.manifest.Config]) {
    const damaged = Buffer.from(whole);
    const at = damaged.indexOf(`${name}\0`);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
    await expectRefused(damaged, 'archive-damaged', /damaged/);
  }
});

test.each([0.3, 0.5, 0.7, 0.9])('one that ends after %f of it is refused', async (part) => {
  const whole = await tarOf(archivePieces(both));
  await expectRefused(whole.subarray(0, Math.floor(whole.length * part)), 'archive-damaged', /damaged/);
});

test('one that ends between two files is refused', async () => {
  await expectRefused(archivePieces(both).slice(0, -1), 'archive-damaged', /manifest\.json/);
});

test('an image that was swapped for another is refused', async () => {
  const other = savedImage('registry', 'registry:2.8.3', 'something else');
  const pieces = archivePieces([other, nginx], listFor(both));
  await expectRefused(pieces, 'archive-damaged', /registry:2\.8\.3 is another image/);
});

test.each([
  ['../../etc/passwd', undefined],
  ['/etc/passwd', undefined],
  ['a/../../b', undefined],
  ['link', '../../etc/passwd'],
  ['link', '/etc/passwd'],
])('a name that leads out of the archive is refused: %s %s', async (name, link) => {
  const piece = link === undefined ? { name, content: 'x' } : { name, link };
  await expectRefused([...archivePieces(both), piece], 'archive-damaged', /leads out of it/);
});

test('a file that comes twice is refused: the second could be another', async () => {
  const [, config] = archivePieces(both);
  await expectRefused([...archivePieces(both), config ?? { name: '' }], 'archive-damaged', /twice/);
});

test('a layer that is a link to that of another image is followed', async () => {
  const twin = savedImage('nginx', 'moorage/nginx:1.26', 'a layer of the registry');
  const [target] = registry.manifest.Layers;
  const linked = { ...twin, manifest: { ...twin.manifest, Layers: ['twin/layer.tar'] } };
  const pieces = [
    ...archivePieces([registry, { ...linked, pieces: [] }]),
    { name: 'twin/layer.tar', link: `../${target}` },
  ];
  engine.loads = async (archive) => {
    given.push(await filesOf(archive));
    for (const { listed, facts } of [registry, twin]) engine.has(listed.reference, facts);
  };
  await load(pieces);
  expect([...(given[0]?.values() ?? [])].filter((text) => text === 'a layer of the registry')).toHaveLength(
    1,
  );
});

test('layers that gzip packed are looked into', async () => {
  const packed = archivePieces(both).map((piece) =>
    piece.name.endsWith('layer.tar') ? { ...piece, content: gzipSync(piece.content ?? '') } : piece,
  );
  await load(packed);
  expect(given).toHaveLength(1);
  const wrong = packed.map((piece) =>
    piece.name.endsWith('layer.tar') ? { ...piece, content: gzipSync('other') } : piece,
  );
  given.length = 0;
  await expectRefused(wrong, 'archive-damaged', /layer 1/);
});

test('a packed layer that ends early is said to be damaged, and is no defect of this', async () => {
  const cut = archivePieces(both).map((piece) =>
    piece.name.endsWith('layer.tar')
      ? { ...piece, content: gzipSync(piece.content ?? '').subarray(0, 30) }
      : piece,
  );
  await expectRefused(cut, 'archive-damaged', /layer 1/);
});

test.each([1, 3, 513])('packed layers are known in whatever pieces of %i bytes they come', async (length) => {
  const tar = await tarOf([{ name: 'layer', content: gzipSync('a layer') }]);
  const pieces = Array.from({ length: Math.ceil(tar.length / length) }, (_, at) =>
    tar.subarray(at * length, (at + 1) * length),
  );
  const { files } = await surveyArchive(Readable.from(pieces, { objectMode: false }), file);
  expect(files.get('layer')?.content).toBe(`sha256:${createHash('sha256').update('a layer').digest('hex')}`);
});

test('files that were packed anew as ./NAME are the same files', async () => {
  const [list, ...rest] = archivePieces(both);
  await load([list ?? { name: '' }, ...rest.map((piece) => ({ ...piece, name: `./${piece.name}` }))]);
  expect([...(given[0]?.values() ?? [])]).toContain('a layer of nginx');
});

test('images for another architecture are refused before anything is read', async () => {
  engine.architecture = 'arm64';
  await expectRefused(archivePieces(both), 'other-architecture', /for amd64, and this machine is arm64/);
});

test.each([
  [
    'a tar of somebody else',
    async () => tarOf([{ name: 'manifest.json', content: '[]' }]),
    /begins with "manifest\.json"/,
  ],
  ['what is no tar', async () => Buffer.alloc(4096, 'x'), /is no tar/],
  ['an empty file', async () => Buffer.alloc(0), /is empty/],
  ['what was packed', async () => gzipSync(await tarOf(archivePieces(both))), /is packed/],
  [
    'an unknown list',
    async () => tarOf([{ name: 'moorage.json', content: '{"format":2}' }]),
    /not understood/,
  ],
  ['a role that comes twice', async () => tarOf(archivePieces([registry, registry])), /role twice/],
])('%s is refused', async (_, make, about) => {
  await expectRefused(await make(), 'archive-foreign', about);
});

test('an engine that makes something else of an image loses the name again', async () => {
  engine.loads = async (archive) => {
    given.push(await filesOf(archive));
    engine.has('registry:2.8.3', nginx.facts);
    engine.has('moorage/nginx:1.26', nginx.facts);
  };
  await expect(load(archivePieces(both))).rejects.toMatchObject({ code: 'load-failed' });
  expect(await engine.images.inspect('registry:2.8.3')).toBeUndefined();
});

test('an archive that changes after it was checked ends the load', async () => {
  await writeFile(file, await tarOf(archivePieces(both)));
  const changed = await tarOf(withContent(/layer\.tar$/, 'a layer of NGINX'));
  const archive = await expectArchive(file);
  const change = (detail: string) => {
    if (detail === 'loading 2 images') writeFileSync(file, changed);
  };
  await expect(loadImages(engine, archive, archive.list.images, change)).rejects.toMatchObject({
    message: expect.stringContaining('it changed while it was read'),
  });
  expect(given).toEqual([]);
});

test('no archive is none, and a list is read without the rest', async () => {
  expect(await openArchive(file)).toBeUndefined();
  const whole = await tarOf(archivePieces(both));
  await writeFile(file, whole);
  await truncate(file, 2560);
  expect((await openArchive(file))?.list).toEqual(listFor(both));
});
