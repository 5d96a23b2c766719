import { counted } from '../counted.ts';
import { unreachable } from '../errors.ts';
import { returnOf, sizeInWords } from '../low-water.ts';
import { utcMinute } from '../system/clock.ts';
import type { Alert, CertificateFacts, DiskAlert, FailureSeries } from './alert.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Room for the words of a CA; some services cut or refuse what is longer than a few thousand characters. */
const LONGEST_QUOTE = 1000;

const ADVICE = [
  'What to do, in the folder of Moorage:',
  '  npm run renew                  tries at once, and says what is wrong',
  '  cat var/ledger.jsonl           shows what was tried and when',
].join('\n');

const MAKE_ROOM =
  'What to do: free space there, or put the images on a larger disk (REGISTRY_DATA_DIR). How much is kept free is DISK_RESERVE.';

/** How much of a hurry it is. */
export function severity(alert: Alert): 'info' | 'warning' | 'critical' {
  switch (alert.kind) {
    case 'recovered':
    case 'disk-recovered':
      return 'info';
    case 'failing':
    case 'disk-short':
      return 'warning';
    case 'disk-low':
      return 'critical';
    case 'expiring':
      return alert.mark === 'third' && left(alert.certificate, alert.at) > 0 ? 'warning' : 'critical';
    default:
      return unreachable(alert);
  }
}

/** One line about an alert. */
export function title(alert: Alert): string {
  return `${alert.domain}: ${event(alert)}`.replace(/\p{Cc}+/gu, ' ');
}

/** What a person has to know: what, since when, until when, what happens next, what to do. Plain text, no secret. */
export function text(alert: Alert): string {
  return paragraphs(alert).join('\n\n');
}

function event(alert: Alert): string {
  switch (alert.kind) {
    case 'expiring': {
      const remaining = left(alert.certificate, alert.at);
      return remaining > 0
        ? `the certificate expires in ${duration(remaining)}`
        : 'the certificate has expired';
    }
    case 'failing':
      return 'the certificate could not be renewed';
    case 'recovered':
      return 'renewing the certificate works again';
    case 'disk-short':
      return 'the disk of the images is getting full';
    case 'disk-low':
      return 'the disk of the images is almost full, so pushes are refused';
    case 'disk-recovered':
      return alert.level === 'fine'
        ? 'the disk of the images has room again'
        : 'the disk of the images has room again for some pushes';
    default:
      return unreachable(alert);
  }
}

function paragraphs(alert: Alert): string[] {
  const { domain, certificate, at } = alert;
  switch (alert.kind) {
    case 'expiring': {
      const { notAfter, renewalDue } = alert.certificate;
      return [
        left(alert.certificate, at) > 0
          ? `The certificate of ${domain} is valid until ${utcMinute(notAfter)}. Its renewal was due on ${utcMinute(renewalDue)} and has not succeeded.`
          : `The certificate of ${domain} was valid until ${utcMinute(notAfter)}. Clients refuse it. Its renewal was due on ${utcMinute(renewalDue)} and has not succeeded.`,
        ...(alert.failure === undefined
          ? ['No attempt has failed, so perhaps none was made in time. The renewer looks every ten minutes.']
          : quote(alert.failure)),
        ADVICE,
      ];
    }
    case 'failing':
      return [
        `Moorage could not renew the certificate of ${domain}.`,
        ...quote(alert.failure),
        `${inForce(certificate, at)} Moorage goes on trying by itself; you hear of it when it succeeds, and when time runs short.`,
        ADVICE,
      ];
    case 'recovered':
      return [
        `Moorage can renew the certificate of ${domain} again. ${inForce(certificate, at)} Nothing is to be done.`,
      ];
    case 'disk-short':
    case 'disk-low':
    case 'disk-recovered':
      return diskParagraphs(alert);
    default:
      return unreachable(alert);
  }
}

function diskParagraphs({ kind, level, domain, disk }: DiskAlert): string[] {
  const [free, size, mark] = [disk.free, disk.size, disk.mark].map(sizeInWords);
  const figures = `${free} of ${size} are free.`;
  switch (kind) {
    case 'disk-short':
      return [
        `The disk of the images of ${domain} is getting full: ${figures} With less than ${mark} pushes are refused.`,
        MAKE_ROOM,
      ];
    case 'disk-low':
      return [
        `The disk of the images of ${domain} is almost full: ${figures} Pushes are refused (507), pulls go on. With ${sizeInWords(returnOf(disk.mark))} free, pushes are taken again by themselves.`,
        MAKE_ROOM,
      ];
    case 'disk-recovered':
      return level === 'fine'
        ? [`The disk of the images of ${domain} has room again: ${figures} Nothing is to be done.`]
        : [
            `Pushes to ${domain} are taken again: ${figures} With less than ${mark} they are refused.`,
            MAKE_ROOM,
          ];
    default:
      return unreachable(kind);
  }
}

function quote({ count, message, since, nextAttempt }: FailureSeries): string[] {
  const attempts =
    count === 1 ? 'One attempt has failed,' : `${count} attempts in a row have failed, the first`;
  const words = message
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n]+/gu, ' ')
    .trim();
  const cut = words.length > LONGEST_QUOTE ? `${words.slice(0, LONGEST_QUOTE)}…` : words;
  return [
    `${attempts} at ${utcMinute(since)}. The last one said:`,
    cut,
    `The next attempt is at ${utcMinute(nextAttempt)}.`,
  ];
}

function inForce(certificate: CertificateFacts | undefined, at: Date): string {
  if (certificate === undefined) return 'There is no certificate yet that clients could trust.';
  return left(certificate, at) > 0
    ? `The certificate that is served is valid until ${utcMinute(certificate.notAfter)}.`
    : `The certificate that is served expired on ${utcMinute(certificate.notAfter)}.`;
}

function left({ notAfter }: CertificateFacts, at: Date): number {
  return notAfter.getTime() - at.getTime();
}

/** In the largest unit of which there are two. */
function duration(milliseconds: number): string {
  for (const [unit, length] of [
    ['days', DAY],
    ['hours', HOUR],
    ['minutes', MINUTE],
  ] as const) {
    if (milliseconds >= 2 * length) return `${Math.floor(milliseconds / length)} ${unit}`;
  }
  return counted(Math.ceil(milliseconds / SECOND), 'second');
}
