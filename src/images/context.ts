import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';

/** The files that a build sees. */
export interface Context {
  /** Of all names, modes and contents: the same digest means the same image. */
  readonly digest: string;
  /** A fresh tar stream of the files. */
  readonly tar: () => Readable;
}

/** All files of one folder (no subfolders), and `extra` ones by name. */
export async function readContext(
  folder: string,
  extra: Readonly<Record<string, Uint8Array>> = {},
): Promise<Context> {
  const names = (await readdir(folder)).sort();
  const read = async (name: string) => {
    const path = join(folder, name);
    return { name, mode: modeOf(await stat(path)), content: await readFile(path) };
  };
  const added = Object.entries(extra).map(([name, content]) => ({
    name,
    mode: 0o644,
    content: Buffer.from(content),
  }));
  const files = [...(await Promise.all(names.map(read))), ...added];

  const hash = createHash('sha256');
  for (const { name, mode, content } of files)
    hash.update(`${name}\0${mode}\0${content.length}\0`).update(content);
  return {
    digest: hash.digest('hex'),
    tar: () => {
      const archive = pack();
      for (const { name, mode, content } of files) archive.entry({ name, mode }, content);
      archive.finalize();
      return Readable.from(archive);
    },
  };
}

/** As git keeps it: whatever the umask was that a checkout was made with, the same image comes of it. */
function modeOf({ mode }: { readonly mode: number }): number {
  return (mode & 0o100) === 0 ? 0o644 : 0o755;
}
