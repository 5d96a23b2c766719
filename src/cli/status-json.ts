import type { Seen, Status } from '../status/status.ts';
import type { Trouble } from '../status/trouble.ts';
import { isWell } from '../status/troubles.ts';

/** The state for programs. What it looks like is told in docs/status.md: what is there stays there. */
export function statusAsJson(status: Status, troubles: readonly Trouble[]): string {
  const { at, url, silence, parts, auth, access, users, storage, disk, forecast, mirror } = status;
  const state = {
    at,
    ok: isWell(troubles),
    troubles,
    registry: { url, answers: silence === undefined, silence: silence ?? null },
    parts: known(parts),
    certificate: certificateOf(status),
    access: { by: auth, ...known(access) },
    users: known(users),
    storage: typeof storage === 'string' ? null : known(storage),
    disk,
    forecast: forecast ?? null,
    mirror: mirror && {
      at: mirror.at,
      of: mirror.of,
      silence: mirror.silence ?? null,
      upstream: mirror.upstream ?? null,
    },
    oldPlaces: status.oldPlaces,
    underWay: status.underWay,
    move: status.move === undefined ? null : moveOf(status.move),
    events: status.events,
  };
  return `${JSON.stringify(state, null, 2)}\n`;
}

function known<T>(what: Seen<T>): T | { error: string } | null {
  return what.kind === 'seen' ? (what.what ?? null) : { error: what.because };
}

function certificateOf({ certificate, at }: Status) {
  if (certificate.kind === 'unseen') return { error: certificate.because };
  const { decision, current, renewalDue, failure } = certificate.what;
  const { generation } = current.kind === 'present' ? current : { generation: undefined };
  const facts = generation && {
    issuer: generation.origin.issuer,
    ...generation.certificate,
    daysLeft: Math.floor((generation.certificate.notAfter.getTime() - at.getTime()) / 86_400_000),
  };
  const failing = failure && {
    since: failure.since,
    count: failure.count,
    message: failure.message,
    nextAttempt: failure.nextAttempt,
  };
  return { decision, ...facts, renewalDue: renewalDue ?? null, failure: failing ?? null };
}

function moveOf({ kind, other, folder, since }: NonNullable<Status['move']>) {
  return { kind, other, folder, since };
}
