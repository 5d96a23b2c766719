import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { leadsSomewhere, readIfExists, removeSynced, writeAtomically } from '../system/files.ts';
import { type Finished, type Run, saidBy } from '../system/processes.ts';
import { runsSystemd } from './systemd.ts';
import { isUnitOf, runtimeFolder, type UnitFacts, unitName, unitText } from './unit.ts';

export interface ServiceManager {
  readonly run: Run;
  readonly clock: Clock;
  readonly root: boolean;
  /** `/etc/systemd/system` */
  readonly units: string;
  /** `/run` */
  readonly runtime: string;
  /** When settings or program changed last, in ms since 1970: the daemon read them at its start. */
  readonly lastChange: (checkout: string) => Promise<number>;
}

/** The daemon looks at the certificate first; a CA may be slow, so only a daemon that ended counts as broken. */
const FIRST_LOOK_WITHIN = 60_000;

/**
 * Whether the machine has what a unit needs.
 * @param again the option to run this command with, for the advice
 * @throws Failure `no-systemd`, `root-needed`
 */
export async function expectServiceManager(
  { runtime, root }: Pick<ServiceManager, 'runtime' | 'root'>,
  checkout: string,
  again: '--install' | '--uninstall',
): Promise<void> {
  if (!(await runsSystemd(runtime))) {
    throw new Failure(
      'no-systemd',
      'systemd does not run this machine, so there is nothing to install a unit in.',
      [
        'The renewer container does the same: `docker compose up -d` starts it. For another supervisor, run this',
        `in ${checkout} as the owner of var/, and put RENEWER_REPLICAS=0 into .env to leave the container off:`,
        '  node scripts/start.mjs daemon',
      ].join('\n'),
    );
  }
  if (root) return;
  throw new Failure('root-needed', 'Units of the machine belong to root.', `Run: ${sudo(again)}`);
}

/**
 * Writes the unit, enables and starts it, and waits until the daemon has looked at the certificate. A new one that does
 * not come up is taken away again. A unit that is as wanted, and younger than settings and program, is left alone.
 * @throws Failure `unit-taken`, `unit-broken`, `systemd-failed`, `unfit-place`
 */
export async function installUnit(manager: ServiceManager, facts: UnitFacts, report: Report): Promise<Done> {
  const name = unitName(facts.project);
  const wanted = unitText(facts);
  const present = await readOurs(manager, facts);
  if (present === wanted && (await isUpToDate(manager, facts))) return unchanged(`${name} is active`);
  if (present !== wanted) {
    await writeAtomically(join(manager.units, name), wanted, 0o644);
    await systemctl(manager, 'daemon-reload');
  }
  report(`starting ${name}`);
  await systemctl(manager, 'enable', name);
  await systemctl(manager, 'restart', name);
  if (!(await looks(manager, facts, report))) throw await broken(manager, name, present === undefined);
  return changed(`${name} ${present === undefined ? 'installed' : 'started anew'} and active`);
}

/**
 * For init-tls: brings a unit that is there up to date. Somebody who is not root is told how.
 * @throws Failure like `installUnit` and `gather`, which is asked only where there is a unit
 */
export async function refreshUnit(
  manager: ServiceManager,
  place: Pick<UnitFacts, 'project' | 'checkout'>,
  gather: () => Promise<UnitFacts>,
  report: Report,
): Promise<Done> {
  const name = unitName(place.project);
  const present = await readOurs(manager, place);
  if (present === undefined) return unchanged(`there is no ${name}: something else has to run the daemon`);
  const facts = await gather();
  if (manager.root) return installUnit(manager, facts, report);
  if (present === unitText(facts) && (await isUpToDate(manager, facts)))
    return unchanged(`${name} is active`);
  return unchanged(`${name} is behind the settings; run ${sudo('--install')}`);
}

/**
 * Takes the unit of this checkout away. Where there is none, nothing changes.
 * @throws Failure `unit-taken`, `systemd-failed`
 */
export async function uninstallUnit(
  manager: ServiceManager,
  facts: Pick<UnitFacts, 'project' | 'checkout'>,
): Promise<Done> {
  const name = unitName(facts.project);
  if ((await readOurs(manager, facts)) === undefined) return unchanged(`no ${name}`);
  await remove(manager, name);
  return changed(`${name} stopped and removed`);
}

/** The text of this checkout's unit, if it has one. */
async function readOurs(
  { units }: ServiceManager,
  { project, checkout }: Pick<UnitFacts, 'project' | 'checkout'>,
): Promise<string | undefined> {
  const path = join(units, unitName(project));
  const text = await readIfExists(path);
  if (text === undefined || isUnitOf(text, checkout)) return text;
  throw new Failure(
    'unit-taken',
    `${path} is there already and not for this checkout.`,
    `Give this registry another name by COMPOSE_PROJECT_NAME in .env; or take that unit away: sudo systemctl disable --now ${unitName(project)}; sudo rm ${path}`,
  );
}

/** Whether the daemon stays up until it has looked at the certificate. */
async function looks(manager: ServiceManager, { project }: UnitFacts, report: Report): Promise<boolean> {
  const { clock, runtime } = manager;
  const sign = join(runtime, runtimeFolder(project), 'last-tick');
  report('its first look at the certificate');
  const state = await eventually(clock, { within: FIRST_LOOK_WITHIN, every: 200 }, async () => {
    if (!(await isUp(manager, unitName(project)))) return 'down';
    return (await leadsSomewhere(sign)) ? 'looked' : undefined;
  });
  return state !== 'down';
}

async function broken(manager: ServiceManager, name: string, isNew: boolean): Promise<Failure> {
  const args = ['--unit', name, '--lines', '8', '--no-pager', '--output', 'cat'];
  const log = await manager.run('journalctl', args);
  if (isNew) await remove(manager, name);
  return new Failure(
    'unit-broken',
    `${name} does not stay up${isNew ? ', and was removed again' : ''}. Its log ends with:\n${log.stdout.trim()}`,
    isNew
      ? 'Fix what it reports, then run this again. The renewer container was not touched.'
      : 'Fix what it reports; systemd tries again every 30 seconds.',
  );
}

async function isUpToDate(manager: ServiceManager, { project, checkout }: UnitFacts): Promise<boolean> {
  const name = unitName(project);
  if (!(await isUp(manager, name)) || !(await isEnabled(manager, name))) return false;
  return (await startOf(manager, name)) >= wholeSecond(await manager.lastChange(checkout));
}

/** Running, and since its start: one that fails is `activating` until the next try. */
async function isUp({ run }: ServiceManager, name: string): Promise<boolean> {
  return (await run('systemctl', ['is-active', '--quiet', name])).exitCode === 0;
}

async function isEnabled({ run }: ServiceManager, name: string): Promise<boolean> {
  return (await run('systemctl', ['is-enabled', '--quiet', name])).exitCode === 0;
}

/** In ms since 1970, in whole seconds; 0 when systemd does not say. */
async function startOf({ run }: ServiceManager, name: string): Promise<number> {
  const { stdout } = await run('systemctl', ['show', '--property=ActiveEnterTimestamp', '--value', name], {
    env: { TZ: 'UTC', LC_ALL: 'C' }, // Sat 2026-11-21 08:29:51 UTC
  });
  return Date.parse(stdout.trim().replace(/^\w+ /, '')) || 0;
}

function wholeSecond(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}

async function remove(manager: ServiceManager, name: string): Promise<void> {
  await systemctl(manager, 'disable', '--now', name);
  await removeSynced(join(manager.units, name));
  await systemctl(manager, 'daemon-reload');
  await manager.run('systemctl', ['reset-failed', name]); // it is unknown by now, as a rule
}

async function systemctl({ run }: ServiceManager, ...args: string[]): Promise<Finished> {
  const result = await run('systemctl', args);
  if (result.exitCode === 0) return result;
  throw new Failure(
    'systemd-failed',
    `systemctl ${args.join(' ')} failed: ${saidBy(result)}`,
    'Fix what it reports, then run this again.',
  );
}

/** root's own PATH may lack the npm of a person. */
function sudo(option: '--install' | '--uninstall'): string {
  return `sudo env "PATH=$PATH" npm run daemon -- ${option}`;
}
