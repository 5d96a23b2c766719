import { Failure } from '../errors.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Settings } from '../settings/settings.ts';
import type { ArchiveList, Listed } from './archive-list.ts';
import { BUILT } from './catalog.ts';

type Choice = Pick<Settings, 'chosenImages' | 'builtImages' | 'imagesFile'>;

/** What plays a role where images come from an archive. */
export interface Archived {
  readonly role: ImageRole;
  readonly reference: string;
  /** `undefined`: the archive has it not, and the engine has. */
  readonly listed: Listed | undefined;
}

/**
 * Which image plays each role: the one that the settings name, else that of the archive, else one that is here already.
 * @param list `undefined`: there is no archive
 * @throws Failure `images-missing`, with all that are
 */
export function chooseArchived(
  settings: Choice,
  roles: readonly ImageRole[],
  list: ArchiveList | undefined,
  isHere: (reference: string) => boolean,
): readonly Archived[] {
  const chosen = roles.map((role) => chooseOne(settings, role, list, isHere));
  const missing = roles.filter((_, index) => chosen[index] === undefined);
  if (missing.length > 0) throw lacking(settings, missing, list);
  return chosen.filter((each) => each !== undefined);
}

/** All names that may be asked for. */
export function candidates(
  { chosenImages, builtImages }: Pick<Choice, 'chosenImages' | 'builtImages'>,
  role: ImageRole,
): readonly string[] {
  const chosen = chosenImages[role];
  if (chosen !== undefined) return [chosen];
  return [builtImages[role], PINNED[role], BUILT[role]].filter((name) => name !== undefined);
}

function chooseOne(
  settings: Choice,
  role: ImageRole,
  list: ArchiveList | undefined,
  isHere: (reference: string) => boolean,
): Archived | undefined {
  const wanted = settings.chosenImages[role];
  const listed = list?.images.find(
    (each) => each.role === role && (wanted === undefined || each.reference === wanted),
  );
  const reference = listed?.reference ?? candidates(settings, role).find(isHere);
  return reference === undefined ? undefined : { role, reference, listed };
}

function lacking(
  { chosenImages, imagesFile }: Choice,
  missing: readonly ImageRole[],
  list: ArchiveList | undefined,
): Failure {
  const names = missing.map((role) =>
    chosenImages[role] === undefined ? role : `${role} (${chosenImages[role]})`,
  );
  const where = list === undefined ? `there is no archive ${imagesFile}` : `${imagesFile} has none either`;
  return new Failure(
    'images-missing',
    `The engine has no image for ${names.join(', ')}, and ${where}.`,
    'Save one on a machine that has a network, with the same settings or with --all, and bring it here: npm run images -- save --all FILE',
  );
}
