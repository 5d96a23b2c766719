import { networkInterfaces } from 'node:os';
import type { RenewalParts } from '../certificates/outlook.ts';
import type { Engine } from '../engine/engine.ts';
import { OF_ENGINES } from '../host/lasting-addresses.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import type { Clock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import type { StackFacts } from './stack/facts.ts';

/** What there is before there are settings. */
export interface Ground {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly run: Run;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a check of a registry may look at. */
export interface Context extends Ground {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly renewal: RenewalParts;
  /** Looked up once, as several checks want it. */
  readonly stack: () => Promise<StackFacts>;
  /** The unit of systemd that does the renewer's work, where the stack has none. */
  readonly unit: string | undefined;
  /** The CA's names in CAA records (RFC 8659); `undefined` where no public CA is asked. */
  readonly issuerDomains: (() => Promise<readonly string[]>) | undefined;
}

/** The addresses of this machine that others may use, and its loopback. */
export function ownAddresses(): readonly string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !OF_ENGINES.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !/^fe80:/i.test(address));
}
