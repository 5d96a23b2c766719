import { dirname, relative } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import { BUILT } from '../images/catalog.ts';
import { PINNED } from '../settings/schema.ts';
import { mountPoints } from '../system/mounts.ts';
import type { Hands } from './carry-out.ts';
import type { Found } from './found.ts';
import { isWithin, oneShotLabels } from './ours.ts';
import { type Left, removeEmpty, removeTree } from './remove-tree.ts';

/** What it takes to remove files that a container of root's wrote, where this is not root. */
interface Helper {
  readonly engine: Pick<Engine, 'containers'>;
  readonly root: boolean;
}

/** Removes files, and folders for images that have nothing else in them. */
export function removerOfFiles(
  found: Found,
  { engine, root }: Helper,
  keep: () => Promise<readonly string[]>,
): Hands['removeFiles'] {
  return async (action) => {
    const bounds = { keep: await keep(), mounts: await mountPoints() };
    let left = await removeTree(action.name, bounds);
    const whole = ![...bounds.keep, ...bounds.mounts].some((path) => isWithin(path, action.name));
    if (!root && whole && left.some(({ because }) => because === 'denied'))
      left = await removeByContainer(found, engine, action, left);
    if (action.kind === 'data' && left.length === 0) await removeEmpty(dirname(action.name), action.root);
    return left;
  };
}

/** Folders above it that are empty then go with it, but for the one that is mounted. */
const SCRIPT = 'cd /inside && rm -rf -- "$0" && rmdir -p -- "$(dirname -- "$0")" 2>/dev/null; true';

async function removeByContainer(
  found: Found,
  { containers }: Helper['engine'],
  action: Parameters<Hands['removeFiles']>[0],
  before: readonly Left[],
): Promise<readonly Left[]> {
  const image = imageAtHand(found);
  if (image === undefined) return before;
  const project = found.project ?? 'moorage';
  const folder = action.kind === 'data' ? action.root : dirname(action.name);
  const spec = {
    name: `${project}-uninstall`,
    image,
    entrypoint: 'sh',
    args: ['-c', SCRIPT, relative(folder, action.name)],
    env: {},
    mounts: [{ source: folder, target: '/inside' }],
    network: 'none',
    user: '0:0',
    labels: oneShotLabels(project, found.checkout),
  };
  await containers
    .runOnce(spec, () => undefined)
    .catch((error) => {
      if (error instanceof Failure) throw error; // else it stays, and the command to remove it is told
    });
  return removeTree(action.name, { keep: [], mounts: [] });
}

/** Any of ours has a shell. */
function imageAtHand({ engine, values }: Found): string | undefined {
  if (engine.kind !== 'answers') return undefined;
  const { images } = engine.held;
  const fit = [values.REGISTRY_IMAGE, BUILT.registry, PINNED.registry, BUILT.nginx, PINNED.nginx];
  const present = fit.map((each) =>
    images.find(({ references }) => references.some((name) => name === each)),
  );
  return present.find((image) => image !== undefined)?.id;
}
