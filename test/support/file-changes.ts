import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';

type Work = () => Promise<unknown>;
type Call = (...args: unknown[]) => Promise<unknown>;

const TAKES_SPACE = ['symlink', 'mkdir', 'writeFile', 'appendFile'] as const;
const CHANGES = [...TAKES_SPACE, 'rename', 'link', 'rm'] as const;

/**
 * This process ends itself by SIGKILL, so no handler runs and nothing is flushed, after its Nth change of the file
 * system from now on, counted from 1.
 */
export async function killAfterChange(change: number): Promise<void> {
  let count = 0;
  await around(CHANGES, async (work) => {
    count += 1;
    const last = count === change;
    const result = await work();
    if (last) process.kill(process.pid, 'SIGKILL');
    return result;
  });
}

/** The disk is full for this process at its Nth write from now on, counted from 1, and stays so. */
export async function fullDiskFrom(write: number): Promise<void> {
  let count = 0;
  await around(TAKES_SPACE, (work) => {
    count += 1;
    if (count < write) return work();
    const error = new Error('ENOSPC: no space left on device, write');
    return Promise.reject(Object.assign(error, { code: 'ENOSPC' }));
  });
}

/** Opening for writing makes a file, so that is always among them. */
async function around(names: readonly string[], each: (work: Work) => Promise<unknown>): Promise<void> {
  const wrapped = (original: Call, concerns: (args: readonly unknown[]) => boolean = () => true): Call =>
    function (this: unknown, ...args) {
      const work = () => original.apply(this, args);
      return concerns(args) ? each(work) : work();
    };
  const handle = await fs.promises.open(tmpdir(), 'r');
  const handles = Object.getPrototypeOf(handle);
  await handle.close();
  replace(fs.promises, 'open', (open) => wrapped(open, ([, flags]) => flags !== undefined && flags !== 'r'));
  for (const name of names) replace(fs.promises, name, wrapped);
  for (const name of ['writeFile', 'appendFile']) replace(handles, name, wrapped);
  syncBuiltinESMExports();
}

function replace(object: object, name: string, by: (original: Call) => Call): void {
  const value = by(Reflect.get(object, name));
  Object.defineProperty(object, name, { value, configurable: true, writable: true });
}
