import { counted } from '../counted.ts';
import { Failure, messageOf, systemCode } from '../errors.ts';
import type { Bucket } from '../settings/storage.ts';
import { type Answer, originOf } from './bucket-client.ts';

/** What was tried, and the permission that it takes on AWS. */
export interface Attempt {
  readonly what: string;
  readonly permission: string;
  /** Whether such an answer is as good: that there is no such object. */
  readonly mayBeMissing?: (answer: Answer) => boolean;
}

/** OpenSSL's and Node's words for a certificate that nobody vouches for. */
const UNTRUSTED =
  /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA/;
const MISNAMED = /ERR_TLS_CERT_ALTNAME_INVALID/;
const EXPIRED = /CERT_(HAS_EXPIRED|NOT_YET_VALID)/;
const NO_TLS = /EPROTO|WRONG_VERSION_NUMBER|ERR_SSL/;

/** Why no answer came. */
export function silentBucket(bucket: Bucket, error: unknown): Failure {
  const origin = originOf(bucket);
  const code = systemCode(error) ?? '';
  const fail = (name: string, message: string, remedy: string) =>
    new Failure(name, message, remedy, { cause: error });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return fail(
      's3-no-host',
      `There is no host of the name in S3_ENDPOINT, ${origin}: ${messageOf(error)}.`,
      'Fix the name in S3_ENDPOINT (or S3_REGION, where that is empty), or this machine’s DNS, then run this again.',
    );
  if (UNTRUSTED.test(code))
    return fail(
      's3-untrusted',
      `The certificate of ${origin} is from a CA that is not trusted here: ${messageOf(error)}.`,
      bucket.trust === undefined
        ? 'Name the PEM file of its CA in S3_CA_BUNDLE, then run this again.'
        : 'Put the CA that signed it into the file that S3_CA_BUNDLE names, then run this again.',
    );
  if (MISNAMED.test(code))
    return fail(
      's3-untrusted',
      `The certificate of ${origin} is for another name: ${messageOf(error)}.`,
      'Name the endpoint in S3_ENDPOINT as its certificate does, or set S3_PATH_STYLE=true where the bucket was in the name.',
    );
  if (EXPIRED.test(code))
    return fail(
      's3-untrusted',
      `The certificate of ${origin} is not valid today: ${messageOf(error)}.`,
      'Have it renewed, or set the clock of this machine.',
    );
  if (NO_TLS.test(code))
    return fail(
      's3-no-tls',
      `${origin} does not speak TLS.`,
      'Begin S3_ENDPOINT with http://, or have the server speak TLS, then run this again.',
    );
  return fail(
    's3-silent',
    `${origin} does not answer: ${messageOf(error)}.`,
    'Start the server, or fix S3_ENDPOINT or the firewall between, then run this again.',
  );
}

/** Why the answer is not what it should be. */
export function refusedByBucket(
  bucket: Bucket,
  { what, permission }: Attempt,
  answer: Answer,
  now: Date,
): Failure {
  const origin = originOf(bucket);
  const told = `${answer.status} ${answer.code}`.trim();
  switch (answer.code) {
    case 'InvalidAccessKeyId':
      return new Failure('s3-key', `${origin} knows no S3_ACCESS_KEY ${bucket.accessKey}.`, BOTH_KEYS);
    case 'SignatureDoesNotMatch':
      return new Failure(
        's3-key',
        `${origin} says that S3_SECRET_KEY is not that of S3_ACCESS_KEY ${bucket.accessKey}, or knows no such key.`,
        BOTH_KEYS,
      );
    case 'RequestTimeTooSkewed':
    case 'RequestExpired':
      return new Failure(
        's3-clock',
        skewed(origin, answer.date, now),
        'Set the clock: sudo timedatectl set-ntp true',
      );
    case 'NoSuchBucket':
      return new Failure(
        's3-no-bucket',
        `There is no bucket ${bucket.bucket} at ${origin}.`,
        'Make it there, or fix S3_BUCKET, then run this again.',
      );
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'TemporaryRedirect':
    case 'IllegalLocationConstraintException':
      return wrongRegion(bucket, answer);
  }
  if (answer.status === 301 || answer.status === 307) return wrongRegion(bucket, answer);
  if (answer.status === 401 || answer.status === 403)
    return new Failure(
      's3-forbidden',
      `S3_ACCESS_KEY ${bucket.accessKey} may not ${what} in the bucket ${bucket.bucket}: ${told}.`,
      `Give it the permission ${permission}, then run this again. All that is needed: docs/storage.md.`,
    );
  if (answer.status === 501 || answer.status === 405)
    return new Failure(
      's3-incapable',
      `${origin} can't ${what} (${told}), which the registry needs.`,
      'Use a server that can, such as those docs/storage.md names.',
    );
  if (answer.status === 404 && answer.code === '')
    return new Failure(
      's3-no-bucket',
      `What answers at ${origin} knows nothing of a bucket ${bucket.bucket}: ${told}.`,
      'Check that S3_ENDPOINT is the S3 API, not a web console, and S3_BUCKET, then run this again.',
    );
  return new Failure(
    's3-unwell',
    `${origin} answered ${told} when asked to ${what}.`,
    answer.status >= 500
      ? 'Look into its logs, or wait until it is well, then run this again.'
      : 'Check S3_ENDPOINT.',
  );
}

const BOTH_KEYS = 'Fix S3_ACCESS_KEY and S3_SECRET_KEY in .env, then run this again.';

function wrongRegion(bucket: Bucket, { region }: Answer): Failure {
  const right = region === undefined ? 'the region of the bucket' : region;
  return new Failure(
    's3-region',
    `The bucket ${bucket.bucket} is not in the region ${bucket.region}${region === undefined ? '' : `, but in ${region}`}.`,
    `Set S3_REGION to ${right}, then run this again.`,
  );
}

function skewed(origin: string, theirs: Date | undefined, now: Date): string {
  if (theirs === undefined || Number.isNaN(theirs.getTime()))
    return `${origin} says that the clock of this machine is wrong.`;
  const minutes = Math.round((now.getTime() - theirs.getTime()) / 60_000);
  return `The clock of this machine is ${counted(Math.abs(minutes), 'minute')} ${minutes > 0 ? 'ahead of' : 'behind'} that of ${origin}.`;
}
