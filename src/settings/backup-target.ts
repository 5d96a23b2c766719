import { resolve } from 'node:path';
import { nameProblem, unbracketed } from './names.ts';

/** Where backups go: a repository of restic's. */
export type BackupTarget = {
  /** As restic takes it. May carry a password: for its environment, never for its arguments. */
  readonly repository: string;
  /** Without a password. */
  readonly shown: string;
} & (
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'ssh'; readonly login: string }
  | { readonly kind: 's3' }
  | { readonly kind: 'other' }
);

/** What restic has beside folders, SSH and S3 (restic manual, “Preparing a new repository”). */
const OTHERS = /^(rest|b2|azure|gs|swift|rclone|sftp):./;
/** `user@host:/path`; ssh's own configuration may know more about `host`. It never begins with a dash: that is an option. */
const SSH = /^(?:sftp:)?((?:[\w][\w.-]*@)?(?:\w[\w.-]*|\[[0-9A-Fa-f:]+\])):(\/.*)$/;

/** The target that a text stands for, or the reason it is none. */
export function parseBackupTarget(text: string): BackupTarget | string {
  if (/["'`$\\\s]/.test(text)) return 'has a blank, a quote, a backslash or a $ in it';
  const path = text.replace(/^local:/, '');
  if (path.startsWith('/')) {
    const folder = resolve(path);
    return { kind: 'folder', folder, repository: folder, shown: folder };
  }
  if (text.startsWith('s3:')) return parseS3(text);
  const [, login, place] = SSH.exec(text) ?? [];
  if (login !== undefined && place !== undefined && !OTHERS.test(`${login}:.`))
    return { kind: 'ssh', login, repository: `sftp:${login}:${place}`, shown: `${login}:${place}` };
  if (/^sftp:(\/\/)?([^/]*@)?-/.test(text)) return 'names a host that begins with a dash';
  // What restic can't read as a URL it shows as it is, with its password.
  if (/^rest:/.test(text) && !URL.canParse(text.slice('rest:'.length)))
    return 'is no rest:https://host/folder';
  if (OTHERS.test(text))
    return { kind: 'other', repository: text, shown: text.replace(/(:\/\/[^:/@]*):.*@/, '$1:…@') };
  return 'is none of /folder, user@host:/folder, s3:https://host/bucket/folder';
}

function parseS3(text: string): BackupTarget | string {
  const place = text.slice('s3:'.length);
  const address = /^https?:\/\//.test(place) ? place : `https://${place}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) return 'is no s3:https://host/bucket/folder';
  if (url.username !== '' || url.password !== '')
    return 'must not carry keys; they go into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  const problem = nameProblem(unbracketed(url).toLowerCase());
  if (problem !== undefined) return `names ${url.hostname}, which ${problem}`;
  // A shorter one makes restic ask for a quarter of an hour.
  if (!/^\/[a-z0-9][a-z0-9.-]{2,62}(\/|$)/.test(url.pathname))
    return 'names no bucket: s3:https://host/bucket';
  return { kind: 's3', repository: text, shown: text };
}
