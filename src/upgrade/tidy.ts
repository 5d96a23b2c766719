import type { Engine } from '../engine/engine.ts';
import { CHECKOUT_LABEL } from '../images/catalog.ts';
import type { Paths } from '../paths.ts';
import { keepOnly, type Snapshot } from './snapshot.ts';

const OWN = ['moorage/gate', 'moorage/renewer', 'moorage/relay', 'moorage/exporter'];

/**
 * Takes away the programs that this checkout built, that no container has, and that are neither what runs nor what one can
 * go back to. Images of others, and what other checkouts built, stay.
 * @param current references that are in use by the settings
 * @returns the names of those that are gone
 */
export async function removeOldPrograms(
  engine: Engine,
  { root }: Pick<Paths, 'root'>,
  current: readonly string[],
  previous: Snapshot,
): Promise<readonly string[]> {
  const kept = new Set([...current, ...Object.values(previous.images).map(({ reference }) => reference)]);
  const inUse = await engine.containers.imagesInUse();
  const all = (await Promise.all(OWN.map((repository) => engine.images.ofRepository(repository)))).flat();
  const old = all.filter(
    ({ id, reference, labels }) => labels[CHECKOUT_LABEL] === root && !kept.has(reference) && !inUse.has(id),
  );
  const gone: string[] = [];
  for (const { reference } of old) {
    const removed = await engine.images.remove(reference).then(
      () => true,
      () => false, // somebody took it into use just now
    );
    if (removed) gone.push(reference);
  }
  return gone;
}

/** One generation to go back to, and nothing older. */
export async function clearUp(
  tools: { readonly engine: Engine; readonly paths: Paths },
  project: string,
  current: readonly string[],
  previous: Snapshot,
): Promise<readonly string[]> {
  await keepOnly(tools, project, previous);
  return removeOldPrograms(tools.engine, tools.paths, current, previous);
}
