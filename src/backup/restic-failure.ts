import { Failure } from '../errors.ts';
import type { BackupTarget } from '../settings/backup-target.ts';
import type { Finished } from '../system/processes.ts';

/** Of restic 0.17 and newer. */
const NO_REPOSITORY = 10;
const LOCKED = 11;
const WRONG_PASSWORD = 12;

const WHOLE = 'Backups made before are whole: a new one appears only when all of it is there.';
const AGAIN = 'then run this again; what is there already is not sent twice.';

/**
 * What restic complains about, in words that help. restic 0.14 knows no exit codes, so its text is read too.
 * Codes: `no-backup`, `wrong-password`, `target-full`, `target-locked`, `target-forbidden`, `target-unreachable`,
 * `backup-damaged`, `restic-failed`.
 */
export function failureOf(command: string, target: BackupTarget, finished: Finished): Failure {
  const said = wordsOf(finished);
  const fail = (code: string, message: string, remedy: string) =>
    new Failure(code, `${message}${said === '' ? '' : `\n${said}`}`, remedy);
  const { shown } = target;
  switch (troubleOf(finished.exitCode, said)) {
    case 'no-backup':
      return new Failure(
        'no-backup',
        `There is no backup at ${shown}.`,
        'Is it the right place, and is its disk mounted?',
      );
    case 'wrong-password':
      return new Failure(
        'wrong-password',
        `The backup at ${shown} was not made with this BACKUP_PASSWORD.`,
        'Set the BACKUP_PASSWORD that was in .env when the first backup was made there, or name another target.',
      );
    case 'target-full':
      return fail(
        'target-full',
        `${shown} is full. ${WHOLE}`,
        `Free space there (--keep-… drops old ones), ${AGAIN}`,
      );
    case 'target-locked':
      return fail(
        'target-locked',
        `Something else works on ${shown}.`,
        'Wait until it has finished, then run this again. If it was killed on another machine, its lock counts for half an hour.',
      );
    case 'forbidden':
      return fail('target-forbidden', `${shown} may not be used. ${WHOLE}`, remedyAt(target));
    case 'unreachable':
      return fail('target-unreachable', `${shown} can't be reached. ${WHOLE}`, remedyAt(target));
    case 'damaged':
      return fail(
        'backup-damaged',
        `The backup at ${shown} is damaged.`,
        'Back up to another place while the registry has everything; a restore can take an older one (--list, --snapshot).',
      );
    case 'other':
      return fail('restic-failed', `restic ${command} failed. ${WHOLE}`, `Fix what it reports, ${AGAIN}`);
  }
}

function remedyAt(target: BackupTarget): string {
  switch (target.kind) {
    case 'folder':
      return `See that its disk is mounted and that this user may write there, ${AGAIN}`;
    case 'ssh':
      return `This has to work without a question: ssh -o BatchMode=yes ${target.login} true. Fix that, ${AGAIN}`;
    case 's3':
      return `Check the address, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ${AGAIN}`;
    case 'other':
      return `Fix what it reports, ${AGAIN}`;
  }
}

type Trouble =
  | 'no-backup'
  | 'wrong-password'
  | 'target-full'
  | 'target-locked'
  | 'forbidden'
  | 'unreachable'
  | 'damaged'
  | 'other';

const PATTERNS: readonly (readonly [RegExp, Trouble])[] = [
  [/wrong password or no key found/, 'wrong-password'],
  [
    /no space left on device|disk quota exceeded|not enough space|QuotaExceeded|XMinioStorageFull/i,
    'target-full',
  ],
  [/already locked|unable to create lock .*locked/, 'target-locked'],
  [
    /permission denied|host key verification failed|access denied|AccessDenied|access key id|signature we calculated|SignatureDoesNotMatch|forbidden/i,
    'forbidden',
  ],
  [
    /subprocess ssh|ssh command exited|connection (refused|reset|lost|closed)|no such host|no route to host|timed? ?out|network is unreachable|broken pipe|SlowDown|reduce your request rate|server misbehaving|service unavailable|unable to start the sftp session/i,
    'unreachable',
  ],
  [/(open config file|config file does not exist)[^\n]*(no such file|does not exist|not exist)/, 'no-backup'],
  [
    /ciphertext verification failed|invalid data returned|does not match its hash|wrong hash|repository contains errors|hash mismatch/i,
    'damaged',
  ],
];

function troubleOf(exitCode: number, said: string): Trouble {
  if (exitCode === NO_REPOSITORY) return 'no-backup';
  if (exitCode === LOCKED) return 'target-locked';
  if (exitCode === WRONG_PASSWORD) return 'wrong-password';
  return PATTERNS.find(([pattern]) => pattern.test(said))?.[1] ?? 'other';
}

/** The last lines that are meant for people. With --json, restic 0.17 puts errors into JSON. */
function wordsOf({ stdout, stderr }: Finished): string {
  const lines = `${stdout}\n${stderr}`
    .split('\n')
    .map((line) => (line.startsWith('{') ? messageIn(line) : line.trim()));
  return [...new Set(lines)].filter(Boolean).slice(-5).join('\n');
}

function messageIn(line: string): string {
  return /"(?:message|Err|error)":\s*(?:\{[^}]*"message":\s*)?"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? '';
}
