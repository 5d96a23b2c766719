import { join } from 'node:path';
import type { EngineInfo } from '../host/engine-info.ts';
import { textOf } from '../host/made-files.ts';
import { isLoopback } from '../settings/storage.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { leadsSomewhere } from '../system/files.ts';
import { holds } from './authority.ts';
import { purposeOf, type TrustedRegistry, type TrustMachine } from './machine.ts';
import { parseRegistryName } from './registry-name.ts';

const FILE = 'ca.crt';

/**
 * Puts the CA where the clients of this machine look for that of one registry (Docker: docs.docker.com/engine/security/
 * certificates; Podman, skopeo: containers-certs.d(5)). What names have gone is taken away.
 * @throws Failure `foreign-file`, `root-needed`
 */
export async function ensureClients(
  machine: TrustMachine,
  registry: TrustedRegistry,
  engine: EngineInfo | undefined,
): Promise<Done<readonly string[]>> {
  const { made } = machine;
  const purpose = purposeOf(registry.id, 'clients');
  const files = await wantedFiles(machine, registry, engine);
  const written: string[] = [];
  for (const file of files) {
    const present = await textOf(file);
    const ours = (await made.for(purpose)).some(({ path }) => path === file);
    if (!ours && typeof present !== 'object' && holds(present, registry.ca)) continue; // somebody has done the same by hand: it stays theirs
    if (await made.ensure(file, purpose, registry.ca.pem)) written.push(file);
  }
  const { gone } = await made.remove(purpose, { keep: ({ path }) => files.includes(path) });
  if (files.length === 0) return unchanged('Docker trusts the names of this machine itself as it is', files);
  if (written.length === 0 && gone.length === 0) return unchanged(files.join(', '), files);
  return changed([...written, ...gone.map((path) => `${path} removed`)].join(', '), files);
}

async function wantedFiles(
  machine: TrustMachine,
  { authorities }: TrustedRegistry,
  engine: EngineInfo | undefined,
): Promise<readonly string[]> {
  const docker = await dockerFolder(machine, engine);
  const containers = join(machine.root, 'etc/containers');
  const forDocker = authorities.filter((each) => !isLocal(each)); // it trusts 127.0.0.0/8 as it is
  const under = (folder: string) => (authority: string) => join(folder, 'certs.d', authority, FILE);
  return [
    ...(docker === undefined ? [] : forDocker.map(under(docker))),
    ...((await leadsSomewhere(containers)) ? authorities.map(under(containers)) : []),
  ];
}

/** `undefined` on a machine that has Podman and no Docker. */
async function dockerFolder(
  { root, configHome }: TrustMachine,
  engine: EngineInfo | undefined,
): Promise<string | undefined> {
  if (engine?.rootless === true) return join(configHome, 'docker');
  const folder = join(root, 'etc/docker');
  if (engine !== undefined || (await leadsSomewhere(folder))) return folder;
  return (await leadsSomewhere(join(root, 'etc/containers'))) ? undefined : folder;
}

function isLocal(authority: string): boolean {
  const parsed = parseRegistryName(authority);
  return typeof parsed !== 'string' && isLoopback(parsed.name);
}
