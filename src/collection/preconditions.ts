import { coerce, gte } from 'semver';
import { counted } from '../counted.ts';
import { Failure, WrongInput } from '../errors.ts';
import { readInventory } from '../inventory/inventory.ts';
import { type Done, unchanged } from '../step.ts';
import type { CollectionParts } from './parts.ts';

const FIRST_THAT_FOLLOWS_INDEXES = '3.0.0';
const NAMED = 5;

/**
 * Up to 2.8 `--delete-untagged` takes the images of an index for untagged and deletes them: every multi-architecture
 * image is destroyed (https://github.com/distribution/distribution/issues/3178).
 * @throws WrongInput
 */
export function expectSafeDeletion(version: string): void {
  const found = coerce(version);
  if (found !== null && gte(found, FIRST_THAT_FOLLOWS_INDEXES)) return;
  throw new WrongInput([
    {
      input: '--delete-untagged',
      message: `distribution ${version} would delete every image of a multi-architecture index with it (distribution#3178); it needs ${FIRST_THAT_FOLLOWS_INDEXES} or later. Delete images by their digest instead: they and what only they have go without it`,
    },
  ]);
}

/** As `prune` remembers it: without a tag it is a manifest. */
interface Removed {
  readonly tag?: string | undefined;
  readonly until: Date;
}

/**
 * What `prune` removed is there without a tag for as long as it may come back: it would be deleted with the rest.
 * @throws WrongInput
 */
export function expectNothingToBringBack(remembered: readonly Removed[], now: Date): void {
  const tags = remembered.filter(({ tag, until }) => tag !== undefined && until > now).length;
  if (tags === 0) return;
  throw new WrongInput([
    {
      input: '--delete-untagged',
      message: `would delete the images of ${counted(tags, 'tag')} that \`npm run prune -- --undo\` can still bring back; wait until their days are over, or give them up first by prune with --undo-days 0`,
    },
  ]);
}

/**
 * Of a manifest whose content is gone nobody knows the layers: they are taken away with the next collection, and then a
 * backup of the manifest alone would no longer mend it.
 * @throws Failure `manifests-lost`
 */
export async function expectContents(
  { openTree }: Pick<CollectionParts, 'openTree'>,
  { despiteDamage }: { readonly despiteDamage: boolean },
): Promise<Done> {
  const { repositories } = await readInventory(await openTree());
  const lost = repositories.flatMap(({ name, damaged }) => damaged.map((digest) => `${name}@${digest}`));
  if (lost.length === 0) return unchanged('every manifest is there');
  if (despiteDamage) return unchanged(`${lost.length} of the manifests are lost`);
  const more = lost.length > NAMED ? [`and ${lost.length - NAMED} more`] : [];
  throw new Failure(
    'manifests-lost',
    `The content of ${lost.length === 1 ? 'a manifest is' : 'manifests is'} missing or damaged:\n${[...lost.slice(0, NAMED), ...more].join('\n')}\nTheir layers can't be told from unused ones and would be taken away.`,
    'Push these images again or restore a backup; or go on without them: npm run gc -- --despite-damage',
  );
}
