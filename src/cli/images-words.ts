import { counted } from '../counted.ts';
import type { ArchiveList } from '../images/archive-list.ts';
import type { NeededImage } from '../images/here.ts';
import type { Saved } from '../images/save-archive.ts';
import { sizeInWords } from '../low-water.ts';
import { minute } from './user-list.ts';

export function savedInWords({ images, architecture }: ArchiveList, { bytes }: Saved): string {
  return `${counted(images.length, 'image')} for ${architecture}, ${sizeInWords(bytes)}`;
}

/** Sizes are those of whole images: what they share is in the archive once. */
export function archiveInWords({ images, architecture, moorage, saved }: ArchiveList): readonly string[] {
  return [
    `${counted(images.length, 'image')} for ${architecture}, saved ${minute(new Date(saved))} by Moorage ${moorage}`,
    ...images.map(({ role, reference, id, size }) =>
      row(role, reference, `${shortId(id)}  ${sizeInWords(size)}`),
    ),
  ];
}

export function neededInWords(images: readonly NeededImage[]): readonly string[] {
  return images.map(({ role, reference, id, size }) =>
    row(role, reference, id === undefined ? 'not here' : `${shortId(id)}  ${sizeInWords(size)}`),
  );
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function row(role: string, reference: string, rest: string): string {
  return `  ${role.padEnd(12)} ${reference.padEnd(40)} ${rest}`;
}

function shortId(id: string): string {
  return id.slice('sha256:'.length, 'sha256:'.length + 12);
}
