import { unreachable } from '../errors.ts';
import { isBelow, type MarkedDisk, returnOf } from '../low-water.ts';

/** How things stand after a look of the daemon. */
export interface Situation {
  readonly domain: string;
  /** What is in force; `undefined` while there is none, or only the placeholder. */
  readonly certificate: CertificateFacts | undefined;
  /** Failures in a row; `undefined` when the last attempt went well. */
  readonly failure: FailureSeries | undefined;
  /** Plain HTTP: nothing is renewed, so there is nothing to tell of it. */
  readonly plain?: boolean;
  /** The disk of the images, where somebody sees to what is free on it. */
  readonly disk?: MarkedDisk | undefined;
}

/** `short`: it is not far to the mark. `low`: pushes are refused. */
export type DiskLevel = 'fine' | 'short' | 'low';

export interface CertificateFacts {
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** When its renewal is planned. Before that has had its chance, little time left is no news. */
  readonly renewalDue: Date;
}

export interface FailureSeries {
  readonly count: number;
  /** Of the last attempt. */
  readonly message: string;
  readonly since: Date;
  readonly nextAttempt: Date;
}

/** What is left of a certificate's lifetime, from the first to the most urgent. */
const MARKS = ['third', 'sixth', 'last-48h'] as const;
export type Mark = (typeof MARKS)[number];

export type Alert =
  | ({ readonly kind: 'expiring'; readonly mark: Mark } & Common<CertificateFacts, FailureSeries | undefined>)
  | ({ readonly kind: 'failing' } & Common<CertificateFacts | undefined, FailureSeries>)
  | ({ readonly kind: 'recovered' } & Common<CertificateFacts | undefined, undefined>)
  | DiskAlert;

/** Little is left, so little that pushes are refused, or neither any more. */
export interface DiskAlert extends Common<undefined, undefined> {
  readonly kind: 'disk-short' | 'disk-low' | 'disk-recovered';
  readonly disk: MarkedDisk;
  readonly level: DiskLevel;
}

interface Common<Certificate, Failure> {
  readonly at: Date;
  readonly domain: string;
  readonly certificate: Certificate;
  readonly failure: Failure;
}

/** What one channel has been told already. */
export interface Told {
  /** The most urgent mark it was told of, and of which certificate. */
  readonly certificate?: { readonly fingerprint: string; readonly mark: Mark } | undefined;
  /** Whether it was told of failures and not yet of their end. */
  readonly failing: boolean;
  /** What it was told of the disk last, unless that was fine. */
  readonly disk?: 'short' | 'low' | undefined;
}

/** What a channel that was told so much is to be told now, in this order. Pure. */
export function dueAlerts(situation: Situation, now: Date, told: Told): Alert[] {
  return [
    ...(situation.plain === true ? [] : certificateAlerts(situation, now, told)),
    ...diskAlerts(situation, now, told),
  ];
}

function certificateAlerts({ domain, certificate, failure }: Situation, now: Date, told: Told): Alert[] {
  const alerts: Alert[] = [];
  const common = { at: now, domain };
  if (failure !== undefined && !told.failing) {
    alerts.push({ kind: 'failing', ...common, certificate, failure });
  }
  if (failure === undefined && told.failing) {
    alerts.push({ kind: 'recovered', ...common, certificate, failure });
  }
  const mark = certificate && lastMarkPassed(certificate, now);
  if (certificate !== undefined && mark !== undefined && isNews(certificate, mark, told)) {
    alerts.push({ kind: 'expiring', mark, ...common, certificate, failure });
  }
  return alerts;
}

/** Each level once on the way down. On the way up it is news that pushes are taken again, and that all is well. */
function diskAlerts({ domain, disk }: Situation, now: Date, told: Told): DiskAlert[] {
  if (disk === undefined) return [];
  const before = told.disk ?? 'fine';
  const level = levelOf(disk, before);
  if (level === before) return [];
  const worse = level === 'low' || (level === 'short' && before === 'fine');
  const kind = !worse ? 'disk-recovered' : level === 'low' ? 'disk-low' : 'disk-short';
  const common = { at: now, domain, certificate: undefined, failure: undefined };
  return [{ kind, disk, level, ...common }];
}

/** Twice what has to be free before pushes are taken again is near enough for a word of warning. */
function levelOf({ free, mark }: MarkedDisk, before: DiskLevel): DiskLevel {
  if (isBelow(mark, free, before === 'low')) return 'low';
  return isBelow(2 * returnOf(mark), free, before !== 'fine') ? 'short' : 'fine';
}

/** What the channel has been told once it got this alert. A mark stands for those before it too. */
export function afterTelling(told: Told, alert: Alert): Told {
  switch (alert.kind) {
    case 'expiring':
      return { ...told, certificate: { fingerprint: alert.certificate.fingerprint, mark: alert.mark } };
    case 'failing':
    case 'recovered':
      return { ...told, failing: alert.kind === 'failing' };
    case 'disk-short':
    case 'disk-low':
    case 'disk-recovered':
      return { ...told, disk: alert.level === 'fine' ? undefined : alert.level };
    default:
      return unreachable(alert);
  }
}

function isNews({ fingerprint }: CertificateFacts, mark: Mark, { certificate }: Told): boolean {
  if (certificate?.fingerprint !== fingerprint) return true;
  return MARKS.indexOf(mark) > MARKS.indexOf(certificate.mark);
}

const HOUR = 3_600_000;

/**
 * The most urgent mark there is at this time. 48 hours count only where they come last, which is in lifetimes above
 * twelve days; before a sixth is left of 160 hours, 48 hours are no alarm.
 */
function lastMarkPassed(certificate: CertificateFacts, now: Date): Mark | undefined {
  const notBefore = certificate.notBefore.getTime();
  const notAfter = certificate.notAfter.getTime();
  const lifetime = notAfter - notBefore;
  // A renewal may be planned for the very moment of a mark: it gets some looks of the daemon's time to succeed. A plan
  // that comes too late hides no alarm.
  const chance = Math.min(HOUR, lifetime / 60);
  const quiet = Math.min(certificate.renewalDue.getTime() + chance, notAfter - lifetime / 12);
  const begins: Record<Mark, number> = {
    third: Math.max(notAfter - lifetime / 3, quiet),
    sixth: Math.max(notAfter - lifetime / 6, quiet),
    'last-48h': 48 * HOUR < lifetime / 6 ? notAfter - 48 * HOUR : Number.POSITIVE_INFINITY,
  };
  return MARKS.findLast((mark) => now.getTime() >= begins[mark]);
}
