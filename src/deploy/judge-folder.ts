import { COPIED, OF_PACKAGES } from './contents.ts';
import type { FolderFacts } from './machine-facts.ts';
import { broken, type Verdict } from './verdict.ts';

const FIRST_FEW = 5;

/** What stands against a registry in this folder. */
export function judgeFolder(folder: FolderFacts): Verdict[] {
  const { path, content, blocked, readOnly, unmounted } = folder;
  if (blocked !== undefined) return [broken(`${blocked} is not a folder`, 'Name another one by --dir.')];
  if (unmounted !== undefined)
    return [broken(`the disk of ${unmounted} (/etc/fstab) is not mounted`, `Mount it: mount '${unmounted}'`)];
  if (readOnly) return [broken(`nobody can write where ${path} is`, 'Name another place by --dir.')];
  if (content.kind !== 'foreign') return judgeClone(folder);
  return [
    broken(
      `${path} holds something else: ${content.names.join(', ')}`,
      'Name another folder by --dir; nothing is overwritten here.',
    ),
  ];
}

function judgeClone({ path, uncommitted, gitFailed }: FolderFacts): Verdict[] {
  if (gitFailed !== undefined)
    return [
      broken(
        `${path} is a git clone, and what in it is not committed can’t be told: git status fails: ${gitFailed || 'it takes too long'}`,
        `Have git installed there, and ${path} with its .git belong to one user (chown -R); if that is no clone any more, remove its .git; or name another folder by --dir.`,
      ),
    ];
  if (uncommitted.length === 0) return [];
  const some = uncommitted.slice(0, FIRST_FEW).join(', ');
  const more = uncommitted.length - FIRST_FEW;
  return [
    broken(
      `${path} is a git clone, and its files would be replaced that are not committed: ${some}${more > 0 ? ` and ${more} more` : ''}`,
      `Commit or stash them there (git stash push --include-untracked -- ${replacedOf(uncommitted).join(' ')}), or name another folder by --dir. What is changed in them after a deploy each later one replaces.`,
    ),
  ];
}

/** No more than these: a stash of everything would take away a person's DNS hooks, too, and images that are in the clone. */
function replacedOf(files: readonly string[]): readonly string[] {
  const names = files.map((file) => file.replace(/^"/, '')); // as git writes odd ones
  return [...COPIED, ...OF_PACKAGES].filter((path) =>
    names.some((name) => name === path || name.startsWith(`${path}/`)),
  );
}
