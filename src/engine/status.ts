import { systemCode } from '../errors.ts';

/** dockerode puts the engine's HTTP status on its errors. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** The engine did not answer at all: it went away, or the way to it. */
export function isConnectionLoss(error: unknown): boolean {
  return statusOf(error) === undefined && systemCode(error) !== undefined;
}

export function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404;
}

export function isConflict(error: unknown): boolean {
  return statusOf(error) === 409;
}

export function isForbidden(error: unknown): boolean {
  return statusOf(error) === 403;
}
