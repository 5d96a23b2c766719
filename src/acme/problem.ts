const NAMESPACE = 'urn:ietf:params:acme:error:';

/** What an ACME server objected to: a problem document (RFC 8555 section 6.7, RFC 9457). */
export interface Problem {
  /** `rateLimited`, `badNonce`, `unauthorized`, …: without the URN's common part. A server that gives none has ''. */
  readonly type: string;
  readonly detail: string;
  /** HTTP status. */
  readonly status: number;
  /** One for each identifier, where the server tells them apart (RFC 8555 section 6.7.1). */
  readonly subproblems: readonly { readonly name: string; readonly detail: string }[];
}

/** An ACME server answered and said no. */
export class AcmeProblem extends Error {
  override readonly name = 'AcmeProblem';
  readonly problem: Problem;
  /** When the server wants to be asked again, from `Retry-After` (RFC 9110 section 10.2.3). */
  readonly retryAfter: Date | undefined;

  constructor(problem: Problem, retryAfter?: Date) {
    super(problem.detail || `HTTP ${problem.status}`);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** An ACME server could not be reached, or did not answer in time. */
export class AcmeUnreachable extends Error {
  override readonly name = 'AcmeUnreachable';
}

/** Whether this is a server's problem document of that type. */
export function isProblem(error: unknown, ...types: readonly string[]): error is AcmeProblem {
  return error instanceof AcmeProblem && types.includes(error.problem.type);
}

/** The CA has a fault of its own, which may lie in how it takes this very request. */
export function isInternal(error: unknown): boolean {
  return isProblem(error, 'serverInternal') && error.problem.status === 500;
}

/** Reads an error answer's body; a body that is no problem document is quoted, briefly. A 429 is a limit in any case. */
export function readProblem(status: number, body: unknown): Problem {
  const limited = status === 429 ? 'rateLimited' : undefined;
  if (!isRecord(body))
    return { type: limited ?? '', detail: String(body ?? '').slice(0, 200), status, subproblems: [] };
  const type = limited ?? (typeof body.type === 'string' ? body.type.replace(NAMESPACE, '') : '');
  const detail = typeof body.detail === 'string' ? body.detail : '';
  const subproblems = Array.isArray(body.subproblems) ? body.subproblems.filter(isRecord) : [];
  return {
    type,
    detail,
    status,
    subproblems: subproblems.map(({ identifier, detail: reason }) => ({
      name: isRecord(identifier) ? String(identifier.value ?? '') : '',
      detail: String(reason ?? ''),
    })),
  };
}

/** `Retry-After` in either form: seconds, or an HTTP date. */
export function readRetryAfter(header: unknown, now: Date): Date | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  const moment = /^\d+$/.test(header)
    ? new Date(now.getTime() + Number(header) * 1000)
    : new Date(Date.parse(header));
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
