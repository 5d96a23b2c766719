import { isIP } from 'node:net';
import type { Problem } from '../errors.ts';
import { mirrorDomain, mirrorRules } from './mirror.ts';
import { isPrivateName } from './names.ts';
import type { Shape } from './schema.ts';
import type { IssuerName } from './settings.ts';
import { storageRules } from './storage-rules.ts';

/**
 * `auto` is decided here, once: names that no public CA can vouch for get the local one. certbot asks for host names
 * by HTTP-01; for anything else the CA is asked in process.
 */
export function resolveIssuer(
  shape: Pick<Shape, 'TLS_ISSUER' | 'DOMAIN' | 'EXTRA_DOMAINS' | 'ACME_CHALLENGE'>,
): IssuerName {
  if (shape.TLS_ISSUER !== 'auto') return shape.TLS_ISSUER;
  if (isPrivateName(shape.DOMAIN)) return 'local';
  const hasAddress = [shape.DOMAIN, ...shape.EXTRA_DOMAINS].some((name) => isIP(name) !== 0);
  return hasAddress || shape.ACME_CHALLENGE === 'dns-01' ? 'acme' : 'certbot';
}

/** What is right alone but wrong together. Pure; all problems at once. */
export function rules(shape: Shape): Problem[] {
  const issuer = resolveIssuer(shape);
  const asksCa = issuer === 'certbot' || issuer === 'acme';
  return [
    ...portRules(shape),
    ...monitoringRules(shape),
    ...(shape.IMAGES === 'load' ? archiveRules(shape) : []),
    ...(asksCa
      ? [...nameRules(shape, issuer), ...accountRules(shape), ...challengeRules(shape, issuer)]
      : []),
    ...(issuer === 'provided' ? providedRules(shape) : []),
    ...alertRules(shape),
    ...mirrorRules(shape),
    ...storageRules(shape),
  ];
}

function portRules({ HTTP_PORT, HTTPS_PORT }: Shape): Problem[] {
  if (HTTP_PORT !== HTTPS_PORT) return [];
  return [{ input: 'HTTPS_PORT', message: `${HTTPS_PORT} is HTTP_PORT too; give each its own` }];
}

function monitoringRules({ MONITORING, PROMETHEUS_PORT, HTTP_PORT, HTTPS_PORT }: Shape): Problem[] {
  if (!MONITORING) return [];
  const taken = { HTTP_PORT, HTTPS_PORT };
  return Object.entries(taken)
    .filter(([, port]) => port === PROMETHEUS_PORT)
    .map(([other]) => ({
      input: 'PROMETHEUS_PORT',
      message: `${PROMETHEUS_PORT} is ${other} too; give each its own`,
    }));
}

/** An archive has images by their tags; a digest is what an image registry gives. */
function archiveRules(shape: Shape): Problem[] {
  const { REGISTRY_IMAGE, NGINX_IMAGE, CERTBOT_IMAGE, NODE_IMAGE, REDIS_IMAGE, PROMETHEUS_IMAGE } = shape;
  const named = { REGISTRY_IMAGE, NGINX_IMAGE, CERTBOT_IMAGE, NODE_IMAGE, REDIS_IMAGE, PROMETHEUS_IMAGE };
  return Object.entries(named).flatMap(([input, image]) => {
    if (image?.includes('@') !== true) return [];
    const message = `"${image}" has a digest, which no archive has; name the tag alone, IMAGES=load verifies contents itself`;
    return [{ input, message }];
  });
}

function nameRules(shape: Shape, issuer: IssuerName): Problem[] {
  const mirror = mirrorDomain(shape);
  const named = [
    ['DOMAIN', shape.DOMAIN] as const,
    ...shape.EXTRA_DOMAINS.map((name) => ['EXTRA_DOMAINS', name] as const),
    ...(mirror === undefined ? [] : [['MIRROR_DOMAIN', mirror] as const]),
  ];
  return named.flatMap(([input, name]) => {
    if (issuer === 'certbot' && isIP(name) !== 0)
      return [
        { input, message: `${name} is an address, and certbot asks for names only; use TLS_ISSUER=acme` },
      ];
    if (shape.ACME_DIRECTORY.public && isPrivateName(name))
      return [{ input, message: `${name} is private: no public CA issues for it; use TLS_ISSUER=local` }];
    return [];
  });
}

function accountRules(shape: Shape): Problem[] {
  const { ACME_EAB_KID: kid, ACME_EAB_HMAC_KEY: key, ACME_DIRECTORY, ACME_FALLBACK_DIRECTORY } = shape;
  const problems: Problem[] = [];
  if ((kid === undefined) !== (key === undefined))
    problems.push({ input: 'ACME_EAB_KID', message: 'needs ACME_EAB_HMAC_KEY, and the other way round' });
  if (ACME_DIRECTORY.bindsAccounts === true && kid === undefined)
    problems.push({
      input: 'ACME_DIRECTORY',
      message: `${ACME_DIRECTORY.url} needs ACME_EAB_KID and ACME_EAB_HMAC_KEY of your account there`,
    });
  if (ACME_FALLBACK_DIRECTORY?.url === ACME_DIRECTORY.url)
    problems.push({ input: 'ACME_FALLBACK_DIRECTORY', message: 'is ACME_DIRECTORY; name another CA' });
  if (ACME_FALLBACK_DIRECTORY?.bindsAccounts === true)
    problems.push({
      input: 'ACME_FALLBACK_DIRECTORY',
      message:
        'needs an account binding of its own, and ACME_EAB_KID is that of ACME_DIRECTORY; name another CA',
    });
  return problems;
}

function challengeRules(shape: Shape, issuer: IssuerName): Problem[] {
  const { ACME_CHALLENGE, ACME_DNS_HOOK, DOMAIN, EXTRA_DOMAINS } = shape;
  const problem = (message: string) => [{ input: 'ACME_CHALLENGE', message: `dns-01 ${message}` }];
  if (ACME_CHALLENGE === 'http-01') return [];
  if (issuer !== 'acme') return problem('is for TLS_ISSUER=acme');
  if (ACME_DNS_HOOK === undefined) return problem('needs ACME_DNS_HOOK, the program that makes the records');
  const address = [DOMAIN, ...EXTRA_DOMAINS].find((name) => isIP(name) !== 0);
  return address === undefined ? [] : problem(`can't prove the address ${address}; use http-01`);
}

function providedRules({ TLS_CERT_FILE, TLS_KEY_FILE }: Shape): Problem[] {
  const missing = { TLS_CERT_FILE, TLS_KEY_FILE };
  return Object.entries(missing)
    .filter(([, value]) => value === undefined)
    .map(([input]) => ({ input, message: 'is needed by TLS_ISSUER=provided: an absolute path' }));
}

function alertRules({ ALERT_EMAIL, SMTP_URL }: Shape): Problem[] {
  if (ALERT_EMAIL === undefined || SMTP_URL !== undefined) return [];
  return [
    { input: 'ALERT_EMAIL', message: 'needs SMTP_URL, like smtps://user:password@mail.example.com:465' },
  ];
}
