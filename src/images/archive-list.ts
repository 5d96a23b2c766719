import { z } from 'zod';
import type { ImageFacts } from '../engine/engine.ts';
import { Failure } from '../errors.ts';

/** The first file of an archive that `npm run images -- save` wrote. */
export const LIST_NAME = 'moorage.json';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'is no SHA-256 digest');

const ROLES = [
  ...(['registry', 'nginx', 'certbot', 'node', 'redis', 'prometheus'] as const),
  ...(['renewer', 'gate', 'relay', 'exporter'] as const),
];

const listed = z.object({
  role: z.enum(ROLES),
  /** The name that the image gets: always one with a tag. */
  reference: z.string().regex(/^[a-z0-9][a-z0-9._:/-]*:\w[\w.-]{0,127}$/, 'is no name of an image'),
  /** As the saving engine knows it: the digest of its configuration or, with containerd's store, of its manifest. */
  id: digest,
  /** Digests of its uncompressed layers, from the lowest on. */
  layers: z.array(digest),
  /** As its configuration says it. */
  created: z.string(),
  /** Bytes, as the engine counts them. */
  size: z.number().nonnegative(),
});

const shape = z
  .object({
    format: z.literal(1),
    /** The version of Moorage that wrote it. */
    moorage: z.string(),
    /** RFC 3339 */
    saved: z.string(),
    architecture: z.string().regex(/^\w{1,32}$/),
    images: z.array(listed).min(1),
  })
  .superRefine(({ images }, context) => {
    for (const of of ['role', 'reference'] as const)
      if (new Set(images.map((each) => each[of])).size < images.length)
        context.addIssue({ code: 'custom', message: `it has a ${of} twice` });
  });

/** What an archive holds, by its own account. */
export type ArchiveList = z.infer<typeof shape>;
export type Listed = z.infer<typeof listed>;

/** @throws Failure `archive-foreign` */
export function parseList(text: string, file: string): ArchiveList {
  const parsed = shape.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw foreign(file, `its ${LIST_NAME} is not understood (${issue?.path.join('.')} ${issue?.message})`);
}

export function formatList(list: ArchiveList): string {
  return `${JSON.stringify(list, null, 2)}\n`;
}

/**
 * Whether an engine's image is that of the list. Engines with another store give other ids; layers and the time of the
 * making are the same everywhere.
 */
export function isListed(image: ImageFacts | undefined, { id, layers, created }: Listed): boolean {
  if (image === undefined) return false;
  if (image.id === id) return true;
  const sameLayers = image.layers.length > 0 && image.layers.join() === layers.join();
  return sameLayers && Date.parse(image.created) === Date.parse(created);
}

export function foreign(file: string, why: string): Failure {
  return new Failure(
    'archive-foreign',
    `${file} is no archive of images that Moorage wrote: ${why}.`,
    'Make one with `npm run images -- save FILE` on a machine that reaches an image registry or a Debian mirror.',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
