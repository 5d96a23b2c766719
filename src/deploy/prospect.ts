import type { Proposal } from '../host/plan.ts';
import type { RemoteHost } from '../remote/host.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { Order } from './order.ts';
import type { ProgramAction } from './programs.ts';
import type { SettingsPlan } from './settings.ts';
import type { Extra } from './target.ts';

/** A machine that was looked at and is fit, with all that is to be done there. Nothing has changed yet. */
export interface Prospect {
  readonly order: Order;
  readonly host: RemoteHost;
  readonly facts: MachineFacts;
  readonly settings: SettingsPlan;
  readonly programs: readonly ProgramAction[];
  /** What init-tls there will do about Docker; `undefined`: nothing. */
  readonly docker: Proposal | undefined;
  /** Those of the extras that would change something. */
  readonly extras: ReadonlySet<Extra>;
  /** Of Docker, for its proxy. */
  readonly restart: Proposal | undefined;
}
