import type { Terminal } from '../cli/terminal.ts';
import type { Destination } from '../remote/destination.ts';
import { hold } from '../remote/hold.ts';
import type { RemoteHost } from '../remote/host.ts';
import { SshHost } from '../remote/ssh.ts';
import type { App } from './app.ts';

/** Whom `ssh` may ask, at the terminal: for a passphrase, or whether a new host is the right one. */
export type Asked = Pick<Terminal, 'undisturbed'>;

/**
 * Connects to another machine. A question of `ssh` stays to be read until it is answered.
 * @param asked `undefined`: nobody
 * @throws Failure those of `SshHost.open`
 */
export function openSsh(
  { run }: Pick<App, 'run'>,
  destination: Destination,
  asked: Asked | undefined,
): Promise<RemoteHost> {
  const open = () => SshHost.open(destination, { run, interactive: asked !== undefined });
  return asked === undefined ? open() : asked.undisturbed(open);
}

/**
 * The same, to change something in a folder there: nobody else does until it is closed.
 * @param command as a person calls it, for whoever is kept away
 * @throws Failure those of `hold` and `SshHost.open`
 */
export async function openHeld(
  app: Pick<App, 'run' | 'clock'>,
  destination: Destination,
  asked: Asked | undefined,
  { folder, command }: { readonly folder: string; readonly command: string },
): Promise<RemoteHost> {
  const host = await openSsh(app, destination, asked);
  try {
    return await hold(host, folder, { clock: app.clock, command });
  } catch (error) {
    await host.close();
    throw error;
  }
}
