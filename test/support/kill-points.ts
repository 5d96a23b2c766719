import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';

type Work = (...args: unknown[]) => Promise<unknown>;

const CHANGES = ['rename', 'symlink', 'link', 'rm', 'mkdir', 'writeFile', 'appendFile'] as const;

/**
 * This process ends itself by SIGKILL, so no handler runs and nothing is flushed, after its Nth change of the file
 * system from now on, counted from 1.
 */
export async function killItself(change: number): Promise<void> {
  let count = 0;
  const deadly = (original: Work, changes: (args: readonly unknown[]) => boolean = () => true): Work =>
    async function (this: unknown, ...args) {
      if (!changes(args)) return original.apply(this, args);
      count += 1;
      const last = count === change;
      const result = await original.apply(this, args);
      if (last) process.kill(process.pid, 'SIGKILL');
      return result;
    };
  const handle = await fs.promises.open(tmpdir(), 'r');
  const handles = Object.getPrototypeOf(handle);
  await handle.close();
  replace(fs.promises, 'open', (open) => deadly(open, ([, flags]) => flags !== undefined && flags !== 'r'));
  for (const name of CHANGES) replace(fs.promises, name, deadly);
  for (const name of ['writeFile', 'appendFile']) replace(handles, name, deadly);
  syncBuiltinESMExports();
}

function replace(object: object, name: string, by: (original: Work) => Work): void {
  Object.defineProperty(object, name, {
    value: by(Reflect.get(object, name)),
    configurable: true,
    writable: true,
  });
}
