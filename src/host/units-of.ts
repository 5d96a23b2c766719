import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfExists } from '../system/files.ts';
import { isUnitOf } from './unit.ts';

const SUFFIX = '-renewer.service';

/**
 * The units of a checkout, whatever its stack is called.
 * @param folder `/etc/systemd/system`
 */
export async function unitsOf(checkout: string, folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(SUFFIX)).sort();
  const texts = await Promise.all(
    names.map((name) => readIfExists(join(folder, name)).catch(() => undefined)),
  );
  return names.filter((_, index) => isUnitOf(texts[index] ?? '', checkout));
}

/** What the stack of a unit is called. */
export function projectOfUnit(name: string): string {
  return name.slice(0, -SUFFIX.length);
}
