import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { counted } from '../counted.ts';
import { Failure } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { readIfExists } from '../system/files.ts';
import type { Run } from '../system/processes.ts';
import { type EngineInfo, engineInfo } from './engine-info.ts';
import { restartEngine, systemctl } from './engine-restart.ts';
import type { Made } from './made.ts';
import {
  dropIn,
  type EngineProxies,
  masked,
  PROXY_NAMES,
  readEnviron,
  sameProxies,
  variablesFile,
} from './proxy-drop-in.ts';
import { runsSystemd } from './systemd.ts';

export interface ProxyMachine {
  readonly run: Run;
  readonly clock: Clock;
  readonly root: boolean;
  readonly made: Made;
  /** `/etc/systemd/system` */
  readonly units: string;
  /** `/run` */
  readonly runtime: string;
  /** `/proc` */
  readonly processes: string;
}

/** Whether the engine may be restarted, with what comes of that. */
export type RestartConsent = (warning: string) => Promise<boolean>;

const PURPOSE = 'proxy';
const DROP_IN = 'docker.service.d/moorage-proxy.conf';
/** systemd itself reads only what ends in .conf there. */
const VARIABLES = 'docker.service.d/moorage-proxy.env';

/**
 * Has the engine go out by these proxies: a drop-in for its unit, and a restart where it runs with others. Where no engine
 * runs yet it will start with them. `undefined`: by none, as far as Moorage made it so.
 * @throws Failure `no-engine-unit`, `root-needed`, `foreign-file`, `proxy-overridden`, and those of the restart
 */
export async function ensureEngineProxy(
  machine: ProxyMachine,
  wanted: EngineProxies | undefined,
  consent: RestartConsent,
  report: Report,
): Promise<Done> {
  if (wanted === undefined)
    return { ...(await removeEngineProxy(machine, consent, report)), value: undefined };
  const info = await engineInfo(machine.run);
  const running = await runningEngine(machine);
  if (running === undefined && typeof info !== 'string' && shows(info, wanted))
    return unchanged(`Docker has them already: ${inWords(wanted)}`);
  await expectUnit(machine, running, info);
  const path = join(machine.units, DROP_IN);
  const variables = join(machine.units, VARIABLES);
  const texts = { unit: dropIn(variables), secret: variablesFile(wanted) };
  const stale = running !== undefined && !sameProxies(running, wanted);
  const written =
    (await readSecret(machine, variables)) === texts.secret &&
    (await readSecret(machine, path)) === texts.unit;
  if (!stale && written) {
    await expectShown(machine.run, wanted);
    return unchanged(`Docker has them: ${inWords(wanted)}`);
  }
  expectRoot(machine, '');
  if (stale && !(await consent(warning(info)))) return unchanged('nobody agreed: Docker goes out as before');
  await machine.made.ensure(variables, PURPOSE, texts.secret, 0o600);
  await machine.made.ensure(path, PURPOSE, texts.unit, 0o644);
  await systemctl(machine.run, 'daemon-reload');
  if (!stale) return changed(`${path} written; Docker will start with it`);
  const stopped = await restartEngine(machine, report);
  await expectShown(machine.run, wanted);
  return changed(`${inWords(wanted)}; Docker restarted${inRest(stopped)}`);
}

/**
 * Takes the drop-in away, and restarts an engine that runs with it.
 * @returns the paths that stay, as somebody has changed them
 * @throws Failure `root-needed`, and those of the restart
 */
export async function removeEngineProxy(
  machine: ProxyMachine,
  consent: RestartConsent,
  report: Report,
): Promise<Done<readonly string[]>> {
  if ((await machine.made.for(PURPOSE)).length === 0)
    return unchanged('Docker has no proxy from Moorage', []);
  expectRoot(machine, ' --remove');
  const running = await runningEngine(machine);
  const restart = running !== undefined && PROXY_NAMES.some((name) => running[name] !== undefined);
  if (restart && !(await consent(warning(await engineInfo(machine.run)))))
    return unchanged('nobody agreed: Docker goes out as before', []);
  let stopped: readonly string[] = [];
  const told = await machine.made.remove(PURPOSE, {
    settle: async () => {
      if (!(await runsSystemd(machine.runtime))) return;
      await systemctl(machine.run, 'daemon-reload');
      if (restart) stopped = await restartEngine(machine, report);
    },
  });
  const left = told.changed.map((path) => `; ${path} was changed by somebody and stays`).join('');
  return changed(
    `drop-in removed${restart ? `; Docker restarted${inRest(stopped)}` : ''}${left}`,
    told.changed,
  );
}

/** What the engine that runs was started with; `undefined`: systemd runs none. Root alone may look. */
async function runningEngine(machine: ProxyMachine): Promise<EngineProxies | undefined> {
  const { run, processes } = machine;
  if (!(await runsSystemd(machine.runtime))) return undefined;
  const { stdout } = await run('systemctl', ['show', '--property=MainPID', '--value', 'docker.service']);
  const pid = Number.parseInt(stdout.trim(), 10) || 0;
  if (pid === 0) return undefined;
  const environ = await readFile(join(processes, String(pid), 'environ'), 'utf8').catch(() => undefined);
  if (environ !== undefined) return readEnviron(environ);
  expectRoot(machine, '');
  return undefined; // it ended just now
}

/** @throws Failure where there is no unit that a drop-in could be for */
async function expectUnit(
  machine: ProxyMachine,
  running: EngineProxies | undefined,
  info: EngineInfo | string,
): Promise<void> {
  const systemd = await runsSystemd(machine.runtime);
  if (systemd && (running !== undefined || typeof info === 'string')) return;
  throw new Failure(
    'no-engine-unit',
    systemd
      ? 'The engine that answers is not the one of docker.service, so a drop-in for that would not reach it.'
      : 'systemd does not run this machine, so there is no unit of Docker to write a drop-in for.',
    [
      'From Docker 23 on, put this into /etc/docker/daemon.json and restart Docker (NO_PROXY as `npm run proxy -- --print` shows it):',
      '  {"proxies": {"http-proxy": "HTTP_PROXY", "https-proxy": "HTTPS_PROXY", "no-proxy": "NO_PROXY"}}',
      'Before, start dockerd with HTTP_PROXY, HTTPS_PROXY and NO_PROXY in its environment.',
    ].join('\n'),
  );
}

/** @throws Failure where something else has the last word: another drop-in, or daemon.json */
async function expectShown(run: Run, wanted: EngineProxies): Promise<void> {
  const info = await engineInfo(run);
  if (typeof info === 'string' || shows(info, wanted)) return;
  throw new Failure(
    'proxy-overridden',
    `Docker has other proxies than those of .env: ${info.httpProxy || 'none'}, ${info.httpsProxy || 'none'}, not for ${info.noProxy || 'nothing'}.`,
    'Look for another place that sets them: systemctl cat docker, and "proxies" in /etc/docker/daemon.json.',
  );
}

function shows(info: EngineInfo, { HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: EngineProxies): boolean {
  return (
    info.httpProxy === masked(HTTP_PROXY) &&
    info.httpsProxy === masked(HTTPS_PROXY) &&
    info.noProxy === (NO_PROXY ?? '')
  );
}

function warning(info: EngineInfo | string): string {
  const head = 'Docker Engine has to be restarted';
  if (typeof info === 'string') return `${head}.`;
  const count = counted(info.running, 'container');
  if (info.running === 0) return `${head}. No container is running.`;
  if (info.liveRestore)
    return `${head}. Its ${count} ${info.running === 1 ? 'goes' : 'go'} on meanwhile (live-restore).`;
  return `${head}: its ${count} will stop, and those with a restart policy will be started again.`;
}

function inRest(stopped: readonly string[]): string {
  return stopped.length === 0 ? '' : `; without a restart policy, and stopped now: ${stopped.join(', ')}`;
}

function inWords({ HTTP_PROXY, HTTPS_PROXY }: EngineProxies): string {
  const shown = [`http by ${masked(HTTP_PROXY) || 'none'}`, `https by ${masked(HTTPS_PROXY) || 'none'}`];
  return shown.join(', ').replaceAll('xxxxx:xxxxx@', '');
}

async function readSecret(machine: ProxyMachine, path: string): Promise<string | undefined> {
  return readIfExists(path).catch((error) => {
    expectRoot(machine, '');
    throw error;
  });
}

function expectRoot({ root }: ProxyMachine, option: string): void {
  if (root) return;
  throw new Failure(
    'root-needed',
    'How Docker is started is up to root.',
    `Run: sudo env "PATH=$PATH" npm run proxy${option === '' ? '' : ` --${option}`}`,
  );
}
