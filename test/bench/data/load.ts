import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { paths } from '../../../src/paths.ts';
import type { Credentials } from '../../../src/registry/client.ts';
import { NAME } from './fronts.ts';
import { LOAD_IMAGE } from './images.ts';

/** Where a load's container has what it sends. */
export const FILES = '/files';

/** A container that knows one registry by the name of all. */
export interface Load {
  /** Runs a program of the folder `load`; what it says on its last line. */
  readonly run: (...command: readonly string[]) => Promise<Said>;
  readonly dispose: () => Promise<void>;
}

export interface Said {
  readonly seconds: number;
  readonly requests?: number;
  readonly bytes?: number;
  readonly failed?: number;
}

interface Options {
  readonly name: string;
  /** The engine's network, and the registry's address in it. */
  readonly network: string;
  readonly address: string;
  /** A new one for this container's copy of the programs; holds the password. */
  readonly folder: string;
  readonly files: string;
  /** PEM of the CA. */
  readonly authority: string;
  readonly login: Credentials | undefined;
  /** What wrk may be told to ask for: paths by the name of the list. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
}

export async function startLoad(options: Options): Promise<Load> {
  const { name, network, address, folder, files } = options;
  await cp(join(paths().root, 'test/bench/data/load'), folder, { recursive: true });
  await writeSecrets(options);
  const mounted = ['--volume', `${folder}:/load:ro`, '--volume', `${files}:${FILES}:ro`];
  const reached = ['--network', network, '--add-host', `${NAME}:${address}`];
  const environment = ['--env', 'OPENSSL_CONF=/load/openssl.cnf'];
  const place = ['--detach', '--init', '--name', name, ...reached, ...mounted, ...environment];
  await execa('docker', ['run', ...place, LOAD_IMAGE]);
  return {
    run: async (...command) => {
      const { stdout } = await execa('docker', ['exec', '--workdir', '/load', name, ...command]);
      return JSON.parse(stdout.split('\n').at(-1) ?? '');
    },
    dispose: async () => void (await execa('docker', ['rm', '--force', name])),
  };
}

async function writeSecrets({ folder, authority, login, lists }: Options): Promise<void> {
  const pair = login === undefined ? '' : `${login.user}:${login.password.reveal()}`;
  const secret = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  await secret('login.curl', pair && `user = "${pair}"\n`);
  await secret('authorization', pair && `Basic ${Buffer.from(pair).toString('base64')}\n`);
  await writeFile(join(folder, 'ca.pem'), authority);
  for (const [name, each] of Object.entries(lists))
    await writeFile(join(folder, `${name}.paths`), `${each.join('\n')}\n`);
}
