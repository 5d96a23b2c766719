import type { IncomingMessage } from 'node:http';
import type { Part } from './mirror.ts';
import { asksForPass, type Passes } from './passes.ts';

/** A request as nginx tells of it. */
export interface Question {
  readonly method: string;
  /** Path and query exactly as the client sent them, which is what the registry will see. */
  readonly uri: string;
  /** The client's address; behind trusted hops nginx has found out the right one. */
  readonly address: string;
  readonly authorization: string | undefined;
  /** Bytes that the body is declared to have, if it is. */
  readonly length?: number | undefined;
  /** Whom it is for, by nginx’s word. The mirror’s images are judged under the name `mirror/…`. */
  readonly part: Part;
}

export function readQuestion({ headers }: IncomingMessage, passes: Passes): Question {
  const header = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' ? value : '';
  };
  const uri = header('x-uri');
  const { authorization } = headers;
  const length = header('x-content-length');
  return {
    method: header('x-method'),
    uri,
    address: header('x-address'),
    part: header('x-part') === 'mirror' ? 'mirror' : 'registry',
    // No pass is got by a pass: it would never end.
    authorization: asksForPass(uri) ? authorization : passes.open(authorization),
    length: /^\d{1,15}$/.test(length) ? Number(length) : undefined,
  };
}
