import { join, relative } from 'node:path';
import { Failure, WrongInput } from '../errors.ts';
import type { RemoteHost } from '../remote/host.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { ARCHIVE } from './archive.ts';
import { COPIED } from './contents.ts';
import { type SettingsPlan, textWith } from './settings.ts';

/** The text of a file there; `undefined` when there is none. */
export async function readFar(host: RemoteHost, path: string): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await host.run([
    'sh',
    '-c',
    'test -e "$0" || exit 44; cat -- "$0"',
    path,
  ]);
  if (exitCode === 44) return undefined;
  if (exitCode !== 0) throw failed(host, path, 'read', stderr);
  return stdout;
}

/**
 * Before anything changes: that the files which settings name by an absolute path, and that will be read, are there.
 * @throws WrongInput
 */
export async function expectNamedFiles(
  host: RemoteHost,
  { name, folder }: { readonly name: string; readonly folder: string },
  { given, settings }: Pick<SettingsPlan, 'given' | 'settings'>,
): Promise<void> {
  const named = [
    'ACME_CA_BUNDLE',
    'S3_CA_BUNDLE',
    'ACME_DNS_HOOK',
    'ACME_DNS_HOOK_ENV',
    ...(settings.mirror === undefined ? [] : ['MIRROR_CA_BUNDLE']),
    ...(settings.issuer === 'provided' ? ['TLS_CERT_FILE', 'TLS_KEY_FILE'] : []),
    ...(settings.images === 'load' ? ['IMAGES_FILE'] : []),
  ].flatMap((setting) => {
    const path = given[setting];
    return path?.startsWith('/') && !comesAlong(relative(folder, path)) ? [{ setting, path }] : [];
  });
  if (named.length === 0) return;
  const { stdout } = await host.run(['sh', '-c', MISSING, 'sh', ...named.map(({ path }) => path)]);
  const missing = stdout.split('\n');
  const problems = named
    .filter(({ path }) => missing.includes(path))
    .map(({ setting, path }) => ({
      input: `${setting} (${name})`,
      message: `there is no file "${path}" there`,
    }));
  if (problems.length > 0) throw new WrongInput(problems);
}

/** With the project, or as its archive; what else is in its folder there is a person's own. */
function comesAlong(path: string): boolean {
  return [...COPIED, ARCHIVE].some((each) => path === each || path.startsWith(`${each}/`));
}

const MISSING = 'for each; do test -f "$each" || printf "%s\\n" "$each"; done';

/**
 * Replaces a file there as a whole or not at all, for root alone. The content goes over standard input. What is a link there
 * stays one.
 * @throws Failure `far-file`
 */
export async function writeFar(host: RemoteHost, path: string, content: string): Promise<void> {
  const size = String(Buffer.byteLength(content));
  const { exitCode, stderr } = await host.run(['sh', '-ec', REPLACE, path, size], { input: content });
  if (exitCode !== 0) throw failed(host, path, 'written', stderr);
}

/** A connection that is cut looks like the end of the content, so its size is compared. */
const REPLACE = `
umask 077
mkdir -p -m 755 -- "$(dirname -- "$0")"
to=$0
[ ! -L "$0" ] || to=$(readlink -f -- "$0")
new=$to.deploy
rm -f -- "$new"
trap 'rm -f -- "$new"' EXIT
cat > "$new"
[ "$(wc -c < "$new")" -eq "$1" ]
if [ -e "$to" ]; then chown --reference="$to" -- "$new"; fi
sync -- "$new" 2>/dev/null || sync
mv -f -- "$new" "$to"
`;

/** Of the files that settings name and that go along, those that differ there. */
export async function filesToWrite(
  host: RemoteHost,
  folder: string,
  { files }: Pick<SettingsPlan, 'files'>,
): Promise<SettingsPlan['files']> {
  const there = await Promise.all(files.map(({ path }) => readFar(host, join(folder, path))));
  return files.filter(({ content }, index) => there[index]?.trimEnd() !== content.trimEnd());
}

/** Carries out what `planSettings` planned. */
export async function writeSettings(host: RemoteHost, folder: string, plan: SettingsPlan): Promise<Done> {
  const written: string[] = [];
  // Before .env names them.
  for (const { path, content } of await filesToWrite(host, folder, plan)) {
    await writeFar(host, join(folder, path), content);
    written.push(`${path} copied`);
  }
  const envFile = join(folder, '.env');
  const there = await readFar(host, envFile);
  // What has been written there since it was planned stays: by an init-tls that went on, or by a person.
  const text = there === undefined ? plan.text : textWith(there, plan.given);
  if (there?.trimEnd() !== text.trimEnd()) {
    await writeFar(host, envFile, text);
    written.unshift(there === undefined ? 'written' : 'changed');
  }
  if (written.length === 0) return unchanged('as it is');
  const names = plan.changed.length === 0 ? '' : `: ${plan.changed.join(', ')}`;
  return changed(`${written.join(', ')}${names}`);
}

function failed({ name }: RemoteHost, path: string, done: string, stderr: string): Failure {
  return new Failure(
    'far-file',
    `${path} on ${name} can’t be ${done}: ${stderr.trim() || 'it arrived in part only'}`,
    'Look at its disk and at who owns the folder, then run this again.',
  );
}
