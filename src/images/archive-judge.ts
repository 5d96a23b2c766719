import { z } from 'zod';
import { parseAs } from '../system/json.ts';
import { damaged } from './archive-entries.ts';
import type { ArchiveList, Listed } from './archive-list.ts';
import type { Seen, Survey } from './archive-survey.ts';

/** An image of an archive, all of whose bytes are what its list says. */
export interface Verified {
  readonly listed: Listed;
  /** Names in the archive. */
  readonly configuration: string;
  readonly layers: readonly string[];
}

const manifests = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string()).nullish(),
  }),
);
const configuration = z.object({
  architecture: z.string(),
  created: z.string().optional(),
  rootfs: z.object({ diff_ids: z.array(z.string()).nullish() }),
});
/** OCI image index and image manifest. */
const leads = z.object({
  config: z.object({ digest: z.string() }).optional(),
  manifests: z.array(z.object({ digest: z.string() })).optional(),
});

/**
 * Holds what is in an archive against its list: from the id of each image to its configuration, from there to its layers,
 * each by its digest. What was saved by content has to have the digests that it is named after, too.
 * @throws Failure `archive-damaged`
 */
export function judgeArchive(
  { images, architecture }: ArchiveList,
  survey: Survey,
  file: string,
): Verified[] {
  for (const [name, { digest }] of survey.files) {
    const promised = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
    if (promised !== undefined && digest !== `sha256:${promised}`)
      throw damaged(file, `${name} holds something else`);
  }
  const manifest = read(manifests, survey.files.get('manifest.json'));
  if (manifest === undefined) throw damaged(file, 'it has no manifest.json, as if its end were missing');

  return images.map((listed) => {
    const { reference } = listed;
    const found = manifest.filter(({ RepoTags }) => (RepoTags ?? []).some((tag) => isName(tag, reference)));
    const [entry] = found;
    if (entry === undefined || found.length > 1)
      throw damaged(file, `${reference} is in it ${found.length} times`);
    const name = followed(survey, entry.Config);
    const seen = survey.files.get(name);
    const told = read(configuration, seen);
    if (seen === undefined || told === undefined)
      throw damaged(file, `the configuration of ${reference} is missing`);
    if (!reaches(survey, listed.id, seen.digest))
      throw damaged(file, `${reference} is another image than its list says`);
    if (told.architecture !== architecture)
      throw damaged(file, `${reference} is for ${told.architecture}, and its list says ${architecture}`);

    const layers = (entry.Layers ?? []).map((each) => followed(survey, each));
    const promised = told.rootfs.diff_ids ?? [];
    const wrong = promised.findIndex(
      (digest, index) => !holds(survey.files.get(layers[index] ?? ''), digest),
    );
    if (wrong >= 0 || layers.length !== promised.length || promised.join() !== listed.layers.join())
      throw damaged(file, `layer ${wrong + 1} of ${reference} is not what it should be`);
    return { listed, configuration: name, layers };
  });
}

/** Docker's own images may be named in full. */
function isName(tag: string, reference: string): boolean {
  return [reference, `docker.io/${reference}`, `docker.io/library/${reference}`].includes(tag);
}

function holds(seen: Seen | undefined, digest: string): boolean {
  return seen !== undefined && (seen.content === undefined || seen.content === digest);
}

/** Whether an id leads to a configuration: it is its digest, or that of a manifest or an index on the way to it. */
function reaches(survey: Survey, id: string, wanted: string, depth = 0): boolean {
  if (id === wanted) return true;
  if (depth > 3) return false;
  const lead = read(
    leads,
    [...survey.files.values()].find(({ digest }) => digest === id),
  );
  const next = [lead?.config?.digest, ...(lead?.manifests ?? []).map(({ digest }) => digest)];
  return next.some((digest) => digest !== undefined && reaches(survey, digest, wanted, depth + 1));
}

/** The engine saves a layer that is there already as a link to it. */
function followed({ links }: Survey, name: string): string {
  return links.get(name) ?? name;
}

function read<T>(shape: z.ZodType<T>, seen: Seen | undefined): T | undefined {
  return seen?.text === undefined ? undefined : parseAs(seen.text, shape);
}
