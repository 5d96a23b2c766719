import type { HeldContainer } from '../engine/holdings.ts';
import { CHECKOUT_LABEL, SOURCE_LABEL } from '../images/catalog.ts';

export const PROJECT = 'com.docker.compose.project';
export const FOLDER = 'com.docker.compose.project.working_dir';
/** What runs beside the stack for a moment (certbot, a collector) has it. */
const ONE_SHOT = 'moorage.project';

/** The folder that Compose was run in. */
export function folderOf({ labels }: Pick<HeldContainer, 'labels'>): string | undefined {
  return labels[FOLDER];
}

/**
 * Whether a container is of this checkout: Compose ran in it, or it was started beside the stack and has its files. The
 * label of the checkout alone does not tell: a container has the labels of its image, which another one may share.
 */
export function isOurs(container: HeldContainer, checkout: string): boolean {
  const folder = folderOf(container);
  if (folder !== undefined) return folder === checkout;
  const { labels, sources } = container;
  if (labels[ONE_SHOT] === undefined) return false;
  return labels[CHECKOUT_LABEL] === checkout || sources.some((source) => isWithin(source, checkout));
}

/** Whether somebody else's container is of a stack of Moorage: Compose started what was built by it, or it says so. */
export function isOfMoorage({ labels }: Pick<HeldContainer, 'labels'>): boolean {
  const built = labels[SOURCE_LABEL] !== undefined || labels[CHECKOUT_LABEL] !== undefined;
  return labels[ONE_SHOT] !== undefined || (built && labels[PROJECT] !== undefined);
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

export function oneShotLabels(project: string, checkout: string): Readonly<Record<string, string>> {
  return { [ONE_SHOT]: project, [CHECKOUT_LABEL]: checkout };
}
