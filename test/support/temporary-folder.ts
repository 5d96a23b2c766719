import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Everything that tests put into the folder for temporary files is in one folder, which goes with them. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-tests-'));
  chmodSync(folder, 0o1777); // as /tmp: some tests are somebody else
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
