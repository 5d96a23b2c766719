import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where things are in a checkout. Everything made at run time is under one of these. */
export interface Paths {
  readonly root: string;
  readonly envFile: string;
  readonly envExample: string;
  /** htpasswd: one user a line. */
  readonly usersFile: string;
  /** Who may do what in which repositories; need not be there. */
  readonly accessFile: string;
  readonly tokensFile: string;
  /** Run-time state of Moorage's own. */
  readonly state: string;
  /** The certificate store that nginx reads. */
  readonly certificates: string;
  readonly localAuthority: string;
  /** certbot's configuration, one folder per ACME directory. */
  readonly certbot: string;
  /** Accounts and orders of the ACME client in this process, one folder per ACME directory. */
  readonly acme: string;
  /** Rules of what is kept; need not be there. */
  readonly retentionFile: string;
  /** The same as it was when a command last read it: the daemon sees no more of the checkout than its state. */
  readonly retentionCopy: string;
  /** What was removed by these rules and can be brought back; see `PrunedFile`. */
  readonly pruned: string;
  /** What backups need while they are made, and what restic remembers of their targets. */
  readonly backups: string;
  /** What happened, one JSON object a line; see `Events`. */
  readonly events: string;
  /** How full the images' disk was, once an hour; see `UsageLog`. */
  readonly usage: string;
  /** One file for each command of several steps that is at work or was interrupted; see `Journal`. */
  readonly journals: string;
  /** Every attempt to get a certificate. */
  readonly ledger: string;
  /** The leases of those who want nothing written for a while; nginx and the registry look at them. */
  readonly maintenance: string;
  /** What the gate writes. */
  readonly gate: string;
  /** What commands and the daemon have to tell Prometheus, a file each. */
  readonly metrics: string;
  /** Webroot of HTTP-01: nginx serves its `.well-known/acme-challenge`. */
  readonly challenges: string;
  readonly images: string;
  /** The first user's password, until it has been shown. */
  readonly handover: string;
  /** Where images were kept when init-tls last ran. */
  readonly lastPlace: string;
  /** Where images were before they were moved; see `OldPlace`. */
  readonly oldPlaces: string;
  /** What was made on this machine outside the checkout; see `Made`. */
  readonly made: string;
}

export function paths(root: string = checkout()): Paths {
  const state = join(root, 'var');
  return {
    root,
    envFile: join(root, '.env'),
    envExample: join(root, '.env.dist'),
    usersFile: join(root, 'registry/auth/registry.password'),
    accessFile: join(root, 'registry/auth/access.yaml'),
    tokensFile: join(root, 'registry/auth/tokens.json'),
    state,
    certificates: join(state, 'tls'),
    localAuthority: join(state, 'ca'),
    certbot: join(state, 'certbot'),
    acme: join(state, 'acme'),
    retentionFile: join(root, 'retention.yaml'),
    retentionCopy: join(state, 'retention.yaml'),
    pruned: join(state, 'pruned.jsonl'),
    backups: join(state, 'backup'),
    events: join(state, 'events.jsonl'),
    usage: join(state, 'usage.jsonl'),
    journals: join(state, 'journal'),
    ledger: join(state, 'ledger.jsonl'),
    maintenance: join(state, 'maintenance'),
    gate: join(state, 'gate'),
    metrics: join(state, 'metrics'),
    challenges: join(state, 'acme-challenge'),
    images: join(root, 'images'),
    handover: join(state, 'first-user.json'),
    lastPlace: join(state, 'storage.json'),
    oldPlaces: join(state, 'old-storage.json'),
    made: join(state, 'made.json'),
  };
}

function checkout(): string {
  return fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
}
