import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { parseThings, serves } from '../host/made.ts';
import type { Proposal } from '../host/plan.ts';
import type { RemoteHost } from '../remote/host.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { OWN } from '../trust/machine.ts';
import { readFar } from './far-files.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { TrustWanted } from './order.ts';
import { runThere } from './run-there.ts';
import type { SettingsPlan } from './settings.ts';
import type { Extra } from './target.ts';

/**
 * Its engine fetches images through the proxy of its settings. Before init-tls, which pulls.
 * @param restarts whether Docker may be restarted for it, and with it the containers of others
 */
export function proxyThere(
  host: RemoteHost,
  folder: string,
  restarts: boolean,
  report: Report,
): Promise<Done> {
  return carryOut(host, folder, restarts ? ['proxy', '--yes'] : ['proxy'], report);
}

/** Its own engine trusts the registry's certificate, and pulls from it. After init-tls, which makes the CA. */
export function trustThere(
  host: RemoteHost,
  folder: string,
  { system, hosts }: TrustWanted,
  report: Report,
): Promise<Done> {
  const more = [...(system ? ['--system'] : []), ...(hosts === undefined ? [] : ['--hosts', hosts])];
  return carryOut(host, folder, ['trust', ...more], report);
}

/** Which extras this checkout there has had already: what they made is listed there. */
export async function extrasMade(
  host: RemoteHost,
  folder: string,
  { system, hosts }: TrustWanted,
): Promise<ReadonlySet<Extra>> {
  const things = parseThings((await readFar(host, join(folder, 'var/made.json'))) ?? '') ?? [];
  const made = (purpose: string) => things.some((each) => serves(each, purpose));
  const parts = [
    'trust',
    ...(system ? [`trust/${OWN}/system`] : []),
    ...(hosts ? [`trust/${OWN}/hosts`] : []),
  ];
  return new Set([
    ...(made('proxy') ? ['proxy' as const] : []),
    ...(parts.every(made) ? ['cacerts' as const] : []),
  ]);
}

/** Settings that decide what the extras make. */
const DECIDING: Readonly<Record<Extra, readonly string[]>> = {
  proxy: ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'DOMAIN', 'EXTRA_DOMAINS', 'MIRROR_DOMAIN'],
  cacerts: ['DOMAIN', 'EXTRA_DOMAINS', 'HTTPS_PORT', 'TLS_ISSUER', 'MIRROR_DOMAIN', 'MIRROR_PORT'],
};

/** Of the wanted ones those that would change something, as far as can be seen beforehand. */
export function extrasToMake(
  wanted: ReadonlySet<Extra>,
  made: ReadonlySet<Extra>,
  { changed: names, settings }: Pick<SettingsPlan, 'changed' | 'settings'>,
): ReadonlySet<Extra> {
  const needed: Readonly<Record<Extra, boolean>> = {
    proxy: settings.proxy.http !== undefined || settings.proxy.https !== undefined || made.has('proxy'),
    cacerts: settings.issuer === 'local',
  };
  const differs = (each: Extra) => !made.has(each) || DECIDING[each].some((name) => names.includes(name));
  return new Set([...wanted].filter((each) => needed[each] && differs(each)));
}

/** To be agreed to beforehand: a restart stops the containers of others, too. */
export function proposeRestart(
  toMake: ReadonlySet<Extra>,
  { engine }: Pick<MachineFacts, 'engine'>,
): Proposal | undefined {
  if (!toMake.has('proxy') || engine.version === undefined) return undefined;
  return {
    phrase:
      'restart Docker Engine for its proxy: containers stop, and those without a restart policy stay so',
    commands: ['npm run proxy -- --yes # once the project is there'],
  };
}

/** How a story is told where there is no terminal; `✓` where something changed. */
const STEP = /^[✓=] \S.*? {2,}(?<summary>.*?)(?: {2}[\d.]+ s)?$/;

/** Tells the steps of the command there as this one's, a line each. */
async function carryOut(
  host: RemoteHost,
  folder: string,
  [command, ...args]: readonly [string, ...string[]],
  report: Report,
): Promise<Done> {
  const finished = await runThere(host, folder, command, args, { onLine: (line) => report(line) });
  const lines = finished.stdout.split('\n').filter((line) => line.trim() !== '');
  if (finished.exitCode !== 0)
    throw new Failure(
      `${command}-failed`,
      `npm run ${command} on ${host.name}: ${finished.stderr.trim() || `it ended with ${finished.exitCode}`}`,
      'Fix that, then run this again.',
    );
  const told = lines.filter((line) => STEP.test(line));
  const summary = told.map((line) => line.replace(STEP, '$<summary>')).join('\n');
  return told.some((line) => line.startsWith('✓')) ? changed(summary) : unchanged(summary || 'done');
}
