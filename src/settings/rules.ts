import { isIP } from 'node:net';
import type { Problem } from '../errors.ts';
import { isPrivateName } from './names.ts';
import type { Shape } from './schema.ts';

/** `auto` is decided here, once: names that no public CA can vouch for get the local one. */
export function resolveIssuer(shape: Pick<Shape, 'TLS_ISSUER' | 'DOMAIN'>): 'certbot' | 'local' {
  if (shape.TLS_ISSUER !== 'auto') return shape.TLS_ISSUER;
  return isPrivateName(shape.DOMAIN) ? 'local' : 'certbot';
}

/** What is right alone but wrong together. Pure; all problems at once. */
export function rules(shape: Shape): Problem[] {
  const problems: Problem[] = [];
  if (shape.HTTP_PORT === shape.HTTPS_PORT) {
    problems.push({
      input: 'HTTPS_PORT',
      message: `${shape.HTTPS_PORT} is HTTP_PORT too; give each its own`,
    });
  }
  if (resolveIssuer(shape) === 'certbot') problems.push(...certbotRules(shape));
  return problems;
}

function certbotRules(shape: Shape): Problem[] {
  const problems: Problem[] = [];
  for (const [input, names] of [
    ['DOMAIN', [shape.DOMAIN]],
    ['EXTRA_DOMAINS', shape.EXTRA_DOMAINS],
  ] as const) {
    for (const name of names) {
      if (isIP(name) !== 0) {
        problems.push({
          input,
          message: `${name} is an address, and certbot asks for names only; use TLS_ISSUER=local`,
        });
      } else if (shape.ACME_DIRECTORY.public && isPrivateName(name)) {
        problems.push({
          input,
          message: `${name} is private: no public CA issues for it; use TLS_ISSUER=local`,
        });
      }
    }
  }
  return problems;
}
