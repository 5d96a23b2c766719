import { changed, type Done, unchanged } from '../step.ts';
import { purposeOf, type TrustMachine } from './machine.ts';
import { refreshSystemStore } from './system-store.ts';

/**
 * Takes away what was made for trusting one registry, or all of them, and nothing else. Twice is fine.
 * @returns the paths that stay, as somebody has changed them
 * @throws Failure `root-needed`, `system-store-failed`
 */
export async function removeTrust(
  machine: TrustMachine,
  id: string | undefined,
): Promise<Done<readonly string[]>> {
  const purpose = id === undefined ? 'trust' : purposeOf(id);
  const { gone, changed: kept } = await machine.made.remove(purpose, {
    settle: async (things) => {
      if (things.some((each) => each.purpose.endsWith('/system'))) await refreshSystemStore(machine);
    },
  });
  const stays = kept.map((path) => `${path} was changed by somebody and stays`);
  const told = [...gone.map((path) => `${path} cleared`), ...stays].join(', ');
  return gone.length === 0 ? unchanged(told || 'nothing of it is here', kept) : changed(told, kept);
}
