import { readdir, readFile } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { holdsImages } from '../storage/data-directory.ts';
import { readIfExists } from '../system/files.ts';

/**
 * Whether a restore would take the place of something.
 * @param staged the `.env` that would be restored
 * @param images where images would be restored to
 * @throws Failure `not-empty`
 */
export async function expectEmpty(paths: Paths, staged: string, images: string | undefined): Promise<void> {
  const found = await whatIsThere(paths, await readIfExists(staged), images);
  if (found.length === 0) return;
  throw new Failure(
    'not-empty',
    `This machine has a registry already: ${found.join(', ')}.`,
    'Restore into a fresh clone; or add --force: it keeps what is here in folders before-restore-DATE.',
  );
}

async function whatIsThere(
  paths: Paths,
  env: string | undefined,
  images: string | undefined,
): Promise<readonly string[]> {
  const own = await readIfExists(paths.envFile);
  const example = await readFile(paths.envExample, 'utf8');
  const users = (await readIfExists(paths.usersFile)) ?? '';
  const certificates = await readdir(paths.certificates).catch(() => []);
  const checks: readonly (readonly [boolean, string])[] = [
    [images !== undefined && (await holdsImages(images)), `images in ${images}`],
    [users.trim() !== '', 'users'],
    [certificates.some((name) => name.startsWith('generation-')), 'certificates'],
    [own !== undefined && own !== example && own !== env, 'a .env of its own'],
  ];
  return checks.filter(([there]) => there).map(([, what]) => what);
}
