import { join } from 'node:path';
import { leadsSomewhere } from '../system/files.ts';

/**
 * Whether systemd runs this machine: sd_booted(3).
 * @param runtime `/run`
 */
export function runsSystemd(runtime: string): Promise<boolean> {
  return leadsSomewhere(join(runtime, 'systemd/system'));
}
