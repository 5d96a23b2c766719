import type { Readable } from 'node:stream';
import { extract, type Header, type Pack } from 'tar-stream';
import { Failure, messageOf } from '../errors.ts';

/** One file, folder or link of an archive. */
export interface Entry {
  readonly header: Header;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Goes through a tar from its beginning; nothing is kept. What `visit` does not read is skipped.
 * @param visit answers whether to go on
 * @param file as it is called in errors
 * @throws Failure `archive-damaged` for what is no tar, or ends too early; whatever `visit` throws
 */
export async function eachEntry(
  tar: Readable,
  file: string,
  visit: (entry: Entry) => Promise<boolean>,
): Promise<void> {
  const reader = extract();
  // Without a listener of its own a failed source would end this process.
  tar.once('error', (error) => reader.destroy(error));
  tar.pipe(reader);
  const entries = reader[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await entries.next().catch((error) => {
        throw damaged(file, messageOf(error), error);
      });
      if (next.done) return;
      const { header } = next.value;
      if (!(await visit({ header, body: told(next.value, file) }))) return;
      next.value.resume();
    }
  } finally {
    tar.destroy();
    reader.destroy();
  }
}

/** Where the bytes of an entry go as well. */
export interface Copy {
  give(chunk: Uint8Array): Promise<void>;
  end(): void;
}

/** An entry of an archive that is being made. Folders and links end by themselves. */
export function copyInto(archive: Pack, header: Header): Copy {
  const sink = archive.entry({ ...header });
  sink.on('error', () => undefined); // whoever reads the archive is told
  return { give: (chunk) => give(sink, chunk), end: () => sink.end(null) };
}

interface Taking {
  write(chunk: Uint8Array): boolean;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Writes to a stream as fast as it takes it. */
export async function give(to: Taking, chunk: Uint8Array): Promise<void> {
  if (to.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      to.off('drain', go);
      to.off('close', go);
      resolve();
    };
    to.once('drain', go);
    to.once('close', go);
  });
}

export function damaged(file: string, why: string, cause?: unknown): Failure {
  return new Failure(
    'archive-damaged',
    `${file} is damaged: ${why}. Nothing of it was loaded.`,
    'Copy it again and compare its SHA-256 with what `npm run images -- save` printed; else save it again.',
    { cause },
  );
}

async function* told(body: AsyncIterable<unknown>, file: string): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of body) if (chunk instanceof Uint8Array) yield chunk;
  } catch (error) {
    throw damaged(file, messageOf(error), error);
  }
}
