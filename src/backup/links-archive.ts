import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import type { Link } from './links.ts';

/** Of the archive in a snapshot: what stands in `docker/registry/v2/repositories`. */
export const LINKS_ARCHIVE = 'images/repositories.tar';

/** A tar of link files. The same links make the same bytes, so restic keeps what did not change once. */
export async function writeLinks(file: string, links: readonly Link[]): Promise<void> {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(file, { mode: 0o600 }));
  for (const { path, digest, written: mtime } of links) {
    const taken = archive.entry({ name: path, mtime: wholeSeconds(mtime) }, digest);
    if (!taken) await once(archive, 'drain');
  }
  archive.finalize();
  await written;
}

export async function readArchive(file: string): Promise<readonly Link[]> {
  const entries = extract();
  const read = pipeline(createReadStream(file), entries);
  const links: Link[] = [];
  for await (const entry of entries) {
    const { name, mtime } = entry.header;
    links.push({ path: name, digest: await text(entry), written: mtime ?? new Date(0) });
  }
  await read;
  return links;
}

/** Writes the links below distribution's `docker/registry/v2` again, as old as they were. */
export async function unpackLinks(links: readonly Link[], folder: string): Promise<void> {
  for (const { path, digest, written } of links) {
    const file = join(folder, path);
    if (normalize(path) !== path || !path.startsWith('repositories/'))
      throw new Error(`${path} is no link's path`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, digest, { mode: 0o644 });
    await utimes(file, written, written);
  }
}

/** What a tar can say. */
function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}
