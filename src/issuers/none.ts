import type { Issuer, Origin } from '../certificates/issuer.ts';
import { Failure } from '../errors.ts';

/** Plain HTTP: there is nothing to issue, and nobody asks for it. */
export class NoIssuer implements Issuer {
  readonly origin: Origin = { issuer: 'none' };

  async issue(): Promise<never> {
    throw new Failure(
      'no-issuer',
      'TLS_ISSUER=none has no certificates.',
      'Set TLS_ISSUER to another one in .env, then run `npm run init-tls`.',
    );
  }

  async rehearse(): Promise<string> {
    return 'plain HTTP has nothing to rehearse';
  }
}
