import { messageOf } from '../errors.ts';

/** What went wrong with a connection, without what only OpenSSL's authors read. */
export function plainly(error: unknown): string {
  const message = messageOf(error).trim();
  const reason = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  if (reason === undefined) return message;
  return /unrecognized name/.test(reason) ? 'no certificate is shown for this name' : reason;
}

/** Nobody listens where a program or a socket should be; told by where that is. */
export function unanswered(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || error.syscall !== 'connect') return undefined;
  return 'address' in error ? `nobody answers at ${String(error.address)}` : undefined;
}
