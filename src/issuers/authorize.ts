import type { Authorization, Order } from 'acme-client';
import type { Orders } from '../acme/orders.ts';
import { AcmeProblem } from '../acme/problem.ts';
import { IssuanceFailure } from '../certificates/issuer.ts';
import { Failure, messageOf } from '../errors.ts';
import type { Report } from '../step.ts';
import type { Solver } from './solver.ts';

/**
 * Proves each name of an order to the CA, one after the other (RFC 8555 section 7.5).
 * @returns the order, ready to be finalized
 * @throws IssuanceFailure `validation` with what the CA saw
 */
export async function authorize(
  orders: Orders,
  order: Order,
  solver: Solver,
  report: Report,
): Promise<Order> {
  for (const authorization of await orders.authorizations(order)) {
    if (authorization.status === 'valid') continue; // proved for an earlier order, and still good
    await prove(orders, authorization, solver, report);
  }
  return orders.ready(order);
}

async function prove(
  orders: Orders,
  authorization: Authorization,
  solver: Solver,
  report: Report,
): Promise<void> {
  const name = authorization.identifier.value;
  const challenge = authorization.challenges.find(({ type }) => type === solver.type);
  if (challenge === undefined) {
    const offered = authorization.challenges.map(({ type }) => type).join(', ');
    throw new Failure(
      'challenge-not-offered',
      `The CA does not offer ${solver.type} for ${name}, only ${offered}.`,
      'Set ACME_CHALLENGE to one it offers (a wildcard needs dns-01).',
    );
  }
  const keyAuthorization = await orders.keyAuthorization(challenge.token);
  const presented = { name, token: challenge.token, keyAuthorization };
  try {
    await solver.present(presented);
    report(`the CA looks at ${name}`);
    // After a kill the CA may have been told already.
    if (challenge.status === 'pending') await orders.respond(authorization, challenge);
    await orders.authorized(authorization.url);
  } catch (error) {
    throw error instanceof AcmeProblem ? unproved(name, solver, error) : error;
  } finally {
    await solver.cleanUp(presented).catch((error) => report(`not cleaned up: ${messageOf(error)}`));
  }
}

function unproved(name: string, solver: Solver, error: AcmeProblem): Error {
  const { status, type } = error.problem;
  if (status >= 500 || type === 'rateLimited') return error;
  return new IssuanceFailure({
    blame: 'validation',
    message: `The CA could not see that ${name} is ours (${error.problem.type}): ${error.message}`,
    remedy:
      solver.type === 'http-01'
        ? 'Check that the name leads to this machine (A and AAAA) and that port 80 is open, then run this again.'
        : 'Check that the hook writes into the zone that the whole world asks, then run this again.',
    problem: error.problem.type,
    retryAfter: error.retryAfter,
    cause: error,
  });
}
