import { type Blame, IssuanceFailure } from '../certificates/issuer.ts';
import type { Executed } from '../engine/engine.ts';

const NOISE =
  /^(Saving debug log|Ask for help|See the logfile|Hint:|Simulating|Requesting|Account registered)/;

const REMEDIES: Record<Blame, string> = {
  validation:
    'Check that the name leads to this machine (A and AAAA) and that port 80 is open, then run this again.',
  limit: 'The renewer waits for that by itself. What is served does not change.',
  ca: 'Nothing can be mended here; the renewer tries again.',
  network: 'Check ACME_DIRECTORY, ACME_CA_BUNDLE and the network, then run this again.',
};

/** What certbot ended with, as something a person can act on. */
export function refusal(
  directory: string,
  names: readonly string[],
  { exitCode, output }: Executed,
): IssuanceFailure {
  const host = new URL(directory).host;
  const { blame, problem, retryAfter, lines } = complaint(output);
  const what =
    blame === 'network'
      ? `${host} could not be asked`
      : `${host} refused a certificate for ${names.join(', ')}`;
  return new IssuanceFailure({
    blame,
    message: `${what} (certbot ended with ${exitCode}):\n${lines}`,
    remedy: REMEDIES[blame],
    problem,
    retryAfter,
  });
}

/** certbot says that it is done, and there is no certificate that was not there before. */
export function nothingNew(folder: string, { output }: Executed): IssuanceFailure {
  return new IssuanceFailure({
    blame: 'ca',
    message: `certbot ended well, but left no new certificate in ${folder}:\n${complaint(output).lines}`,
    remedy: 'Look into its log there (logs/letsencrypt.log). What is served does not change.',
  });
}

export interface Complaint {
  readonly blame: Blame;
  /** The type of the CA's problem document, where certbot tells it. */
  readonly problem: string | undefined;
  readonly retryAfter: Date | undefined;
  /** The lines that say what the CA or the network objected to. */
  readonly lines: string;
}

/** What certbot's output tells of a failure. It has no form for machines. */
export function complaint(output: string): Complaint {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[- ]+$/.test(line) && !NOISE.test(line));
  const problem =
    /urn:ietf:params:acme:error:(\w+)/.exec(output)?.[1] ??
    (/too many (?:certificates|new orders|failed|currently pending|registrations)/i.test(output)
      ? 'rateLimited'
      : undefined) ??
    /^\s*Type:\s*(\w+)/m.exec(output)?.[1];
  const retry = /retry after (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC/i.exec(output)?.[1];
  return {
    blame: blameOf(output, problem),
    problem,
    retryAfter: retry === undefined ? undefined : new Date(`${retry.replace(' ', 'T')}Z`),
    lines: lines.slice(-8).join('\n'),
  };
}

function blameOf(output: string, problem: string | undefined): Blame {
  if (problem === 'rateLimited') return 'limit';
  if (/Some challenges have failed/.test(output)) return 'validation';
  return problem === undefined && !/Error creating new order/.test(output) ? 'network' : 'ca';
}
