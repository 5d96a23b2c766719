import { join } from 'node:path';
import { CertificateStore } from '../certificates/store.ts';
import { socketOf } from '../engine/address.ts';
import { connect } from '../engine/connect.ts';
import { type EngineInfo, engineInfo } from '../host/engine-info.ts';
import { Made } from '../host/made.ts';
import type { Settings } from '../settings/settings.ts';
import type { Done, Report } from '../step.ts';
import type { TrustMachine } from '../trust/machine.ts';
import { proveOwn } from '../trust/prove-own.ts';
import type { App } from './app.ts';

export function openTrustMachine({ run, clock, paths, environment }: App): TrustMachine {
  const configHome = environment.XDG_CONFIG_HOME || join(environment.HOME ?? '/root', '.config');
  return { run, clock, made: new Made(paths.made), root: '/', configHome };
}

/** The engine whose trust this machine's files decide about, or why there is none. */
export async function localEngine({ run, environment }: App): Promise<EngineInfo | string> {
  if (socketOf(environment.DOCKER_HOST) === undefined) return 'DOCKER_HOST names another machine’s';
  return engineInfo(run);
}

/** The certificate of this checkout's registry. */
export async function ownCertificate({ paths, clock }: App) {
  const current = await new CertificateStore(paths.certificates, clock).current();
  return current.kind === 'present' ? current.generation.certificate : undefined;
}

/** A push and a pull by this machine's engine. */
export async function proveOwnRegistry(
  app: App,
  settings: Settings,
  report: Report,
): Promise<Done | undefined> {
  const certificate = await ownCertificate(app);
  if (certificate === undefined) return undefined;
  const engine = connect(app.environment.DOCKER_HOST);
  return proveOwn({ ...app, engine, settings }, certificate, report);
}
