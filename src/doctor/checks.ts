import { WrongInput } from '../errors.ts';
import { certificateCheck } from './certificate/certificate.ts';
import { renewerCheck } from './certificate/renewer.ts';
import { servedCheck } from './certificate/served.ts';
import { trustCheck } from './certificate/trust.ts';
import type { Check } from './check.ts';
import type { Context, Ground } from './context.ts';
import { clockCheck } from './machine/clock.ts';
import { diskCheck } from './machine/disk.ts';
import { permissionsCheck } from './machine/permissions.ts';
import { settingsCheck } from './machine/settings.ts';
import { composeCheck, engineCheck, nodeCheck } from './machine/versions.ts';
import { caaCheck } from './name/caa.ts';
import { dnsCheck } from './name/dns.ts';
import { outsideCheck } from './name/outside.ts';
import { portsCheck } from './name/ports.ts';
import { deleteCheck } from './path/delete.ts';
import { locationCheck } from './path/location.ts';
import { loginCheck } from './path/login.ts';
import { pullCheck } from './path/pull.ts';
import { chunkedPushCheck, largePushCheck } from './path/pushes.ts';
import { slowPushCheck } from './path/slow-push.ts';
import type { Visit } from './path/visit.ts';
import { accessCheck } from './stack/access.ts';
import { differencesCheck } from './stack/differences.ts';
import { interruptedCheck } from './stack/interrupted.ts';
import { logsCheck } from './stack/logs.ts';
import { mirrorCheck } from './stack/mirror.ts';
import { partsCheck } from './stack/parts.ts';
import { retentionCheck } from './stack/retention.ts';
import { storageCheck } from './stack/storage.ts';

/** Everything that is looked at, in the order in which it is told. */
export interface Checks {
  /** These need no settings. */
  readonly ground: readonly Check<Ground>[];
  /** These do not disturb each other. */
  readonly state: readonly Check<Context>[];
  /** These build on each other. */
  readonly path: readonly Check<Visit>[];
}

/** A client's visit, which may be from another machine. */
export const PATH_CHECKS: readonly Check<Visit>[] = [
  loginCheck,
  locationCheck,
  largePushCheck,
  chunkedPushCheck,
  slowPushCheck,
  pullCheck,
  deleteCheck,
];

const ALL: Checks = {
  ground: [settingsCheck, nodeCheck, engineCheck, composeCheck],
  state: [
    diskCheck,
    permissionsCheck,
    clockCheck,
    dnsCheck,
    portsCheck,
    outsideCheck,
    caaCheck,
    certificateCheck,
    servedCheck,
    renewerCheck,
    trustCheck,
    partsCheck,
    differencesCheck,
    storageCheck,
    mirrorCheck,
    accessCheck,
    retentionCheck,
    logsCheck,
    interruptedCheck,
  ],
  path: PATH_CHECKS,
};

export interface Choice {
  readonly quick: boolean;
  /** Names; none is all. */
  readonly only: readonly string[];
}

export function checkNames(): readonly string[] {
  return [...ALL.ground, ...ALL.state, ...ALL.path].map(({ name }) => name);
}

/** @throws WrongInput for a name that no check has */
export function chooseChecks({ quick, only }: Choice): Checks {
  const unknown = only.filter((name) => !checkNames().includes(name));
  if (unknown.length > 0)
    throw new WrongInput(
      unknown.map((name) => ({ input: name, message: `is no check; there are ${checkNames().join(', ')}` })),
    );
  const chosen = <C>(checks: readonly Check<C>[], needed: string): Check<C>[] =>
    checks.filter(({ name, slow }) =>
      only.length === 0 ? !(quick && slow === true) : only.includes(name) || needed === name,
    );
  const path = chosen(ALL.path, '');
  return {
    ground: chosen(ALL.ground, ''),
    state: chosen(ALL.state, ''),
    // The login says whether there is anybody, and who stands in front.
    path: path.length > 0 ? chosen(ALL.path, loginCheck.name) : [],
  };
}

/** What `--fix` looks at first, one after another: what is mended is then found to be well. */
export const MENDED: readonly Check<Context>[] = [permissionsCheck, partsCheck, renewerCheck];
