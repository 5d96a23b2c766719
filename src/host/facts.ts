import { readFile } from 'node:fs/promises';
import { parse } from 'dotenv';
import { connect } from '../engine/connect.ts';
import { Failure } from '../errors.ts';
import { podmanInstead } from '../podman.ts';
import { leadsSomewhere } from '../system/files.ts';
import type { Run } from '../system/processes.ts';
import { type Distribution, distributionOf } from './distribution.ts';
import { runsSystemd } from './systemd.ts';

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
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'silent' };

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
    runsSystemd('/run'),
    readDistribution(),
  ]);
  return { engine, compose, dockerd, root, systemd, distribution };
}

export async function engineState(dockerHost: string | undefined): Promise<EngineState> {
  try {
    return { kind: 'answers', version: await connect(dockerHost).version() };
  } catch (error) {
    if (error instanceof Failure && error.code !== 'engine-unreachable')
      return { kind: 'refused', failure: error };
    return { kind: 'silent' };
  }
}

/** @throws Failure `podman` where the command `docker` is Podman's */
export async function expectDockersCommand(run: Run): Promise<void> {
  const { stdout } = await run('docker', ['--version']);
  const podman = /^podman version (\S+)/.exec(stdout)?.[1];
  if (podman !== undefined) throw podmanInstead(podman, 'the command docker');
}

async function composeVersion(run: Run): Promise<string | undefined> {
  const { exitCode, stdout } = await run('docker', ['compose', 'version', '--short']);
  const version = /^v?(\d+)\.\d+[.\d]*/.exec(stdout.trim());
  return exitCode === 0 && version !== null && Number(version[1]) >= 2 ? stdout.trim() : undefined;
}

async function readDistribution(): Promise<Distribution> {
  return distributionOf(parse(await readFile('/etc/os-release', 'utf8').catch(() => '')));
}

/** The first of the paths that exists. The PATH of a login may lack the sbin folders. */
async function firstOf(...paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (await leadsSomewhere(path)) return path;
  }
  return undefined;
}
