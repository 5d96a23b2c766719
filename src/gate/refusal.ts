import type { Action } from '../access/grant.ts';
import { unreachable } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import type { RouteProblem } from './route.ts';

/** Why a request does not get what it asks for. */
export type Refusal =
  /** Nobody said who they are. */
  | { readonly kind: 'unauthorized' }
  /** They said it, and it is not true. `noted`: what is still to be said about it in the audit log. */
  | { readonly kind: 'wrong-login'; readonly noted?: { user: string | null; token: string | null } }
  /** Somebody, who may not do that. */
  | { readonly kind: 'denied'; readonly action: Action; readonly repository: string }
  | { readonly kind: 'immutable'; readonly repository: string; readonly tag: string }
  | { readonly kind: 'throttled'; readonly seconds: number }
  /** No rules are in force, or the registry is silent. */
  | { readonly kind: 'unavailable'; readonly seconds: number; readonly because: string }
  | { readonly kind: 'malformed'; readonly problem: RouteProblem }
  | { readonly kind: 'too-large'; readonly limit: number }
  /** Bytes that are free on the disk of the images, and that are to stay free. */
  | { readonly kind: 'disk-full'; readonly repository: string; readonly free: number; readonly kept: number }
  | { readonly kind: 'bad-page' };

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The status line's words, where the usual ones say too little. */
  readonly reason?: string;
}

/** The realm that browsers show beside their question for a password (RFC 7617 section 2). */
const CHALLENGE = 'Basic realm="Moorage", charset="UTF-8"';

/** Not the spec's own words for the code: Docker leaves those out, and says nothing but "unauthorized". */
const LOG_IN = 'authentication required; please log in';

/** In the form of the distribution spec 1.1, "Error Codes". */
export function answerTo(refusal: Refusal): Answer {
  switch (refusal.kind) {
    case 'unauthorized':
    case 'wrong-login': // the client learns no more than that
      return answer(401, 'UNAUTHORIZED', LOG_IN, { 'www-authenticate': CHALLENGE });
    case 'denied':
      return answer(403, 'DENIED', `you may not ${refusal.action} in ${refusal.repository}`);
    case 'immutable':
      return answer(
        403,
        'DENIED',
        `the tag ${refusal.tag} of ${refusal.repository} is immutable; push under another one`,
      );
    case 'throttled':
      return answer(
        429,
        'TOOMANYREQUESTS',
        'too many logins that fail; try again later',
        retryAfter(refusal.seconds),
      );
    case 'unavailable':
      return answer(503, 'UNAVAILABLE', refusal.because, retryAfter(refusal.seconds));
    case 'malformed': {
      const { status, code, message, allow } = refusal.problem;
      return answer(status, code, message, allow === undefined ? {} : { allow: allow.join(', ') });
    }
    case 'too-large':
      return answer(413, 'SIZE_INVALID', `a manifest may have ${refusal.limit} bytes at the most`);
    case 'disk-full':
      return diskFull(refusal);
    case 'bad-page':
      return answer(400, 'PAGINATION_NUMBER_INVALID', 'n is not a number, or is negative');
    default:
      return unreachable(refusal);
  }
}

function answer(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: `${JSON.stringify({ errors: [{ code, message, detail: null }] })}\n`,
  };
}

/**
 * DENIED is tried again by nobody (RFC 4918 section 11.5 wants it so). Docker, containerd and skopeo show nothing of such an
 * answer but its status line, and Docker goes on trying unless that has the words of ENOSPC in it.
 */
function diskFull({ free, kept }: Refusal & { kind: 'disk-full' }): Answer {
  const figures = `${sizeInWords(free)} free, ${sizeInWords(kept)} are kept free`;
  const message = `the registry’s disk is almost full: ${figures}; pulls work; the operator has to free space`;
  const reason = `Insufficient Storage (no space left on device: ${figures}; the registry's operator has to free space)`;
  return { ...answer(507, 'DENIED', message), reason };
}

/** RFC 9110 section 10.2.3, in whole seconds. */
function retryAfter(seconds: number): Record<string, string> {
  return { 'retry-after': String(Math.max(1, Math.ceil(seconds))) };
}
