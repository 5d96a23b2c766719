import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { Alert } from './alert.ts';

/** A way to reach a person. */
export interface Channel {
  /** Tells it from all others in the record of what was sent. Holds no secret. */
  readonly id: string;
  /** What the log calls it: a host or an address. */
  readonly name: string;
  /** @throws Failure `alert-undelivered`, whose message may stand in a log */
  send(alert: Alert): Promise<void>;
}

/** The same for the same target, and the target can't be read from it. */
export function channelId(kind: string, ...target: readonly string[]): string {
  return `${kind}-${createHash('sha256').update(target.join('\n')).digest('hex').slice(0, 16)}`;
}

export function undelivered(message: string, remedy: string): Failure {
  return new Failure('alert-undelivered', message, remedy);
}
