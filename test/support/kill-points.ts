import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';

/** The Nth change of the file system that this process makes, counted from 1. */
export interface KillPoint {
  readonly change: number;
  readonly moment: 'before' | 'after';
}

type Work = (...args: unknown[]) => Promise<unknown>;

const CHANGES = ['rename', 'symlink', 'link', 'rm', 'mkdir', 'writeFile', 'appendFile'] as const;

/** From now on this process ends itself by SIGKILL at that point: no handler runs, nothing is flushed. */
export async function killItself({ change, moment }: KillPoint): Promise<void> {
  let count = 0;
  const deadly = (original: Work, changes: (args: readonly unknown[]) => boolean = () => true): Work =>
    async function (this: unknown, ...args) {
      if (!changes(args)) return original.apply(this, args);
      count += 1;
      const mine = count === change;
      if (mine && moment === 'before') process.kill(process.pid, 'SIGKILL');
      const result = await original.apply(this, args);
      if (mine) process.kill(process.pid, 'SIGKILL');
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
