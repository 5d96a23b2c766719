import type { RemoteHost, RemoteOptions } from '../remote/host.ts';
import type { Finished } from '../system/processes.ts';

/**
 * What a login without a terminal leaves out of PATH, behind what it has: Docker, iptables and Node are looked for there.
 * `$0` is the command.
 */
const WITH_PATH =
  'PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; export PATH; exec "$0" "$@"';

/**
 * Runs one of the npm scripts in the far checkout, as root, without npm's own lines.
 * @returns however it ended
 * @throws Failure those of `RemoteHost.run`
 */
export function runThere(
  host: RemoteHost,
  folder: string,
  npmScript: string,
  args: readonly string[],
  options: Omit<RemoteOptions, 'cwd'> = {},
): Promise<Finished> {
  const command = ['npm', 'run', '--silent', npmScript, '--', ...args];
  return host.run(['sh', '-c', WITH_PATH, ...command], { ...options, cwd: folder });
}
