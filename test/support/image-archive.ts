import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract, pack } from 'tar-stream';
import type { ImageFacts } from '../../src/engine/engine.ts';
import { type ArchiveList, formatList, LIST_NAME, type Listed } from '../../src/images/archive-list.ts';

/** What an archive is made of, in order. `link` makes it a symbolic link. */
export interface Piece {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly link?: string;
}

const sha256 = (content: string | Uint8Array) =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;
const CREATED = '2026-01-02T03:04:05Z';

/** An image of one layer, as `docker save` of Docker 20 writes it. */
export function savedImage(role: Listed['role'], reference: string, layer: string, architecture = 'amd64') {
  const layers = [sha256(layer)];
  const configuration = JSON.stringify({ architecture, created: CREATED, rootfs: { diff_ids: layers } });
  const id = sha256(configuration);
  const config = `${id.slice('sha256:'.length)}.json`;
  const folder = createHash('sha256').update(`v1 ${layer}`).digest('hex');
  const listed: Listed = { role, reference, id, layers, created: CREATED, size: layer.length };
  const facts: Partial<ImageFacts> = { id, layers, created: CREATED, architecture };
  return {
    listed,
    facts,
    manifest: { Config: config, RepoTags: [reference], Layers: [`${folder}/layer.tar`] },
    pieces: [
      { name: config, content: configuration },
      { name: `${folder}/layer.tar`, content: layer },
    ] satisfies Piece[],
  };
}

type Image = ReturnType<typeof savedImage>;

export function listFor(images: readonly Image[], architecture = 'amd64'): ArchiveList {
  const listed = images.map((image) => image.listed);
  return { format: 1, moorage: '0.1.0', saved: CREATED, architecture, images: listed };
}

/** What an engine gives for these images. */
export function savedPieces(images: readonly Image[]): readonly Piece[] {
  const manifest = JSON.stringify(images.map((image) => image.manifest));
  return [...images.flatMap(({ pieces }) => pieces), { name: 'manifest.json', content: manifest }];
}

export function archivePieces(images: readonly Image[], list = listFor(images)): readonly Piece[] {
  return [{ name: LIST_NAME, content: formatList(list) }, ...savedPieces(images)];
}

export function tarOf(pieces: readonly Piece[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content, link } of pieces)
    if (link === undefined) archive.entry({ name }, Buffer.from(content ?? ''));
    else archive.entry({ name, type: 'symlink', linkname: link });
  archive.finalize();
  return buffer(Readable.from(archive));
}

/** The files of a tar, as text. */
export async function filesOf(tar: Readable): Promise<ReadonlyMap<string, string>> {
  const reader = extract();
  tar.once('error', (error) => reader.destroy(error));
  tar.pipe(reader);
  const files = new Map<string, string>();
  for await (const entry of reader)
    files.set(entry.header.name, (await buffer(Readable.from(entry))).toString());
  return files;
}
