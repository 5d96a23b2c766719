import type { RemoteHost } from '../../src/remote/host.ts';
import { run } from '../../src/system/processes.ts';

/** Another machine, where “there” is a folder of this one. */
export const hereAsThere: RemoteHost = {
  name: 'root@new',
  address: '192.0.2.7',
  run: ([program = '', ...args], options) => run(program, args, options),
  rsync: (args, options) => run('rsync', [...args((path) => path)], options),
  close: async () => undefined,
};
