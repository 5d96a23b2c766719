import type { ImageRole, Program } from '../settings/settings.ts';
import type { Part } from '../stack/compose.ts';
import { IMAGE_OF } from './parts.ts';

export interface ImageNow {
  readonly reference: string;
  readonly id: string;
  readonly version: string | undefined;
}

/** A part as it runs. */
export interface Running {
  readonly image: ImageNow;
  readonly container: string;
  readonly started: Date;
  /** What Compose started it with. */
  readonly configuration: string | undefined;
}

/** What a role is to run on. */
export interface WantedImage {
  readonly reference: string;
  /** `undefined`: it has to be got first. */
  readonly id: string | undefined;
  readonly version: string | undefined;
  /** Who says that it is this one. */
  readonly by: 'setting' | 'pin' | 'build' | 'archive' | 'program' | 'before';
  /** Why there is a newer one under the same name. */
  readonly newer: string | undefined;
}

export interface Row {
  readonly part: Part;
  readonly now: ImageNow | undefined;
  readonly next: Pick<WantedImage, 'reference' | 'id' | 'version'>;
  /** None: it stays as it is. */
  readonly why: readonly string[];
}

export interface Findings {
  readonly parts: readonly Part[];
  readonly running: ReadonlyMap<Part, Running>;
  readonly wanted: ReadonlyMap<ImageRole | Program, WantedImage>;
  /** What Compose would start each part with. */
  readonly configurations: ReadonlyMap<string, string>;
  /** When the files last changed that a part reads as it starts. */
  readonly filesChanged: ReadonlyMap<Part, Date>;
}

/** Which parts are replaced, by what, and why; in the order in which they are. */
export function planUpgrade(findings: Findings): readonly Row[] {
  return findings.parts.map((part) => {
    const next = findings.wanted.get(IMAGE_OF[part]);
    if (next === undefined) throw new Error(`nobody said what ${part} runs on`);
    const now = findings.running.get(part);
    const files = filesDiffer(findings.filesChanged.get(part), now);
    return {
      part,
      now: now?.image,
      next: { reference: next.reference, id: next.id, version: next.version },
      why: now === undefined ? ['it does not run'] : reasons(findings, part, now, next, files),
    };
  });
}

export function isNothing(plan: readonly Row[]): boolean {
  return plan.every(({ why }) => why.length === 0);
}

function reasons(
  { configurations }: Findings,
  part: Part,
  { image, configuration }: Running,
  next: WantedImage,
  files: boolean,
): readonly string[] {
  const another = image.reference !== next.reference;
  const wanted = configurations.get(part);
  const settings =
    !another && configuration !== undefined && wanted !== undefined && wanted !== configuration;
  return [
    ...(another ? [BY[next.by]] : []),
    ...(next.newer === undefined ? [] : [next.newer]),
    ...(!another && next.newer === undefined && next.id !== image.id
      ? ['its name leads to another image']
      : []),
    ...(settings ? ['its settings changed'] : []),
    ...(files ? ['its files changed since it was started'] : []),
  ];
}

const BY: Readonly<Record<WantedImage['by'], string>> = {
  setting: '.env says so',
  pin: 'this version of Moorage wants it',
  build: 'it is built here',
  archive: 'the archive has it',
  program: 'the program changed',
  before: 'it ran before the last upgrade',
};

function filesDiffer(changed: Date | undefined, now: Running | undefined): boolean {
  return changed !== undefined && now !== undefined && changed > now.started;
}
