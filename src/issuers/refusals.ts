import { AcmeProblem, AcmeUnreachable } from '../acme/problem.ts';
import { type Blame, IssuanceFailure } from '../certificates/issuer.ts';
import { moment } from '../certificates/words.ts';
import type { Doubts } from './doubts.ts';

/** Adds what a public CA may have stumbled over to its refusal. */
export async function withDoubts(error: unknown, doubts: Doubts | undefined, names: readonly string[]) {
  if (doubts === undefined || !(error instanceof IssuanceFailure) || error.blame !== 'validation')
    return error;
  return error.with(await doubts(names).catch(() => []));
}

/** Types of RFC 8555 section 6.7 that are about the names, and not about the account or the request. */
const ABOUT_NAMES: readonly string[] = [
  'caa',
  'connection',
  'dns',
  'incorrectResponse',
  'rejectedIdentifier',
  'tls',
];

/** What came back from an ACME server, as something a person can act on. Errors of other kinds stay as they are. */
export function explain(error: unknown, directory: string, names: readonly string[]): unknown {
  const host = new URL(directory).host;
  if (error instanceof AcmeUnreachable) {
    return new IssuanceFailure({
      blame: 'network',
      message: `${host} could not be asked: ${error.message}.`,
      remedy: 'Check ACME_DIRECTORY, ACME_CA_BUNDLE and the network, then run this again.',
      cause: error,
    });
  }
  if (!(error instanceof AcmeProblem)) return error;
  const { type, status, subproblems } = error.problem;
  const kind = type === '' ? `HTTP ${status}` : type;
  const each = subproblems.map(({ name, detail }) => `\n  ${name}: ${detail}`).join('');
  const blame = blameOf(error);
  return new IssuanceFailure({
    blame,
    message: `${host} refused a certificate for ${names.join(', ')} (${kind}): ${error.message}${each}`,
    remedy: remedies(error)[blame],
    problem: type || `http-${status}`,
    retryAfter: error.retryAfter,
    cause: error,
  });
}

function blameOf({ problem: { type, status } }: AcmeProblem): Blame {
  if (type === 'rateLimited' || status === 429) return 'limit';
  return ABOUT_NAMES.includes(type) ? 'validation' : 'ca';
}

function remedies({ retryAfter, problem: { type } }: AcmeProblem): Record<Blame, string> {
  const when = retryAfter === undefined ? 'later' : `from ${moment(retryAfter)} on`;
  return {
    validation: 'Check the DNS of the names (A, AAAA and CAA) and that port 80 is open, then run this again.',
    limit: `It takes the next request ${when}; the renewer waits for that. What is served does not change.`,
    ca:
      type.startsWith('external') || type === 'externalAccountRequired'
        ? 'Give the credentials of your account there: ACME_EAB_KID and ACME_EAB_HMAC_KEY.'
        : 'Nothing can be mended here; the renewer tries again. ACME_FALLBACK_DIRECTORY names another CA for such days.',
    network: 'Check the network, then run this again.',
  };
}
