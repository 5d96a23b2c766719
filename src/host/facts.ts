import { access, readFile } from 'node:fs/promises';
import { parse } from 'dotenv';
import { socketOf } from '../engine/address.ts';
import { connect } from '../engine/connect.ts';
import { Failure } from '../errors.ts';
import type { Run } from '../system/processes.ts';

/** What this machine has and is, as far as an installation needs to know. */
export interface HostFacts {
  readonly engine: EngineState;
  /** `2.26.1`, or `undefined` where `docker compose` is missing or older than 2. */
  readonly compose: string | undefined;
  /** Path of the engine's program, where it is installed. */
  readonly dockerd: string | undefined;
  readonly root: boolean;
  /** systemd runs this machine; else the engine has to be started by hand. */
  readonly systemd: boolean;
  readonly distribution: Distribution;
}

export type EngineState =
  | { readonly kind: 'answers'; readonly version: string }
  | { readonly kind: 'forbidden'; readonly failure: Failure }
  | { readonly kind: 'silent' };

export interface Distribution {
  /** `debian`, `ubuntu`, … from os-release(5). */
  readonly id: string;
  readonly codename: string;
  readonly debianLike: boolean;
}

export interface FactSources {
  readonly run: Run;
  readonly dockerHost: string | undefined;
  readonly root: boolean;
}

export async function gatherFacts({ run, dockerHost, root }: FactSources): Promise<HostFacts> {
  const [engine, compose, dockerd, systemd, distribution] = await Promise.all([
    engineState(dockerHost),
    composeVersion(run),
    firstOf('/usr/sbin/dockerd', '/usr/bin/dockerd', '/usr/local/bin/dockerd'),
    firstOf('/run/systemd/system'),
    readDistribution(),
  ]);
  return { engine, compose, dockerd, root, systemd: systemd !== undefined, distribution };
}

export async function engineState(dockerHost: string | undefined): Promise<EngineState> {
  try {
    return { kind: 'answers', version: await connect(dockerHost).version() };
  } catch (error) {
    if (error instanceof Failure && error.code === 'engine-permission')
      return { kind: 'forbidden', failure: error };
    return { kind: 'silent' };
  }
}

export function engineAddress(dockerHost: string | undefined): string {
  return dockerHost ?? `unix://${socketOf(undefined)}`;
}

async function composeVersion(run: Run): Promise<string | undefined> {
  const { exitCode, stdout } = await run('docker', ['compose', 'version', '--short']);
  const version = /^v?(\d+)\.\d+[.\d]*/.exec(stdout.trim());
  return exitCode === 0 && version !== null && Number(version[1]) >= 2 ? stdout.trim() : undefined;
}

async function readDistribution(): Promise<Distribution> {
  const release = parse(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  const id = release.ID ?? 'unknown';
  const family = [id, ...(release.ID_LIKE ?? '').split(' ')];
  return { id, codename: release.VERSION_CODENAME ?? '', debianLike: family.includes('debian') };
}

/** The first of the paths that exists. The PATH of a login may lack the sbin folders. */
async function firstOf(...paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
